"""Start, find, stop and reset a gateway that runs in the background.

`gateway.json` alone proves nothing, as a process that was killed leaves it behind, and its number
may be somebody else's by now: a gateway lives if its process does and is behind its door. It counts
as running only if its port answers a TWS handshake, too.
"""

import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from ibkr_trader.sim.gateway.options import OPTIONS_FILE
from ibkr_trader.sim.gateway.probe import answers, is_behind

INFO_FILE = "gateway.json"
LOG_FILE = "gateway.log"
STATE_FILES = ("exchange.sqlite3", "exchange.sqlite3-wal", "exchange.sqlite3-shm", OPTIONS_FILE)
POLL = 0.02
BURIAL = 5.0  # seconds for the kernel to end a process that was killed
ROOM = 1 << 16  # bytes: less than the state of an account that was never used
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # the last is the limit of a shell
ALREADY_RUNNING = 3  # the exit code that says so
LOG_TAIL = 2000
STOP_AND_START = "ibkr-trader gateway stop; the next command starts it again"
HEAR_AGAIN = "ibkr-trader gateway inject lift, or ibkr-trader gateway stop and start it again"
ANY_PORT = "ibkr-trader gateway start without --port, and without IBKR_SIM_PORT, takes a free one"


class GatewayError(Exception):
    """The gateway could not be started, stopped or reset; the message says why.

    `hint` is the command to type next; empty if the log is all there is.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class AlreadyRunning(GatewayError):
    """Another gateway has the folder."""


class GatewayInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Where a gateway runs, as it says itself in `gateway.json`; `door` is its private door."""

    pid: int
    port: int
    version: str
    started_at: datetime
    account: str
    door: str = ""


def status(state_dir: Path) -> GatewayInfo | None:
    """Return the gateway that runs in `state_dir`, or None: then nothing answers there."""
    info = living(state_dir)
    return info if info is not None and answers(info.port) else None


def living(state_dir: Path) -> GatewayInfo | None:
    """Return the gateway that has the folder, whether or not its port answers, or None."""
    info = read_info(state_dir)
    return info if info is not None and _is_alive(info.pid) and _is_there(info) else None


def deaf(state_dir: Path) -> GatewayInfo | None:
    """Return the gateway that has the folder and answers nobody at its port, or None."""
    info = living(state_dir)
    return None if info is None or answers(info.port) else info


def start_background(
    *,
    state_dir: Path,
    port: int = 0,
    seed: int | None = None,
    speed: float | None = None,
    bars: Path | None = None,
    at: datetime | None = None,
    wire: bool = False,
    script: Path | None = None,
    chaos: int | None = None,
    timeout: float = 20.0,
) -> GatewayInfo:
    """Start a gateway in the background, or return the one that has the folder already.

    Returns once it has opened its port and its door; `port` 0 takes a free one. Whether a new one
    lets anybody in at its port is not asked: a script at the start may keep it shut.

    Raises:
        GatewayError: It did not start, or not within `timeout` seconds; the message has its words.
    """
    running = living(state_dir)
    if running is not None:
        return _hearing(running)
    _require_free(port)
    log = _open_log(state_dir)
    command = [sys.executable, "-m", "ibkr_trader.sim.gateway", "--state-dir", str(state_dir)]
    command += ["--port", str(port)]
    if seed is not None:
        command += ["--seed", str(seed)]
    if speed is not None:
        command += ["--speed", str(speed)]
    if bars is not None:
        command += ["--bars", str(bars)]
    if at is not None:
        command += ["--at", at.isoformat()]
    if wire:
        command.append("--wire-log")
    if script is not None:
        command += ["--script", str(script)]
    if chaos is not None:
        command += ["--chaos", str(chaos)]
    since = log.stat().st_size
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            close_fds=True,
        )
    return _await_start(process, state_dir, since=since, timeout=timeout)


def stop(
    state_dir: Path, *, timeout: float = 10.0, on_force: Callable[[int], None] = lambda _: None
) -> bool:
    """Stop the gateway of `state_dir`; False if none was running.

    One that hangs is killed after `timeout` seconds, of which `on_force` is told: the account
    outlives that.

    Raises:
        GatewayError: It belongs to somebody else, or the kernel does not let go of it.
    """
    info = living(state_dir)
    if info is None:
        return False
    try:
        os.kill(info.pid, signal.SIGTERM)
        os.kill(info.pid, signal.SIGCONT)  # one that was suspended would never hear the other
        if not _is_gone(info.pid, timeout=timeout):
            on_force(info.pid)
            os.kill(info.pid, signal.SIGKILL)
    except ProcessLookupError:
        return True
    except PermissionError:
        message = f"the gateway (process {info.pid}) belongs to another user"
        raise GatewayError(message) from None
    if not _is_gone(info.pid, timeout=BURIAL):
        message = f"the gateway (process {info.pid}) does not end, though it was killed"
        raise GatewayError(message, hint="its disk may hang: see what dmesg says")
    return True


