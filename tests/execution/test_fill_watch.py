"""After a bust, a liquidation or an overfill nothing opens until a person has looked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from tests.execution.parts import Floor, request
from tests.orders.samples import fill, filled

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader


def state(trader: Trader) -> TradingState:
    return trader.outlook.view().trading_state


async def test_a_bust_lets_nothing_more_open_and_is_told() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        told: list[ev.ErrorEvent] = []
        trader.bus.subscribe(ev.ErrorEvent, told.append)
        bought, never = fill(10), fill(0, revision=2)
        trader.intake.admit([filled(bought)])
        assert state(trader) is TradingState.ACTIVE
        trader.intake.admit([filled(never)])
        assert state(trader) is TradingState.REDUCING
        (trouble,) = told
        words = "AAPL: execution e1 of BUY 10 @ 150.00 was taken back (bust)"
        assert (trouble.message, trouble.is_serious, trouble.needs_look) == (words, True, True)
        trader.halter.resume("looked at it", origin="cli")
        trader.intake.admit([filled(bought), filled(never)])
        assert state(trader) is TradingState.ACTIVE, "its repeat is no news"


async def test_a_second_oddity_is_told_while_the_first_still_holds() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        told: list[ev.ErrorEvent] = []
        trader.bus.subscribe(ev.ErrorEvent, told.append)
        for key in ("e1", "e2"):
            trader.intake.admit([filled(fill(1, key=key, is_liquidation=True))])
        assert [one.message.partition("execution ")[2][:2] for one in told] == ["e1", "e2"]


async def test_an_order_that_trades_on_beyond_its_size_is_told_once_until_a_resumption() -> None:
    """A person is called once, and again where he has looked and it goes on."""
    floor = Floor()
    async with floor.trader() as trader:
        told: list[ev.ErrorEvent] = []
        trader.bus.subscribe(ev.ErrorEvent, told.append)
        order = await Desk(trader).submit_order(request(10), wait=Wait.FILLED)
        for key in ("more1", "more2", "more3"):
            more = fill(1, key=key, order_id=order.order_id)
            trader.intake.admit([filled(more)])
        assert [one.message.partition("execution ")[2] for one in told] == ["more1)"]
        trader.halter.resume("looked at it", origin="cli")
        trader.intake.admit([filled(fill(1, key="more4", order_id=order.order_id))])
        assert [one.message.partition("execution ")[2] for one in told] == ["more1)", "more4)"]
        assert state(trader) is TradingState.REDUCING
