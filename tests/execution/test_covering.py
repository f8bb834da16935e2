"""`cover --fix` puts right what it can, and says what it cannot."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderRole, Side
from ibkr_trader.execution.covering import carry_out, fixes, orphans
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.placing import Wait
from tests.execution.parts import AAPL, Floor, request
from tests.execution.test_guardian import Stranger, sizes
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader


async def fix(trader: Trader) -> list[str]:
    """Do what comes next, and return what it was."""
    found = await fixes(trader)
    for one in found:
        assert one.command is not None
        await carry_out(trader, one.command, timeout=5)
    return [one.words for one in found]


async def test_what_is_bare_gets_a_stop_whoever_opened_it() -> None:
    floor = Floor()
    async with floor.trader(duty=Duty.NONE) as trader:
        Stranger(floor, trader).trade("BUY", 7)
        assert await trader.until(lambda p: AAPL in p.positions or None, timeout=2)
        (words,) = await fix(trader)
        assert words == "AAPL: a stop for 7 at 142.49"
        (stop,) = trader.portfolio.orders.values()
        assert (stop.spec.role, stop.spec.quantity) == (OrderRole.STOP, Decimal(7))
        assert await fix(trader) == []


async def test_orphans_are_found_and_taken_away() -> None:
    floor = Floor()
    async with floor.trader(duty=Duty.NONE) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        assert orphans(trader) == []
        Stranger(floor, trader).trade("SELL", 10)
        assert await trader.until(lambda p: AAPL not in p.positions or None, timeout=2)
        (found,) = orphans(trader)
        assert (found.surplus, len(found.orders)) == (Decimal(10), 2)
        assert len(await fix(trader)) == 2
        assert not trader.portfolio.orders


async def test_exits_that_are_too_large_are_cut() -> None:
    floor = Floor()
    async with floor.trader(duty=Duty.NONE) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        Stranger(floor, trader).trade("SELL", 4)
        assert await trader.until(lambda p: p.positions[AAPL].quantity == 6 or None, timeout=2)
        await fix(trader)
        assert sizes(trader.portfolio) == {6}


async def test_a_target_makes_room_for_the_stop_that_is_missing() -> None:
    floor = Floor()
    async with floor.trader(duty=Duty.NONE) as trader:
        desk = Desk(trader)
        await desk.submit_order(request(), wait=Wait.FILLED)
        await desk.submit_order(request(side=Side.SELL, limit="160.00"))
        (first,) = await fix(trader)
        assert first == "AAPL: 2-single cancelled, to make room for a stop"
        (second,) = await fix(trader)
        assert second == "AAPL: a stop for 10 at 142.51"
        (stop,) = trader.portfolio.orders.values()
        assert stop.spec.role is OrderRole.STOP


async def test_what_cannot_be_done_says_why() -> None:
    floor = Floor()
    async with floor.trader(duty=Duty.NONE) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        position = trader.portfolio.positions[AAPL]
        floor.clock.advance(6.5 * 3600)  # 16:30 in New York
        (one,) = await fixes(trader)
        assert (one.command, one.words) == (None, "AAPL: no price of an open market is at hand")
        floor.clock.advance(0)
        trader.closer.begin(position.contract)
        (two,) = await fixes(trader)
        assert (two.command, two.words) == (None, "AAPL: it is being closed")
