"""Strategies and what a person has released: whatever they wish there is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.enums import Outcome
from ibkr_trader.execution.caring import release
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.rules.wishes import Add, Exit, LetTrail, MoveStop
from tests.execution.strategy_stage import StrategyFloor
from tests.execution.test_wishing import done, enter, held, why

if TYPE_CHECKING:
    from ibkr_trader.rules.wishes import Wish


@pytest.mark.parametrize(
    "wish",
    [
        enter(),
        Add(symbol="AAPL", quantity=Decimal(5)),
        Exit(symbol="AAPL"),
        MoveStop(symbol="AAPL", level=Decimal(147)),
        LetTrail(symbol="AAPL", trail=Trail(amount=Decimal(2))),
    ],
)
async def test_what_a_person_has_released_is_no_strategys_business(wish: Wish) -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        await held(floor, desk)
        await release(desk.trader, "AAPL")
        before = dict(desk.trader.portfolio.orders)
        came = await done(desk, wish)
        assert (came.outcome, "was released" in why(came)) == (Outcome.REFUSED, True), came
        assert desk.trader.portfolio.orders == before
