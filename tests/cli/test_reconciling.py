"""`reconcile`, `adopt` and `release` carried out by a running trader, for whoever asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.remote import Sent
from ibkr_trader.config import Settings
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.placing import Wait
from tests.cli.serving_parts import Counter, counter, settings_in
from tests.execution.parts import AAPL, Floor
from tests.execution.test_guardian import Stranger, soon
from tests.scenarios.crash_child import bracket


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with settings_in(tmp_path) as found:
        yield found


def data(answer: Sent | Failure) -> dict[str, Any]:
    assert isinstance(answer, Sent), answer
    found: dict[str, Any] = msgspec.json.decode(answer.data)
    return found


async def bought(at: Counter, floor: Floor) -> None:
    """Buy by a bracket, and have a person sell all of it while nobody clears up."""
    at.desk.trader.guardian.duty = Duty.NONE
    await Desk(at.desk.trader).submit_group(bracket(), wait=Wait.FILLED)
    Stranger(floor, at.desk.trader).trade("SELL", 10)
    await soon(floor, at.desk.trader, lambda now: AAPL not in now.positions, seconds=0)


async def test_a_trader_plans_and_applies_for_whoever_asks(settings: Settings) -> None:
    floor = Floor()
    async with counter(settings, floor=floor) as at:
        await bought(at, floor)
        plan = await at("recover.reconcile", json=True)
        assert isinstance(plan, Sent)
        assert plan.exit is Exit.INCOMPLETE
        token = data(plan)["token"]
        done = await at("recover.reconcile", json=True, options={"apply": token})
        assert isinstance(done, Sent)
        assert (done.exit, data(done)["failed"]) == (Exit.DONE, [])
        assert not at.desk.trader.portfolio.orders
        told = [line for line in at.terminal.told if "- cancel orphan" in line]
        assert told
        again = await at("recover.reconcile", json=True, options={"apply": token})
        assert isinstance(again, Failure)
        assert again.code == "ticket"


async def test_a_trader_adopts_and_releases(settings: Settings) -> None:
    floor = Floor()
    async with counter(settings, floor=floor) as at:
        trader = at.desk.trader
        Stranger(floor, trader).trade("BUY", 10)
        await soon(floor, trader, lambda now: AAPL in now.positions, seconds=0)
        taken = await at("recover.adopt", json=True, options={"symbol": "AAPL", "stop": "3%"})
        assert (data(taken)["care"], data(taken)["is_covered"]) == ("adopted", True)
        left = await at("recover.release", json=True, options={"symbol": "AAPL"})
        assert (data(left)["released"], len(data(left)["orders"])) == (True, 1)
