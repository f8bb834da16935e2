"""S14: flattening often is flattening once, and each judge of it catches its bug.

The other promises of a halt have theirs in `test_judges.py`, its latency in
`test_kill_latency.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.execution.halter import Halter
from ibkr_trader.orders import closing
from tests.invariants import deeds
from tests.invariants.planted import Planted, caught, entered, lenient, lived, plain
from tests.invariants.world import World

if TYPE_CHECKING:
    Patch = pytest.MonkeyPatch


def doubled_close(patch: Patch) -> None:
    """Twice of what is held is closed, and nobody minds."""
    lenient(patch)
    left = closing._left
    patch.setattr(closing, "_left", lambda *arguments: left(*arguments) * 2)


def promise_not_kept(patch: Patch) -> None:
    """Flattening halts, and closes nothing."""

    async def nothing(_: Halter, __: str) -> None:
        return

    patch.setattr(Halter, "_flatten", nothing)


def flatten_often(world: World) -> None:
    """Ask three times at once, die of it, and ask again."""
    entered(world)
    for _ in range(3):
        deeds.flatten(world)
    world.kill()
    world.boot()
    deeds.flatten(world)
    deeds.flatten(world)
    world.run(30)


CASES = [
    Planted("S14", doubled_close, flatten_often),
    Planted("S14", promise_not_kept, flatten_often),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_judge_catches_the_bug_planted_for_it(case: Planted, monkeypatch: Patch) -> None:
    assert caught(case, monkeypatch)


@pytest.mark.parametrize("case", plain(CASES), ids=lambda case: case.name)
def test_the_same_day_without_the_bug_breaks_nothing(case: Planted) -> None:
    assert lived(case) == set()
