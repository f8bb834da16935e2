"""A dashboard as a process on a pty, and what a person would see of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.dashboard.terminal.pyte_screen import PyteScreen
from tests.processes import warm

STORED = Path(__file__).with_name("screens")
SIZES = ((80, 24), (120, 40), (200, 60))
_MASKS = (
    (re.compile(r"\d\d:\d\d:\d\d [A-Z]{3}"), "hh:mm:ss EST"),
    (re.compile(r"\d\d:\d\d:\d\d"), "hh:mm:ss"),
    (re.compile(r"(?<=pid )\d+"), lambda found: "0" * len(found[0])),
    (
        re.compile(r"(?<= ) ?\d+[smh](?= |$)", re.MULTILINE),
        lambda found: "age".rjust(len(found[0])),
    ),
)


class Seat(PyteScreen):
    """A person at a terminal, and the program that runs there."""

    process: subprocess.Popen[bytes]

    def press(self, *keys: str) -> None:
        """Press keys, one read each: the screen has to show the last before the next."""
        for key in keys:
            self.type(key)

    def insist(self, key: str, holds: Callable[[], bool]) -> None:
        """Press a key until it is taken: a question that has just come up takes none at first.

        On a machine that is busy a key may be taken long after it was pressed, so several may
        have been by the time this returns.
        """
        for _ in range(20):
            self.type(key)
            patience = time.monotonic() + 1
            while not holds() and (left := patience - time.monotonic()) > 0 and not self.is_over:
                self.read(left)
            if holds():
                return
        pytest.fail(f"{key} is not taken:\n{self.text}")

    def answer(self, text: str) -> None:
        """Fill in a question that has just come up, and say so with enter."""
        self.insist(text[0], lambda: f"> {text[0]}" in self.text)
        self.type("\x15")  # ctrl-u: the first letter may have been taken more than once
        self.wait_for("> _")
        self.type(text)
        self.wait_for(f"> {text}_")
        self.type("\r")

    def end(self, number: signal.Signals | None = None, *, timeout: float = 20) -> int:
        """Send a signal, if one is named, and return the exit code."""
        if number is not None:
            self.process.send_signal(number)
        self.read_to_end(timeout=timeout)
        return self.process.wait(timeout=timeout)


@contextmanager
def seated(
    line: CommandLine,
    *words: str,
    columns: int = 80,
    rows: int = 24,
    **env: str,
) -> Iterator[Seat]:
    """Run `ibkr-trader WORDS` on a terminal of its own, for the length of the block."""
    master, slave = os.openpty()
    seat = Seat(master, columns=columns, rows=rows)
    program = [sys.executable, "-m", "tests.scenarios.on_terminal", *line.program, *words]
    with warm.Popen(
        program,
        cwd=line.folder,
        env=line.env | {"TERM": "xterm-256color"} | env,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    ) as process:
        os.close(slave)
        seat.process = process
        try:
            yield seat
        finally:
            if process.poll() is None:
                process.kill()
            with suppress(OSError):
                os.close(master)


def masked(lines: list[str]) -> str:
    """Return rows of a screen with what no two runs have in common left out."""
    text = "\n".join(lines)
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text + "\n"
