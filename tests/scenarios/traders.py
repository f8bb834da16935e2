"""A running trader as a process of its own, and what it says."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ibkr_trader.adapters.clock import OffsetClock
from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.portfolio.snapshot import BrokerSnapshot
from ibkr_trader.sim.gateway.background import status
from tests.cli.conftest import CommandLine
from tests.processes import warm


class RunningTrader:
    """`ibkr-trader run --headless`, from its first line on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []

    def hear(self, words: str) -> str:
        """Return the next line that has `words` in it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            if words in line:
                return self.said[-1]
        assert self.process.stderr is not None
        message = f"it ended without {words!r}: {self.said} {self.process.stderr.read()}"
        raise AssertionError(message)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=20)


@contextmanager
def running(
    line: CommandLine, *options: str, dying_at: str | None = None
) -> Iterator[RunningTrader]:
    """Keep a trader running for the length of the block, unless the block ends it.

    With `dying_at` it is one that is killed at that checkpoint, once it has had SIGUSR2.
    """
    program = [*line.program, "run", "--headless", *options]
    if dying_at is not None:
        program = [sys.executable, "-m", "tests.scenarios.trader_child", dying_at]
    with warm.Popen(
        program,
        cwd=line.folder,
        env=line.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        trader = RunningTrader(process)
        try:
            trader.hear("runs as process")
            yield trader
        finally:
            if process.poll() is None:
                process.kill()


async def at_the_gateway(line: CommandLine, install: str) -> BrokerSnapshot:
    """Ask the gateway what it holds, as another client that can read our order ids."""
    gateway = status(line.data / "sim" / "gateway")
    assert gateway is not None
    connection = IBKRConnection(LinkSettings(port=gateway.port, client_id=9), clock=OffsetClock())
    broker = IBKRBroker(connection, install=install)
    await connection.open()
    async with alongside(connection.run()):
        truth = await broker.snapshot()
        connection.close()
    return truth