def reset(state_dir: Path) -> None:
    """Forget every order, position and execution of the simulated account.

    Raises:
        GatewayError: The gateway is running.
    """
    if living(state_dir) is not None:
        message = "the gateway is running: stop it first"
        raise GatewayError(message)
    for name in STATE_FILES:
        (state_dir / name).unlink(missing_ok=True)


def read_info(state_dir: Path) -> GatewayInfo | None:
    """Return what `gateway.json` says, whether or not it is still true."""
    try:
        data = (state_dir / INFO_FILE).read_bytes()
        return msgspec.json.decode(data, type=GatewayInfo)
    except (OSError, msgspec.MsgspecError):
        return None


def write_info(state_dir: Path, info: GatewayInfo) -> None:
    """Write `gateway.json` whole or not at all, readable by this user alone."""
    path = state_dir / INFO_FILE
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_bytes(msgspec.json.encode(info) + b"\n")
    fresh.replace(path)


def _hearing(info: GatewayInfo) -> GatewayInfo:
    """Return a gateway that runs already, unless it would keep everybody waiting."""
    if answers(info.port):
        return info
    message = (
        f"the simulator runs (process {info.pid}) and nobody can connect to its port "
        f"{info.port}: it was told to refuse, is restarting, or hangs"
    )
    raise GatewayError(message, hint=HEAR_AGAIN)


def _require_free(port: int) -> None:
    """Refuse a port that somebody else has; 0 is any that is free."""
    if not port:
        return
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        who = "TWS, IB Gateway or another simulator" if answers(port) else "another program"
        why = os.strerror(error.errno).lower() if error.errno else str(error)
        message = f"the gateway did not start: {who} has port {port} ({why})"
        raise GatewayError(message, hint=ANY_PORT) from error


def _open_log(state_dir: Path) -> Path:
    log = state_dir / LOG_FILE
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.touch(mode=0o600)
    except OSError as error:
        message = f"the gateway's folder cannot be used: {error}"
        raise GatewayError(message) from error
    return log


def _await_start(
    process: "subprocess.Popen[bytes]", state_dir: Path, *, since: int, timeout: float
) -> GatewayInfo:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        code = process.poll()
        if code == ALREADY_RUNNING:  # somebody else was quicker: theirs will do
            running = living(state_dir)
            if running is not None:
                return _hearing(running)
        elif code is not None:
            _require_room(state_dir)
            words = _last_words(state_dir, since)
            message = f"the gateway did not start (exit {code}): {words}"
            raise GatewayError(message)
        info = read_info(state_dir)
        if info is not None and info.pid == process.pid and _is_there(info):
            process.returncode = 0  # it lives on without us: its exit is not ours to wait for
            return info
        time.sleep(POLL)
    if process.poll() is None:
        process.terminate()
        process.wait(timeout=5)
    message = f"the gateway did not answer within {timeout:g} s: {_last_words(state_dir, since)}"
    raise GatewayError(message)


def _require_room(state_dir: Path) -> None:
    """Say so if the disk is full: then the gateway itself had no room for its last words."""
    try:
        with tempfile.TemporaryFile(dir=state_dir, buffering=0) as probe:
            written = probe.write(bytes(ROOM))
    except OSError as error:
        if error.errno not in _FULL:
            return
        written = 0
    if written != ROOM:
        message = f"the gateway did not start: the disk is full ({state_dir})"
        raise GatewayError(message, hint="make room there, then repeat the command")


def _last_words(state_dir: Path, since: int) -> str:
    """What it said last, of what it said after the first `since` bytes of its log."""
    with (state_dir / LOG_FILE).open("rb") as log:
        log.seek(since)
        text = log.read().decode(errors="replace")[-LOG_TAIL:].strip()
    return text.splitlines()[-1] if text else "it said nothing"


def _is_gone(pid: int, *, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while _is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True


def _is_there(info: GatewayInfo) -> bool:
    return is_behind(info.door) if info.door else answers(info.port)


def _is_alive(pid: int) -> bool:
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:  # our own child, and it has ended
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether the process has ended and only its parent has not noticed (where /proc tells)."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return False
    return line.rpartition(")")[2].split()[:1] == ["Z"]
