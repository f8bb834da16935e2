"""The exchange as a witness: what happens there is remembered as it happens, whoever did it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.invariants.planted import resting
from tests.invariants.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    made.boot()
    yield made
    made.end()


def test_an_order_that_the_broker_ends_is_seen_to_be_over_at_that_moment(world: World) -> None:
    resting(world)
    before = world.exchange.states[-1]
    entry = next(o for o in before.working if o.terms.order_ref.endswith("entry"))
    world.exchange.broker_acts.time_out(entry.perm_id, reason="so be it", now=world.clock.now())
    after = world.exchange.states[-1]
    assert entry.key not in {order.key for order in after.working}
    assert after.at == world.clock.now()


def test_what_changes_nothing_is_no_new_state(world: World) -> None:
    resting(world)
    before = len(world.exchange.states)
    world.exchange.advance(world.clock.now())
    assert len(world.exchange.states) == before
