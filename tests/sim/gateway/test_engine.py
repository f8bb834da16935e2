"""The exchange's time: it runs, it survives, and it wakes up for the first client."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ib_insync import LimitOrder

from ibkr_trader.sim.gateway.engine import waking_moment
from ibkr_trader.sim.gateway.probe import answers
from ibkr_trader.sim.gateway.store import Store
from tests.sim.gateway.desk import AAPL, AAPL_ID, OPENED, open_desk


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ((2026, 11, 20, 15, 0), None),  # Friday 10:00
        ((2026, 11, 20, 20, 59), None),  # Friday 15:59
        ((2026, 11, 20, 21, 0), (2026, 11, 23, 15, 0)),  # Friday 16:00: Monday
        ((2026, 11, 20, 23, 0), (2026, 11, 23, 15, 0)),  # Friday evening session
        ((2026, 11, 20, 13, 0), (2026, 11, 20, 15, 0)),  # Friday 8:00: today
        ((2026, 11, 21, 15, 0), (2026, 11, 23, 15, 0)),  # Saturday
        ((2026, 11, 25, 22, 0), (2026, 11, 27, 15, 0)),  # the eve of Thanksgiving
        ((2026, 11, 27, 18, 30), (2026, 11, 30, 15, 0)),  # a half day, after 13:00
        ((2026, 10, 30, 22, 0), (2026, 11, 2, 15, 0)),  # over the end of summer time
    ],
)
def test_waking_is_at_ten_of_the_next_trading_day(
    now: tuple[int, ...], expected: tuple[int, ...] | None
) -> None:
    moment = datetime(*now, tzinfo=UTC)  # type: ignore[misc,arg-type] # year to minute
    awake = datetime(*expected, tzinfo=UTC) if expected else None  # type: ignore[misc,arg-type] # as above
    assert waking_moment(moment) == awake


EVENING = datetime(2026, 11, 20, 23, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 15, tzinfo=UTC)


async def test_the_first_client_of_the_night_wakes_the_exchange() -> None:
    async with open_desk(at=EVENING) as desk:
        ib = await desk.connect()
        assert await ib.reqCurrentTimeAsync() == MONDAY


async def test_a_probe_wakes_nobody() -> None:
    async with open_desk(at=EVENING) as desk:
        assert await asyncio.to_thread(answers, desk.server.port)
        assert desk.exchange.market.tape(AAPL_ID).at < MONDAY


async def test_the_night_does_not_jump_under_a_clients_feet() -> None:
    late = datetime(2026, 11, 20, 20, 59, 30, tzinfo=UTC)
    async with open_desk(at=late) as desk:
        first = await desk.connect(1)
        desk.wait(60)
        second = await desk.connect(2)
        assert await second.reqCurrentTimeAsync() == late + timedelta(seconds=60)
        await desk.leave(first)
        await desk.leave(second)
        desk.wait(60)
        third = await desk.connect(3)
        assert await third.reqCurrentTimeAsync() == late + timedelta(seconds=120)
        await desk.leave(third)
        desk.wait(601)
        fourth = await desk.connect(4)
        assert await fourth.reqCurrentTimeAsync() == MONDAY


async def test_waking_expires_the_days_orders() -> None:
    late = datetime(2026, 11, 20, 20, 59, 30, tzinfo=UTC)
    async with open_desk(at=late) as desk:
        desk.quote("149.99", "150.01")
        ib = await desk.connect(1)
        ib.placeOrder(AAPL, LimitOrder("BUY", 1, 140, tif="DAY"))
        ib.placeOrder(AAPL, LimitOrder("BUY", 2, 140, tif="GTC"))
        await ib.reqCurrentTimeAsync()
        await desk.leave(ib)
        desk.wait(3600)
        again = await desk.connect(1)
        assert [trade.order.totalQuantity for trade in again.openTrades()] == [2]


async def test_a_restart_carries_the_time_on(tmp_path: Path) -> None:
    path = tmp_path / "exchange.sqlite3"
    async with open_desk(store=path) as desk:
        desk.wait(100)
    kept = Store(path)
    mark = kept.clock()
    kept.close()
    assert mark is not None
    assert mark.at == OPENED + timedelta(seconds=100)
