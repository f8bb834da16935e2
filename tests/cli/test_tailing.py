"""Records are told as they are written, and nobody is told who has left."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ibkr_trader.adapters.journal_schema import Ids
from ibkr_trader.cli import tailing
from ibkr_trader.cli.exits import Exit, Verdict
from ibkr_trader.cli.face import Face
from ibkr_trader.core.events import AlarmEvent, CheckpointEvent
from tests.adapters.journal_parts import NOW, note, open_journal, order


def test_it_goes_on_with_what_is_written_also_in_the_next_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sim" / "journal.db"
    with open_journal(path) as journal:
        journal.append([note("before")])

        def acts() -> Iterator[bool]:
            yield True  # nothing was written
            journal.append([note("one")])
            yield True
            yield True
            journal.segment_bytes = 0
            journal.append([note("two"), CheckpointEvent(at=NOW, live=())])
            journal.append([note("three")])
            yield True
            yield False

        going = acts()
        face = Face(data_dir=str(tmp_path), utc=True)
        wish = tailing.Wish(1, journal=str(path), follows=True)
        tailing.tail(face, wish, wait=lambda: next(going))
    told = [line.partition("UTC  ")[2] for line in capsys.readouterr().out.splitlines()]
    assert told == [
        *("before (code 2104)", "one (code 2104)", "session 1 of a program by ?"),
        *(
            "two (code 2104)",
            "resting point: a restart reads from here",
            "session 1 of a program by ?",
            "three (code 2104)",
        ),
    ]


def test_of_one_order_only_what_is_about_it_follows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "journal.db"
    with open_journal(path) as journal:
        spec = order(journal.state.install, 1, 7)

        def acts() -> Iterator[bool]:
            journal.append([note("of nobody")])
            journal._write([("FutureEvent", '{"type":"?"}', Ids(spec.order_id))])
            yield True
            yield False

        going = acts()
        wish = tailing.Wish(9, order="1", journal=str(path), follows=True)
        tailing.tail(Face(), wish, wait=lambda: next(going))
    (line,) = capsys.readouterr().out.splitlines()
    assert "journal record 3 (FutureEvent) cannot be read" in line


def test_an_order_that_nothing_is_about_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "journal.db"
    with open_journal(path) as journal:
        journal.append([note("of nobody")])
    tailing.tail(Face(), tailing.Wish(9, order="99", journal=str(path)))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "none of 2 records is about 99; ibkr-trader orders --all\n"


def test_who_took_note_of_an_alarm_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "journal.db"
    alarm = AlarmEvent(at=NOW, key="drift", message="they differ", since=NOW)
    over = msgspec.structs.replace(alarm, is_over=True)
    seen = msgspec.structs.replace(alarm, seen_by="ann", reason="a transfer")
    with open_journal(path) as journal:
        journal.append([alarm, over, seen, msgspec.structs.replace(seen, reason="")])
    tailing.tail(Face(utc=True), tailing.Wish(4, journal=str(path)))
    told = [line.partition("UTC  ")[2] for line in capsys.readouterr().out.splitlines()]
    assert told == [
        *("alarm drift: they differ", "alarm drift: it is over"),
        *("alarm drift: ann has taken note: a transfer", "alarm drift: ann has taken note"),
    ]


def test_a_reader_that_leaves_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        wait = tailing._listener()
        assert wait()
        os.close(reading)
        assert not wait()


def test_a_stream_that_is_no_file_is_written_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert tailing._listener()()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
@pytest.mark.parametrize("json", [True, False])
def test_a_full_disk_behind_it_is_told_and_no_fault_of_ours(
    tmp_path: Path,
    json: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "journal.db"
    with open_journal(path) as journal:
        journal.append([note("before")])
    full = os.open("/dev/full", os.O_WRONLY)
    with io.TextIOWrapper(io.FileIO(full, "w"), line_buffering=True) as out:
        monkeypatch.setattr(sys, "stdout", out)
        face = Face(data_dir=str(tmp_path), json=json)
        with pytest.raises(Verdict) as ended:
            tailing.tail(face, tailing.Wish(5, journal=str(path)))
    assert ended.value.exit is Exit.INCOMPLETE
    assert "from record 1 on nothing could be shown" in capsys.readouterr().err
