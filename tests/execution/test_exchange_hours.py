"""Whether a market is open, by the exchange's time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ibkr_trader.core.models import Contract, ContractDetails, Session
from ibkr_trader.execution.exchange_hours import exchange_now, is_trading
from tests.execution.parts import START, Floor

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
DETAILS = ContractDetails(
    contract=Contract(symbol="AAPL", con_id=1),
    liquid_sessions=(Session(AT, AT + 6 * HOUR),),
    trading_sessions=(Session(AT - 5 * HOUR, AT + 10 * HOUR),),
)


@pytest.mark.parametrize(
    ("hours", "is_awake", "is_open"),
    [(0, False, True), (6, False, False), (-1, False, False), (6, True, True), (10, True, False)],
)
def test_the_end_of_a_session_is_not_of_it(hours: int, *, is_awake: bool, is_open: bool) -> None:
    assert is_trading(DETAILS, AT + hours * HOUR, is_awake=is_awake) is is_open


def test_hours_that_nobody_knows_are_open() -> None:
    assert is_trading(None, AT)
    assert is_trading(ContractDetails(contract=DETAILS.contract), AT)


async def test_a_clock_that_is_set_does_not_move_the_exchange() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        trader.outlook.book.skew = lambda: floor.clock.now() - START
        floor.clock.jump(START + 24 * HOUR)
        assert exchange_now(trader) == START
