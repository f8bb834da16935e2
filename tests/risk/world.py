"""A small world for the tests of risk: AAPL at 150, an account of a million, all in sync."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OcaType, OrderRole, OrderStatus, OrderType, Side
from ibkr_trader.core.events import Breach, DriftEvent
from ibkr_trader.core.models import (
    AccountValues,
    Contract,
    ContractDetails,
    GroupId,
    Order,
    OrderId,
    OrderSpec,
    Position,
    Quote,
    Session,
)
from ibkr_trader.portfolio.exposure import ExposureIndex
from ibkr_trader.portfolio.growing import GrowingMap
from ibkr_trader.portfolio.ledger_fold import subject_of
from ibkr_trader.portfolio.pnl import DayPnl
from ibkr_trader.portfolio.state import PortfolioState
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.risk.limits import RiskLimits
from ibkr_trader.risk.proposal import propose
from ibkr_trader.risk.verdict import Approved, Denied
from ibkr_trader.risk.view import AgedQuote, RiskView

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday, 10:00 in New York
ACCOUNT = "SIM0000001"
AAPL = Contract(symbol="AAPL", con_id=1)
MSFT = Contract(symbol="MSFT", con_id=2)
REGULAR = (
    Session(NOW - timedelta(minutes=30), NOW + timedelta(hours=6)),
    Session(NOW + timedelta(days=3, minutes=-30), NOW + timedelta(days=3, hours=6)),
)
EXTENDED = (Session(NOW - timedelta(hours=6), NOW + timedelta(hours=10)), REGULAR[1])
RICH = AccountValues(
    account=ACCOUNT, net_liquidation=Decimal(1_000_000), available_funds=Decimal(1_000_000)
)


def D(text: str | int) -> Decimal:  # noqa: N802 - as short as the figures it marks
    return Decimal(text)


def figures(*texts: str | int | None) -> tuple[Decimal | None, ...]:
    return tuple(D(text) if text is not None else None for text in texts)


def details(contract: Contract = AAPL, **changes: Any) -> ContractDetails:
    return msgspec.structs.replace(
        ContractDetails(contract=contract, liquid_sessions=REGULAR, trading_sessions=EXTENDED),
        **changes,
    )


def quote(
    bid: str | None = "149.99", ask: str | None = "150.01", contract: Contract = AAPL, **more: Any
) -> Quote:
    return Quote(
        contract=contract,
        at=NOW,
        bid=D(bid) if bid is not None else None,
        ask=D(ask) if ask is not None else None,
        **more,
    )


def aged(what: Quote | None = None, seconds: int = 0) -> AgedQuote:
    return AgedQuote(what if what is not None else quote(), timedelta(seconds=seconds))


def spec(
    side: Side | str = Side.BUY, quantity: str | int = 10, order_id: str = "t-1-single", **more: Any
) -> OrderSpec:
    """A market order for 10 AAPL, or what `more` makes of it; prices may be strings."""
    for name in ("limit_price", "stop_price", "trail_amount", "trail_percent"):
        if more.get(name) is not None:
            more[name] = D(more[name])
    terms: dict[str, Any] = {
        "group_id": GroupId("-".join(order_id.split("-")[:2])),
        "role": OrderRole.SINGLE,
        "contract": AAPL,
        "account": ACCOUNT,
        "order_type": OrderType.MARKET,
        "broker_order_id": 101,
    }
    return OrderSpec(
        order_id=OrderId(order_id), side=Side(side), quantity=D(quantity), **(terms | more)
    )


def limit(side: str, size: str | int, at: str, name: str = "t-1-single", **more: Any) -> OrderSpec:
    return spec(side, size, name, order_type=OrderType.LIMIT, limit_price=at, **more)


def stop(side: str, size: str | int, at: str, name: str = "t-1-single", **more: Any) -> OrderSpec:
    return spec(side, size, name, order_type=OrderType.STOP, stop_price=at, **more)


def bracket(
    quantity: str | int = 10,
    *,
    loss: str = "145",
    profit: str = "155",
    entry: OrderSpec | None = None,
    exits: str | int | None = None,
    group: str = "t-1",
) -> SubmitOrders:
    """The README's bracket: BUY 10 AAPL at the market, stop 145, target 155."""
    parent = entry or spec("BUY", quantity, f"{group}-entry", role=OrderRole.ENTRY)
    close = parent.side.opposite
    shared: dict[str, Any] = {
        "parent_id": parent.order_id,
        "oca_group": f"{group}-exits",
        "oca_type": OcaType.REDUCE,
        "contract": parent.contract,
    }
    target = {"role": OrderRole.TARGET, "broker_order_id": 102}
    protection = {"role": OrderRole.STOP, "broker_order_id": 103}
    size = quantity if exits is None else exits
    return SubmitOrders(
        group_id=GroupId(group),
        kind="bracket",
        orders=(
            parent,
            limit(close, size, profit, f"{group}-target", **shared, **target),
            stop(close, size, loss, f"{group}-stop", **shared, **protection),
        ),
    )


