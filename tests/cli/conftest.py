"""Command lines of one's own: a data folder and an environment that nobody else has.

`shell` starts real processes, as a person would. `cli` runs the same entry in this
process, which is faster: the socket, the simulator, the journal and the lock stay real.
"""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest

from ibkr_trader.cli import entry, logs
from ibkr_trader.cli.stop_signals import ENDS
from ibkr_trader.config import Settings
from ibkr_trader.sim.gateway import background
from tests.cli.serving_parts import settings_in
from tests.processes import warm

ROOT = Path(__file__).parents[2]
# Tests place orders faster than a person would.
SETTINGS = "[risk]\nmax_openings_per_second = 50\nmax_openings_per_minute = 500\n"


class Ran(NamedTuple):
    """What became of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Its standard output, which must be exactly one JSON document."""
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document


class CommandLine:
    """Runs `ibkr-trader` in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data-dir"
        kept = ("PATH", "LANG", "IBKR_CLIENT_LIBRARY")
        (folder / "config.toml").write_text(SETTINGS)
        self.env = {key: os.environ[key] for key in kept if key in os.environ} | {
            "HOME": str(folder),
            "IBKR_DATA_DIR": str(self.data),
            "IBKR_CONFIG": str(folder / "config.toml"),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "default",
        }

    def __call__(self, line: str) -> Ran:
        """Run one command line and return what became of it."""
        out, err = io.StringIO(), io.StringIO()
        before, level = Path.cwd(), logging.getLogger().level
        handlers = {one: signal.getsignal(one) for one in ENDS}
        os.chdir(self.folder)
        try:
            with (
                patch.dict(os.environ, self.env, clear=True),
                patch("sys.stdin", io.StringIO()),
                redirect_stdout(out),
                redirect_stderr(err),
            ):
                code = entry.run(line.split())
        finally:
            os.chdir(before)
            for one, handler in handlers.items():
                signal.signal(one, handler)
            logs.stop()
            logging.getLogger().setLevel(level)
        return self._ran(code, out.getvalue(), err.getvalue())

    @property
    def program(self) -> list[str]:
        """How it is started as a process."""
        return [sys.executable, "-m", "ibkr_trader"]

    def stop_gateway(self) -> None:
        """End the simulator that commands may have started."""
        background.stop(self.data / "sim" / "gateway")

    def _ran(self, code: int, out: str, err: str) -> Ran:
        assert "Traceback" not in out + err, err
        return Ran(int(code), out, err)


class Shell(CommandLine):
    """Runs `ibkr-trader` as a process of its own."""

    def __call__(self, line: str) -> Ran:
        """Run one command line and return what became of it."""
        done = warm.run(
            [*self.program, *line.split()],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        return self._ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    line = CommandLine(tmp_path)
    yield line
    line.stop_gateway()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    line = Shell(tmp_path)
    yield line
    line.stop_gateway()


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings of nobody's."""
    with settings_in(tmp_path) as found:
        yield found
