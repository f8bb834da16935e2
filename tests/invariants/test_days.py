"""Days at random without faults, each from its seed: in process by the dozen, and some over TCP.

What they do is done in `test_schedules` too, and more of it, with every fault.
"""

from __future__ import annotations

import pytest

from tests.invariants.days import Day
from tests.invariants.world import WiredWorld

CHUNK = 10


@pytest.mark.parametrize("chunk", range(2))
def test_no_day_breaks_an_invariant(chunk: int) -> None:
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        day = Day(seed)
        found = day.run()
        assert not found, "\n".join([f"seed {seed}", *day.record, *found])


@pytest.mark.parametrize("seed", range(1000, 1004))
def test_no_day_breaks_an_invariant_over_tcp(seed: int) -> None:
    day = Day(seed, WiredWorld)
    found = day.run(15)
    assert not found, "\n".join([*day.record, *found])
