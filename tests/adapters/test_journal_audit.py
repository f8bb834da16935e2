"""What is wrong with a journal is named, and what of it can be trusted; nothing is changed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ibkr_trader.adapters.journal_audit import audit
from ibkr_trader.adapters.journal_file import files
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import CheckpointEvent
from tests.adapters.journal_parts import NOW, note, open_journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a journal of two files: records 1 to 7, and 8 to 11."""
    found = tmp_path / "sim" / "journal.db"
    with open_journal(found) as journal:
        journal.append([note("one"), note("two")])
    with open_journal(found) as journal:
        journal.append([note("three")])
        journal.segment_bytes = 0
        journal.append([CheckpointEvent(at=NOW, live=())])
        journal.append([note("four"), note("five")])
    with open_journal(found) as journal:
        journal.segment_bytes = None
    return found


def change(path: Path, statement: str) -> None:
    path.chmod(0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.executescript("DROP TRIGGER no_update; DROP TRIGGER no_delete;")
        raw.execute(statement)


def content(folder: Path) -> dict[str, bytes]:
    """Return what lies there, but for SQLite's shared memory, which says nothing."""
    found = {one.name: one.read_bytes() for one in folder.iterdir()}
    return {name: data for name, data in found.items() if not name.endswith("-shm")}


def test_a_whole_journal_is_told_with_its_ends_and_its_head(path: Path) -> None:
    steps: list[tuple[int, int]] = []
    found = audit(path, report=lambda done, total: steps.append((done, total)))
    assert found.faults == ()
    assert (found.first, found.last, found.records, found.sessions) == (1, 11, 11, 3)
    assert found.files == ("journal.db", "journal.db-000002")
    assert found.first_at == found.last_at == NOW.isoformat()
    assert steps == []  # too short to tell
    with open_journal(path, read_only=True) as journal:
        assert found.head == journal._hash.hex()
        assert found.install == journal.state.install


def test_it_tells_how_far_it_is(tmp_path: Path) -> None:
    with open_journal(tmp_path / "journal.db") as journal:
        journal.append([note(str(number)) for number in range(1_100)])
    steps: list[tuple[int, int]] = []
    audit(tmp_path / "journal.db", report=lambda done, total: steps.append((done, total)))
    assert steps == [(500, 1_101), (1_000, 1_101)]


def test_a_head_that_was_noted_is_found_later_and_no_other(path: Path) -> None:
    head = audit(path).head
    with open_journal(path) as journal:
        journal.append([note("later")])
    assert audit(path, against=head.upper()[:20]).found == 11
    assert audit(path, against="0" * 64).found == 0


def test_it_is_done_beside_a_writer(path: Path) -> None:
    with open_journal(path) as journal:
        journal.append([note("not yet in the file")])
        assert audit(path).last == journal.state.last_record


@pytest.mark.parametrize(
    ("number", "statement", "fault", "last"),
    [
        (0, "UPDATE records SET payload = replace(payload, 'two', 'owt') WHERE seq = 3",
         "record 3 was changed", 2),
        (0, "DELETE FROM records WHERE seq = 2", "record 2 is missing", 1),
        (0, "UPDATE records SET hash = zeroblob(32) WHERE seq = 7", "record 7 was changed", 6),
        (0, "DELETE FROM records WHERE seq = 7", "does not follow on record 6", 6),
        (0, "UPDATE install SET prefix = 'other'", "prefix", 0),
        (0, "DELETE FROM install", "prefix", 0),
        (0, "DELETE FROM records", "does not follow on record 0", 0),
        (1, "UPDATE records SET session = 7 WHERE seq = 9", "record 9 was changed", 8),
        (1, "UPDATE install SET prefix = 'other'", "prefix", 7),
        (1, "UPDATE records SET payload = 'x' WHERE seq = 8", "record 8 was changed", 7),
        (1, "DELETE FROM records WHERE seq = 11", "records 11 to 11 are missing", 10),
        (1, "DELETE FROM records", "first record is missing", 7),
        (1, "DROP TABLE carried", "no such table", 11),
    ],
)  # fmt: skip
def test_damage_is_named_and_so_is_what_stands_before_it(
    path: Path, number: int, statement: str, fault: str, last: int
) -> None:
    change(files(path)[number], statement)
    before = content(path.parent)
    found = audit(path)
    assert found.faults
    assert fault in found.faults[0]
    assert found.last == last
    assert content(path.parent) == before


def test_a_session_that_is_missing_is_noticed(path: Path) -> None:
    with open_journal(path) as journal:
        journal._session += 3
        journal._write_header()
    assert "record 13 is of session 7" in audit(path).faults[0]


def test_a_forged_session_is_noticed(path: Path) -> None:
    """Whoever writes the whole chain anew has to get the sessions right, too."""
    with open_journal(path) as journal:
        journal._session += 3
        journal.append([note("of another session")])
    found = audit(path)
    assert "record 13 is of a session without a beginning" in found.faults[0]
    assert found.last == 12


@pytest.mark.parametrize("lost", [0, 1])
def test_a_file_that_is_gone_is_named_and_the_rest_is_checked(path: Path, lost: int) -> None:
    files(path)[lost].unlink()
    found = audit(path)
    named = ("records 1 to 7 are missing with the file journal.db", "records 8 to 11 are missing")
    assert named[lost] in found.faults[0]
    assert (found.first, found.last) == ((8, 11), (1, 7))[lost]


def test_a_journal_that_is_gone_is_no_journal_and_one_of_which_a_mark_is_left_is_damage(
    path: Path,
) -> None:
    for one in files(path):
        one.unlink()
    found = audit(path)
    assert (found.records, found.files) == (0, ())
    assert "no record of it is left" in found.faults[0]
    path.with_name("journal.db-head").unlink()
    with pytest.raises(JournalError, match="there is no journal"):
        audit(path)


def test_an_unreadable_mark_is_a_fault_of_its_own(path: Path) -> None:
    path.with_name("journal.db-head").write_text("nonsense")
    found = audit(path)
    assert ["mark" in one for one in found.faults] == [True]
    assert found.last == 11


def test_a_copy_as_a_crash_would_leave_it_is_read_and_not_changed(
    path: Path, tmp_path: Path
) -> None:
    with open_journal(path) as journal:
        journal.append([note("in the log alone")])
        shutil.copytree(path.parent, tmp_path / "copy")
        expected = journal.state.last_record
    before = content(tmp_path / "copy")
    assert audit(tmp_path / "copy" / "journal.db").last == expected
    assert content(tmp_path / "copy") == before
