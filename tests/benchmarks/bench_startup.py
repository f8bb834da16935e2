"""How long the program takes to start: `--version`, `--help`, a command that asks nobody."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ibkr_trader.sim.gateway.background import INFO_FILE, stop
from tests.benchmarks.harness import Goal, Sample, Table, version


def start(*argv: str, folder: str) -> Sample:
    """Return a sample of one run of this interpreter, from its start to its end."""
    environment = {**os.environ, "IBKR_DATA_DIR": folder, "PYTHONDONTWRITEBYTECODE": ""}

    def sample() -> float:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *argv], env=environment, capture_output=True, timeout=60, check=False
        )
        seconds = time.perf_counter() - began
        if done.returncode != 0:
            raise RuntimeError(f"{argv} ended with {done.returncode}: {done.stderr.decode()}")
        return seconds

    return sample


def tables() -> Iterator[Table]:
    """Measure each beside an interpreter that does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        yield Table(
            title="start to end of one command",
            unit="ms",
            rows={
                "python -c pass": start("-c", "pass", folder=folder),
                "import typer": start("-c", "import typer", folder=folder),
                "--version": start("-m", "ibkr_trader", "--version", folder=folder),
                "--help": start("-m", "ibkr_trader", "--help", folder=folder),
                "config show": start("-m", "ibkr_trader", "config", "show", folder=folder),
                "positions": start("-m", "ibkr_trader", "positions", folder=folder),
            },
            goals=(
                Goal("--version", 2.0, of="python -c pass"),
                Goal("--help", 8.0, of="python -c pass"),
                Goal("config show", 14.0, of="python -c pass"),
            ),
            peers=(version("typer"),),
            notes=(
                "positions asks a running gateway for everything, and ends",
                "no trader is kept running yet that a command could go through",
            ),
            rounds=15,
        )
        for info in Path(folder).rglob(INFO_FILE):
            stop(info.parent)  # the first of them started it
