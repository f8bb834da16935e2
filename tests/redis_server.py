"""A real Redis server for the tests: on a loopback port and a unix socket, gone with its block.

Whoever wants one asks for the fixture `redis_server`, which `tests/conftest.py` offers to every
test. It is empty and running, whatever the test before did to it.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PATIENCE = 10.0  # seconds for a server to go, or to answer


class RedisServer:
    """One server process, which can be killed and come back at the same address.

    Attributes:
        url: Where it listens on the loopback.
        socket_url: Where it listens on a unix socket.
        process: The process that runs now, or ran last.
    """

    process: subprocess.Popen[str]
    _mourner: subprocess.Popen[bytes]

    def __init__(self, program: str, folder: Path, *, options: tuple[str, ...] = ()) -> None:
        self._program, self._folder, self._options = program, folder, options
        # Bound but never listening: the port stays ours while the server is dead, and
        # connecting to it is refused meanwhile.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self.port: int = self._place.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.socket_url = f"unix://{folder / 'redis.sock'}"
        self.start()

    def start(self) -> None:
        """Start it, and return once it takes connections.

        Raises:
            OSError: If it ended instead; with what it said.
        """
        named = ("--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", "redis.sock")
        nothing_kept = ("--save", "", "--appendonly", "no")
        self.process = subprocess.Popen(
            [self._program, *named, *nothing_kept, "--daemonize", "no", *self._options],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # A worker that is killed (by a test's timeout, say) ends nothing: its pipe closes, and then
        # this one ends the server.
        self._mourner = subprocess.Popen(
            ["sh", "-c", 'read _; kill -9 "$1"', "sh", str(self.process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "eady to accept connections" in line:
                return
        self.kill()
        raise OSError(f"the server ended: {''.join(said[-5:])}")

    def kill(self) -> None:
        """Kill it as a power cut would; all it held is lost. Harmless if it is dead."""
        for process in (self._mourner, self.process):
            process.kill()
            process.wait(timeout=_PATIENCE)
        if self._mourner.stdin is not None:
            self._mourner.stdin.close()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def restart(self) -> None:
        """Kill it if it lives, and start an empty one at the same address."""
        self.kill()
        self.start()

    def flush(self) -> None:
        """Empty it, settings and whoever is connected left as they are."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE) as line:
            line.sendall(b"FLUSHALL\r\n")
            reply = line.recv(1_000)
        assert reply == b"+OK\r\n", reply

    def end(self) -> None:
        """Kill it for good, and let go of its port."""
        self.kill()
        self._place.close()


def find_server() -> str | None:
    """Return where the program is, or None if this machine has none."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


@contextmanager
def running(folder: Path, *, options: tuple[str, ...] = ()) -> Iterator[RedisServer]:
    """Keep a server running for the length of the block, its files in `folder`.

    Where the program is missing the test is skipped. `options` are the server's own, as
    `("--requirepass", "secret")`; `flush` is then the test's own affair.
    """
    program = find_server()
    if program is None:
        pytest.skip("no redis-server on this machine: `apt-get install redis-server` brings it")
    server = RedisServer(program, folder, options=options)
    try:
        yield server
    finally:
        server.end()


@pytest.fixture(scope="session")
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run one server for all tests of this worker; ask for `redis_server` instead."""
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_server(redis_process: RedisServer) -> RedisServer:
    """Return a running, empty server; the test may kill and restart it."""
    if redis_process.process.poll() is not None:
        redis_process.restart()
    redis_process.flush()
    return redis_process
