"""S18: the judge catches a table that allows too much, and a fold that counts wrongly."""

from __future__ import annotations

from types import MappingProxyType

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus as S
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import Order, OrderId
from ibkr_trader.orders import lifecycle
from ibkr_trader.orders.lifecycle import Trigger
from tests.invariants import deeds
from tests.invariants.planted import TEN, Planted, caught, entered, lost, plain
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, World

Patch = pytest.MonkeyPatch


def allow(patch: Patch, trigger: Trigger, to: S, *, at: tuple[S, ...]) -> None:
    """Have the table lead from some states to another, on a kind of evidence."""
    table = {
        state: {**moves, trigger: to} if state in at else moves
        for state, moves in lifecycle.TRANSITIONS.items()
    }
    patch.setattr(lifecycle, "TRANSITIONS", MappingProxyType(table))


def reopened_by_a_late_word(patch: Patch) -> None:
    """A late word that it works brings an order back that is filled."""
    allow(patch, Trigger.WORK, S.SUBMITTED, at=(S.FILLED,))
    allow(patch, Trigger.HOLD, S.PRESUBMITTED, at=(S.FILLED,))


def ended_by_silence(patch: Patch) -> None:
    """An order that nobody has heard of any more counts as cancelled."""
    allow(patch, Trigger.LOSE, S.CANCELLED, at=(S.PENDING, S.SUBMITTED, S.PRESUBMITTED))


def ended_by_the_wish(patch: Patch) -> None:
    """Whoever asks for a cancel takes it for done."""
    allow(patch, Trigger.ASK_CANCEL, S.CANCELLED, at=(S.SUBMITTED, S.PRESUBMITTED))


def filled_by_a_part(patch: Patch) -> None:
    """The first execution is taken for the whole."""
    allow(patch, Trigger.FILL_PART, S.FILLED, at=tuple(S))


def forgetful_end(patch: Patch) -> None:
    """What had traded before a cancel is forgotten with it."""
    apply = lifecycle.apply

    def forget(order: Order, event: ev.OrderEvent) -> Order | None:
        after = apply(order, event)
        if after is None or not isinstance(event, ev.CancelEvent):
            return after
        return msgspec.structs.replace(after, filled=after.filled * 0)

    patch.setattr(lifecycle, "apply", forget)


def hear_a_word_late(world: World) -> None:
    assert isinstance(world, WholeWorld)
    world.inject("delay 1 orderStatus --order entry")
    entered(world)
    world.run(3)


def lose_an_order(world: World) -> None:
    lost(world)
    world.run(75)


def take_it_back(world: World) -> None:
    deeds.bracket(world, AAPL, Side.BUY, TEN, away=2, limit=2)
    world.run(1)
    cancel_the_entry(world)


def fill_in_parts(world: World) -> None:
    world.quote(AAPL, world.mid(AAPL), size=3)
    deeds.bracket(world, AAPL, Side.BUY, TEN, away=2)
    world.run(1)
    assert world.exchange.state().held == {AAPL: 3}
    cancel_the_entry(world)


def cancel_the_entry(world: World) -> None:
    deeds.cancel(world, next(o for o in deeds.live(world) if o.order_id.endswith("-entry")))
    world.run(3)


def change_what_was_filled(world: World) -> None:
    """A change of an order that is filled goes on record."""
    entered(world)
    assert world.trader is not None
    entry = world.trader.portfolio.order(OrderId("k7qav-1-entry"))
    assert entry is not None
    change = ev.ModifyEvent(at=world.clock.now(), order_id=entry.order_id, spec=entry.spec)
    world.journal.append([change])


CASES = [
    Planted("S18", None, change_what_was_filled),
    Planted("S18", reopened_by_a_late_word, hear_a_word_late, WholeWorld),
    Planted("S18", ended_by_silence, lose_an_order),
    Planted("S18", ended_by_the_wish, take_it_back),
    Planted("S18", filled_by_a_part, fill_in_parts),
    Planted("S18", forgetful_end, fill_in_parts),
]

test_a_judge_catches_the_bug_planted_for_it = caught(CASES)
test_the_same_day_without_the_bug_breaks_nothing = plain(CASES)
