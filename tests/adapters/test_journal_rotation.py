"""A journal of several files is one journal: nothing is lost, forgotten or repeated between two."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from ibkr_trader.adapters import journal_rotation as rotation
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.journal_file import files
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import CheckpointEvent, NewOrderEvent
from ibkr_trader.core.models import OrderId
from tests.adapters.journal_parts import NOW, note, open_journal, order, submit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sim" / "journal.db"


def checkpoint(*live: str) -> CheckpointEvent:
    return CheckpointEvent(at=NOW, live=tuple(map(OrderId, live)))


def turn(journal: SqliteJournal, *live: str) -> None:
    """Mark a resting point, and go on in another file."""
    journal.segment_bytes = 0
    journal.append([checkpoint(*live)])
    journal.segment_bytes = None


def names(path: Path) -> list[str]:
    return [one.name for one in files(path)]


def of_three_files(path: Path) -> SubmitOrders:
    """Write a journal of three files; the order of the first is alive in the last."""
    with open_journal(path) as journal:
        spec = order(journal.state.install, 1, 7)
        journal.append([submit(spec), NewOrderEvent(at=NOW, order_id=spec.order_id, spec=spec)])
        journal.append([note("one")])
        turn(journal, spec.order_id)
        journal.append([note("two")])
    with open_journal(path) as journal:
        turn(journal, spec.order_id)
        journal.append([note("three")])
    return submit(spec)


def test_numbers_chain_and_messages_go_on_across_files(path: Path) -> None:
    sent = of_three_files(path)
    assert names(path) == ["journal.db", "journal.db-000002", "journal.db-000003"]
    with open_journal(path) as journal:
        messages = list(journal.messages())
        assert [m for _, m in messages if not isinstance(m, CheckpointEvent)] == [
            sent,
            NewOrderEvent(at=NOW, order_id=sent.orders[0].order_id, spec=sent.orders[0]),
            *(note(word) for word in ("one", "two", "three")),
        ]
        numbers = [number for number, _ in messages]
        assert all(before < after for before, after in pairwise(numbers))
        for since in range(journal.state.last_record + 1):
            assert list(journal.messages(since=since)) == [m for m in messages if m[0] > since]
        assert journal.verify() == journal.state.last_record == 14
        assert (journal.state.last_group, journal.state.last_order_id) == (1, 7)
        assert journal.state.session == 3


def test_a_start_reads_the_newest_file_alone(path: Path) -> None:
    """It has the order's whole story, though every record of it is in a sealed file."""
    sent = of_three_files(path)
    with open_journal(path, read_only=True) as journal:
        whole = list(journal.resume())
    assert [type(m).__name__ for m in whole[:2]] == ["NewOrderEvent", "CheckpointEvent"]
    assert isinstance(whole[0], NewOrderEvent)
    assert whole[0].spec == sent.orders[0]
    for sealed in files(path)[:-1]:
        sealed.unlink()
    with open_journal(path) as journal:
        assert list(journal.resume())[: len(whole)] == whole
        assert journal.next_group() == 2
        journal.append([checkpoint(sent.orders[0].order_id)])
        again = next(iter(journal.resume()))  # also from a checkpoint of its own
        assert again == whole[0]
        journal.append([checkpoint()])
        assert list(journal.resume()) == [checkpoint()]


def test_sealed_files_are_kept_and_cannot_be_written(path: Path) -> None:
    of_three_files(path)
    *sealed, newest = files(path)
    assert {stat.S_IMODE(one.stat().st_mode) for one in sealed} == {0o400}
    assert stat.S_IMODE(newest.stat().st_mode) == 0o600
    sealed[0].chmod(0o600)  # as a crash would leave it
    open_journal(path).close()
    assert stat.S_IMODE(sealed[0].stat().st_mode) == 0o400
    assert not list(path.parent.glob("*-new-*"))
    assert not list(path.parent.glob("*-wal"))


def test_it_is_sealed_at_a_checkpoint_and_only_if_it_is_large(path: Path) -> None:
    with open_journal(path) as journal:
        journal.append([note("x" * 300_000)])
    with open_journal(path) as journal:
        journal.segment_bytes = 10_000_000
        journal.append([checkpoint()])
        assert names(path) == ["journal.db"]
        journal.segment_bytes = 100_000
        journal.append([note()])
        assert names(path) == ["journal.db"]
        journal.append([checkpoint()])
        assert names(path) == ["journal.db", "journal.db-000002"]
        journal.append([checkpoint()])
        assert len(names(path)) == 2  # the new one is small


def test_a_reader_at_work_puts_it_off_and_loses_nothing(path: Path) -> None:
    with open_journal(path) as journal:
        journal.append([note("one"), note("two")])
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            raw.execute("BEGIN")
            raw.execute("SELECT count(*) FROM records").fetchone()
            journal.append([note("three")])
            turn(journal)
            assert names(path) == ["journal.db"]
        reading = journal.messages()
        first = next(reading)
        turn(journal)
        assert len(names(path)) == 2
        journal.append([note("four")])
        told = [message for _, message in (first, *reading)]
        assert [m for m in told if not isinstance(m, CheckpointEvent)] == [
            note(word) for word in ("one", "two", "three", "four")
        ]


