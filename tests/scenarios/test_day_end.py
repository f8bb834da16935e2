"""The end of the day as cron sees it: through the gateway, at every hour, on odd days.

The gateway's clock decides, never the machine's: it is moved to each hour that a test needs,
and the machine believes to be in Tokyo.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from ibkr_trader.sim.gateway.background import start_background, status
from tests.cli.conftest import CommandLine
from tests.processes import warm
from tests.scenarios.traders import running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Ran

NEW_YORK = ZoneInfo("America/New_York")
LONG = (
    "bracket-order --symbol AAPL --quantity 10 --stop-loss 126 --take-profit 190"
    " --wait filled --yes"
)
SHORT = "order --symbol MSFT --side sell --no-stop --quantity 5 --wait filled"
ENTRY = "order --symbol MSFT --side sell --no-stop --quantity 1 --type limit --limit 900 --tif gtc"


class Days(CommandLine):
    """A command line at a gateway whose clock is set by hand."""

    def at(self, moment: str) -> Days:
        """Start the gateway at this hour of New York, or let its clock run there."""
        folder = self.data / "sim" / "gateway"
        when = datetime.fromisoformat(moment).replace(tzinfo=NEW_YORK)
        if status(folder) is not None:
            assert self(f"gateway inject advance --to {when.isoformat()}").code == 0
            return self
        folder.mkdir(parents=True)
        start_background(state_dir=folder, at=when)
        return self

    def fire(self, more: str = "") -> Ran:
        """Do what cron does."""
        return self(f"eod-close --json {more}".strip())

    def due(self) -> set[str]:
        """Fire where nothing may happen, and return what is said of each market."""
        done = self.fire()
        assert done.document["is_flat"] is False
        return {market["due"] for market in done.document["markets"]}

    def is_flat(self) -> bool:
        """Say whether the broker holds nothing, and nothing of ours works there."""
        held = self("positions --json").document["positions"]
        return not held and not self("orders --json").document["orders"]


@pytest.fixture
def days(tmp_path: Path) -> Iterator[Days]:
    line = Days(tmp_path)
    line.env["TZ"] = "Asia/Tokyo"
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    yield line
    line.stop_gateway()
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


def test_s29_the_week_of_thanksgiving_with_a_long_a_short_and_an_entry(days: Days) -> None:
    days.at("2026-11-25T10:00")
    for line in (LONG, SHORT, ENTRY):
        assert days(line).code == 0, line
    assert days.due() == {"early"}

    late = days.at("2026-11-25T16:01").fire()  # cron slept
    assert late.code == 7
    assert {market["due"] for market in late.document["markets"]} == {"over"}
    assert sorted(market["held"] for market in late.document["markets"]) == ["-5", "10"]

    assert days.at("2026-11-26T12:56").due() == {"holiday"}
    assert days.fire().code == 0
    assert days.at("2026-11-27T12:54").due() == {"early"}
    assert days.fire().code == 0

    done = days.at("2026-11-27T12:56").fire()
    assert done.code == 0, done
    assert done.document["is_flat"] is True
    assert days.is_flat()
    assert days.fire().document["markets"] == []


def test_f_f05_the_monday_after_the_clocks_changed(days: Days) -> None:
    days.at("2026-03-06T10:00")
    assert days(LONG).code == 0
    assert days.at("2026-03-09T15:54").due() == {"early"}
    done = days.at("2026-03-09T15:56").fire()
    (market,) = done.document["markets"]
    assert (done.code, market["closes"]) == (0, "2026-03-09T20:00:00Z")
    assert days.is_flat()


def test_a_dead_laptop_still_ends_the_day_flat(days: Days) -> None:
    days.at("2026-11-20T10:00")
    assert days(LONG).code == 0
    for _ in range(2):  # as often as cron likes
        placed = days.fire("--at broker")
        (market,) = placed.document["markets"]
        assert (placed.code, len(market["timed"])) == (0, 1)
    assert len(days("orders --json").document["orders"]) == 3
    days.at("2026-11-20T15:56")
    assert days.is_flat()


def test_f_g12_cron_and_a_person_at_a_running_trader_close_it_once(days: Days) -> None:
    days.at("2026-11-20T10:00")
    with running(days) as trader:
        for line in (LONG, SHORT):
            assert days(line).code == 0, line
        days.at("2026-11-20T15:56")
        both = [
            warm.Popen(
                [*days.program, *command.split()], cwd=days.folder, env=days.env,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )
            for command in ("eod-close", "close --all")
        ]  # fmt: skip
        assert [process.wait(timeout=40) for process in both] == [0, 0]
        assert trader.end() == 0
    assert days.is_flat()
    fills = days("fills --json").document["fills"]
    assert sorted((one["symbol"], one["side"]) for one in fills) == [
        ("AAPL", "BUY"), ("AAPL", "SELL"), ("MSFT", "BUY"), ("MSFT", "SELL"),
    ]  # fmt: skip
