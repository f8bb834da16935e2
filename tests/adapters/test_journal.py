"""The journal keeps what it was given, and says so when it did not."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.journal import SessionHeader, SqliteJournal
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import (
    AcceptEvent,
    CancelEvent,
    CheckpointEvent,
    CloseRequestEvent,
    NewOrderEvent,
)
from ibkr_trader.core.models import OrderId
from tests.adapters.journal_parts import NOW, note, open_journal, order, submit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sim" / "journal.db"


def test_gives_back_what_was_written_in_order(path: Path) -> None:
    first, second = submit(order("abcde", 1, 7)), note("later")
    with open_journal(path) as journal:
        last = journal.append([first, second])
    with open_journal(path) as journal:
        assert [message for _, message in journal.messages()] == [first, second]
        assert [seq for seq, _ in journal.messages(since=last - 1)] == [last]
        assert journal.verify() == 4  # two sessions, two messages


def test_an_empty_append_writes_nothing(path: Path) -> None:
    with open_journal(path) as journal:
        assert journal.append([]) == 1
        assert journal.verify() == 1


def test_who_only_reads_knows_the_last_record_too(path: Path) -> None:
    with open_journal(path) as journal:
        last = journal.append([note("one"), note("two")])
        assert journal.state.last_record == last
        with open_journal(path, read_only=True) as reader:
            assert reader.state.last_record == last
            with pytest.raises(JournalError, match="opened for reading"):
                reader.append([])


def test_every_opening_is_a_session_with_a_header(path: Path) -> None:
    header = SessionHeader(version="1.2.3", config_hash="c0ffee", command="orders", user="me")
    for expected in (1, 2):
        with SqliteJournal(path, clock=ManualClock(NOW), header=header) as journal:
            assert journal.state.session == expected
    with closing(sqlite3.connect(path)) as raw:
        payloads = [row[0] for row in raw.execute("SELECT payload FROM records")]
    assert len(payloads) == 2
    assert all('"version":"1.2.3"' in text and f'"pid":{os.getpid()}' in text for text in payloads)
    assert all('"config_hash":"c0ffee"' in text for text in payloads)


def test_new_journals_have_different_prefixes_that_begin_with_a_letter(tmp_path: Path) -> None:
    installs = set()
    for number in range(20):
        with open_journal(tmp_path / str(number) / "journal.db") as journal:
            installs.add(journal.state.install)
    assert len(installs) == 20
    assert all(len(one) == 5 and one[0].isalpha() and one == one.lower() for one in installs)


def test_a_group_number_counts_as_used_once_it_is_written(path: Path) -> None:
    with open_journal(path) as journal:
        install = journal.state.install
        assert [journal.next_group() for _ in range(3)] == [1, 2, 3]
        journal.append([submit(order(install, 2, 40))])
    with open_journal(path) as journal:
        assert journal.state.last_group == 2
        assert journal.next_group() == 3
    # Several openings later it still counts, though no record of the last session has it.
    for _ in range(3):
        with open_journal(path) as journal:
            assert journal.state.last_group == 2
            assert journal.state.last_order_id == 40


def test_the_group_of_a_closing_counts_before_it_has_an_order(path: Path) -> None:
    """A crash in between must not give its number to somebody else."""
    with open_journal(path) as journal:
        spec = order(journal.state.install, 5, 40)
        request = CloseRequestEvent(
            at=NOW, group_id=spec.group_id, contract=spec.contract, account=spec.account
        )
        journal.append([request])
    with open_journal(path) as journal:
        assert list(journal.resume()) == [request]
        assert journal.next_group() == 6


def test_numbers_seen_at_the_broker_are_never_given_out(path: Path) -> None:
    with open_journal(path) as journal:
        journal.observe(group=17, order_id=900)
        assert journal.next_group() == 18
        assert journal.state.last_order_id == 900
        journal.observe(group=3, order_id=4)
        assert journal.verify() == 2  # only what was new is written
    with open_journal(path) as journal:
        assert (journal.state.last_group, journal.state.last_order_id) == (17, 900)


def test_a_group_that_was_shown_outside_is_never_given_out_again(path: Path) -> None:
    with open_journal(path) as journal:
        shown = journal.next_group()
        journal.observe(group=shown)  # as a preview does
        assert journal.verify() == 2
        journal.next_group()  # nobody has seen this one
        journal.observe(group=shown)
        assert journal.verify() == 2
    with open_journal(path) as journal:
        assert journal.next_group() == shown + 1


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(NewOrderEvent, (5, 61), id="ours"),
        pytest.param(AcceptEvent, (5, 61), id="ours, stated by the broker"),
    ],
)
def test_ids_are_read_from_events(
    path: Path, event: type[NewOrderEvent | AcceptEvent], expected: tuple[int, int]
) -> None:
    with open_journal(path) as journal:
        spec = order(journal.state.install, 5, 61)
        journal.append([event(at=NOW, order_id=spec.order_id, spec=spec)])
        assert (journal.state.last_group, journal.state.last_order_id) == expected


def test_foreign_orders_use_up_no_numbers_of_ours(path: Path) -> None:
    spec = order("other", 99, 2**31 - 1)
    with open_journal(path) as journal:
        journal.append([AcceptEvent(at=NOW, order_id=spec.order_id, spec=spec, is_foreign=True)])
        assert (journal.state.last_group, journal.state.last_order_id) == (0, 0)


@pytest.mark.parametrize("order_id", ["", "x", "-1-entry", "abcde", "abcde-", "abcde-x-entry"])
def test_odd_order_ids_are_kept_and_count_for_nothing(path: Path, order_id: str) -> None:
    with open_journal(path) as journal:
        journal.append([CancelOrder(order_id=OrderId(order_id))])
        journal.append([CancelEvent(at=NOW, order_id=OrderId(f"{journal.state.install}-²-x"))])
        assert journal.state.last_group == 0


def test_readers_see_what_is_written_and_hold_up_nobody(path: Path) -> None:
    with open_journal(path) as writer:
        writer.append([note("one")])
        with open_journal(path, read_only=True) as reader:
            reading = reader.messages()
            assert next(reading)[1] == note("one")
            writer.append([note("two")])
            with open_journal(path, read_only=True) as another:
                assert len(list(another.messages())) == 2
            assert list(reading) == []  # the page was read before
            assert len(list(reader.messages())) == 2
            with pytest.raises(JournalError, match="opened for reading"):
                reader.append([note()])


def test_reading_what_was_never_written_says_so(path: Path) -> None:
    with pytest.raises(JournalError, match="no journal"):
        open_journal(path, read_only=True)


def test_a_restart_reads_the_live_orders_the_checkpoint_and_what_follows(path: Path) -> None:
    with open_journal(path) as journal:
        install = journal.state.install
        live, past = order(install, 1, 7), order(install, 2, 8)
        journal.append([submit(past), submit(live), note("old")])
        accepted = AcceptEvent(at=NOW, order_id=live.order_id, spec=live)
        journal.append([accepted, CancelEvent(at=NOW, order_id=past.order_id)])
        assert len(list(journal.resume())) == 5  # all of it, while there is no checkpoint
        checkpoint = CheckpointEvent(at=NOW, live=(live.order_id,))
        journal.append([checkpoint])
        journal.append([note("new")])
    with open_journal(path) as journal:
        assert list(journal.resume()) == [accepted, checkpoint, note("new")]


def test_a_live_order_that_could_not_be_written_is_no_damage(path: Path) -> None:
    """What went out while the disk was full is known to the broker, and adopted from there."""
    with open_journal(path) as journal:
        journal.append([CheckpointEvent(at=NOW, live=(OrderId("abcde-1-close"),))])
    with open_journal(path) as journal:
        assert len(list(journal.resume())) == 1


def test_more_than_a_page_streams_whole(path: Path) -> None:
    notes = [note(str(number)) for number in range(1_203)]
    with open_journal(path) as journal:
        journal.append(notes)
        assert [message for _, message in journal.messages()] == notes


# -- faults -------------------------------------------------------------------------------


def test_a_full_disk_leaves_nothing_half_written_and_may_pass(path: Path) -> None:
    with open_journal(path) as journal:
        journal.append([note("before")])
        pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
        journal._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        before = journal.state
        with pytest.raises(JournalError, match="full") as caught:
            journal.append([submit(order(journal.state.install, 8, 70)), *[note("x" * 900)] * 50])
        assert "free some space" in caught.value.hint
        assert journal.state == before
        assert [message for _, message in journal.messages()] == [note("before")]
        journal._connection.execute("PRAGMA max_page_count = 100000")
        journal.append([note("after")])
        assert journal.verify() == 3


LIMITED = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
import signal
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import ErrorEvent
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
HARD = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
journal = SqliteJournal(Path(sys.argv[1]), clock=SystemClock())
event = ErrorEvent(at=datetime.now(UTC), code=1, message="x" * 2000)
journal.append([event])
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, HARD))
for _ in range(100):
    try:
        journal.append([event])
    except JournalError as error:
        print(error)
        break
resource.setrlimit(resource.RLIMIT_FSIZE, (HARD, HARD))
"""


