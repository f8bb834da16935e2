"""One account, one writer: a lock that the kernel gives back whatever happens to us.

Taken three times: on the data folder of the profile; for the gateway's (host, port, client
id), so that two data folders cannot drive one client id; and, once the gateway has named it,
for the account there, so that two client ids cannot either. `flock` ends with the process,
so `kill -9` leaves nothing that blocks; the files only say who holds them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from ibkr_trader.adapters.private_files import open_private, private_folder
from ibkr_trader.core.errors import AccountLocked

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL_SECONDS = 0.05
_NOTE_LIMIT = 2_000


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lock, as far as the file can tell."""

    pid: int = 0
    command: str = ""

    def __str__(self) -> str:
        """Return what a message calls it."""
        if not self.pid:
            return "another process"
        return f"process {self.pid} ({self.command})" if self.command else f"process {self.pid}"


class AccountLock:
    """The right to trade an account, until `release` or the end of the process."""

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._held: list[int] = []

    def __enter__(self) -> Self:
        """Return the lock, which is held."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self.release()

    @property
    def is_held(self) -> bool:
        """Whether this process has it."""
        return bool(self._held)

    def acquire(
        self,
        *,
        timeout: float = 0.0,
        on_wait: Callable[[Holder], None] | None = None,
        is_vain: Callable[[], bool] = lambda: False,
    ) -> Self:
        """Take the lock, waiting up to `timeout` seconds; `on_wait` is told once who has it.

        `is_vain` is asked while waiting: a holder that will stay is not waited for.

        Raises:
            AccountLocked: If it is not free by then; the message names the holder.
            ConfigError: If the lock's folder cannot be used.
        """
        deadline = time.monotonic() + timeout
        try:
            for path in self._paths:
                self._held.append(_wait(path, deadline, on_wait, is_vain=is_vain))
        except BaseException:
            self.release()
            raise
        return self

    def release(self) -> None:
        """Give the lock back; releasing twice is harmless."""
        while self._held:
            os.close(self._held.pop())


def lock_paths(
    profile_folder: Path, runtime_folder: Path, *, endpoint: tuple[str, int, int]
) -> tuple[Path, Path]:
    """Return the files to lock for a data folder and an endpoint (host, port, client id)."""
    host, port, client_id = endpoint
    name = _hashed(host, port, client_id)
    return profile_folder / "account.lock", runtime_folder / f"client-{name}.lock"


def account_path(runtime_folder: Path, *, endpoint: tuple[str, int], account: str) -> Path:
    """Return the file to lock for an account at a gateway (host, port); it does not name it."""
    return runtime_folder / f"account-{_hashed(*endpoint, account)}.lock"


def _hashed(host: str, *parts: object) -> str:
    """A gateway's address with more of it, as a name: the same however the host is spelled."""
    host = "127.0.0.1" if host.lower() in {"localhost", "::1"} else host.lower()
    text = " ".join([host, *map(str, parts)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def runtime_folder() -> Path:
    """Return this user's folder for what lasts no longer than the machine is up."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given:
        return Path(given) / "ibkr-trader"
    return Path(tempfile.gettempdir()) / f"ibkr-trader-{os.getuid()}"


def holder(path: Path) -> Holder | None:
    """Return who holds the lock at `path`, or None if it is free."""
    try:
        descriptor = open_private(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        return None if _try(descriptor) else _read_note(descriptor)
    finally:
        os.close(descriptor)


def _wait(
    path: Path,
    deadline: float,
    on_wait: Callable[[Holder], None] | None,
    *,
    is_vain: Callable[[], bool],
) -> int:
    private_folder(path.parent)
    while True:
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
        try:
            if _try(descriptor):
                if _is_at(descriptor, path):
                    _write_note(descriptor)
                    return descriptor
            else:
                present = _read_note(descriptor)
                _give_up(present, is_over=is_vain() or time.monotonic() >= deadline)
                if on_wait is not None:
                    on_wait(present)
                    on_wait = None
                time.sleep(_POLL_SECONDS)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _give_up(present: Holder, *, is_over: bool) -> None:
    if is_over:
        message = f"{present} is trading this account"
        raise AccountLocked(message, hint="wait until it has ended, or stop it")


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the locked file is still the one at `path`: it may have been removed meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        there, ours = path.stat(), os.fstat(descriptor)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
    return False


def _write_note(descriptor: int) -> None:
    arguments = [os.path.basename(sys.argv[0] or "python"), *sys.argv[1:]]  # noqa: PTH119 - text, no path
    note = msgspec.json.encode(Holder(pid=os.getpid(), command=" ".join(arguments)[:200]))
    # A full disk costs the next process our name, not us the lock.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note, 0)


def _read_note(descriptor: int) -> Holder:
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(os.pread(descriptor, _NOTE_LIMIT, 0), type=Holder)
    return Holder()
