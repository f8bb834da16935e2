"""S14: flattening often is flattening once; S12 by the wire: each judge catches its bug.

The other promises of a halt have theirs in `test_judges.py`, its latency in
`test_kill_latency.py`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.execution.halter import Halter
from ibkr_trader.orders.closing import Closing
from ibkr_trader.portfolio.reconciliation import _Findings
from tests.invariants import deeds
from tests.invariants.planted import (
    Planted,
    caught,
    doubled_close,
    entered,
    lenient,
    plain,
    silent,
)
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, MSFT, World

if TYPE_CHECKING:
    from ibkr_trader.core.commands import SubmitOrders
    from ibkr_trader.core.models import OrderSpec

    Patch = pytest.MonkeyPatch


ODD = Decimal("140.001")


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


def nothing_is_proven(patch: Patch) -> None:
    """What is lost stays UNKNOWN on a new link too, and the close is never made."""
    patch.setattr(_Findings, "_is_proven_absent", lambda *_: False)


def asked_once(patch: Patch) -> None:
    """Whoever closes asks for a cancel three times, and no more."""
    patch.setattr(Closing, "asking_again", lambda closing: closing)


def off_the_step(patch: Patch) -> None:
    """A close asks for a price that no order may have, and nobody minds."""
    lenient(patch)
    submit = Closing._submit

    def submit_odd(self: Closing, spec: OrderSpec) -> SubmitOrders:
        if spec.role is OrderRole.CLOSE:
            spec = msgspec.structs.replace(spec, order_type=OrderType.LIMIT, limit_price=ODD)
        return submit(self, spec)

    patch.setattr(Closing, "_submit", submit_odd)


def waits_for_the_lost(patch: Patch) -> None:
    """A close waits for an entry that nobody can account for."""
    patch.setattr(Closing, "_in_doubt", lambda *_: frozenset())


def lose_an_entry_and_flatten(world: World) -> None:
    """An entry is lost in the gateway, on a link that stands."""
    assert isinstance(world, WholeWorld)
    entered(world)
    world.inject("swallow placeOrder")
    deeds.bracket(world, AAPL, Side.BUY, 5, away=2)
    deeds.flatten(world)
    world.run(20)


def lose_the_close_and_the_link(world: World) -> None:
    """A close is lost in the gateway, and a new link shows it."""
    assert isinstance(world, WholeWorld)
    entered(world)
    world.inject("swallow placeOrder")
    deeds.flatten(world)
    world.run(8)
    world.cut_link(0, reset=True)
    world.run(30)


def flatten_at_a_read_only_tws(world: World) -> None:
    """TWS takes no order for half a minute; then whoever was refused asks again."""
    assert isinstance(world, WholeWorld)
    entered(world)
    world.inject("readonly")
    deeds.flatten(world)
    world.run(30)
    world.inject("precaution off")
    world.run(90)


def flatten_under_a_note(world: World) -> None:
    """A fault that does nothing to the close strikes it."""
    assert isinstance(world, WholeWorld)
    entered(world)
    world.inject("warn 399 placeOrder")
    deeds.flatten(world)
    world.run(8)


CASES = [
    Planted("S14", doubled_close, flatten_often),
    Planted("S14", promise_not_kept, flatten_often),
    Planted("S12", deaf_to_the_end, halt_as_the_gateway_dawdles, WholeWorld),
    Planted("S14", nothing_is_proven, lose_the_close_and_the_link, WholeWorld),
    Planted("S14", waits_for_the_lost, lose_an_entry_and_flatten, WholeWorld),
    Planted("S14", asked_once, flatten_at_a_read_only_tws, WholeWorld),
    Planted("S14", off_the_step, flatten_under_a_note, WholeWorld),
]

test_a_judge_catches_the_bug_planted_for_it = caught(CASES)
test_the_same_day_without_the_bug_breaks_nothing = plain(CASES)
