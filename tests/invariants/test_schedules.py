"""Schedules by seed, with all faults of the gateway: none breaks anything, nor what once did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.invariants.playing import Play
from tests.invariants.schedule import draw, read

CHUNK = 10
REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.json"))


@pytest.mark.parametrize("chunk", range(20))
def test_no_schedule_breaks_an_invariant(chunk: int) -> None:
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        play = Play(draw(seed))
        found = play.run()
        told = [f"python -m tests.invariants.replay --seed {seed} --shrink", *play.record, *found]
        assert not found, "\n".join(told)


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_was_broken_once_holds(path: Path) -> None:
    play = Play(read(path.read_bytes()))
    found = play.run()
    assert not found, "\n".join([*play.record, *found])
