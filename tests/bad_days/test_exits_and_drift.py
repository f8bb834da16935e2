"""An exit that a person asks for while the broker states less than our books have."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.placing import Wait
from tests.bad_days.requests import exits, single, trail
from tests.bad_days.stage import AAPL, Day

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderRequest
    from ibkr_trader.orders.group import GroupRequest


async def sold_by_hand(day: Day, quantity: int) -> None:
    """Hold 10 by our books, of which a person has just sold some: only the position tells."""
    day.trader.guardian.duty = Duty.NONE
    await day.desk.submit_order(single(), wait=Wait.FILLED)
    await day.hand_order(single().side.opposite, quantity)
    assert day.trader.portfolio.drift  # its execution is asked for in a moment
    assert day.trader.portfolio.positions[AAPL].quantity == 10


@pytest.mark.parametrize(
    "request_", [trail(), trail(is_managed=True), exits()], ids=["trail", "managed", "oco"]
)
@pytest.mark.parametrize("sold", [10, 6])
async def test_an_exit_does_not_go_out_for_what_the_broker_has_sold(
    sold: int, request_: OrderRequest | GroupRequest, day: Day
) -> None:
    await sold_by_hand(day, sold)
    with pytest.raises(RiskCheckError, match="by the broker's word"):
        await day.sent(request_)
    assert day.ledger.live(AAPL) == ()
    await day.gap("120")
    await day.wait(10)
    assert day.ledger.held(AAPL) == 10 - sold


async def test_one_of_what_is_left_goes_out_at_once(day: Day) -> None:
    await sold_by_hand(day, 6)
    await day.sent(trail(4))
    (stop,) = day.ledger.live(AAPL)
    assert stop.remaining == Decimal(4)
    await day.gap("120")
    await day.wait(10)
    assert day.ledger.held(AAPL) == 0
