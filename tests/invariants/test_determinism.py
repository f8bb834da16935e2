"""S33: the same seed gives the same bytes on the wire, at the same times, and the same journal."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.invariants import transcript

SEEDS = range(500, 505)
ROOT = Path(__file__).parents[2]


def told(hash_seed: int) -> list[str]:
    """Return the lines that a process of its own prints for the seeds."""
    command = [sys.executable, "-m", "tests.invariants.transcript", *map(str, SEEDS)]
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.splitlines()


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    first, second = told(1), told(987_654)
    assert len(first) == len(SEEDS)
    assert first == second
    assert len({line.split()[1] for line in first}) == len(SEEDS)  # they are days of their own


def test_what_is_not_drawn_from_the_seed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = transcript.line(SEEDS[0])
    drawn = SimpleNamespace(Random=lambda _: random.SystemRandom())
    monkeypatch.setattr("tests.invariants.memory_network.random", drawn)
    assert transcript.line(SEEDS[0]) != before
