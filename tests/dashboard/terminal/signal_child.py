"""Programs on a terminal of their own, for the tests of signals: `python -m … <what> [what]`.

`listens` draws what it hears; `stuck` never returns to its loop once it has drawn; `shell` runs
one of them as a shell does: as a job in the foreground, which may be stopped and continued.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import termios
import time
from collections import Counter

from ibkr_trader.dashboard.terminal.modes import TerminalModes, size_of
from ibkr_trader.dashboard.terminal.pump import Pump
from ibkr_trader.dashboard.terminal.signals import Hearers, TerminalSignals

WIDTH = 40


class Program:
    """Draws a row for each kind of signal that it has heard of."""

    def __init__(self, pump: Pump, signals: list[TerminalSignals]) -> None:
        self.ending: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pump = pump
        self._signals = signals  # empty until they are heard
        self._heard: Counter[str] = Counter()

    def hearers(self) -> Hearers:
        return Hearers(
            on_interrupt=lambda: self.hear("interrupt"),
            on_end=lambda number: self.ending.set_result(128 + number),
            on_suspend=self._suspend,
            on_continue=lambda: self.hear("continue"),
            on_resize=lambda: self.hear("resize {}x{}".format(*size_of(1))),
            aside=lambda: self.draw("told aside"),
        )

    def hear(self, what: str) -> None:
        self._heard[what] += 1
        self.draw()

    def draw(self, state: str = "listening") -> None:
        rows = [f"pid {os.getpid()} {state}", *(f"{n}: {k}" for n, k in self._heard.items())]
        rows += [""] * (8 - len(rows))
        self._pump.offer("\n".join(row.ljust(WIDTH) for row in rows))

    def stick(self) -> None:
        """Never return to the loop."""
        self.draw("stuck")
        while True:
            time.sleep(0.01)
            if self._signals[0]._is_asked:
                self.draw("asked once")

    def _suspend(self) -> None:
        self._heard["suspend"] += 1
        self._signals[0].suspend()
        self.draw()


async def run(what: str) -> int:
    """Be the program until it ends; return its exit code."""
    pump = Pump(1)
    modes = TerminalModes(0, pump)
    modes.enter()
    heard: list[TerminalSignals] = []
    program = Program(pump, heard)
    loop = asyncio.get_running_loop()
    try:
        with TerminalSignals(loop, modes, program.hearers()) as signals:
            heard.append(signals)
            program.draw()
            if what == "stuck":
                loop.call_soon(program.stick)
            return await program.ending
    finally:
        if what != "stuck":  # nobody else restores it then
            modes.leave()


def shell(what: str) -> int:
    """Run a job in the foreground; Enter continues it after it was stopped, `wait` does not."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    cooked = termios.tcgetattr(0)
    own = [*cooked[:3], cooked[3] & ~termios.ECHO, *cooked[4:]]
    job = subprocess.Popen([sys.executable, "-m", __spec__.name, what], process_group=0)
    os.tcsetpgrp(0, job.pid)
    while os.WIFSTOPPED(status := os.waitpid(job.pid, os.WUNTRACED)[1]):
        os.tcsetpgrp(0, os.getpgrp())
        is_cooked = termios.tcgetattr(0) == cooked
        termios.tcsetattr(0, termios.TCSANOW, own)
        if input(f"\r\nstopped, cooked: {is_cooked}") != "wait":
            termios.tcsetattr(0, termios.TCSANOW, cooked)
            os.tcsetpgrp(0, job.pid)
            os.kill(job.pid, signal.SIGCONT)
    os.tcsetpgrp(0, os.getpgrp())
    is_own = termios.tcgetattr(0) == own
    os.write(1, f"\r\nended, as the shell had it: {is_own}".encode())
    return os.waitstatus_to_exitcode(status)


def main() -> int:
    """Take the terminal, as the leader of a session does by opening it, and run."""
    what, *job = sys.argv[1:]
    if os.getsid(0) == os.getpid():
        os.close(os.open(os.ttyname(0), os.O_RDWR))
    if what == "shell":
        return shell(*job)
    try:
        return asyncio.run(run(what))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
