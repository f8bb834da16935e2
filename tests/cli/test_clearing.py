"""`reset-account` where the broker goes away in the middle of it."""

from __future__ import annotations

from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.failure import Failure
from ibkr_trader.config import Settings
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from tests.cli.serving_parts import counter, gone_after
from tests.execution.parts import AAPL
from tests.scenarios.crash_child import bracket


async def test_a_broker_who_goes_away_in_the_middle_leaves_the_outcome_unknown(
    settings: Settings,
) -> None:
    async with counter(settings) as at:
        await Desk(at.desk.trader).submit_group(bracket(), wait=Wait.FILLED)
        gone_after(at, 2)
        said = await at("recover.reset-account", json=True, yes=True)
        assert isinstance(said, Failure)
        assert (said.exit_code, said.code) == (Exit.UNKNOWN, "outcome_unknown"), said
        assert "AAPL may be held without a stop" in said.message
        assert AAPL in at.desk.trader.portfolio.positions
