"""Forks programs of ours from one process that has imported everything they may need.

    python -m tests.processes.nursery DESCRIPTOR DOOR

Each is a process of its own: its own pid, session, folder, environment and streams; signals reach
it, and SIGKILL ends it in the middle of anything. What it does not do again is import the
interpreter's and our modules, which is most of what a command costs. Who asks is `warm.py`; the
descriptor is their end of a socket, and when that closes, so does the nursery. Whoever is too far
away to have it, as a command in a shell's line, comes to the DOOR, a socket with a name.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import importlib
import io
import json
import locale
import os
import pkgutil
import random
import runpy
import select
import signal
import socket
import struct
import sys
import threading
import time
import traceback
import warnings
from typing import Any

LARGEST = 1 << 20  # bytes of one request
STREAMS = 3
STATUS = struct.Struct("i")
_ALSO = ("httpx", "numpy", "typer.testing", "rich.table", "rich.console", "runpy")
# It asks for the thread's event loop as it is imported, and a run is about one of the two.
_CLIENT = os.environ.get("IBKR_CLIENT_LIBRARY", "ib_insync")


def preload() -> None:
    """Import what a program may import; nothing of it may start a thread."""
    import ibkr_trader

    for found in pkgutil.walk_packages(ibkr_trader.__path__, "ibkr_trader."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    for name in _ALSO:
        importlib.import_module(name)
    from ibkr_trader.adapters.ibkr.client import load

    load(_CLIENT)


class Nursery:
    """Takes requests from one socket, or at a door; tells how each child has ended on a pipe."""

    def __init__(self, asking: socket.socket, door: socket.socket) -> None:
        self._asking = asking
        self._door = door
        self._pipes: dict[int, int] = {}
        self._woken, wakes = socket.socketpair()
        for end in (self._woken, wakes):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes.fileno())
        self._wakes = wakes

    def work(self) -> None:
        """Serve until nobody asks any more."""
        with self._woken, self._wakes, self._asking, self._door:
            self._serve()

    def _serve(self) -> None:
        while True:
            ready, _, _ = select.select([self._asking, self._woken, self._door], [], [])
            if self._woken in ready:
                with contextlib.suppress(BlockingIOError):
                    self._woken.recv(4096)
                self._bury()
            if self._asking in ready:
                request, streams = _receive(self._asking)
                if not request:
                    return
                self._bear(json.loads(request), streams, told=self._asking)
            if self._door in ready:
                caller, _ = self._door.accept()
                with caller:
                    request, streams = _receive(caller)
                    self._bear(json.loads(request), streams, told=caller)

    def _bear(self, wish: dict[str, Any], streams: list[int], *, told: socket.socket) -> None:
        pid = os.fork()
        if pid == 0:
            _live(wish, streams[:STREAMS])
        self._pipes[pid] = streams[STREAMS]
        for stream in streams[:STREAMS]:
            os.close(stream)
        told.sendall(STATUS.pack(pid))

    def _bury(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pipe = self._pipes.pop(ended[0])
                with contextlib.suppress(OSError):  # nobody waits for it any more
                    os.write(pipe, STATUS.pack(ended[1]))
                os.close(pipe)


def _receive(asking: socket.socket) -> tuple[bytes, list[int]]:
    """Return one request, and the descriptors that came with it."""
    streams = array.array("i")
    heard, ancillary, _, _ = asking.recvmsg(LARGEST, socket.CMSG_LEN(4 * streams.itemsize))
    for _, _, data in ancillary:
        streams.frombytes(data)
    if not heard:
        return b"", []
    (size,) = STATUS.unpack(heard[: STATUS.size])
    heard = heard[STATUS.size :]
    while len(heard) < size:
        heard += asking.recv(LARGEST)
    return heard, list(streams)


def _live(wish: dict[str, Any], streams: list[int]) -> None:
    """Become the program that is wished for; never returns."""
    code = 1
    try:
        _settle(wish, streams)
        code = _run(wish["module"])
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
    finally:
        os._exit(code)


def _settle(wish: dict[str, Any], streams: list[int]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if wish["session"]:
        os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(STREAMS, 1 << 12)
    if wish["terminal"]:
        os.login_tty(os.dup(0))
    os.chdir(wish["cwd"])
    os.environ.clear()
    os.environ.update(wish["env"])
    time.tzset()
    sys.argv = ["-m", *wish["arguments"]]
    sys.path[0] = wish["cwd"]
    encoding = locale.getencoding()
    at_once = bool(wish["env"].get("PYTHONUNBUFFERED"))
    sys.stdin = io.TextIOWrapper(os.fdopen(0, "rb"), encoding=encoding)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(
            os.fdopen(number, "wb", -1 if not at_once else 0),
            encoding=encoding,
            errors="strict" if number == 1 else "backslashreplace",
            line_buffering=number == STREAMS - 1 or os.isatty(number),
            write_through=at_once,
        )
        for number in (1, 2)
    )
    warnings.resetwarnings()
    if given := wish["env"].get("PYTHONWARNINGS"):
        warnings.simplefilter(given)
    random.seed()


def _run(module: str) -> int:
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:  # noqa: BLE001 - the outermost edge of a program
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    """Load everything, say so, and serve."""
    asking, door = socket.socket(fileno=int(sys.argv[1])), socket.socket(socket.AF_UNIX)
    door.bind(sys.argv[2])
    door.listen()
    preload()
    gc.collect()
    gc.freeze()  # children share the pages of what they do not touch
    asking.sendall(STATUS.pack(os.getpid()))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for those who asked
    Nursery(asking, door).work()


if __name__ == "__main__":
    main()
