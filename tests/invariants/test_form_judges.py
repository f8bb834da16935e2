"""S25 and S26: each judge catches the bugs planted for it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ibkr_trader.adapters.ibkr import lanes
from ibkr_trader.adapters.ibkr.connection import IBKRConnection
from ibkr_trader.orders import managed_trails
from tests.invariants import deeds
from tests.invariants.planted import (
    Planted,
    caught,
    connection_of,
    entered,
    lenient,
    plain,
    queue_data,
    resting,
)
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, World

if TYPE_CHECKING:
    from collections.abc import Callable

    Patch = pytest.MonkeyPatch

QUEUED = 150
TRAILED = ("151", "152", "152.10", "153.33")


def no_rounding(patch: Patch) -> None:
    """A trail goes where its percentage leads, and nobody asks for the step."""
    lenient(patch)
    patch.setattr(managed_trails, "round_protective_stop", lambda price, *_: price)


def short_figures(patch: Patch) -> None:
    """Figures are written as they are shortest, with an exponent."""
    encode = IBKRConnection.encode

    def shorten(self: IBKRConnection, request: Callable[[Any], None]) -> str:
        fields = encode(self, request).split("\0")
        if fields[0] == "3":
            fields = [_short(field) for field in fields]
        return "\0".join(fields)

    patch.setattr(IBKRConnection, "encode", shorten)


def _short(field: str) -> str:
    return f"{Decimal(field):E}" if "." in field and field.replace(".", "").isdecimal() else field


def no_meter(patch: Patch) -> None:
    """Everything leaves as soon as it is there."""
    patch.setattr(lanes, "_has_room", lambda *_, **__: True)


def trail_up(world: World) -> None:
    world.by_hand(AAPL, 10)
    world.run(2)
    deeds.trail(world, AAPL, percent=1, is_managed=True)
    world.run(2)
    for price in TRAILED:
        for _ in range(2):
            world.quote(AAPL, Decimal(price))
            world.run(1.2)


def ask_for_much(world: World) -> None:
    queue_data(connection_of(world), QUEUED)
    entered(world)
    world.run(8)


CASES = [
    Planted("S25", no_rounding, trail_up),
    Planted("S25", short_figures, resting, WholeWorld),
    Planted("S26", no_meter, ask_for_much, WholeWorld),
]

test_a_judge_catches_the_bug_planted_for_it = caught(CASES)
test_the_same_day_without_the_bug_breaks_nothing = plain(CASES)