def test_a_reader_that_opened_before_goes_on_with_what_it_has(path: Path) -> None:
    with open_journal(path) as journal:
        journal.append([note("one")])
        with open_journal(path, read_only=True) as reader:
            turn(journal)
            journal.append([note("two")])
            assert [m for _, m in reader.messages()] == [note("one"), checkpoint()]
        with open_journal(path, read_only=True) as reader:
            assert [m for _, m in reader.messages()][-1] == note("two")


def test_a_disk_that_refuses_the_next_file_costs_room_and_nothing_else(path: Path) -> None:
    with open_journal(path) as journal:
        (path.parent / f"journal.db-new-{os.getpid()}").mkdir()
        turn(journal)
        assert names(path) == ["journal.db"]
        journal.append([note("goes on")])
        assert journal.verify() == 4


def test_a_next_file_that_cannot_be_opened_ends_all_writing(path: Path) -> None:
    """What went into the sealed file from then on would not count."""

    class Lost(OSError):
        pass

    def lose(step: str) -> None:
        if step == "named":
            raise Lost("no more")

    with open_journal(path) as journal:
        journal.reach = lose
        turn(journal)
        with pytest.raises(JournalError, match="a new file was begun"):
            journal.append([note()])
    with open_journal(path) as journal:
        journal.append([note("goes on")])
        assert journal.verify() == 6


KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.core.events import CheckpointEvent
def write(path, step):
    with SqliteJournal(path, clock=SystemClock(), segment_bytes=0) as journal:
        journal.reach = lambda reached: os._exit(9) if reached == step else None
        journal.append([CheckpointEvent(at=datetime.now(UTC), live=())])
for step in sys.argv[2:]:
    child = os.fork()
    if not child:
        write(Path(sys.argv[1]) / step / "journal.db", step)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9, step
"""


def test_a_crash_at_any_step_leaves_a_journal_that_goes_on(tmp_path: Path) -> None:
    for step in rotation.STEPS:
        with open_journal(tmp_path / step / "journal.db") as journal:
            journal.append([note("before"), submit(order(journal.state.install, 4, 40))])
    command = [sys.executable, "-c", KILLED, str(tmp_path), *rotation.STEPS]
    subprocess.run(command, check=True, timeout=30)
    for step in rotation.STEPS:
        path = tmp_path / step / "journal.db"
        is_named = step in {"named", "synced"}
        assert len(names(path)) == (2 if is_named else 1), step
        with open_journal(path) as journal:
            assert journal.next_group() == 5
            journal.append([note("after")])
            turn(journal)
            told = [m for _, m in journal.messages() if not isinstance(m, CheckpointEvent)]
            assert (told[0], told[-1], len(told)) == (note("before"), note("after"), 3), step
            assert journal.verify() == 11 + is_named, step
        assert not list(path.parent.glob("*-new-*"))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("missing", "its sealed file journal.db-000002 is missing"),
        ("first missing", "its sealed file journal.db is missing"),
        ("changed", "record 4 was changed"),
        ("shorter", "does not end with record"),
        ("swapped", "does not end with record"),
    ],
)
def test_a_sealed_file_that_is_not_what_it_was_is_noticed(path: Path, harm: str, said: str) -> None:
    of_three_files(path)
    first, second, _ = files(path)
    for one in (first, second):
        one.chmod(0o600)
    match harm:
        case "missing":
            second.unlink()
        case "first missing":
            first.unlink()
        case "swapped":
            shutil.copy(first, second)
        case _:
            with closing(sqlite3.connect(first, isolation_level=None)) as raw:
                raw.executescript("DROP TRIGGER no_update; DROP TRIGGER no_delete;")
                raw.execute(
                    "UPDATE records SET payload = replace(payload, 'one', 'six') WHERE seq = 4"
                    if harm == "changed"
                    else "DELETE FROM records WHERE seq = 6"
                )
    with open_journal(path, read_only=True) as journal:
        with pytest.raises(JournalError, match=said):
            journal.verify()
        with pytest.raises(JournalError, match=said):
            list(journal.messages())
        assert list(journal.resume())  # trading does not depend on it


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM carried WHERE seq = (SELECT min(seq) FROM carried)",
        "UPDATE carried SET payload = replace(payload, 'AAPL', 'MSFT')",
        "PRAGMA user_version = 1",
        "DROP TABLE carried",
    ],
)
def test_what_a_file_carries_cannot_be_changed_unnoticed(path: Path, statement: str) -> None:
    of_three_files(path)
    newest = files(path)[-1]
    with closing(sqlite3.connect(newest, isolation_level=None)) as raw:
        raw.executescript("DROP TRIGGER no_carried_update; DROP TRIGGER no_carried_delete;")
        raw.execute(statement)
    with pytest.raises(JournalError, match="damaged"), open_journal(path, read_only=True) as one:
        list(one.resume())


def test_a_lost_newest_file_is_noticed(path: Path) -> None:
    of_three_files(path)
    files(path)[-1].unlink()
    with pytest.raises(JournalError, match="records 12 to 13 are missing"):
        open_journal(path)
    path.with_name("journal.db-head").unlink()
    files(path)[-1].unlink()
    files(path)[-1].unlink()
    with open_journal(path) as journal:  # nothing is left of it: a new one
        assert journal.state.session == 1
