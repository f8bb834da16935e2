"""The file that halts a desk by being there: `HALT`, in the profile's folder.

It is the switch that works when nothing else does: no trader, no journal, no gateway is
needed to put it there, and `touch` is enough. Whatever lies under that name halts: an empty
file, a link, a folder, something that cannot be read. Only a person takes it away again.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.private_files import sync_folder
from ibkr_trader.core.text import plain
from ibkr_trader.execution.ports import KillNote

if TYPE_CHECKING:
    from pathlib import Path

NAME = "HALT"
FILE_ORIGIN = "the file HALT"
_MOST_READ = 4_096  # bytes
_LONGEST = 200  # letters of a reason
_numbers = itertools.count(1)


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    """What we write into it, for the next to read."""

    reason: str
    origin: str
    by: str = ""
    at: str = ""
    keeps_entries: bool = False


class HaltFile:
    """The flag at one path. Reading it never raises: what cannot be read halts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = os.fspath(path)
        self._known: KillNote | None = None

    def reason(self) -> str:
        """Return why the flag halts everything, or nothing if it is not there: one look."""
        note = self.seen()
        return "" if note is None else note.reason

    def seen(self) -> KillNote | None:
        """Return what the flag says, or None if it is not there."""
        try:
            status = os.lstat(self._text)
        except FileNotFoundError:
            self._known = None
            return None
        except OSError as error:
            why = f"the file {NAME} cannot be looked for: {error.strerror}"
            return KillNote(reason=why, origin=FILE_ORIGIN)
        mark = _mark(status)
        if self._known is None or self._known.mark != mark:
            self._known = self._read(mark, is_file=stat.S_ISREG(status.st_mode))
        return self._known

    def put(
        self, reason: str, *, origin: str, by: str = "", at: str = "", keeps_entries: bool = False
    ) -> str:
        """Put the flag there, on disk when this returns; return what kept it from that.

        It is new each time, so that who is about to take an older one away leaves it. Of two
        halts the stricter stays: what is to be cancelled stays so. Safe in a signal handler.
        """
        before = self.seen()
        if before is not None and before.mark and not before.keeps_entries:
            keeps_entries = False
        written = _Written(
            reason=plain(reason, limit=_LONGEST), origin=origin, by=by, at=at,
            keeps_entries=keeps_entries,
        )  # fmt: skip
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(msgspec.json.encode(written) + b"\n")
        except OSError as error:
            return self._touch(error)
        return ""

    def remove(self, seen: KillNote) -> str:
        """Take away the very flag that was `seen`; return why one is still there, if so."""
        taken = self._path.with_name(f".{NAME}.{os.getpid()}.{next(_numbers)}.ended")
        try:
            os.rename(self._path, taken)  # noqa: PTH104 - of whatever kind it is
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"{self._path} cannot be removed: {error.strerror}"
        status = os.lstat(taken)
        if _mark(status) != seen.mark:
            self._put_back(taken)
            return f"{self._path} is new: somebody has halted again meanwhile"
        try:
            if stat.S_ISDIR(status.st_mode):
                taken.rmdir()
            else:
                taken.unlink()
            sync_folder(self._path.parent)
        except OSError as error:
            self._put_back(taken)
            return f"{self._path} cannot be removed: {error.strerror}"
        return ""

    def _put_back(self, taken: Path) -> None:
        with contextlib.suppress(OSError):
            if os.path.lexists(self._path):
                taken.unlink()  # a newer one halts already
            else:
                os.rename(taken, self._path)  # noqa: PTH104 - as above

    def _write(self, content: bytes) -> None:
        made = self._path.with_name(f".{NAME}.{os.getpid()}.{next(_numbers)}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(made, flags, 0o600)
        try:
            os.write(descriptor, content)
            os.fsync(descriptor)
            os.replace(made, self._path)  # noqa: PTH105 - one system call
        except BaseException:
            with contextlib.suppress(OSError):
                made.unlink()
            raise
        finally:
            os.close(descriptor)
        sync_folder(self._path.parent)

    def _touch(self, error: OSError) -> str:
        """Put an empty one there: a full disk has room for a name more often than for words."""
        with contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            os.close(os.open(self._path, flags, 0o600))
            sync_folder(self._path.parent)
        if os.path.lexists(self._path):
            return ""
        return f"{self._path} cannot be written: {error.strerror}"

    def _read(self, mark: tuple[int, ...], *, is_file: bool) -> KillNote:
        text = ""
        if is_file:
            with contextlib.suppress(OSError):
                text = _content(self._text)
        with contextlib.suppress(msgspec.MsgspecError):
            found = msgspec.json.decode(text, type=_Written)
            return KillNote(
                reason=plain(found.reason, limit=_LONGEST) or FILE_ORIGIN,
                origin=plain(found.origin, limit=_LONGEST) or FILE_ORIGIN,
                keeps_entries=found.keeps_entries,
                mark=mark,
            )
        words = plain(text, limit=_LONGEST) or f"{FILE_ORIGIN} is there"
        return KillNote(reason=words, origin=FILE_ORIGIN, mark=mark)


def _mark(status: os.stat_result) -> tuple[int, ...]:
    """What tells this flag from the next one of the same name."""
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)


def _content(path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _MOST_READ).decode(errors="replace")
    finally:
        os.close(descriptor)
