"""S14: flattening often is flattening once; S12 by the wire: each judge catches its bug.

The other promises of a halt have theirs in `test_judges.py`, its latency in
`test_kill_latency.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.execution.halter import Halter
from tests.invariants import deeds
from tests.invariants.planted import (
    Planted,
    caught,
    doubled_close,
    entered,
    plain,
    silent,
)
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, MSFT, World

if TYPE_CHECKING:
    Patch = pytest.MonkeyPatch


def promise_not_kept(patch: Patch) -> None:
    """Flattening halts, and closes nothing."""

    async def nothing(_: Halter, __: str) -> None:
        return

    patch.setattr(Halter, "_flatten", nothing)


def deaf_to_the_end(patch: Patch) -> None:
    """The state is not asked about, nor as an order leaves."""
    silent(patch, "trading_state")
    patch.setattr(Halter, "objection", lambda *_: "")


def halt_as_the_gateway_dawdles(world: World) -> None:
    """What left before the halt arrives after it; what is asked for after it must not leave."""
    assert isinstance(world, WholeWorld)
    entered(world)
    world.inject("ack-delay 2")
    deeds.scale_in(world, AAPL, 3)
    deeds.halt(world)
    world.run(3)
    world.inject("ack-delay 2")
    deeds.scale_in(world, AAPL, 5)
    deeds.bracket(world, MSFT, Side.BUY, 5, away=2)
    world.run(3)


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
    Planted("S12", deaf_to_the_end, halt_as_the_gateway_dawdles, WholeWorld),
]

test_a_judge_catches_the_bug_planted_for_it = caught(CASES)
test_the_same_day_without_the_bug_breaks_nothing = plain(CASES)
