"""What a review costs: every check, beside 100 positions and 500 working orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderStatus, SecType
from ibkr_trader.core.events import SyncEvent
from ibkr_trader.core.models import Bar, Contract, ContractDetails, Order, Quote
from ibkr_trader.execution.bus import EventBus
from ibkr_trader.execution.outlook import Outlook, RiskSettings
from ibkr_trader.execution.ports import MarketData
from ibkr_trader.execution.skew_watch import in_step
from ibkr_trader.portfolio.currency import currency_of
from ibkr_trader.portfolio.exposure import ExposureIndex
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.risk.history import History
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.risk.view import RiskView
from tests.benchmarks.desks import WIDE
from tests.benchmarks.harness import Goal, Sample, Table, timed
from tests.risk.world import (
    ACCOUNT,
    NOW,
    aged,
    bracket,
    details,
    held,
    limit,
    portfolio,
    quote,
    submit,
    view,
    working,
)

TIMES = 20
HELD = 100
ORDERS_EACH = 5
PAST = 10_000
CONTRACTS = [Contract(symbol=f"S{number:03}", con_id=number) for number in range(1, HELD + 1)]


def world(past: int = 0) -> RiskView:
    """Return a busy desk, on a day that has seen `past` orders."""
    orders = [
        working(limit("BUY", 1, "140", f"t-{contract.con_id}-o{n}", contract=contract))
        for contract in CONTRACTS
        for n in range(ORDERS_EACH)
    ]
    done = tuple(
        working(limit("BUY", 1, "140", f"p-{n}-single"), OrderStatus.CANCELLED) for n in range(past)
    )
    pace = timedelta(days=1) / max(past, 1)
    desk = view(
        portfolio=portfolio(*(held(10, contract) for contract in CONTRACTS), *orders, past=done),
        quotes={c.con_id: aged(quote(contract=c)) for c in CONTRACTS},
        details={c.con_id: details(c) for c in CONTRACTS},
        limits=WIDE,
        history=History(openings=tuple(NOW - pace * (past - n) for n in range(past))),
    )
    # As the router's view: what changes little is carried on from the review before.
    limits, exposure = desk.limits, desk.exposure
    return msgspec.structs.replace(
        desk,
        heat=desk.heat.follow(desk.portfolio, exposure, no_stop=limits.max_stop_distance),
        correlated=desk.correlated.follow(
            exposure,
            matrix=desk.correlations,
            threshold=limits.correlation_threshold,
            sectors=desk.sectors,
            currency=currency_of(desk.portfolio),
        ),
    )


def one_order() -> SubmitOrders:
    """Return a limit order for what is held already."""
    return submit(limit("BUY", 10, "149", "t-0-single", contract=CONTRACTS[0]))


def review(command: SubmitOrders, desk: RiskView) -> Sample:
    """Return a sample of one review, which must approve, so that every check has run to its end."""
    guard = RiskGuard()
    verdict = guard.review(command, desk)
    if not isinstance(verdict, Approved):
        raise TypeError(f"the order to be reviewed is denied: {verdict.breaches}")

    def work() -> None:
        for _ in range(TIMES):
            guard.review(command, desk)

    return timed(work, per=TIMES)


class Prices(MarketData):
    """Market data at hand, without anybody who sends it."""

    def __init__(self) -> None:
        self._quotes = {contract.con_id: quote(contract=contract) for contract in CONTRACTS}

    async def resolve(
        self, symbol: str, *, sec_type: SecType | None = None, currency: str = "USD"
    ) -> ContractDetails:
        """Return the contract of that symbol."""
        return next(details(c) for c in CONTRACTS if c.symbol == symbol)

    async def quote(self, contract: Contract, *, timeout: float) -> Quote | None:
        """Return the quote."""
        return self.last_quote(contract.con_id)

    def last_quote(self, con_id: int) -> Quote | None:
        """Return the quote."""
        return self._quotes.get(con_id)

    async def bars(
        self, contract: Contract, *, duration: str, bar_size: str, timeout: float | None = None
    ) -> tuple[Bar, ...]:
        """Return nothing: no review asks for bars."""
        return ()


def composed(command: SubmitOrders, desk: RiskView) -> Sample:
    """Return the same with the view composed anew from 100 quotes, as the router does."""
    bus = EventBus()
    outlook = Outlook(
        bus=bus,
        clock=ManualClock(NOW),
        account=ACCOUNT,
        settings=RiskSettings(limits=WIDE),
        market=Prices(),
    )
    outlook.book.skew = in_step
    bus.publish(SyncEvent(at=NOW, epoch=1))
    outlook.portfolio = desk.portfolio
    for contract in CONTRACTS:
        outlook.learn(details(contract))
        outlook.confirm(contract.con_id)
    guard = RiskGuard()
    if not isinstance(guard.review(command, outlook.view()), Approved):
        raise TypeError("the order to be reviewed is denied")

    def work() -> None:
        for _ in range(TIMES):
            guard.review(command, outlook.view())

    return timed(work, per=TIMES)


def followed(desk: RiskView) -> Sample:
    """Return what it costs to follow one changed order in the exposure of them all."""
    index = ExposureIndex.of(desk.portfolio)
    order = next(iter(desk.portfolio.orders.values()))
    fresh = Order(spec=order.spec, status=OrderStatus.PENDING_CANCEL)
    later = portfolio(*desk.portfolio.positions.values(), *desk.portfolio.orders.values(), fresh)

    def work() -> None:
        for _ in range(TIMES):
            index.follow(later)

    return timed(work, per=TIMES)


def tables() -> Iterator[Table]:
    """Measure reviews of one order and of a bracket."""
    desk, busy = world(), world(PAST)
    contract = CONTRACTS[0]
    entry = limit("BUY", 10, "149", "t-0-entry", contract=contract)
    three = bracket(10, entry=entry, group="t-0")
    yield Table(
        title=f"one review, all {len(list(CHECKS.items()))} checks, {HELD} positions,"
        f" {HELD * ORDERS_EACH} working orders",
        rows={
            "one order": review(one_order(), desk),
            "one order, 10,000 past": review(one_order(), busy),
            "bracket": review(three, desk),
            "bracket, 10,000 past": review(three, busy),
            "one order, with its view": composed(one_order(), desk),
            "exposure after one change": followed(desk),
        },
        goals=(
            Goal("one order", 150.0),
            Goal("bracket", 150.0),
            Goal("one order, 10,000 past", 1.2, of="one order"),
            Goal("bracket, 10,000 past", 1.2, of="bracket"),
        ),
        notes=("what the correlation check alone costs is measured in `correlation`",),
        rounds=40,
    )
