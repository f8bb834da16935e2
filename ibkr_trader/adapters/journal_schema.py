"""The shape of a journal record: its table, its text form, and the hash that chains it.

Every record's hash covers all its columns and the hash before it. So the chain is a
checksum as well: a changed, missing or moved record breaks it.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ibkr_trader.core import codec
from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import (
    AcceptEvent,
    AdoptEvent,
    BaseEvent,
    CloseRequestEvent,
    DecisionEvent,
    NewOrderEvent,
    OrderEvent,
)
from ibkr_trader.core.ids import group_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SCHEMA_VERSION = 1
CONTINUED = 2  # the format of a file that follows on a sealed one
SESSION_KIND = "Session"
GENESIS = bytes(32)

# A table that holds records, and takes none of them back: `Record` as SQLite has it.
_RECORDS = """
CREATE TABLE {table} (
    seq INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    wall_utc TEXT NOT NULL,
    mono REAL NOT NULL,
    kind TEXT NOT NULL,
    order_id TEXT NOT NULL,
    broker_order_id INTEGER NOT NULL,
    group_number INTEGER NOT NULL,
    payload TEXT NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER no{of}_update BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER no{of}_delete BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""

SCHEMA = f"""
CREATE TABLE install (id INTEGER PRIMARY KEY CHECK (id = 1), prefix TEXT NOT NULL) STRICT;
{_RECORDS.format(table="records", of="")}
CREATE INDEX by_order ON records (order_id) WHERE order_id <> '';
CREATE INDEX checkpoints ON records (seq) WHERE kind = 'CheckpointEvent';
"""

# What a start needs of the sealed files, as `resume` gave it when the last of them was sealed.
CARRIED = _RECORDS.format(table="carried", of="_carried")

INSERT_CARRIED = "INSERT INTO carried VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
# A damaged schema is quoted in SQLite's own message, which Python then cannot decode.
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
LAST_SESSION = f"""SELECT seq FROM records NOT INDEXED
    WHERE kind = '{SESSION_KIND}' ORDER BY seq DESC LIMIT 1"""  # noqa: S608 - a constant
SELECT = "SELECT * FROM records WHERE seq > ? ORDER BY seq LIMIT ?"
LAST = "SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1"
FIRST = "SELECT * FROM records ORDER BY seq LIMIT 1"
ALL_CARRIED = "SELECT * FROM carried ORDER BY seq"
DIGITS = 6
NUMBERED = re.compile(rf"-[0-9]{{{DIGITS}}}\Z")  # behind the name of every file but the first
_EVIDENCE = 100  # times that damage is put aside without writing over what was
_PAGE = 500  # records held in memory while streaming

_OUT_OF_REACH = ("SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_READONLY", "SQLITE_IOERR")

_covered = msgspec.json.Encoder()
_COMMANDS = frozenset(kind.__name__ for kind in (SubmitOrders, ModifyOrder, CancelOrder))


class Record(NamedTuple):
    """One line of the journal, column by column."""

    seq: int
    session: int
    wall_utc: str
    mono: float
    kind: str
    order_id: str
    broker_order_id: int
    group_number: int
    payload: str
    prev_hash: bytes
    hash: bytes

    @property
    def true_hash(self) -> bytes:
        """What the hash must be, by the columns as they are."""
        # A damaged page may hold anything, also nothing.
        before: object = self.prev_hash
        return chained(self[:9], before if isinstance(before, bytes) else b"")


def chained(columns: tuple[object, ...], before: bytes) -> bytes:
    """Return the hash of a record of these `columns` (all but the hashes) after that of another."""
    return hashlib.sha256(before + _covered.encode(columns)).digest()


class SessionHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Who opened the journal, and how far its numbers had come: a session's first record.

    The journal itself fills in what stands below `user`. The first record of a file that
    follows on a sealed one names that file, the hash of its last record, and by how many
    records, of which digest, a start can do without it. The one before a checkpoint says the same
    of the records of what is live: they are found by an index, which no chain covers.
    """

    version: str = ""
    config_hash: str = ""
    command: str = ""
    user: str = ""
    pid: int = 0
    install: str = ""
    last_group: int = 0
    last_order_id: int = 0
    sealed: str = ""
    sealed_seq: int = 0
    sealed_hash: str = ""
    carried: int = 0
    carried_digest: str = ""
    live: int | None = None
    live_digest: str = ""


class Base(NamedTuple):
    """What a file's first record continues."""

    seq: int = 0
    hash: bytes = GENESIS
    sealed: str = ""  # the file that ends there; empty for the first
    carried: int = 0
    carried_digest: str = ""


class Ids(NamedTuple):
    """What a message says of ids: the columns by which records are found."""

    order_id: str = ""
    broker_order_id: int = 0  # only of orders that we number
    group_number: int = 0


def ids_of(message: Command | BaseEvent, install: str) -> Ids:
    """Return the ids that `message` uses up or is about; `install` marks our own."""
    match message:
        case NewOrderEvent() | AcceptEvent(is_foreign=False):
            group = group_number(message.order_id, install)
            return Ids(message.order_id, message.spec.broker_order_id, group)
        case AdoptEvent():  # of another journal's groups, and of our numbers
            return Ids(message.order_id, message.order.spec.broker_order_id)
        case OrderEvent() | ModifyOrder() | CancelOrder():
            return Ids(message.order_id, 0, group_number(message.order_id, install))
        case SubmitOrders():
            numbers = (spec.broker_order_id for spec in message.orders)
            group = group_number(message.group_id, install)
            return Ids(message.group_id, max(numbers, default=0), group)
        case CloseRequestEvent():  # its orders are still to come
            return Ids(group_number=group_number(message.group_id, install))
        case DecisionEvent():  # named like a group, so that no two have one name
            return Ids(group_number=group_number(message.decision_id, install))
        case _:
            return Ids()


def decode(record: Record) -> Command | BaseEvent:
    """Return the message that `record` holds.

    Raises:
        JournalError: If this version cannot read it.
    """
    try:
        if record.kind in _COMMANDS:
            return codec.decode_command(record.payload)
        return codec.decode_event(record.payload)
    except msgspec.MsgspecError as error:
        message = f"journal record {record.seq} ({record.kind}) cannot be read: {error}"
        raise JournalError(message, hint="use the version that wrote it, or a newer one") from error


def stream(
    connection: sqlite3.Connection, path: Path, *, since: int = 0, until: int | None = None
) -> Iterator[Record]:
    """Yield every record of one file after `since`, oldest first, each checked against the chain.

    Reads a page at a time, so neither memory nor the writer's checkpoints wait for a slow
    reader.

    Raises:
        JournalError: At the first record that is damaged or missing.
    """
    base = base_of(connection, path)
    since = max(since, base.seq)
    previous = base.hash if since == base.seq else hash_of(connection, path, since)
    while True:
        page = fetch(connection, path, SELECT, since, _PAGE)
        for row in page:
            record = Record(*row)
            if until is not None and record.seq > until:
                return
            _check(record, path, expected=since + 1, previous=previous)
            since, previous = record.seq, record.hash
            yield record
        if len(page) < _PAGE:
            return


def base_of(connection: sqlite3.Connection, path: Path) -> Base:
    """Return what a file's first record continues: nothing, or the end of a sealed file.

    Raises:
        JournalError: If its first record does not say so.
    """
    (version,) = fetch(connection, path, "PRAGMA user_version")[0]
    if version != CONTINUED:
        return Base()
    rows = fetch(connection, path, FIRST)
    if not rows:
        raise damaged(path, "its first record is missing")
    first = Record(*rows[0])
    if first.kind != SESSION_KIND or first.hash != first.true_hash:
        raise damaged(path, f"record {first.seq} was changed, or is not the first one")
    header = read_header(first)
    if (header.sealed_seq, header.sealed_hash) != (first.seq - 1, first.prev_hash.hex()):
        raise damaged(path, f"record {first.seq} does not follow on a sealed file")
    return Base(
        seq=header.sealed_seq,
        hash=first.prev_hash,
        sealed=header.sealed,
        carried=header.carried,
        carried_digest=header.carried_digest,
    )


def read_header(record: Record) -> SessionHeader:
    """Return what a session's record says.

    Raises:
        JournalError: If it cannot be read.
    """
    try:
        return msgspec.json.decode(record.payload, type=SessionHeader)
    except msgspec.MsgspecError as error:
        message = f"journal record {record.seq} cannot be read: {error}"
        raise JournalError(message) from error


def digest(records: Iterable[Record]) -> str:
    """Return what proves that these records, and no others, were carried into the next file."""
    whole = hashlib.sha256()
    for record in records:
        whole.update(record.hash)
    return whole.hexdigest()


def carried(connection: sqlite3.Connection, path: Path) -> list[Record]:
    """Return what a file carries of those before it: bounded, as a start needs no more of them.

    Raises:
        JournalError: If it is not what was carried into it.
    """
    base = base_of(connection, path)
    if not base.sealed:
        return []
    found = [Record(*row) for row in fetch(connection, path, ALL_CARRIED)]
    for record in found:
        if record.hash != record.true_hash:
            raise damaged(path, f"record {record.seq} was changed")
    if (len(found), digest(found)) != (base.carried, base.carried_digest):
        raise damaged(path, "what it carries of the sealed files was changed")
    return found


def check_index(connection: sqlite3.Connection, path: Path) -> None:
    """Hold the index against the table: it stands outside the chain.

    Raises:
        JournalError: If they differ, or SQLite finds any other damage.
    """
    for (finding,) in fetch(connection, path, "PRAGMA integrity_check(1)"):
        if finding != "ok":
            raise damaged(path, str(finding))


def hash_of(connection: sqlite3.Connection, path: Path, seq: int) -> bytes:
    """Return the hash that record `seq + 1` must continue."""
    base = base_of(connection, path)
    if seq == base.seq:
        return base.hash
    rows = fetch(connection, path, "SELECT hash FROM records WHERE seq = ?", seq)
    if not rows or not isinstance(rows[0][0], bytes):
        raise damaged(path, f"record {seq} is missing")
    return rows[0][0]


def fetch(
    connection: sqlite3.Connection, path: Path, query: str, *values: int | str
) -> list[tuple[Any, ...]]:
    """Return the rows of `query`, with SQLite's own findings of damage made ours."""
    try:
        return connection.execute(query, values).fetchall()
    except SQLITE_ERRORS as error:
        raise read_fault(path, error) from error


def read_fault(path: Path, error: Exception) -> JournalError:
    """Return what SQLite's refusal to read means: out of reach, or damaged."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(_OUT_OF_REACH):
        message = f"the journal {path} cannot be read: {error}"
        return JournalError(message, hint="see the disk and its permissions, then try again")
    return damaged(path, str(error))


def journal_of(path: Path) -> Path:
    """Return the name of the journal that the file at `path` belongs to: its first file's."""
    return path.with_name(NUMBERED.sub("", path.name))


def damaged(path: Path, what: str) -> JournalError:
    """Return the error for a journal that must not be trusted."""
    every, aside = shlex.quote(str(journal_of(path))), shlex.quote(str(_unused(path.parent)))
    return JournalError(
        f"the journal {path} is damaged: {what}",
        hint=f"keep the files as evidence and begin anew: mkdir {aside} && mv {every}* {aside}/ ; "
        "then ibkr-trader close SYMBOL cancels what still works in it and ends flat, and "
        "ibkr-trader reconcile takes the other orders over. The new journal knows of no halt and "
        "of no loss: ibkr-trader halt, if in doubt",
    )


def _unused(folder: Path) -> Path:
    """Return where the damaged files can go: evidence of an earlier time is not overwritten."""
    names = ("damaged", *(f"damaged-{number}" for number in range(2, _EVIDENCE)))
    free = (folder / name for name in names if not (folder / name).exists())
    return next(free, folder / f"damaged-{_EVIDENCE}")


def _check(record: Record, path: Path, *, expected: int, previous: bytes) -> None:
    if record.seq != expected:
        raise damaged(path, f"record {expected} is missing")
    if record.prev_hash != previous:
        raise damaged(path, f"record {record.seq} does not follow the one before it")
    if record.hash != record.true_hash:
        raise damaged(path, f"record {record.seq} was changed")
