"""A journal is read beside its writer, and only as far as it went when reading began."""

from __future__ import annotations

from pathlib import Path

import pytest

from ibkr_trader.cli import past_journal as past
from ibkr_trader.config import Place, Profile
from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import JournalError
from tests.adapters.journal_parts import open_journal
from tests.execution.parts import START


def note(number: int) -> ev.ErrorEvent:
    return ev.ErrorEvent(at=START, code=number, message="note")


def place(tmp_path: Path) -> Place:
    return Place(profile=Profile.SIM, data_dir=tmp_path)


def test_without_a_journal_there_is_none_and_none_is_made(tmp_path: Path) -> None:
    with past.past_journal(place(tmp_path)) as journal:
        assert journal is None
    assert not place(tmp_path).folder.exists()


def test_it_is_read_while_its_writer_goes_on(tmp_path: Path) -> None:
    with open_journal(place(tmp_path).journal) as writer:
        writer.append([note(1)])
        with past.past_journal(place(tmp_path)) as journal:
            assert journal is not None
            assert [one for _, one in journal.messages()][-1] == note(1)
            with pytest.raises(JournalError):
                journal.append([note(2)])
