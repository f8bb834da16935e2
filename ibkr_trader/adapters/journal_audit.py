"""The whole journal held against itself: every file, record, session, index, and the mark.

Nothing is changed, repaired or locked, and a writer may be at work. What is found stands in the
answer and is no exception, for what can still be trusted is as much worth knowing.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters import journal_schema as schema
from ibkr_trader.adapters.journal_file import HeadMark, beside, files, open_database
from ibkr_trader.adapters.journal_rotation import last_record
from ibkr_trader.core.errors import JournalError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

_STEP = 500  # records between two reports


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal is found to be.

    Attributes:
        files: Their names, oldest first.
        first, last: The first and the last record that are as they were written; 0 if none is.
        first_at, last_at: When those were written: UTC in ISO 8601, as the journal has it.
        sessions: How many began among them.
        head: The hash of the last of them, in hex.
        install: The prefix of our order ids.
        faults: What is wrong, the first thing first; none is a whole journal.
        found: The record of the hash that was looked for; 0 if there is none.
    """

    files: tuple[str, ...]
    first: int = 0
    last: int = 0
    first_at: str = ""
    last_at: str = ""
    sessions: int = 0
    head: str = ""
    install: str = ""
    faults: tuple[str, ...] = ()
    found: int = 0

    @property
    def records(self) -> int:
        """How many records are as they were written."""
        return self.last - self.first + 1 if self.last else 0


def audit(
    path: Path, *, against: str = "", report: Callable[[int, int], None] = lambda *_: None
) -> Audit:
    """Check a journal from its first record to its last, and return what was found.

    Args:
        path: The journal's name; its sealed files and its mark lie beside it.
        against: A hash to look for, in hex.
        report: Told now and then how many records are done, of how many.

    Raises:
        JournalError: If there is none.
    """
    if not files(path) and not beside(path, "-head").exists():
        message = f"there is no journal {path}"
        raise JournalError(message, hint="the first order makes it; or name it: --journal PATH")
    auditor = _Auditor(path, against=against.lower(), report=report)
    return auditor.answer(auditor.check())


class _Auditor:
    def __init__(self, path: Path, *, against: str, report: Callable[[int, int], None]) -> None:
        self._path = path
        self._against, self._found = against, 0
        self._report = report
        self._total = 0
        self._first: schema.Record | None = None
        self._last: schema.Record | None = None
        self._sessions = 0
        self._install = ""
        self._faults: list[str] = []

    def check(self) -> tuple[Path, ...]:
        """Look at everything, and return the files that were there."""
        try:
            # Before the files: a writer at work can only be ahead of it.
            mark = HeadMark(self._path, read_only=True)
        except JournalError as error:
            self._faults.append(error.message)
            mark = None
        present = files(self._path)
        with contextlib.ExitStack() as opened:
            if mark is not None:
                opened.callback(mark.close)
            try:
                self._total = last_record(self._path) if present else 0
                for one in present:
                    self._check_file(one)
                if mark is not None:
                    self._check_mark(mark)
            except JournalError as error:
                self._faults.append(error.message)
        return present

    def answer(self, present: tuple[Path, ...]) -> Audit:
        """Return what was found."""
        first, last = self._first, self._last
        return Audit(
            files=tuple(one.name for one in present),
            first=first.seq if first else 0,
            last=last.seq if last else 0,
            first_at=first.wall_utc if first else "",
            last_at=last.wall_utc if last else "",
            sessions=self._sessions,
            head=last.hash.hex() if last else "",
            install=self._install,
            faults=tuple(self._faults),
            found=self._found,
        )

    def _check_file(self, one: Path) -> None:
        with contextlib.closing(open_database(one, read_only=True)) as connection:
            self._check_base(connection, one)
            self._check_install(connection, one)
            for record in schema.stream(connection, one):
                self._check_session(record, one)
                self._first = self._first or record
                self._last = record
                if self._against and record.hash.hex().startswith(self._against):
                    self._found = record.seq
                if not record.seq % _STEP:
                    self._report(record.seq, self._total)
            schema.check_index(connection, one)
            schema.carried(connection, one)

    def _check_base(self, connection: sqlite3.Connection, one: Path) -> None:
        base = schema.base_of(connection, one)
        last = self._last
        known = last.seq if last is not None else 0
        if (base.seq, base.hash) == (known, last.hash if last is not None else schema.GENESIS):
            return
        if base.sealed in {file.name for file in files(self._path)} or base.seq <= known:
            raise schema.damaged(one, f"it does not follow on record {known}")
        missing = f"records {known + 1} to {base.seq} are missing with the file {base.sealed}"
        self._faults.append(schema.damaged(self._path, missing).message)
        self._first = self._last = None  # what is whole begins anew behind the gap

    def _check_install(self, connection: sqlite3.Connection, one: Path) -> None:
        found = schema.fetch(connection, one, "SELECT prefix FROM install")
        if not found:
            raise schema.damaged(one, "it has no install prefix")
        prefix = str(found[0][0])
        if self._install and prefix != self._install:
            raise schema.damaged(one, "its install prefix was changed")
        self._install = prefix

    def _check_session(self, record: schema.Record, one: Path) -> None:
        """Every session begins with its header, and the next has the next number."""
        before = self._last.session if self._last is not None else record.session - 1
        if record.kind == schema.SESSION_KIND:
            if schema.read_header(record).install != self._install:
                raise schema.damaged(one, "its install prefix was changed")
        elif record.session != before:
            raise schema.damaged(one, f"record {record.seq} is of a session without a beginning")
        if record.session not in (before, before + 1):
            raise schema.damaged(one, f"record {record.seq} is of session {record.session}")
        self._sessions += record.session != before

    def _check_mark(self, mark: HeadMark) -> None:
        if self._last is None:
            raise schema.damaged(self._path, "no record of it is left")
        with contextlib.closing(open_database(files(self._path)[-1], read_only=True)) as newest:
            base = schema.base_of(newest, self._path)
            mark.compare(
                self._last.seq,
                lambda seq: schema.hash_of(newest, self._path, seq),
                since=base.seq,
            )
