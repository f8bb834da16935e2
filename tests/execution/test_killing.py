"""Flat, whatever fills on the way, and nothing that could open."""

from __future__ import annotations

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.killing import await_no_openers, flatten, holding, opening
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.trader import Trader
from tests.execution.parts import Floor, request
from tests.scenarios.crash_child import bracket


async def test_what_could_open_and_what_is_held_by_symbol() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        order = await desk.submit_order(
            msgspec.structs.replace(request(3, limit="380.00"), symbol="MSFT")
        )
        portfolio = trader.portfolio
        assert [one.order_id for one in opening(portfolio)] == [order.order_id]
        assert [len(opening(portfolio, name)) for name in ("MSFT", "AAPL")] == [1, 0]
        assert [len(holding(portfolio, name)) for name in ("", "MSFT", "AAPL")] == [1, 0, 1]


async def test_waiting_for_what_does_not_go_ends() -> None:
    async with Floor().trader() as trader:
        await Desk(trader).submit_order(request(3, limit="149.00"))
        await await_no_openers(trader, timeout=0.05)
        assert opening(trader.portfolio)


async def fill_another(trader: Trader) -> None:
    other = msgspec.structs.replace(request(4, side=Side.SELL), symbol="MSFT")
    await Desk(trader).submit_order(other, wait=Wait.FILLED)


async def test_what_fills_while_another_is_closed_is_closed_too() -> None:
    async with Floor().trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        study, is_late = trader.study, [True]

        async def late(*given: object, **more: object) -> object:
            if is_late.pop() if is_late else False:
                await fill_another(trader)
            return await study(*given, **more)  # type: ignore[arg-type] # passed on as it came

        trader.study = late  # type: ignore[method-assign,assignment] # an entry fills in this very moment
        closed = await flatten(trader, timeout=5)
        assert sorted(one.contract.symbol for one in closed) == ["AAPL", "MSFT"]
        assert not trader.portfolio.positions


async def test_one_that_cannot_be_closed_is_not_tried_for_ever() -> None:
    floor = Floor()
    told: list[str] = []
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        floor.clock.advance(6.5 * 3600)  # 16:30 in New York
        (one,) = await flatten(trader, timeout=5, tell=told.append)
        assert one.trouble is not None
        assert "is closed" in one.trouble.message
        assert len(told) == 2  # once begun, once refused
        assert holding(trader.portfolio) == (one.contract,)
