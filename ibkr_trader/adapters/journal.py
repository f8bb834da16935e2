"""The one record of what happened, in SQLite: append-only, hash-chained, durable.

Written before anything is sent: `append` returns only when the records are on disk (WAL,
`synchronous=FULL`). One process writes (it holds the account lock), any number reads.
A journal that is damaged, shorter than it was, or of a newer version is refused, never
replaced by an empty one.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING, Any, Self

import msgspec

from ibkr_trader.adapters import journal_rotation as rotation
from ibkr_trader.adapters import journal_schema as schema
from ibkr_trader.adapters.journal_file import HeadMark, create, following, newest, open_database
from ibkr_trader.adapters.journal_resume import noted, resume
from ibkr_trader.adapters.journal_schema import SessionHeader
from ibkr_trader.adapters.journal_seen import SeenMark
from ibkr_trader.adapters.secret_text import without_secrets
from ibkr_trader.core import codec
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import CheckpointEvent
from ibkr_trader.execution.ports import JournalState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.execution.ports import Clock

__all__ = ["SessionHeader", "SqliteJournal"]

logger = logging.getLogger(__name__)
_TAIL = 256  # records checked at every opening; `verify` checks all


class SqliteJournal:
    """The `Journal` port over SQLite files, of which the newest is written.

    Opening it as the writer makes it if there is none (with a new install prefix of `family`,
    so that our ids never repeat), checks its tail, and writes a session header.

    Attributes:
        segment_bytes: From which size on a file is sealed, at the next checkpoint, and another
            follows on it. None is never.
        reach: Called with the name of each step of that; for crash tests.
        seen: What this machine remembers of the journal, in the folder `seen_in`; None without.

    Raises:
        JournalError: If the file is damaged, incomplete, of a newer version, or not writable.
        ConfigError: If the file or its folder is not ours.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        header: SessionHeader | None = None,
        read_only: bool = False,
        family: str = "",
        segment_bytes: int | None = None,
        seen_in: Path | None = None,
    ) -> None:
        self.segment_bytes = segment_bytes
        self.reach: Callable[[str], None] = lambda _: None
        self._former: list[sqlite3.Connection] = []  # somebody may still be reading through them
        self._path = path
        self._clock = clock
        self._header = header or SessionHeader()
        self._read_only = read_only
        self._install = ""
        self._seq = self._session = self._last_group = self._last_order_id = 0
        self._noted_group = 0  # the highest that is on disk
        self._hash = schema.GENESIS
        self._broken = ""  # why nothing may be appended any more
        if not read_only:
            create(path, family=family)
        with contextlib.ExitStack() as undo:
            self._mark = HeadMark(path, read_only=read_only)
            undo.callback(self._mark.close)
            self._file = newest(path)  # after the mark: what follows meanwhile is ahead of it
            self._connection = open_database(self._file, read_only=read_only)
            undo.callback(self._connection.close)
            self._load()
            self.seen = self._remembered(seen_in) if seen_in is not None else None
            if self.seen is not None:
                undo.callback(self.seen.close)
            if not read_only:
                self._session += 1
                self._write_header()
                rotation.protect(path)
            undo.pop_all()

    def __enter__(self) -> Self:
        """Return the journal itself; leaving closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the journal."""
        self.close()

    @property
    def file(self) -> Path:
        """The one that is written: the newest."""
        return self._file

    @property
    def lost(self) -> str:
        """What is wrong with the sealed files at a first look; empty if nothing is."""
        return rotation.lost(self._path, schema.base_of(self._connection, self._file))

    @property
    def state(self) -> JournalState:
        """What is known of ids, as of now."""
        return JournalState(
            install=self._install,
            last_group=self._last_group,
            last_order_id=self._last_order_id,
            last_record=self._seq,
            session=self._session,
        )

    def append(self, messages: Sequence[Command | BaseEvent]) -> int:
        """Write `messages` durably, all or none, and return the last one's number.

        Raises:
            JournalError: If they are not on disk. Then nothing may be sent.
        """
        rows = [
            (
                type(message).__name__,
                without_secrets(codec.encode(message).decode()),
                schema.ids_of(message, self._install),
            )
            for message in messages
        ]
        if not any(isinstance(message, CheckpointEvent) for message in messages):
            return self._write(rows)
        # With a header before it a start knows all numbers from there, however long a session is.
        at = self._connection, self._file
        header = noted(self._header, messages, at=at, before=self._seq + 1)
        last = self._write([self._header_row(header), *rows])
        if self.segment_bytes is not None:
            self._turn(self.segment_bytes)
        return last

    def messages(self, *, since: int = 0) -> Iterator[tuple[int, Command | BaseEvent]]:
        """Yield what was written after record `since`, oldest first, a page in memory at a time.

        Raises:
            JournalError: At a record that is damaged.
        """
        for record in self._records(since):
            if record.kind != schema.SESSION_KIND:
                yield record.seq, schema.decode(record)

    def resume(self) -> Iterator[Command | BaseEvent]:
        """Yield what a restart needs, oldest first: bounded, however old the journal is.

        Raises:
            JournalError: At a record that is damaged.
        """
        for record in resume(self._connection, self._file):
            if record.kind != schema.SESSION_KIND:
                yield schema.decode(record)

    def next_group(self) -> int:
        """Return a group number that was never used, and count it as used.

        It is durable with the first record that carries it, or with `observe`; until then a
        crash may give it out again.
        """
        self._last_group += 1
        return self._last_group

    def observe(self, *, group: int = 0, order_id: int = 0) -> None:
        """Take note of numbers seen at the broker, so that a restored backup repeats none."""
        if group <= self._noted_group and order_id <= self._last_order_id:
            return
        self._count(group, order_id)
        # The broker will forget them. If the disk is full, this session still knows.
        with contextlib.suppress(JournalError):
            self._write_header()

    def verify(self) -> int:
        """Check every record against the chain, and return how many there are.

        Raises:
            JournalError: Naming the first record that is damaged or missing.
        """
        count = 0
        for record in self._records(0):
            count = record.seq
        rotation.check_sealed(self._path, schema.base_of(self._connection, self._file))
        schema.check_index(self._connection, self._file)
        return count

    def close(self) -> None:
        """Give the file back; closing twice is harmless."""
        for connection in (*self._former, self._connection):
            connection.close()
        self._mark.close()
        if self.seen is not None:
            self.seen.close()

    def _remembered(self, folder: Path) -> SeenMark:
        """What this machine remembers of the journal, held against it as it was opened."""
        seen, base = SeenMark(folder, self._install), schema.base_of(self._connection, self._file)
        seen.compare(
            self._seq,
            lambda seq: schema.hash_of(self._connection, self._file, seq),
            since=base.seq,
        )
        return seen

    def _records(self, since: int) -> Iterator[schema.Record]:
        """Every record after `since`, of all files, also of one that follows meanwhile."""
        base = schema.base_of(self._connection, self._file)
        for record in rotation.sealed_records(self._path, base, since=since):
            since = record.seq
            yield record
        read: Path | None = None
        while read != self._file:
            read = self._file
            for record in schema.stream(self._connection, read, since=since):
                since = record.seq
                yield record

    def _load(self) -> None:
        # The mark was read before the database: a writer at work can only be ahead of it.
        newest = self._fetch("SELECT seq, hash, session FROM records ORDER BY seq DESC LIMIT 1")
        install = self._fetch("SELECT prefix FROM install")
        if not install:
            raise schema.damaged(self._path, "it has no install prefix")
        self._install = str(install[0][0])
        if newest:
            self._seq, self._hash, self._session = newest[0]
        base = schema.base_of(self._connection, self._file)
        self._mark.compare(
            self._seq,
            lambda seq: schema.hash_of(self._connection, self._file, seq),
            since=base.seq,
        )
        self._read_tail()

    def _read_tail(self) -> None:
        """Check the last session (and a little more), and take the numbers from what it holds.

        An index would be faster, but stands outside the chain: damaged, it would hand out
        numbers that were used.
        """
        headers = self._fetch(schema.LAST_SESSION)
        if self._seq and not headers:
            raise schema.damaged(self._path, "it has records of no session")
        since = min(self._seq - _TAIL, headers[0][0] - 1) if headers else 0
        for record in schema.stream(self._connection, self._file, since=since, until=self._seq):
            if record.kind == schema.SESSION_KIND:
                self._read_header(record)
            self._count(record.group_number, record.broker_order_id)

    def _read_header(self, record: schema.Record) -> None:
        header = schema.read_header(record)
        if header.install != self._install:
            raise schema.damaged(self._path, "its install prefix was changed")
        self._count(header.last_group, header.last_order_id)

    def _fetch(self, query: str) -> list[tuple[Any, ...]]:
        return schema.fetch(self._connection, self._path, query)

    def _count(self, group: int, order_id: int) -> None:
        self._last_group = max(self._last_group, group)
        self._noted_group = max(self._noted_group, group)
        self._last_order_id = max(self._last_order_id, order_id)

    def _write_header(self) -> None:
        self._write([self._header_row(self._header)])

    def _header_row(self, header: SessionHeader) -> tuple[str, str, schema.Ids]:
        known = msgspec.structs.replace(
            header,
            pid=os.getpid(),
            install=self._install,
            last_group=self._last_group,
            last_order_id=self._last_order_id,
        )
        return schema.SESSION_KIND, msgspec.json.encode(known).decode(), schema.Ids()

    def _turn(self, most: int) -> None:
        """Seal the file if it is larger than `most` bytes; what keeps from that only costs room."""
        try:
            if self._file.stat().st_size <= most:
                return
            rotation.settle(self._connection)
            self._mark.sync()
            carried = list(resume(self._connection, self._file))
            self._follow(carried)
        except (rotation.NotNow, OSError, JournalError, *schema.SQLITE_ERRORS) as error:
            logger.warning("the journal %s was not sealed: %s", self._file.name, error)
            if os.path.lexists(following(self._path, self._file)):
                # The next one has its name: what was written here now would not count.
                self._broken = f"a new file was begun, and could not be opened: {error}"

    def _follow(self, carried: list[schema.Record]) -> None:
        """Begin the next file, and go on there."""
        named, first = rotation.follow(
            self._path,
            self._file,
            install=self._install,
            header=self._first_record,
            carried=carried,
            reach=self.reach,
        )
        connection = open_database(named, read_only=False)
        self._former.append(self._connection)
        self._connection, self._file = connection, named
        self._seq, self._hash = first.seq, first.hash
        self._move_marks()
        rotation.protect(self._path)

    def _first_record(self, after: SessionHeader) -> schema.Record:
        header = msgspec.structs.replace(
            self._header,
            sealed=after.sealed,
            sealed_seq=self._seq,
            sealed_hash=self._hash.hex(),
            carried=after.carried,
            carried_digest=after.carried_digest,
        )
        return self._chain([self._header_row(header)])[0]

    def _write(self, rows: list[tuple[str, str, schema.Ids]]) -> int:
        if self._read_only or self._broken:
            why = self._broken or "it was opened for reading"
            message = f"the journal {self._path} cannot be written: {why}"
            raise JournalError(message)
        if not rows:
            return self._seq
        records = self._chain(rows)
        try:
            self._commit(records)
        except schema.SQLITE_ERRORS as error:
            raise self._not_written(error) from error
        self._seq, self._hash = records[-1].seq, records[-1].hash
        self._count(max(r.group_number for r in records), max(r.broker_order_id for r in records))
        self._move_marks()
        return self._seq

    def _move_marks(self) -> None:
        self._mark.set(self._seq, self._hash)
        if self.seen is not None:
            self.seen.set(self._seq, self._hash)

    def _chain(self, rows: list[tuple[str, str, schema.Ids]]) -> list[schema.Record]:
        wall = self._clock.now().isoformat()
        mono = self._clock.monotonic()
        records: list[schema.Record] = []
        seq, previous = self._seq, self._hash
        for kind, payload, ids in rows:
            seq += 1
            columns = (seq, self._session, wall, mono, kind, *ids, payload)
            digest = schema.chained(columns, previous)
            records.append(schema.Record(*columns, previous, digest))
            previous = digest
        return records

    def _commit(self, records: list[schema.Record]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(schema.INSERT, records)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _not_written(self, error: Exception) -> JournalError:
        name = getattr(error, "sqlite_errorname", "")
        # A full disk or a lock may pass. After anything else nobody knows what the file
        # holds (a failed fsync may have dropped pages), so it takes a new opening.
        if name not in {"SQLITE_FULL", "SQLITE_BUSY"}:
            self._broken = str(error)
        hints = {
            "SQLITE_FULL": f"free some space on the disk of {self._path.parent}",
            "SQLITE_BUSY": "another process writes to it; only one may",
            "SQLITE_CONSTRAINT_PRIMARYKEY": "another process writes to it; only one may",
        }
        message = f"the journal {self._path} could not be written: {error}"
        return JournalError(message, hint=hints.get(name, "see the disk and its permissions"))
