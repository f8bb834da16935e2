"""On a day with very many messages a trail makes larger steps, and then none."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import OrderId
from ibkr_trader.core.tallies import Traffic
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.thrift import is_spared
from ibkr_trader.orders.trailing_stops import TrailingStopConfig
from ibkr_trader.risk.traffic import FEW
from tests.execution.parts import AAPL, Floor, request

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order
    from ibkr_trader.execution.trader import Trader

CENT = Decimal("0.01")


def wasteful(trader: Trader, ratio: int) -> None:
    """Let the day have seen so many messages for each trade."""
    begins = trader.outlook.book.day_start()
    trader.outlook.book.traffic = Traffic(since=begins, changes=ratio * FEW, executions=FEW - 1)


async def trail(floor: Floor, trader: Trader) -> Order:
    """Hold AAPL under a managed trail of 3, which stands at 146.99."""
    desk = Desk(trader)
    await desk.submit_order(request(), wait=Wait.FILLED)
    floor.clock.advance(60)
    config = TrailingStopConfig(
        symbol="AAPL", quantity=Decimal(10), trail_amount=Decimal(3), is_managed=True
    )
    (stop,) = await desk.submit_group(config)
    assert stop.spec.side is Side.SELL
    return stop


async def rise(floor: Floor, trader: Trader, to: str, stop: Order) -> Decimal | None:
    """Let the market rise and stand; return where the stop then is."""
    high = Decimal(to)
    for _ in range(2):
        floor.clock.advance(1.1)
        floor.move(trader, to, str(high + 2 * CENT))
        await trader.until(lambda p: p.marks.get(AAPL) == high or None, timeout=2)
        trader.groups._beat(floor.clock.now())
        await trader.groups.idle()
        await trader.intake.drained()
    found = trader.portfolio.order(stop.order_id)
    assert found is not None
    return found.spec.stop_price


@pytest.mark.parametrize(
    ("ratio", "small", "large"),
    [
        (11, "147.50", "148.50"),
        (12, "146.99", "148.50"),  # less than five steps of 0.147, then more
        (18, "146.99", "146.99"),
    ],
)
async def test_a_trail_yields_as_messages_grow_scarce(ratio: int, small: str, large: str) -> None:
    floor = Floor()
    async with floor.trader() as trader:
        stop = await trail(floor, trader)
        await rise(floor, trader, "149.90", stop)
        assert await rise(floor, trader, "150", stop) == Decimal("146.99")
        said = list[ev.BaseEvent]()
        trader.bus.subscribe(ev.GroupEvent, said.append)
        trader.bus.subscribe(ev.DenyEvent, said.append)
        wasteful(trader, ratio)
        assert await rise(floor, trader, "150.50", stop) == Decimal(small)
        assert await rise(floor, trader, "151.50", stop) == Decimal(large)
        assert not said
        trader.outlook.book.traffic = None  # the next day
        assert await rise(floor, trader, "151.70", stop) == Decimal("148.70")


async def test_nothing_else_is_spared() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        stop = await trail(floor, trader)
        wasteful(trader, 100)
        move = ModifyOrder(order_id=stop.order_id, stop_price=Decimal(148), is_cosmetic=True)
        assert is_spared(move, trader.outlook)
        for other in (
            ModifyOrder(order_id=stop.order_id, stop_price=Decimal(148)),
            ModifyOrder(order_id=stop.order_id, quantity=Decimal(5)),
            ModifyOrder(order_id=OrderId("memo-9-stop"), stop_price=Decimal(1), is_cosmetic=True),
            CancelOrder(order_id=stop.order_id),
        ):
            assert not is_spared(other, trader.outlook)
        floor.clock.advance(timedelta(days=1).total_seconds())
        assert not is_spared(move, trader.outlook)  # the exchange's day has rolled
