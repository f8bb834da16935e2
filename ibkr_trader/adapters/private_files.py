"""Folders and files that belong to one user: made private, and refused when they are not.

The journal, the account lock and the simulator's state hold what a stranger must neither
read nor replace: folders are 0700, files 0600, links are not followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from ibkr_trader.core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def private_folder(path: Path) -> Path:
    """Return `path` as a folder of ours, made (with its parents) if it is missing.

    Raises:
        ConfigError: If it cannot be made, is no folder, or somebody else can write in it.
    """
    try:
        for folder in (*reversed(path.parents), path):
            if not folder.exists():
                folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        status = path.stat()
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    if not stat.S_ISDIR(status.st_mode):
        raise _unusable(path, "it is not a folder")
    _check_owner(path, status)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        message = f"the folder {path} can be written by other users"
        raise ConfigError(message, hint=f"chmod go-w {path}")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise _unusable(path, "it cannot be read and written")
    return path


def create_private(path: Path, content: bytes) -> None:
    """Make a new file of ours with `content`, on disk when this returns.

    Raises:
        FileExistsError: If there is one already, be it a dangling link.
        OSError: If it cannot be written, or not the whole of it; what there is of it stays.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, FILE_MODE)
    try:
        if os.write(descriptor, content) != len(content):  # a full disk takes a part, silently
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_private(path: Path, content: bytes) -> None:
    """Put a file of ours in the place of `path` at once: a reader sees the old one or the new.

    Raises:
        OSError: If it cannot be written; then the old one is still there.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        fresh.unlink(missing_ok=True)  # what was left by one who was killed
        create_private(fresh, content)
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def open_private(path: Path, flags: int) -> int:
    """Open a file of ours, never through a link, and make it private if it is not.

    Raises:
        ConfigError: If it is a link or no file at all, or belongs to somebody else.
        OSError: If it cannot be opened.
    """
    try:
        # A pipe of that name must not make anybody wait for its other end.
        extra = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(path, flags | extra, FILE_MODE)
    except OSError as error:
        if path.is_symlink():
            message = f"{path} is a link, and links are not followed here"
            raise ConfigError(message, hint="move the real file into its place") from error
        if isinstance(error, IsADirectoryError):  # reading one is refused below
            raise _no_file(path) from error
        raise
    try:
        status = os.fstat(descriptor)
        _check_owner(path, status)
        _check_file(path, status)
        if status.st_mode & 0o077:
            os.fchmod(descriptor, FILE_MODE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def sync_folder(path: Path) -> None:
    """Put the folder's own entries on disk, so that a new name survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        message = f"{path} belongs to another user (uid {status.st_uid})"
        raise ConfigError(message, hint="choose a folder of your own: --data-dir or IBKR_DATA_DIR")


def _check_file(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _no_file(path)


def _no_file(path: Path) -> ConfigError:
    return ConfigError(f"{path} is not a file", hint="move what is there out of the way")


def _unusable(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"the folder {path} cannot be used: {why}",
        hint="choose another one: --data-dir or IBKR_DATA_DIR",
    )
