"""A bracket of which a person has sold a part in TWS: what is left is all that it looks after."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders.cover_orders import CoverRules
from tests.execution.parts import AAPL, Floor, take_away
from tests.execution.test_guardian import Stranger, guarded, sizes, soon
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ibkr_trader.execution.trader import Trader


@asynccontextmanager
async def four_of_ten_sold(floor: Floor, said: list[str]) -> AsyncIterator[tuple[Trader, Stranger]]:
    async with guarded(floor, CoverRules()) as (trader, stranger):
        trader.bus.subscribe(ev.GroupEvent, lambda event: said.append(event.message))
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        stranger.trade("SELL", 4)
        await soon(floor, trader, lambda now: now.positions[AAPL].quantity == 6, seconds=0)
        await soon(floor, trader, lambda now: sizes(now) == {6}, seconds=0.9)
        yield trader, stranger


async def let_time_pass(floor: Floor, trader: Trader) -> None:
    for _ in range(20):
        floor.clock.advance(0.5)
        trader.groups._beat(floor.clock.now())
        await trader.groups.idle()
        await trader.intake.drained()
        await trader.guardian.look()
        await asyncio.sleep(0)


async def test_what_was_sold_is_not_sold_again_out_of_what_somebody_else_holds() -> None:
    floor, said = Floor(), list[str]()
    async with four_of_ten_sold(floor, said) as (trader, stranger):
        stranger.trade("BUY", 20)
        await soon(floor, trader, lambda now: now.positions[AAPL].quantity == 26, seconds=0)
        floor.move(trader, "144.00", "144.02")
        await let_time_pass(floor, trader)
        assert trader.portfolio.positions[AAPL].quantity == 20
        assert not [word for word in said if "closing" in word]


async def test_nobody_is_told_to_close_by_hand_what_is_flat() -> None:
    floor, said = Floor(), list[str]()
    async with four_of_ten_sold(floor, said) as (trader, _):
        floor.move(trader, "144.00", "144.02")
        await let_time_pass(floor, trader)
        assert not trader.portfolio.positions
        assert not [word for word in said if "by hand" in word]


async def test_a_stop_that_is_lost_comes_back_for_what_is_left() -> None:
    floor, said = Floor(), list[str]()
    async with four_of_ten_sold(floor, said) as (trader, _):
        await take_away(trader, *trader.portfolio.orders.values())
        await let_time_pass(floor, trader)
        assert sizes(trader.portfolio) == {6}
        roles = {order.spec.role for order in trader.portfolio.orders.values()}
        assert roles == {OrderRole.STOP, OrderRole.TARGET}
        assert not [word for word in said if "denied" in word]
