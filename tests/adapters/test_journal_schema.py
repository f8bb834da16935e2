"""A record that was changed, moved or lost breaks the chain."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ibkr_trader.adapters import journal_schema as schema
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import CheckpointEvent, NewOrderEvent
from tests.adapters.journal_parts import NOW, note, open_journal, order


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sim" / "journal.db"


def tamper(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.executescript("DROP TRIGGER no_update; DROP TRIGGER no_delete;" + statement)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE records SET payload = replace(payload, 'two', 'owt') WHERE seq = 3", "record 3"),
        ("UPDATE records SET broker_order_id = 5 WHERE seq = 4", "record 4"),
        ("UPDATE records SET wall_utc = '2020' WHERE seq = 2", "record 2"),
        ("UPDATE records SET hash = zeroblob(32) WHERE seq = 2", "record 2"),
        ("DELETE FROM records WHERE seq = 3", "record 3"),
        ("UPDATE install SET prefix = 'aaaaa'", "prefix"),
        ("DELETE FROM install", "prefix"),
        ("DELETE FROM records WHERE seq = 4", "record[s]? 4"),
        ("DELETE FROM records", "records 1 to 4"),
        ("PRAGMA user_version = 0", "format"),
    ],
)
@pytest.mark.parametrize("read_only", [False, True])
def test_tampering_is_noticed_at_the_next_opening(
    path: Path, statement: str, named: str, *, read_only: bool
) -> None:
    with open_journal(path) as journal:
        journal.append([note("one"), note("two"), note("three")])
    tamper(path, statement)
    with pytest.raises(JournalError, match=named) as caught:
        open_journal(path, read_only=read_only)
    assert "damaged" in str(caught.value)
    assert str(path) in caught.value.hint


def test_a_forged_record_breaks_the_chain_behind_it(path: Path) -> None:
    """Whoever changes a record and its hash would have to change all that follow."""
    with open_journal(path) as journal:
        journal.append([note("one"), note("two"), note("three")])
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("DROP TRIGGER no_update")
        found = schema.Record(*raw.execute("SELECT * FROM records WHERE seq = 3").fetchone())
        forged = found._replace(payload=found.payload.replace("two", "six"))
        values = (forged.payload, forged.true_hash)
        raw.execute("UPDATE records SET payload = ?, hash = ? WHERE seq = 3", values)
    with pytest.raises(JournalError, match="record 4 does not follow"):
        open_journal(path)


def test_an_order_missing_from_the_index_is_noticed(path: Path) -> None:
    """The index finds a live order's history at a restart, and the chain does not cover it."""
    with open_journal(path) as journal:
        spec = order(journal.state.install, 1, 7)
        journal.append([NewOrderEvent(at=NOW, order_id=spec.order_id, spec=spec)])
        journal.append([CheckpointEvent(at=NOW, live=(spec.order_id,))])
        journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    for place in range(len(content)):
        if content.startswith(spec.order_id.encode(), place):
            damaged = bytearray(content)
            damaged[place + 2] ^= 1
            path.write_bytes(damaged)
            with (
                pytest.raises(JournalError, match="damaged"),
                open_journal(path, read_only=True) as journal,
            ):
                list(journal.resume())
            with (
                pytest.raises(JournalError, match="damaged"),
                open_journal(path, read_only=True) as journal,
            ):
                journal.verify()


def test_old_records_are_checked_when_read(path: Path) -> None:
    with open_journal(path) as journal:
        journal.append([note(str(number)) for number in range(400)])
    open_journal(path).close()
    tamper(path, "UPDATE records SET payload = replace(payload, '2104', '2105') WHERE seq = 5")
    with open_journal(path) as journal:
        with pytest.raises(JournalError, match="record 5 "):
            journal.verify()
        reading = journal.messages()
        assert [next(reading)[0] for _ in range(3)] == [2, 3, 4]
        with pytest.raises(JournalError, match="record 5 "):
            next(reading)
        with pytest.raises(JournalError, match="record 999 "):
            next(journal.messages(since=999))


def test_updates_and_deletes_are_refused_by_the_table(path: Path) -> None:
    open_journal(path).close()
    with closing(sqlite3.connect(path)) as raw:
        for statement in ("UPDATE records SET mono = 0", "DELETE FROM records"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(statement)


def test_a_newer_format_is_refused(path: Path) -> None:
    open_journal(path).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalError, match="newer version") as caught:
        open_journal(path)
    assert "upgrade" in caught.value.hint


def test_a_record_of_a_kind_unknown_here_is_named(path: Path) -> None:
    with open_journal(path) as journal:
        journal._write([("FutureEvent", '{"type":"FutureEvent"}', schema.Ids())])
        with pytest.raises(JournalError, match=r"record 2 .FutureEvent. cannot be read"):
            list(journal.messages())
