"""`eod-close` where the broker goes away in the middle of it."""

from __future__ import annotations

import msgspec

from ibkr_trader.cli.ending import LIFE_FILE
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.remote import Sent
from ibkr_trader.config import Settings
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from tests.cli.serving_parts import counter, gone_after
from tests.scenarios.crash_child import bracket


async def test_a_broker_who_goes_away_in_the_middle_is_an_alarm_and_an_unknown_end(
    settings: Settings,
) -> None:
    async with counter(settings) as at:
        await Desk(at.desk.trader).submit_group(bracket(), wait=Wait.FILLED)
        settings.place.folder.mkdir()
        gone_after(at, 2)
        said = await at("day.eod-close", json=True, options={"now": True})
        assert isinstance(said, Sent), said
        document = msgspec.json.decode(said.data)
        assert (said.exit, document["is_flat"], document["sent"]) == (Exit.UNKNOWN, False, True)
        assert document["markets"][0]["trouble"]
        trader = at.desk.trader
        assert await trader.until(
            lambda _: "day-end" in {one.key for one in trader.alarming.standing} or None, timeout=5
        )
        life = msgspec.json.decode((settings.place.folder / LIFE_FILE).read_bytes())
        assert (life["exit"], life["is_flat"]) == (10, False)


async def test_a_broker_who_was_gone_before_anything_was_due_is_unreachable(
    settings: Settings,
) -> None:
    async with counter(settings) as at:
        await Desk(at.desk.trader).submit_group(bracket(), wait=Wait.FILLED)
        gone_after(at, 0)
        said = await at("day.eod-close", json=True)
        assert isinstance(said, Failure)
        assert said.exit_code == Exit.UNREACHABLE
