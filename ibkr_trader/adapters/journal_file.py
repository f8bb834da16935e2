"""The journal's files: made whole or not at all, opened only when they are what they were.

SQLite takes an empty file for a new database and drops a damaged write-ahead log in
silence. Both would be a journal that forgets. So the file is made under another name and
renamed, and a small mark beside it says how far it had come.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import sqlite3
from typing import TYPE_CHECKING

from ibkr_trader.adapters.journal_schema import (
    CONTINUED,
    DIGITS,
    NUMBERED,
    SCHEMA,
    SCHEMA_VERSION,
    SQLITE_ERRORS,
    damaged,
    read_fault,
)
from ibkr_trader.adapters.private_files import (
    create_private,
    open_private,
    private_folder,
    sync_folder,
)
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.ids import FAMILY, is_install

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MEMBER = 4  # letters, after those of the family
_BUSY_SECONDS = 2.0
_MARK_SIZE = 86
_DIGEST = 64  # letters: sha256 in hex


def create(path: Path, *, family: str = "") -> None:
    """Make the journal if there is none, complete in one step, with a fresh install prefix.

    Args:
        path: Where it belongs.
        family: What the prefix begins with; empty is a family of its own.

    Raises:
        JournalError: If only a part of an older one is there, or it cannot be made.
    """
    private_folder(path.parent)
    if os.path.lexists(newest(path)):
        return
    remains = [name for name in (beside(path, "-wal"), beside(path, "-head")) if name.exists()]
    if remains:
        raise damaged(path, f"the file is gone, but {remains[0].name} is still there")
    draft = draft_of(path)
    try:
        draft.unlink(missing_ok=True)
        create_private(draft, b"")
        with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION};")
            connection.execute("INSERT INTO install VALUES (1, ?)", (draw_prefix(family),))
            connection.execute("COMMIT")
        draft.rename(path)
        sync_folder(path.parent)
    except (OSError, sqlite3.Error) as error:
        message = f"the journal {path} could not be made: {error}"
        raise JournalError(message, hint="see the disk and its permissions") from error


def files(path: Path) -> tuple[Path, ...]:
    """Return the files of the journal at `path` that are there, oldest first.

    The first has the journal's name, those that followed on it a number behind that.
    """
    numbered = [one for one in path.parent.glob(f"{path.name}-*") if NUMBERED.search(one.name)]
    first = [path] if os.path.lexists(path) else []
    return (*first, *sorted(numbered))


def newest(path: Path) -> Path:
    """Return the file of the journal at `path` that is written; `path` itself if there is none."""
    return (files(path) or (path,))[-1]


def following(path: Path, sealed: Path) -> Path:
    """Return the name of the file that follows on `sealed` in the journal at `path`."""
    number = 1 if sealed == path else int(sealed.name[-DIGITS:])
    return beside(path, f"-{number + 1:0{DIGITS}d}")


def draft_of(path: Path) -> Path:
    """Return what a new file of the journal is called until it is whole."""
    return beside(path, f"-new-{os.getpid()}")


def draw_prefix(family: str = "") -> str:
    """Return a new install prefix; it begins with a letter, so no id looks like a number."""
    while True:
        drawn = base64.b32encode(secrets.token_bytes(5)).decode().lower()
        prefix = family + drawn[:_MEMBER] if family else drawn[:FAMILY]
        if is_install(prefix):
            return prefix


def open_database(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open the journal's database; readers never hold up the writer.

    Raises:
        JournalError: If there is none, it is empty or no database, or of a newer version.
        ConfigError: If it is a link, or belongs to somebody else.
    """
    try:
        descriptor = open_private(path, os.O_RDONLY)
    except FileNotFoundError:
        message = f"there is no journal {path} yet"
        raise JournalError(message, hint="the first order makes it") from None
    except OSError as error:
        message = f"the journal {path} cannot be opened: {error.strerror}"
        raise JournalError(message, hint=f"chmod u+rw {path}") from error
    size = os.fstat(descriptor).st_size
    os.close(descriptor)
    if size == 0:
        raise damaged(path, "the file is empty")
    mode = "ro" if read_only else "rw"
    if read_only and _is_whole(path):
        # Even a reader must make a file beside a database in WAL mode, and on a full disk it
        # cannot. Without a log nothing can be missed by not looking for one.
        mode += "&immutable=1"
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=_BUSY_SECONDS,
    )
    try:
        _configure(connection, path, read_only=read_only)
    except SQLITE_ERRORS as error:
        connection.close()
        raise read_fault(path, error) from error
    except JournalError:
        connection.close()
        raise
    return connection


