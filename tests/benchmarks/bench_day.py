"""What the day's result and the heat cost to follow: 100 positions, 500 working orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

from ibkr_trader.core.events import PriceEvent, SyncEvent
from ibkr_trader.portfolio.exposure import ExposureIndex
from ibkr_trader.portfolio.heat import HeatIndex
from ibkr_trader.portfolio.pnl import DayPnl
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.benchmarks.bench_risk import CONTRACTS, HELD, ORDERS_EACH, world
from tests.benchmarks.harness import Goal, Sample, Table, timed
from tests.risk.world import NOW, held, quote

TIMES = 20
SINCE = NOW - timedelta(hours=10)
CLOSE = Decimal(140)


def priced(state: PortfolioState, *, count: int, bid: str) -> PortfolioState:
    """Return a portfolio after news of so many prices."""
    for contract in CONTRACTS[:count]:
        news = quote(bid, f"{Decimal(bid) + 1}", contract=contract, close=CLOSE)
        state = state.apply(PriceEvent(at=NOW, contract=contract, quote=news))
    return state


def repeated(work: Callable[[], object]) -> Sample:
    """Return a sample of doing something several times."""

    def each() -> None:
        for _ in range(TIMES):
            work()

    return timed(each, per=TIMES)


def tables() -> Iterator[Table]:
    """Measure what a review pays for both, and what a price costs."""
    positions = tuple(held(10, contract) for contract in CONTRACTS)
    state = priced(fold([SyncEvent(at=NOW, epoch=1, positions=positions)]), count=HELD, bid="149")
    one, every = (priced(state, count=count, bid="151") for count in (1, HELD))
    day = DayPnl().follow(state, SINCE)
    desk = world()
    exposure = ExposureIndex.of(desk.portfolio)
    heat = HeatIndex().follow(desk.portfolio, exposure)
    moved = priced(desk.portfolio, count=1, bid="151")
    after = exposure.follow(moved)
    yield Table(
        title=f"the day's result and the heat, {HELD} positions, {HELD * ORDERS_EACH} orders",
        rows={
            "day, nothing new": repeated(lambda: day.follow(state, SINCE)),
            "day, one price": repeated(lambda: day.follow(one, SINCE)),
            "day, every price": repeated(lambda: day.follow(every, SINCE)),
            "heat, nothing new": repeated(lambda: heat.follow(desk.portfolio, exposure)),
            "heat, one price": repeated(lambda: heat.follow(moved, after)),
            "heat, from nothing": repeated(lambda: HeatIndex().follow(desk.portfolio, exposure)),
        },
        goals=(Goal("day, nothing new", 10.0), Goal("heat, nothing new", 10.0)),
        rounds=20,
    )