def test_a_write_error_is_no_success(path: Path) -> None:
    done = run(LIMITED, path)
    assert "could not be written" in done.stdout
    with open_journal(path) as journal:
        journal.verify()


def test_a_read_only_disk_is_said(path: Path) -> None:
    with open_journal(path) as journal:
        journal._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(JournalError, match="readonly"):
            journal.append([note()])
        journal._connection.execute("PRAGMA query_only = OFF")
        with pytest.raises(JournalError, match="readonly"):  # nobody knows what is on disk
            journal.append([note()])


def test_a_second_writer_is_noticed(path: Path) -> None:
    with open_journal(path) as one, open_journal(path) as two:
        two.append([note()])
        with pytest.raises(JournalError, match="written") as caught:
            one.append([note()])
        assert "another process" in caught.value.hint
        two.append([note()])  # the failed attempt holds up nobody


def test_a_writer_that_holds_the_file_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ibkr_trader.adapters.journal_file._BUSY_SECONDS", 0.01)
    with open_journal(path) as journal, closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked"):
            journal.append([note()])
        raw.execute("ROLLBACK")
        journal.append([note()])


KILLED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.core.events import ErrorEvent
journal = SqliteJournal(Path(sys.argv[1]), clock=SystemClock())
while True:
    print(journal.append([ErrorEvent(at=datetime.now(UTC), code=1, message="x")] * 3), flush=True)
