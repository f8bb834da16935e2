"""What the commands that look say while a running trader has no link: what is known, and that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.cli import covering, heat_view, looking, standing
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.face import Face
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.gateway.transport_faults import Refuse
from tests.bad_days.bad_lines import break_off
from tests.bad_days.requests import bracket
from tests.bad_days.stage import Day, a_day


@pytest.fixture
async def day(tmp_path: Path) -> AsyncIterator[Day]:
    """A trader holds ten AAPL, and its gateway is gone and refuses."""
    async with a_day(tmp_path) as opened, opened.open_desk() as desk:
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        opened.server.arm(Refuse(seconds=3600))
        break_off(opened)
        await opened.quiet()
        yield opened


@pytest.fixture
def face(day: Day, tmp_path: Path) -> Face:
    typed = Face(profile="sim", data_dir=str(tmp_path))
    typed.desk = day.desk
    return typed


async def test_status_tells_how_things_stand_without_a_link(day: Day, face: Face) -> None:
    await day.wait(10)  # no price of before is a present one
    told = await standing.status(face)
    assert (told.exit, told.data["is_synced"], told.data["positions"]) == (Exit.DONE, False, 1)
    assert told.data["state_reason"] == "not in sync with the broker"


async def test_what_is_held_is_shown_as_it_was_last_known(day: Day, face: Face) -> None:
    await day.wait(10)
    told = await looking.positions(face, symbol="")
    (held,) = told.data["positions"]
    assert (held["symbol"], held["covered"]) == ("AAPL", 10)
    assert "REDUCING: not in sync with the broker" in str(told.blocks[0])
    values: dict[str, Any] = (await looking.account(face)).data["values"]
    assert values["account"] == "SIM0000001"
    assert (await heat_view.heat(face)).data["positions"]


async def test_that_all_is_covered_is_not_said_of_a_broker_that_cannot_be_asked(
    face: Face,
) -> None:
    """A watcher goes by its exit code, and the last prices are not old yet."""
    with pytest.raises(BrokerUnavailable):
        await covering.cover(face, fix=False, timeout=None)
