"""A folder that was put back, or copied and written twice, is not what this machine has seen."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.journal_seen import SeenMark, state_folder
from ibkr_trader.core.events import CheckpointEvent
from tests.adapters.journal_parts import NOW, note


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sim" / "journal.db"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def opened(path: Path, state: Path | None, *, turns: bool = False) -> SqliteJournal:
    clock = ManualClock(NOW)
    return SqliteJournal(path, clock=clock, seen_in=state, segment_bytes=0 if turns else None)


def doubt(journal: SqliteJournal) -> str:
    assert journal.seen is not None
    return journal.seen.doubt


def write(path: Path, state: Path, text: str) -> None:
    with opened(path, state) as journal:
        assert doubt(journal) == ""
        journal.append([note(text)])


def test_what_goes_on_is_in_no_doubt(path: Path, state: Path) -> None:
    for text in ("one", "two", "three"):
        write(path, state, text)
    (mark,) = state.iterdir()
    assert stat.S_IMODE(mark.stat().st_mode) == 0o600
    assert int(mark.read_text().split()[0]) == 6
    with opened(path, None) as journal:  # as `halt` does where there is no desk
        assert journal.seen is None
        journal.append([note("unseen")])
    write(path, state, "four")
    with opened(path, state, turns=True) as journal:
        journal.append([CheckpointEvent(at=NOW, live=())])
    write(path, state, "in another file")


def test_an_older_folder_is_doubted_until_that_is_accepted(path: Path, state: Path) -> None:
    write(path, state, "one")
    backup = path.parent.with_name("backup")
    shutil.copytree(path.parent, backup)
    write(path, state, "two")
    shutil.rmtree(path.parent)
    shutil.copytree(backup, path.parent)
    with opened(path, state) as journal:
        assert "ends with record 2, and this machine has seen record 4" in doubt(journal)
        journal.append([note("went on")])
    with opened(path, state) as journal:  # a crash before it is on record forgets nothing
        assert "record 4 of the journal is not the one" in doubt(journal)
        assert journal.seen is not None
        journal.seen.accept()
        assert doubt(journal) == ""
    write(path, state, "three")


def test_two_copies_that_were_both_written_are_noticed(path: Path, state: Path) -> None:
    write(path, state, "one")
    shutil.copytree(path.parent, path.parent.with_name("copy"))
    write(path, state, "here")
    copy = path.parent.with_name("copy") / path.name
    with opened(copy, None) as journal:
        journal.append([note("there"), note("and more")])
    with opened(copy, state) as journal:
        assert "record 4 of the journal is not the one" in doubt(journal)


@pytest.mark.parametrize("content", [b"nonsense", b"1 2 3", b"\xff" * 90])
def test_an_unreadable_line_is_a_doubt(path: Path, state: Path, content: bytes) -> None:
    write(path, state, "one")
    (mark,) = state.iterdir()
    mark.write_bytes(content)
    with opened(path, state) as journal:
        assert "cannot be read" in doubt(journal)


@pytest.mark.parametrize("obstacle", ["file", "link"])
def test_a_folder_that_cannot_be_used_keeps_nobody(path: Path, state: Path, obstacle: str) -> None:
    if obstacle == "file":
        state.write_text("")
    else:
        state.mkdir(mode=0o700)
        with opened(path, None) as journal:
            (state / journal.state.install).symlink_to(state / "elsewhere")
    write(path, state, "one")
    mark = SeenMark(state, "abcde") if obstacle == "file" else SeenMark(state, "a/b")
    mark.compare(0, lambda _: b"")
    mark.set(1, bytes(32))
    mark.close()
    mark.close()
    assert not mark.doubt


def test_it_lies_where_the_user_keeps_state(monkeypatch: pytest.MonkeyPatch) -> None:
    assert state_folder() == Path.home() / ".local/state/ibkr-trader/journals"
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert state_folder() == Path("/somewhere/ibkr-trader/journals")
