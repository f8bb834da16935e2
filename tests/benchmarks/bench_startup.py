"""How long a command takes from start to end: alone, and through a running trader."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ibkr_trader.sim.gateway.background import INFO_FILE, stop
from tests.benchmarks.harness import Goal, Sample, Table, version

# Orders come faster here than from a person.
LIMITS = "[risk]\nmax_openings_per_second = 50\nmax_openings_per_minute = 1000\n"


def environment(folder: str) -> dict[str, str]:
    """Return the environment of a command whose state is in `folder`."""
    config = Path(folder) / "config.toml"
    config.write_text(LIMITS)
    return {**os.environ, "IBKR_DATA_DIR": folder, "IBKR_CONFIG": str(config)}


def timed(*argv: str, folder: str) -> float:
    """Run this interpreter once and return how many seconds that took, from start to end."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *argv],
        env=environment(folder),
        capture_output=True,
        timeout=60,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise RuntimeError(f"{argv} ended with {done.returncode}: {done.stderr.decode()}")
    return seconds


def start(*argv: str, folder: str) -> Sample:
    """Return a sample of one run of this interpreter."""
    return lambda: timed(*argv, folder=folder)


def ordering(folder: str) -> Sample:
    """Return a sample of one order: at a price of its own, and cancelled afterwards."""
    cents = itertools.count(100)
    program = ("-m", "ibkr_trader")

    def sample() -> float:
        order = (
            f"order --symbol AAPL --side buy --no-stop"
            f" --quantity 1 --type limit --limit 1{next(cents)}"
        )
        words = order[:-2] + "." + order[-2:]
        seconds = timed(*program, *words.split(), folder=folder)
        timed(*program, "cancel", "--symbol", "AAPL", folder=folder)
        return seconds

    return sample


@contextmanager
def trader(folder: str) -> Iterator[None]:
    """Keep a trader running for the length of the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "ibkr_trader", "run", "--headless"],
        env=environment(folder),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it is ready
        try:
            yield
        finally:
            process.terminate()


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
            notes=("positions asks a running gateway for everything, and ends",),
            rounds=15,
        )
        with trader(folder):
            yield Table(
                title="start to end of one command, through a running trader",
                unit="ms",
                rows={
                    "python -c pass": start("-c", "pass", folder=folder),
                    "order": ordering(folder),
                    "positions": start("-m", "ibkr_trader", "positions", folder=folder),
                },
                goals=(Goal("order", 20.0, of="python -c pass"),),
                peers=(),
                notes=("the order waits for the acknowledgement, with the journal on this disk",),
                rounds=15,
            )
        for info in Path(folder).rglob(INFO_FILE):
            stop(info.parent)  # the first of them started it