def submit(*orders: OrderSpec, **more: Any) -> SubmitOrders:
    return SubmitOrders(group_id=orders[0].group_id, orders=orders, **more)


def modify(order: Order | str, **terms: str | int) -> ModifyOrder:
    order_id = order if isinstance(order, str) else order.order_id
    wanted: dict[str, Any] = {name: D(value) for name, value in terms.items()}
    return ModifyOrder(order_id=OrderId(order_id), **wanted)


def cancel(order_id: str) -> CancelOrder:
    return CancelOrder(order_id=OrderId(order_id))


def working(
    what: OrderSpec, status: OrderStatus = OrderStatus.SUBMITTED, filled: str | int = 0, **more: Any
) -> Order:
    return Order(spec=what, status=status, filled=D(filled), **more)


def held(
    quantity: str | int, contract: Contract = AAPL, cost: str = "150", **more: Any
) -> Position:
    return Position(
        account=ACCOUNT,
        contract=contract,
        quantity=D(quantity),
        average_cost=D(cost),
        **more,
    )


def portfolio(
    *parts: Order | Position, values: AccountValues | None = RICH, past: tuple[Order, ...] = ()
) -> PortfolioState:
    known = [*past, *(part for part in parts if isinstance(part, Order))]
    groups: dict[GroupId, tuple[OrderId, ...]] = {}
    children: dict[OrderId, tuple[OrderId, ...]] = {}
    for order in known:
        group, parent = order.spec.group_id, order.spec.parent_id
        groups[group] = (*groups.get(group, ()), order.order_id)
        if parent is not None:
            children[parent] = (*children.get(parent, ()), order.order_id)
    return PortfolioState(
        groups=GrowingMap(groups),
        children=GrowingMap(children),
        orders={part.order_id: part for part in parts if isinstance(part, Order)},
        closed=GrowingMap({order.order_id: order for order in past}),
        unheard={order.order_id: order for order in known if order.unheard},
        positions={part.contract.con_id: part for part in parts if isinstance(part, Position)},
        values=values,
        marks=_marks(parts),
    )


def _marks(parts: tuple[Order | Position, ...]) -> dict[int, Decimal]:
    """The prices at which things are held: the middle of the quotes, else what was paid."""
    found = {o.spec.contract.con_id: D("150") for o in parts if isinstance(o, Order)}
    found |= {p.contract.con_id: p.average_cost for p in parts if isinstance(p, Position)}
    return found | {1: D("150"), 2: D("300")}


def view(*parts: Order | Position, **changes: Any) -> RiskView:
    """A view of a portfolio of `parts`, where everything is known and allowed."""
    book = changes.get("portfolio") or portfolio(*parts)
    facts: dict[str, Any] = {
        "now": NOW,
        "account": ACCOUNT,
        "allowed_accounts": frozenset({ACCOUNT}),
        "portfolio": book,
        "exposure": changes.get("exposure") or ExposureIndex.of(book),
        "quotes": {
            1: aged(quote(shortable=D(3))),
            2: aged(quote("299.98", "300.02", MSFT, shortable=D(3))),
        },
        "details": {1: details(), 2: details(MSFT)},
        "is_synced": True,
        "pnl": DayPnl(),
        "equity_peak": D(1_000_000),
        "clock_skew": timedelta(0),
    }
    return RiskView(**(facts | changes))


def drifted(*parts: Order | Position, stated: int) -> RiskView:
    """A view in which the broker states another position in AAPL than our books."""
    book, subject = portfolio(*parts), subject_of(AAPL)
    ours = book.positions[AAPL.con_id].quantity
    found = DriftEvent(at=NOW, subject=subject, ours=f"{ours:f}", theirs=str(stated))
    drift = {subject: found} if ours != stated else {}
    return view(
        portfolio=msgspec.structs.replace(book, drift=drift, reported={AAPL.con_id: D(stated)})
    )


def limits(**changes: Any) -> RiskLimits:
    return RiskLimits(**changes)


def judge(name: str, command: Command, world: RiskView) -> list[Breach]:
    """Ask one check alone; a check that fails raises here."""
    assert not isinstance(command, CancelOrder)
    return list(CHECKS[name].run(propose(command, world), world))


def review(command: Command, world: RiskView) -> Approved | Denied:
    return RiskGuard().review(command, world)


def reasons(verdict: Approved | Denied) -> set[str]:
    return {breach.check for breach in verdict.breaches} if isinstance(verdict, Denied) else set()
