"""A journal of several files: one is sealed, the next follows on it, and the chain goes on.

The next file is made whole under another name, with all that a start needs of those before it,
and gets its name in one step. Until then the old file is the journal, from then on the new one:
there is no moment between the two. A sealed file is never written again, and never deleted.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

from ibkr_trader.adapters import journal_schema as schema
from ibkr_trader.adapters.journal_file import (
    beside,
    draft_of,
    files,
    following,
    newest,
    open_database,
)
from ibkr_trader.adapters.private_files import create_private, sync_folder
from ibkr_trader.core.errors import JournalError, TraderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

SEALED_MODE = 0o400
_PATIENCE = 0.1  # seconds for readers to let go of the write-ahead log
STEPS = ("emptied", "drafted", "filled", "named", "synced")  # of `follow`, for crash tests


class NotNow(Exception):
    """A file cannot be sealed at this moment; it is as it was."""


def settle(connection: sqlite3.Connection) -> None:
    """Bring everything into the one file, so that it needs nothing beside it any more.

    Raises:
        NotNow: If a reader is at work in it.
        sqlite3.Error: If the disk refuses.
    """
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {int(_PATIENCE * 1000)}")
    try:
        is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")
    if is_busy:
        raise NotNow("somebody is reading it")


def follow(
    path: Path,
    sealed: Path,
    *,
    install: str,
    header: Callable[[schema.SessionHeader], schema.Record],
    carried: Sequence[schema.Record],
    reach: Callable[[str], None] = lambda _: None,
) -> tuple[Path, schema.Record]:
    """Make the file that follows on `sealed`, with its first record, and return both.

    Args:
        path: The journal's name.
        sealed: Its newest file, settled; its last record is the newest of all.
        install: Its prefix.
        header: Makes the first record, given what it has to say of the sealed file.
        carried: What a start needs of the files before.
        reach: Called with the name of each step, once it is done.

    Raises:
        OSError: If it cannot be made; then `sealed` goes on.
        sqlite3.Error: As above.
    """
    reach("emptied")
    named, draft = following(path, sealed), draft_of(path)
    for leftover in path.parent.glob(f"{path.name}-new-*"):
        leftover.unlink(missing_ok=True)
    create_private(draft, b"")
    reach("drafted")
    first = header(
        schema.SessionHeader(
            sealed=sealed.name, carried=len(carried), carried_digest=schema.digest(carried)
        )
    )
    with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        version = f"PRAGMA user_version = {schema.CONTINUED};"
        connection.executescript(f"BEGIN; {schema.SCHEMA} {schema.CARRIED} {version}")
        connection.execute("INSERT INTO install VALUES (1, ?)", (install,))
        connection.executemany(schema.INSERT_CARRIED, carried)
        connection.execute(schema.INSERT, first)
        connection.execute("COMMIT")
    if beside(draft, "-wal").exists():
        raise OSError(0, "the new file is not whole")
    _sync(draft)
    reach("filled")
    draft.rename(named)
    reach("named")
    sync_folder(path.parent)
    reach("synced")
    return named, first


def protect(path: Path) -> None:
    """Take the right to write away from every file but the newest; one that is lost stays so."""
    for sealed in files(path)[:-1]:
        with contextlib.suppress(OSError):
            if sealed.stat().st_mode & 0o777 != SEALED_MODE:
                sealed.chmod(SEALED_MODE)


def lost(path: Path, base: schema.Base) -> str:
    """Return what is wrong with the sealed files at a first look; empty if nothing is.

    Cheap, however many there are: each must be there, and the last must end as it was sealed.
    """
    there = {one.name for one in files(path)}
    wanted, name = [], path
    while base.sealed and name.name != newest(path).name:
        wanted.append(name.name)
        name = following(path, name)
    gone = [one for one in wanted if one not in there]
    if gone:
        return f"of the sealed files of the journal {', '.join(gone)} cannot be found"
    if base.sealed:
        try:
            open_before(path, base).close()
        except TraderError as error:
            return error.message
    return ""


def open_before(path: Path, base: schema.Base) -> sqlite3.Connection:
    """Open the sealed file that ends where `base` begins, to read it.

    Raises:
        JournalError: If it is missing, damaged, or another one.
    """
    sealed = _file_of(path, base)
    if not os.path.lexists(sealed):
        message = f"the journal {path} is not whole: its sealed file {base.sealed} is missing"
        raise JournalError(message, hint="put it back beside the others; a desk opens without it")
    with contextlib.ExitStack() as undo:
        connection = open_database(sealed, read_only=True)
        undo.callback(connection.close)
        ended = schema.fetch(connection, sealed, schema.LAST)
        if not ended or tuple(ended[0]) != (base.seq, base.hash):
            raise schema.damaged(sealed, f"it does not end with record {base.seq} as written")
        undo.pop_all()
    return connection


def sealed_records(path: Path, base: schema.Base, *, since: int = 0) -> Iterator[schema.Record]:
    """Yield what the sealed files before `base` have after record `since`, oldest first.

    Each file is open only while it is read.

    Raises:
        JournalError: At a file or record that is damaged or missing.
    """
    wanted: list[schema.Base] = []
    while base.sealed and since < base.seq:
        wanted.append(base)
        with contextlib.closing(open_before(path, base)) as connection:
            base = schema.base_of(connection, _file_of(path, base))
    for one in reversed(wanted):
        with contextlib.closing(open_before(path, one)) as connection:
            yield from schema.stream(connection, _file_of(path, one), since=since)


def check_sealed(path: Path, base: schema.Base) -> None:
    """Hold the indexes of the sealed files before `base` against their tables.

    Raises:
        JournalError: If they differ, or a file is missing.
    """
    while base.sealed:
        with contextlib.closing(open_before(path, base)) as connection:
            schema.check_index(connection, _file_of(path, base))
            base = schema.base_of(connection, _file_of(path, base))


def _file_of(path: Path, base: schema.Base) -> Path:
    """The sealed file that `base` names; never one elsewhere."""
    return path.parent / os.path.basename(base.sealed)  # noqa: PTH119 - text of a record


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def records(path: Path, *, since: int = 0) -> Iterator[schema.Record]:
    """Yield what the journal at `path` has after record `since`, oldest first, of all its files.

    It is opened to be read, and what is written meanwhile may or may not be among it.

    Raises:
        JournalError: If there is none, or at a file or record that is damaged or missing.
    """
    last = newest(path)
    with contextlib.closing(open_database(last, read_only=True)) as connection:
        base = schema.base_of(connection, last)
        yield from sealed_records(path, base, since=since)
        yield from schema.stream(connection, last, since=since)


def last_record(path: Path) -> int:
    """Return the number of the journal's last record; 0 if it has none.

    Raises:
        JournalError: If there is no journal, or it is damaged.
    """
    last = newest(path)
    with contextlib.closing(open_database(last, read_only=True)) as connection:
        rows = schema.fetch(connection, last, schema.LAST)
        return int(rows[0][0]) if rows else 0
