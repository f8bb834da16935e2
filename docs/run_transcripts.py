# ruff: noqa: INP001 - a script beside the pages that it writes, not a package
"""Runs the console transcripts of the pages, and writes down what really came out.

A block fenced as `console` is a transcript: a line that begins with `$ ` is a command, what
follows is its output. All blocks of a page are one sitting, in a home folder of its own, at
a simulator of its own. `make docs` runs them all; the tests run them too, and compare by
`shape`, in which ids, times and figures are alike.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ibkr_trader.sim.gateway import background
from ibkr_trader.sim.gateway.acts import Advance
from ibkr_trader.sim.gateway.door import inject

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    "README.md",
    "docs/advanced_orders.md",
    "docs/cli.md",
    "docs/live.md",
    "docs/risk_management.md",
)
_SHELL = re.compile(r"[|&;<>$`*\n]")  # what only a shell can make sense of
_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
_A_BREATH = 1.1  # seconds: how often something may be opened, by default, and a little more
_PATIENCE = 50.0  # seconds for one command
_ID = re.compile(r"\b[a-z][a-z0-9]{4}-(?=\d)")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( E[SD]T|Z)?")
_TOKEN = re.compile(r"(?:(?<=\bcommit )|(?<=\bticket )|(?<=--apply )|(?<=\bplan ))[0-9A-Z]{7}\b")
_FIGURE = re.compile(r"[-+]?\d[\d,]*(\.\d+)?|–|\bnull\b")


class Step(NamedTuple):
    """One command of a transcript, and what the page says came out."""

    command: str
    output: str


def steps(text: str) -> Iterator[Step]:
    """Yield the commands of every transcript in a page's `text`, in order."""
    for block in _BLOCK.findall(text):
        yield from _steps(block)


def _steps(block: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command += f"\n{more}"
        yield Step(command, output.rstrip("\n"))


def shape(output: str) -> list[str]:
    """Return the lines of an output with what differs from run to run made alike."""
    lines = []
    for line in output.strip().splitlines():
        named = _TOKEN.sub("TOKEN", _ID.sub("ID-", line))
        alike = _FIGURE.sub("#", _TIME.sub("TIME", named))
        lines.append(" ".join(alike.split()))
    return lines


class Sitting:
    """A home folder in which commands are run, one after the other.

    `start` runs a process, as `subprocess.run` does; shells look for programs in `tools` first.
    """

    def __init__(
        self,
        home: Path,
        *,
        start: Callable[..., subprocess.CompletedProcess[Any]] = subprocess.run,
        tools: Path | None = None,
    ) -> None:
        self.home = home.resolve()
        self._start = start
        self._gateway = self.home / ".local/share/ibkr-trader/sim/gateway"
        binaries = [*([] if tools is None else [tools]), Path(sys.executable).parent]
        kept = ("LANG", "IBKR_CLIENT_LIBRARY")
        self.env = {name: os.environ[name] for name in kept if name in os.environ} | {
            "HOME": str(self.home),
            "PATH": os.pathsep.join([*map(str, binaries), os.environ["PATH"]]),
        }

    def pass_time(self) -> None:
        """Let a second pass at the exchange, as it does for people between two commands."""
        with suppress(background.GatewayError):
            inject(self._gateway, Advance(seconds=_A_BREATH))

    def run(self, command: str) -> str:
        """Run one command line, in a shell if it needs one, and return all that it printed."""
        done = self._start(
            _program(command) or ["/bin/sh", "-c", command],
            cwd=self.home,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        return str(done.stdout).replace(str(self.home), "~").rstrip("\n")

    def end(self) -> None:
        """Stop the simulator that the commands may have started."""
        background.stop(self._gateway)


def _program(command: str) -> list[str]:
    """Return a plain command of ours as its words; nothing of one that takes a shell."""
    words = [] if _SHELL.search(command) else shlex.split(command, comments=True)
    if words[:1] != ["ibkr-trader"]:
        return []
    return [sys.executable, "-m", "ibkr_trader", *words[1:]]


def rerun(text: str, sitting: Sitting) -> str:
    """Return a page's `text` with every output as it is today."""

    def fresh(block: re.Match[str]) -> str:
        lines = []
        for step in _steps(block.group()):
            sitting.pass_time()
            output = sitting.run(step.command)
            lines += [f"$ {step.command}", *([output] if output else [])]
        return "".join(f"{line.rstrip()}\n" for text in lines for line in text.splitlines())

    return _BLOCK.sub(fresh, text)


def main() -> None:
    """Run every transcript, and write the pages whose outputs have another shape now."""
    for name in PAGES:
        page = ROOT / name
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory(prefix="ibkr-trader-docs-") as home:
            sitting = Sitting(Path(home))
            try:
                fresh = rerun(text, sitting)
            finally:
                sitting.end()
        same = [shape(s.output) for s in steps(text)] == [shape(s.output) for s in steps(fresh)]
        if not same:
            page.write_text(fresh, encoding="utf-8")
        sys.stdout.write(f"{name}: {'as it was' if same else 'written'}\n")


if __name__ == "__main__":
    main()