"""


def run(program: str, path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)


def test_what_was_acknowledged_survives_kill_9(path: Path) -> None:
    for _ in range(3):
        command = [sys.executable, "-c", KILLED, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            acknowledged = [int(process.stdout.readline()) for _ in range(20)][-1]
            process.kill()
            acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
        with open_journal(path, read_only=True) as journal:
            assert journal.verify() >= acknowledged
            session = [seq for seq, _ in journal.messages()]
            assert len(session) % 3 == 0  # a batch is written whole or not at all


def test_a_start_reads_from_the_last_checkpoint_on_however_long_a_session_is(path: Path) -> None:
    """What stands before it in the same session is checked by those who read it."""
    with open_journal(path) as journal:
        install = journal.state.install
        journal.append([submit(order(install, 7, 70)), *(note(str(n)) for n in range(600))])
        # As when the disk took nothing for a while: what is owed comes with the checkpoint.
        journal.append([submit(order(install, 9, 90)), CheckpointEvent(at=NOW, live=())])
        journal.append([note("x") for _ in range(300)])
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("DROP TRIGGER no_update")
        raw.execute("UPDATE records SET payload = 'x' WHERE seq = 9")
    with open_journal(path) as journal:
        assert (journal.state.last_group, journal.state.last_order_id) == (9, 90)
        with pytest.raises(JournalError, match="record 9 was changed"):
            journal.verify()
