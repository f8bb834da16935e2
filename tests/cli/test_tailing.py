"""Records are told as they are written, and nobody is told who has left."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ibkr_trader.adapters.journal_schema import Ids
from ibkr_trader.cli import tailing
from ibkr_trader.cli.face import Face
from ibkr_trader.core.events import CheckpointEvent
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
        *("two (code 2104)", "CheckpointEvent", "session 1 of a program by ?", "three (code 2104)"),
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
