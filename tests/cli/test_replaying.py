"""What was known at a moment is known again, from the journal and from an archive of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.journal import SqliteJournal
from tests.cli.conftest import CommandLine
from tests.cli.report_parts import DAY

BEGIN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)  # 09:30 in New York


@pytest.fixture
def line(cli: CommandLine) -> CommandLine:
    """Return a command line whose journal has a record each minute from 09:31 on."""
    place = cli.data / "sim"
    place.mkdir(parents=True, mode=0o700)
    clock = ManualClock(BEGIN)
    with SqliteJournal(place / "journal.db", clock=clock) as journal:
        for event in DAY:
            clock.advance(60)
            journal.append([event])
    return cli


def test_a_moment_shows_what_worked_and_what_was_held_then(line: CommandLine) -> None:
    wanted = {"sent": 4, "filled": 6}  # which of the records of the first trip
    sent = line(f"audit replay --to 09:{30 + wanted['sent']:02}:00 --json").document
    assert [(one["id"], one["status"]) for one in sent["orders"]] == [("memo-1-entry", "PENDING")]
    assert sent["positions"] == []
    held = line(f"audit replay --to 2026-11-20T09:{30 + wanted['filled']}:00 --json").document
    assert [(one["symbol"], one["quantity"]) for one in held["positions"]] == [("AAPL", "10")]
    assert held["orders"] == []
    code, out, _ = line("audit replay")
    assert code == 0
    assert "journal.db  as known at 2026-11-20 09:57:00 EST, record 28" in out
    assert "No positions." in out


def test_an_archive_shows_the_same(line: CommandLine) -> None:
    assert line("audit export it.tar.gz").code == 0
    for moment in ("09:34:30", "14:36:00"):
        utc = " --utc" if moment.startswith("14") else ""
        one, two = (
            line(f"audit replay {source} --to {moment}{utc} --json").document
            for source in ("it.tar.gz", str(line.data / "sim"))
        )
        assert {**one, "source": ""} == {**two, "source": ""}
        assert one["record"] > 1
    before = line("audit replay it.tar.gz --to 2020-01-01T00:00:00").out
    assert "as known at the beginning, record 0" in before


def test_what_came_later_neither_harms_nor_counts(line: CommandLine) -> None:
    path = line.data / "sim" / "journal.db"
    before = line("audit replay --to 2026-11-20T09:34:30 --json").document
    with SqliteJournal(path, clock=ManualClock(BEGIN)) as journal:  # the clock was set back
        journal.append([DAY[0]])
    again = line("audit replay --to 2026-11-20T09:34:30 --json").document
    assert again == before
    path.write_bytes(path.read_bytes().replace(b'"100.40"', b'"100.41"'))
    code, _, err = line("audit replay --to 2026-11-20T09:34:30")
    assert (code, err) == (0, "")
    assert line("audit replay").code != 0


def test_what_is_no_moment_and_no_source_is_told(line: CommandLine) -> None:
    assert line("audit replay --to soon").code == 2
    assert line("audit replay missing.tar.gz").code == 3
