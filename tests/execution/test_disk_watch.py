"""A disk that is nearly full: nothing is opened until there is room again."""

from __future__ import annotations

import asyncio

import pytest

from ibkr_trader.core.enums import Side, TradingState
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.execution import disk_watch
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.disk_watch import DiskWatch
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.execution.trader import Trader
from tests.execution.parts import AAPL, Floor, request


class Disk:
    """So much is free; None cannot be read."""

    def __init__(self, free: int | None) -> None:
        self.free = free
        self.looked = asyncio.Event()

    def __call__(self) -> int:
        self.looked.set()
        if self.free is None:
            raise OSError(5, "Input/output error")
        return self.free


def watch(trader: Trader, disk: Disk) -> DiskWatch:
    return DiskWatch(trader, least=100_000_000, free=disk)


@pytest.mark.parametrize(
    ("free", "reason"),
    [
        (100_000_000, ""),
        (99_999_999, "only 99 MB are free on the disk, and 100 MB are needed"),
        (0, "only 0 MB are free on the disk, and 100 MB are needed"),
        (None, "the disk cannot be read: Input/output error"),
    ],
)
async def test_too_little_room_is_a_reason_of_its_own(free: int | None, reason: str) -> None:
    async with Floor().trader() as trader:
        watch(trader, Disk(free)).look()
        view = trader.outlook.view()
        assert view.state_reason == reason
        assert (view.trading_state is TradingState.REDUCING) is bool(reason)


async def test_it_closes_and_opens_nothing_until_there_is_room() -> None:
    floor, disk = Floor(), Disk(1)
    async with floor.trader() as trader:
        desk = Desk(trader)
        await desk.submit_order(request(), wait=Wait.FILLED)
        floor.clock.advance(60)
        floor.move(trader, "149.99", "150.01")
        looks = watch(trader, disk)
        looks.look()
        with pytest.raises(RiskCheckError, match="MB are free"):
            await desk.submit_order(request(1))
        await desk.submit_order(request(4, side=Side.SELL), wait=Wait.FILLED)
        assert trader.portfolio.positions[AAPL].quantity == 6
        disk.free = 200_000_000
        looks.look()
        await desk.submit_order(request(1), wait=Wait.FILLED)


async def test_it_looks_again_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_watch, "BEAT", 0.001)
    disk = Disk(1)
    async with (
        asyncio.timeout(5),
        Floor().trader() as trader,
        alongside(watch(trader, disk).work()),
    ):
        await disk.looked.wait()
        assert trader.outlook.view().trading_state is TradingState.REDUCING
        disk.free = 10**12
        for _ in range(2):
            disk.looked.clear()
            await disk.looked.wait()
        assert trader.outlook.view().trading_state is TradingState.ACTIVE
