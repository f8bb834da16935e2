"""How a running trader stands, as figures: what is counted, and what is so at this moment.

What adds up the whole book is of the last second, however often somebody asks, and is worked
out in parts between which an order may go first. What nobody knows is left out: it is not zero.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from ibkr_trader import __version__
from ibkr_trader.cli.glimpses import OF_AN_ORDER, PAUSE
from ibkr_trader.core.enums import OrderStatus, TradingState
from ibkr_trader.core.models import ZERO
from ibkr_trader.dashboard.scene import Light
from ibkr_trader.orders.coverage import coverage
from ibkr_trader.portfolio.currency import currency_of
from ibkr_trader.portfolio.meter_families import counter, families, gauge
from ibkr_trader.portfolio.metric import Sample, Tally
from ibkr_trader.portfolio.protection import standings
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.gauges import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from ibkr_trader.cli.trader_card import TraderCard
    from ibkr_trader.execution.metering import Metering
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.portfolio.metric import Family
    from ibkr_trader.risk.check import Gauge
    from ibkr_trader.risk.view import RiskView

_ONE = 1


class DeskFigures:
    """Works out the figures of one trader.

    Args:
        trader: Whose.
        metering: Counts what happens to it.
        card: Knows how its three lines stand, and where its signals come from.
        profile: Where its orders go.
    """

    def __init__(
        self,
        trader: Trader,
        metering: Metering,
        *,
        card: TraderCard,
        profile: str,
    ) -> None:
        self._trader, self._metering = trader, metering
        self._card, self._profile = card, profile
        self._begun = trader.clock.now().timestamp()
        self._slow: tuple[float, tuple[Family, ...]] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def families(self) -> list[Family]:
        """Return all figures, as of now or of the last second."""
        async with self._one_at_a_time:
            now = self._trader.clock.monotonic()
            if self._slow is None or now - self._slow[0] >= PAUSE:
                self._slow = (now, await self._worked_out())
            counted = families(await self._metering.meters())
        return [*self._itself(), *counted, *self._slow[1], *self._beside()]

    async def _worked_out(self) -> tuple[Family, ...]:
        """Return what adds up the whole book, giving way between two parts of it."""
        view = self._trader.outlook.view()
        found: list[Family] = []
        for part in (self._states, _book, _money):
            found += part(view)
            await asyncio.sleep(0)
        gauges: list[Gauge] = []
        for check in CHECKS:
            gauges += reading(check, view)
            await asyncio.sleep(0)
        return (*found, *_limits(gauges))

    def _itself(self) -> Iterator[Family]:
        about = (("profile", self._profile), ("version", __version__))
        yield gauge("info", "Which program this is, and where its orders go.", Sample(_ONE, about))
        yield gauge(
            "start_time_seconds",
            "When it was ready, by its own clock, in seconds since 1970.",
            Sample(round(self._begun)),
        )
        yield counter(
            "uncounted_total",
            "What these figures have missed, because too much happened at once.",
            Sample(self._metering.missed),
        )

    def _states(self, view: RiskView) -> Iterator[Family]:
        outlook, switch = self._trader.outlook, view.switch
        yield gauge(
            "trading_state",
            "1 for what the desk allows now, 0 for what it does not.",
            *(Sample(int(one is view.trading_state), (("state", one.value.lower()),))
              for one in TradingState),
        )  # fmt: skip
        halted = sum(1 for symbol in switch.held if symbol)
        yield gauge("symbols_halted", "Symbols that are halted by themselves.", Sample(halted))
        yield gauge(
            "in_sync",
            "Whether all was asked and answered on the connection that stands.",
            Sample(int(outlook.is_synced)),
        )
        arming = self._trader.arming.arming(as_typed=False)
        is_armed = Sample(int(arming.is_armed(view.now)))
        yield gauge("armed", "Whether anything may be opened as far as arming goes.", is_armed)
        count = Sample(len(self._trader.alarming.standing))
        yield gauge("alarms", "What people must hear of, and nobody has taken note of.", count)
        yield gauge("light", "1 for how each of the three lines stands.", *self._lights(view))

    def _lights(self, view: RiskView) -> Iterator[Sample]:
        for name, lit in self._card.lights(view)._asdict().items():
            for one in Light:
                yield Sample(int(one is lit.light), (("line", name), ("state", one.value)))

    def _beside(self) -> Iterator[Family]:
        """Yield how sinks, sources and the disk stand: that costs nothing."""
        egress = self._trader.egress
        sinks = [(one, (("sink", one.name),)) for one in (egress.standing() if egress else ())]
        up = (Sample(int(one.is_up), on) for one, on in sinks if one.is_up is not None)
        yield gauge("sink_up", "Whether the last attempt to tell a sink succeeded.", *up)
        waiting = (Sample(one.waiting, on) for one, on in sinks)
        yield gauge("sink_waiting", "What waits to be told to a sink.", *waiting)
        told = Tally()
        for one, _ in sinks:
            for what in ("sent", "dropped", "refused"):
                told = told.plus(getattr(one, what), sink=one.name, what=what)
        yield counter("sink_told_total", "What sinks took, missed and refused.", *told.samples)
        yield counter(
            "source_events_total",
            "What the sources of signals have counted themselves.",
            *_counts(self._card),
        )
        standing = {one.name: int(not one.trouble) for one in self._card.sources}
        yield gauge(
            "source_up",
            "Whether a source of signals is well.",
            *(Sample(up, (("source", name),)) for name, up in standing.items()),
        )
        complete = Sample(int(self._trader.record.is_complete))
        yield gauge("journal_complete", "Whether all that was told is on disk.", complete)


def _counts(card: TraderCard) -> tuple[Sample, ...]:
    counts = Tally(most=200)
    for source in card.sources:
        for what, count in source.counts.items():
            counts = counts.plus(count, source=source.name, what=what)
    return counts.samples


def _book(view: RiskView) -> Iterator[Family]:
    book = view.portfolio
    by_status = Counter(order.status for order in book.orders.values())
    yield gauge(
        "orders_live",
        "Orders that may still trade, whoever's, by status.",
        *(Sample(by_status[one], (("status", one.value.lower()),))
          for one in OrderStatus if not one.is_closed),
    )  # fmt: skip
    naked = surplus = 0
    for one in standings(book).values():
        cover = coverage(one.held, one.orders, mark=one.mark)
        naked += bool(cover.naked and not one.is_closing)
        surplus += bool(cover.surplus)
    yield gauge("positions", "Positions that are held.", Sample(len(book.positions)))
    words = "Positions of which stops would not end all, and that are not being closed."
    yield gauge("positions_unprotected", words, Sample(naked))
    words = "Contracts in which exits could trade more than is held."
    yield gauge("contracts_overexited", words, Sample(surplus))
    drift = Sample(len(book.drift))
    yield gauge("drift", "Disagreements with the broker that still stand.", drift)


def _money(view: RiskView) -> Iterator[Family]:
    currency, worth = currency_of(view.portfolio), view.portfolio.values
    on = (("currency", currency),)

    def amount(value: Decimal | None) -> tuple[Sample, ...]:
        return () if value is None else (Sample(value, on),)

    heat = view.heat_now()
    net = worth.net_liquidation if worth is not None else None
    brought = view.pnl.net if view.pnl is not None else None
    yield gauge("day_result", "What the day has brought, commissions off.", *amount(brought))
    limit = view.limits.max_daily_loss
    yield gauge("day_loss_limit", "The loss of a day that ends opening.", *amount(limit))
    words = "What is lost if every stop hits now."
    yield gauge("heat", words, *amount(None if heat.unknown else heat.total))
    words = "How much of that is allowed."
    yield gauge(
        "heat_limit", words, *amount(net * view.limits.max_heat if net is not None else None)
    )


def _limits(gauges: Iterable[Gauge]) -> Iterator[Family]:
    least: dict[str, Decimal] = {}
    unknown: Counter[str] = Counter()
    for one in gauges:
        if one.limit is None:
            continue
        if one.headroom is None:
            if one.check not in OF_AN_ORDER:
                unknown[one.check] += 1
            continue
        left = one.headroom / one.limit if one.limit else ZERO
        least[one.check] = min(left, least.get(one.check, left))
    yield gauge(
        "limit_headroom_ratio",
        "What is left of each limit, from 1 to 0: where it is in several places, the least.",
        *(Sample(left, (("check", check),)) for check, left in least.items()),
    )
    yield gauge(
        "limit_unknown",
        "Places of a limit of which nobody knows how much is in use.",
        *(Sample(count, (("check", check),)) for check, count in unknown.items()),
    )
