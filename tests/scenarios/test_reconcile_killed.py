"""A plan whose process is killed in the middle: what is left is planned anew, and done once."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.cli.families.test_protect import BUY

STOP = "order --symbol AAPL --side sell --quantity {} --type stop --stop 140 --tif gtc"
PATIENCE = 20.0  # seconds


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    line = CommandLine(tmp_path)
    yield line
    line.stop_gateway()


def at_the_exchange(cli: CommandLine) -> int:
    """Return how many stops the exchange has, by its own books."""
    return str(cli("gateway inject look --json").document["result"]).count("STP")


def is_swallowed(cli: CommandLine) -> bool:
    """Whether the request that was to be lost has been: then its fault is over."""
    return not cli("gateway inject look --json").document["result"]["faults"]


def test_what_a_killed_plan_left_is_planned_anew(cli: CommandLine) -> None:
    assert cli(BUY.replace("--quantity 5", "--quantity 10")).code == 0
    for size in (5, 3, 2):
        assert cli(STOP.format(size)).code == 0
    assert cli("gateway inject hand close AAPL").code == 0
    token = cli("reconcile --json").document["token"]
    assert at_the_exchange(cli) == 3
    assert cli("gateway inject swallow cancelOrder --nth 2").code == 0  # the second never ends
    with subprocess.Popen(
        [*cli.program, "reconcile", "--apply", token],
        cwd=cli.folder,
        env=cli.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as applying:
        ends = time.monotonic() + PATIENCE
        while not is_swallowed(cli) and time.monotonic() < ends:
            assert applying.poll() is None, applying.stdout
        applying.send_signal(signal.SIGKILL)
    assert at_the_exchange(cli) == 2
    assert cli("gateway inject lift").code == 0
    used = cli(f"reconcile --apply {token}")
    assert (used.code, "was used already" in used.err) == (2, True), used
    left = cli("reconcile --json")
    # The cancel that was on record and lost is asked for again by every start.
    assert at_the_exchange(cli) == 1
    (step,) = left.document["steps"]
    assert (left.code, step["kind"]) == (7, "cancel")
    done = cli(f"reconcile --apply {left.document['token']} --json")
    assert (done.code, done.document["done"]) == (0, [step["id"]]), done
    assert at_the_exchange(cli) == 0
