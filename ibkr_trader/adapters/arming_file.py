"""The arming file: until when a live desk is armed, and for which desk on which machine.

It is a person's word, so it is read strictly: a file of ours alone (0600, no link, nobody
else's), whole, sealed, and made for exactly this account, configuration and start of the machine.
Anything else counts as not armed, and the reason is told. A seal tells a damaged file from a
whole one; it keeps nobody out who may write as this user, for he could as well type the account.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.private_files import replace_private
from ibkr_trader.adapters.trusted_file import read_trusted
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.execution.arming_watch import LONGEST, Lease

if TYPE_CHECKING:
    from collections.abc import Callable

ARMING_FILE = "arming.json"
_LIMIT = 4_000  # bytes
_CLOCKS = timedelta(seconds=2)  # how far two readings of the machine's clocks may lie apart
_MACHINE_ID = Path("/etc/machine-id")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """What an armed time is for: of another desk, or after a restart of the machine, it is void.

    `config` names the configuration; `boot` the present run of the machine.
    """

    profile: str
    account: str
    config: str
    host: str
    boot: str
    uid: int


class _Page(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: version 1."""

    version: int
    binding: Binding
    armed_at: datetime
    uptime: float
    lease: Lease
    seal: str = ""

    def sealed(self) -> _Page:
        """Return it with the seal that belongs to its content."""
        bare = msgspec.json.encode(msgspec.structs.replace(self, seal=""))
        return msgspec.structs.replace(self, seal=hashlib.sha256(bare).hexdigest())


_WORDS = {
    "profile": "it was made for another profile",
    "account": "it was made for another account",
    "config": "the configuration was changed",
    "host": "it was made on another machine",
    "boot": "the machine was started again",
    "uid": "it was made by another user",
}


class ConfigFile(NamedTuple):
    """The configuration file as it was when this process read it."""

    path: Path | None
    digest: str


class ArmingFile:
    """The armed time of one desk, in its folder.

    Args:
        folder: The profile's.
        binding: What it must be for.
        config: The configuration file, which must not change meanwhile.
        uptime: Seconds since the machine was started.
    """

    def __init__(
        self,
        folder: Path,
        *,
        binding: Binding,
        config: ConfigFile,
        clock: SystemClock | None = None,
        uptime: Callable[[], float] | None = None,
    ) -> None:
        self._path = folder / ARMING_FILE
        self._binding = binding
        self._config = config
        self._clock = clock or SystemClock()
        self._uptime = uptime or machine_uptime

    def now(self) -> datetime:
        """Return the machine's time."""
        return self._clock.now()

    def uptime(self) -> float:
        """Return seconds since the machine was started."""
        return self._uptime()

    def read(self) -> Lease | str:
        """Return the armed time that is kept, or why there is none that counts."""
        try:
            found = read_trusted(self._path, _LIMIT, is_ours_alone=True)
        except FileNotFoundError:
            return ""
        return f"{self._path} {found.why}" if found.why else self._judge(found.data)

    def write(self, lease: Lease) -> None:
        """Keep `lease`, whole and on disk, or not at all.

        Raises:
            ConfigError: If it cannot be kept, or this machine does not tell its starts apart.
        """
        if not self._binding.boot:
            message = "this system does not say when it was started, so nothing can be kept armed"
            raise ConfigError(message, hint="arm at a running trader: ibkr-trader run")
        page = _Page(
            version=1,
            binding=self._binding,
            armed_at=self.now(),
            uptime=self.uptime(),
            lease=lease,
        ).sealed()
        try:
            replace_private(self._path, msgspec.json.encode(page) + b"\n")
        except OSError as error:
            message = f"{self._path} cannot be written: {error.strerror}"
            raise ConfigError(message, hint=f"ls -l {self._path.parent}") from error

    def remove(self) -> None:
        """Keep none any more; what cannot be removed is told, for it would arm the next one."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            message = f"{self._path} cannot be removed: {error.strerror}"
            raise ConfigError(message, hint=f"rm {self._path}") from error

    def changed(self) -> str:
        """Return whether the configuration file is another one by now, in words."""
        path = self._config.path
        if path is None or digest_of(path) == self._config.digest:
            return ""
        return f"{path} was changed since it was read"

    def _judge(self, content: bytes) -> Lease | str:
        try:
            page = msgspec.json.decode(content, type=_Page)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return f"{self._path} is damaged"
        if page.version != 1 or page.sealed().seal != page.seal:
            return f"{self._path} is damaged"
        for name, why in _WORDS.items():
            if getattr(page.binding, name) != getattr(self._binding, name):
                return why
        now, uptime, lease = self.now(), self.uptime(), page.lease
        length = lease.until - page.armed_at
        if not timedelta(0) < length <= LONGEST + _CLOCKS:
            return f"{self._path} is for longer than {LONGEST}"
        if now < page.armed_at - _CLOCKS or uptime < page.uptime:
            return "the machine's clock was set back"
        if now >= lease.until or uptime >= lease.deadline:
            return "the armed time is over"
        return lease


def digest_of(path: Path | None) -> str:
    """Return a short name for the content of a file; empty if it cannot be read."""
    if path is None:
        return ""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def machine_uptime() -> float:
    """Return seconds since the machine was started, those it slept included where it can tell."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(clock) if clock is not None else time.monotonic()


def this_host() -> str:
    """Return a name for this machine that no other has."""
    with suppress(OSError):
        return hashlib.sha256(_MACHINE_ID.read_bytes()).hexdigest()[:16]
    return platform.node()


def this_boot() -> str:
    """Return a name for this run of the machine; empty if it does not tell."""
    with suppress(OSError):
        return _BOOT_ID.read_text(encoding="ascii").strip()
    with suppress(OSError, subprocess.SubprocessError):
        asked = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"],
            capture_output=True,
            check=True,
            text=True,
            timeout=5,
        )
        return asked.stdout.strip()
    return ""