def _is_whole(path: Path) -> bool:
    """Whether all of the journal is in its one file: nobody has it open, nobody died on it."""
    log = beside(path, "-wal")
    return not log.exists() or log.stat().st_size == 0


def _configure(connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    if not read_only:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: past the drive's own cache
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > CONTINUED:
        message = f"the journal {path} was written by a newer version (format {version})"
        raise JournalError(message, hint="upgrade ibkr-trader, or use another --data-dir")
    if version not in (SCHEMA_VERSION, CONTINUED):
        raise damaged(path, f"its format is {version}, not {SCHEMA_VERSION} or {CONTINUED}")


class MarkLine:
    """How far a journal had come, in one line: the number and the hash of its last record.

    It is rewritten after every commit and not synced: after a power cut it may lag behind,
    never run ahead. Without a file nothing is read, and nothing kept.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def read(self) -> tuple[int, str] | None:
        """Return the number and the hash in hex; None if there is no line yet.

        Raises:
            ValueError: If it is no such line.
        """
        if self._descriptor is None:
            return None
        line = os.pread(self._descriptor, _MARK_SIZE, 0).decode("ascii", "replace")
        if not line:
            return None
        number, _, digest = line.strip().partition(" ")
        if not number.isdecimal() or len(digest) != _DIGEST:
            raise ValueError("it is no mark")
        return int(number), digest

    def set(self, seq: int, digest: bytes) -> None:
        """Move the mark to record `seq`."""
        if self._descriptor is not None:
            # A mark that lags behind is allowed: the records themselves are on disk.
            with contextlib.suppress(OSError):
                os.pwrite(self._descriptor, f"{seq:020d} {digest.hex()}\n".encode(), 0)

    def sync(self) -> None:
        """Put the mark on disk: it must not fall back behind a file that is sealed now.

        Raises:
            OSError: If that cannot be done.
        """
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Give the file back; closing twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class HeadMark(MarkLine):
    """The mark beside the journal: one that ends before it has lost records."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self._journal = path
        mark, descriptor = beside(path, "-head"), None
        if not read_only and not os.path.lexists(mark):  # a link to nowhere is refused below
            create_private(mark, b"")
        with contextlib.suppress(FileNotFoundError):
            descriptor = open_private(mark, os.O_RDONLY if read_only else os.O_RDWR)
        super().__init__(descriptor)
        try:
            self._seen = self.read()
        except ValueError as error:
            self.close()
            raise damaged(path, f"its mark {mark.name} cannot be read") from error

    def compare(self, seq: int, hash_of: Callable[[int], bytes], *, since: int = 0) -> None:
        """Refuse a journal that ends before the mark, or has another record in its place.

        A mark before `since` stands in a file that was sealed while we looked: it is passed.

        Raises:
            JournalError: Naming the records that are missing.
        """
        if self._seen is None:
            return
        marked, digest = self._seen
        if marked < since:
            return
        if marked > seq:
            raise damaged(self._journal, f"records {seq + 1} to {marked} are missing")
        if hash_of(marked).hex() != digest:
            raise damaged(self._journal, f"record {marked} is not the one that was written")


def beside(path: Path, suffix: str) -> Path:
    """Return the file that goes with the one at `path`."""
    return path.with_name(path.name + suffix)
