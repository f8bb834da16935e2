"""S9: the judge catches every way in which a stop may come to stand further from the market."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core.enums import OrderRole
from ibkr_trader.orders import bracket_repairs, closing, managed_trails
from tests.invariants import deeds
from tests.invariants.planted import (
    TEN,
    Planted,
    caught,
    entered,
    faults,
    lose_the_stop,
    plain,
    take_the_stop,
)
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, World

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order, OrderSpec
    from ibkr_trader.orders.bracket_group import Bracket
    from ibkr_trader.orders.linked_orders import Leg

Patch = pytest.MonkeyPatch
PACE = timedelta(seconds=1)


def loosened_trail(patch: Patch) -> None:
    """The stop follows the market both ways."""

    def due(self: managed_trails.ManagedTrail, at: datetime) -> Decimal | None:
        asked = self.asked_at or datetime.min.replace(tzinfo=UTC)
        if self.market.market is None or self.stop.desired is not None or at - asked < PACE:
            return None
        wanted = (self.market.market * Decimal("0.99")).quantize(Decimal("0.01"))
        return wanted if wanted != self.stop.spec.stop_price else None

    patch.setattr(managed_trails.ManagedTrail, "_due", due)


def lowered(spec: OrderSpec) -> OrderSpec:
    assert spec.stop_price is not None
    return msgspec.structs.replace(spec, stop_price=spec.stop_price - TEN)


def wider_replacement(patch: Patch) -> None:
    """A stop that was lost is put back ten dollars further off."""
    again = bracket_repairs._again

    def wider(group: Bracket, leg: Leg, lost: Order, *, oca: str) -> OrderSpec:
        spec = again(group, leg, lost, oca=oca)
        return lowered(spec) if spec.role is OrderRole.STOP else spec

    patch.setattr(bracket_repairs, "_again", wider)


def wider_after_a_close(patch: Patch) -> None:
    """A close that fails puts its stop back ten dollars further off."""
    protect = closing.Closing._protect_again

    def wider(
        self: closing.Closing, held: Decimal, mine: list[Order], *, trouble: str
    ) -> closing.ClosingStep:
        stop = lowered(self.stop) if self.stop is not None else None
        return protect(msgspec.structs.replace(self, stop=stop), held, mine, trouble=trouble)

    patch.setattr(closing.Closing, "_protect_again", wider)


def trail_a_fall(world: World) -> None:
    world.by_hand(AAPL, TEN)
    world.run(2)
    deeds.trail(world, AAPL, percent=1, is_managed=True)
    world.run(2)
    for price in ("151", "152", "152.10", "151.50", "151.20"):
        for _ in range(3):
            world.quote(AAPL, Decimal(price))
            world.run(1.2)


def lose_the_stop_and_die(world: World) -> None:
    entered(world)
    world.kill()
    take_the_stop(world, AAPL)
    world.boot()
    world.run(10)


def lose_a_stop_that_was_moved(world: World) -> None:
    entered(world)
    assert world.trader is not None
    stop = next(o for o in deeds.live(world) if o.spec.role is OrderRole.STOP)
    deeds.tighten(world, stop)
    world.run(2)
    take_the_stop(world, AAPL)
    world.run(10)


def close_in_vain(world: World) -> None:
    entered(world)
    assert isinstance(world, WholeWorld)
    world.inject("reject 201 placeOrder --order close")
    deeds.close(world, AAPL)
    world.run(10)
    assert not faults(world).armed


CASES = [
    Planted("S9", loosened_trail, trail_a_fall),
    Planted("S9", wider_replacement, lose_the_stop),
    Planted("S9", wider_replacement, lose_the_stop, WholeWorld),
    Planted("S9", wider_replacement, lose_the_stop_and_die),
    Planted("S9", wider_replacement, lose_a_stop_that_was_moved),
    Planted("S9", wider_after_a_close, close_in_vain, WholeWorld),
]

test_a_judge_catches_the_bug_planted_for_it = caught(CASES)
test_the_same_day_without_the_bug_breaks_nothing = plain(CASES)
