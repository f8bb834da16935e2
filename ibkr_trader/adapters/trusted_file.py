"""A file that a person keeps for the desk: whether it has changed, and whether to believe it.

What it says binds real money, so it must come from the user and be the file itself: it is
his or root's, not everybody can write in it, links are not followed, and it is of a sane size.
"""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.private_files import FILE_MODE

if TYPE_CHECKING:
    from pathlib import Path

_WARM = timedelta(milliseconds=50)  # a second write within it may leave no trace in the times
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNREADABLE = "unreadable"


class Content(NamedTuple):
    """What a look into a file found.

    Attributes:
        data: The whole of it; empty if it is not believed.
        mark: As `mark_of` tells it; one that never comes again if it was written just now.
        why: Why it is not believed, as the end of a sentence about it; empty if it is.
    """

    data: bytes
    mark: object
    why: str = ""


def mark_of(path: Path | str) -> object:
    """Return what changes whenever a file does; None if it is missing. It costs little."""
    try:
        status = os.stat(path, follow_symlinks=False)  # noqa: PTH116 - a third of the time
    except FileNotFoundError:
        return None
    except OSError as error:
        return _UNREADABLE, error.errno
    return _mark(status)


def read_trusted(path: Path, most: int, *, is_ours_alone: bool = False) -> Content:
    """Return the content of a file of at most `most` bytes, if it can be believed.

    Args:
        path: The file, or what lies in its place.
        most: More bytes than these it need not have.
        is_ours_alone: Whether only a file is believed that nobody but us may even read, with
            no second name, as we wrote it.

    Raises:
        FileNotFoundError: If there is none.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        return Content(b"", mark_of(path), _unopened(path, error))
    mark: object = None
    try:
        status = os.fstat(descriptor)
        mark = _settled(status)
        if why := _untrusted(status, most, is_ours_alone=is_ours_alone):
            return Content(b"", mark, why)
        data = _whole(descriptor, status.st_size, most)
    except OSError as error:
        return Content(b"", mark or mark_of(path), f"cannot be read: {error.strerror or error}")
    finally:
        os.close(descriptor)
    # It may have grown since it was measured.
    return Content(data, mark) if len(data) <= most else Content(b"", mark, _too_large(most))


def _untrusted(status: os.stat_result, most: int, *, is_ours_alone: bool) -> str:
    """Why a file is not read at all; empty if it may be."""
    us = os.geteuid()
    if not stat.S_ISREG(status.st_mode):
        return "is no file"
    if status.st_uid not in ({us} if is_ours_alone else {us, 0}):
        return f"belongs to another user (uid {status.st_uid}) and is not trusted"
    mode = stat.S_IMODE(status.st_mode)
    if is_ours_alone and status.st_nlink != 1:
        return "is no file of its own: it has a second name elsewhere (a hard link)"
    if is_ours_alone and mode != FILE_MODE:
        return f"has mode {mode:04o}, and only {FILE_MODE:04o} is trusted"
    if mode & stat.S_IWOTH:
        return "can be written by everybody: take that away with chmod o-w"
    return _too_large(most) if status.st_size > most else ""


def _unopened(path: Path, error: OSError) -> str:
    if path.is_symlink():
        return "is a link, and links are not followed: put the file itself here"
    return f"cannot be read: {error.strerror or error}"


def _too_large(most: int) -> str:
    return f"is larger than {most:,} bytes, which it never has to be"


def _whole(descriptor: int, size: int, most: int) -> bytes:
    """The whole of a file, or a little more of it than may be."""
    data = b""
    while len(data) <= most and (part := os.read(descriptor, size + 1)):
        data += part
    return data


def _mark(status: os.stat_result) -> tuple[int, ...]:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size, status.st_mode


def _settled(status: os.stat_result) -> object:
    """The mark of what is about to be read; one that never comes again, if it is still warm.

    The times of a file move in steps: a second write within the same one shows in none of them.
    """
    mark = _mark(status)
    written = _EPOCH + timedelta(microseconds=status.st_mtime_ns // 1_000)
    is_warm = timedelta(0) <= SystemClock().now() - written < _WARM
    return (*mark, "warm") if is_warm else mark
