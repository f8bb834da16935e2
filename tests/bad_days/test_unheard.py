"""F-B07: an order is called filled, and for a while neither execution nor position tells of it."""

from __future__ import annotations

from decimal import Decimal

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import Position
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from tests.bad_days.judges import assert_sound
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, Day

POSITIONS = Fault(when=When(names=("position",), times=0), act=rules.Drop())


def placed(day: Day) -> int:
    return len(day.wire.sent("placeOrder"))


async def holding(day: Day) -> Position:
    """Hold ten AAPL under a bracket whose target then trades, by the broker's word alone."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.quiet()
    position = day.trader.portfolio.positions[AAPL]
    day.faults.arm(*rules.status_without_exec(), POSITIONS)
    await day.trade("target")
    assert day.ledger.held(AAPL) == 0
    assert day.trader.portfolio.positions[AAPL].quantity == Decimal(10), "nobody has told"
    return position


async def test_f_b07_what_is_called_sold_is_not_sold_again_by_a_close(day: Day) -> None:
    position, before = await holding(day), placed(day)
    async with day.trying(close_contract(day.trader, position.contract, timeout=30)):
        await day.wait(10)
    assert placed(day) == before
    assert day.ledger.held(AAPL) == 0
    assert AAPL not in day.trader.portfolio.positions, "the broker was asked"
    assert_sound(day, AAPL)


async def test_f_b07_nor_by_an_order_of_its_own(day: Day) -> None:
    await holding(day)
    before = placed(day)
    async with day.trying(day.desk.submit_order(single(side=Side.SELL, limit="160"))):
        await day.wait(0.1)
    assert placed(day) == before
    await day.wait(10)
    assert_sound(day, AAPL)
