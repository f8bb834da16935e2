"""S30, S32 and L1 to L4: each judge catches the bugs planted for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.connection import IBKRConnection
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.execution.ack_watch import AckWatch
from ibkr_trader.execution.guardian import Guardian
from ibkr_trader.execution.intake import Intake
from ibkr_trader.execution.record import Record
from ibkr_trader.orders import bracket_repairs
from ibkr_trader.sim.gateway.fault_rules import Drop, Fault, When
from ibkr_trader.sim.gateway.naming import REPLY_NAMES
from tests.invariants import deeds
from tests.invariants.planted import (
    Planted,
    caught,
    entered,
    faults,
    lose_the_stop,
    lost,
    plain,
    take_the_stop,
)
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, MSFT, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.core.commands import Command
    from ibkr_trader.execution.ports import BrokerSnapshot

    Patch = pytest.MonkeyPatch

SLOW = 5.0


def forgets_what_it_misses(patch: Patch) -> None:
    """What the broker does not have is neither looked for nor ended."""
    admit = Intake.admit
    ends = (ev.NotSentEvent, ev.UnknownEvent)

    def admit_the_rest(self: Intake, events: Sequence[ev.BaseEvent]) -> None:
        admit(self, [event for event in events if not isinstance(event, ends)])

    patch.setattr(Intake, "admit", admit_the_rest)
    patience(patch)


def bold_without_a_disk(patch: Patch) -> None:
    """What cannot be written down is sent all the same, whatever it is."""
    attempt = Record.attempt

    def attempt_anyway(
        self: Record, messages: Sequence[Command | ev.BaseEvent], *, is_vital: bool
    ) -> None:
        del is_vital
        attempt(self, messages, is_vital=True)

    patch.setattr(Record, "attempt", attempt_anyway)


def patience(patch: Patch) -> None:
    """Silence is waited out, for ever."""

    async def wait(_: AckWatch) -> None:
        await asyncio.Event().wait()

    patch.setattr(AckWatch, "work", wait)


def slow_look(patch: Patch) -> None:
    """A new link is looked at after a while."""
    snapshot = IBKRBroker.snapshot

    async def late(self: IBKRBroker) -> BrokerSnapshot:
        await asyncio.sleep(SLOW)
        return await snapshot(self)

    patch.setattr(IBKRBroker, "snapshot", late)


def no_repairs(patch: Patch) -> None:
    """A stop that is gone is not missed, by its group or by the guardian."""

    async def look(*_: object, **__: object) -> None:
        await asyncio.sleep(0)

    patch.setattr(bracket_repairs, "wants", lambda *_: iter(()))
    patch.setattr(Guardian, "look", look)


def no_heartbeat(patch: Patch) -> None:
    """A link counts as alive until somebody says that it is not."""

    async def trust(_: IBKRConnection) -> None:
        await asyncio.Event().wait()

    patch.setattr(IBKRConnection, "_beat", trust)


def lose_an_order(world: World) -> None:
    lost(world)
    world.run(75)


def enter_on_a_full_disk(world: World) -> None:
    entered(world)
    world.fill_disk()
    world.run(0.1)
    deeds.bracket(world, AAPL, Side.BUY, 7, away=2, limit=1)
    world.run(2)
    world.free_disk()
    world.run(2)


def lose_the_link(world: World) -> None:
    assert isinstance(world, WholeWorld)
    entered(world)
    world.cut_link(1, reset=True)
    world.run(15)


def hear_nothing_more(world: World) -> None:
    nothing = When(names=tuple(sorted(REPLY_NAMES)), times=0, answers=True)
    faults(world).arm(Fault(when=nothing, act=Drop()))
    world.run(15)


def reconnect_by_a_slow_line(world: World) -> None:
    """While a fault is in force no time is promised; once it is over, it is."""
    assert isinstance(world, WholeWorld)
    entered(world)
    world.inject("slow 2000")
    world.cut_link(1, reset=True)
    world.run(15)
    world.inject("lift")
    world.cut_link(1, reset=True)
    world.run(15)


def lose_the_stop_beside_a_refusal(world: World) -> None:
    """TWS takes no order, which one contract has been told; in the other a stop is lost.

    Who is refused asks on: once TWS takes orders again, nobody tells.
    """
    assert isinstance(world, WholeWorld)
    deeds.bracket(world, MSFT, Side.BUY, 5, away=2)
    entered(world)
    world.inject("readonly")
    deeds.cancel(world, next(o for o in deeds.live(world) if o.spec.contract.con_id == MSFT))
    world.run(1)
    take_the_stop(world, AAPL)
    world.run(30)
    world.inject("precaution off")
    world.run(60)


CASES = [
    Planted("S30", forgets_what_it_misses, lose_an_order),
    Planted("S32", bold_without_a_disk, enter_on_a_full_disk),
    Planted("L1", patience, lose_an_order),
    Planted("L2", slow_look, lose_the_link, WholeWorld),
    Planted("L2", slow_look, reconnect_by_a_slow_line, WholeWorld),
    Planted("L3", no_repairs, lose_the_stop),
    Planted("S8", no_repairs, lose_the_stop_beside_a_refusal, WholeWorld),
    Planted("L4", no_heartbeat, hear_nothing_more, WholeWorld),
]

test_a_judge_catches_the_bug_planted_for_it = caught(CASES)
test_the_same_day_without_the_bug_breaks_nothing = plain(CASES)
