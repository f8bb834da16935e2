"""Exposure, halts and the ledger: each judge catches the bugs planted for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.execution import halter
from ibkr_trader.execution.guardian import Guardian
from ibkr_trader.execution.halter import Halter
from ibkr_trader.execution.intake import Intake
from ibkr_trader.execution.outlook import Outlook
from ibkr_trader.execution.recovery import Recovery
from ibkr_trader.orders import bracket_policy, bracket_repairs
from ibkr_trader.orders.asking import Want
from ibkr_trader.orders.bracket_group import Bracket
from ibkr_trader.risk.check import CHECKS, Binds
from tests.invariants import deeds
from tests.invariants.planted import (
    TEN,
    Planted,
    caught,
    check_by,
    doubled_close,
    entered,
    lenient,
    lose_the_stop,
    plain,
    silent,
)
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, MSFT, World

Patch = pytest.MonkeyPatch
LATE = 0.25  # seconds


# -- the days, each with the bug that spoils it -------------------------------------------------


def blind_guardian(patch: Patch) -> None:
    """Nobody looks at what is covered and what is not."""

    async def look(*_: object, **__: object) -> None:
        await asyncio.sleep(0)

    patch.setattr(Guardian, "look", look)


def no_repairs(patch: Patch) -> None:
    """A bracket misses no exit that is gone."""
    patch.setattr(bracket_repairs, "wants", lambda *_: iter(()))


def forgotten_fills(patch: Patch) -> None:
    """Executions are passed over."""
    patch.setattr(Intake, "_fresh_fill", lambda *_: None)


def forgotten_fills_and_no_look(patch: Patch) -> None:
    """Executions are passed over, and nobody looks again."""
    forgotten_fills(patch)
    synchronize = Recovery.synchronize
    looks = iter([synchronize])  # the one at the start

    async def look_once(self: Recovery) -> None:
        for look in looks:
            await look(self)
            return

    patch.setattr(Recovery, "synchronize", look_once)


def fills_held_back(patch: Patch) -> None:
    """Until the commission is here, as others do: or a quarter of a second, here."""
    admit = Intake.admit

    def admit_late(self: Intake, events: Sequence[ev.BaseEvent]) -> None:
        fills = [event for event in events if isinstance(event, ev.FillEvent)]
        admit(self, [event for event in events if event not in fills])
        if fills:
            asyncio.get_running_loop().call_later(LATE, admit, self, fills)

    patch.setattr(Intake, "admit", admit_late)


def unhurried_growth(patch: Patch) -> None:
    """An addition waits for its stop as an entry does, whose exits the broker enlarges."""
    enlarge = bracket_policy._enlarge

    def when_due(group: Bracket, due: frozenset[str]) -> Iterator[Want]:
        return (want for want in enlarge(group, due) if want.key.rpartition(" ")[0] in due)

    patch.setattr(bracket_policy, "_enlarge", when_due)


def first_word_counts(patch: Patch) -> None:
    """What an execution was said to be at first is what it stays: corrections are passed over."""
    fresh = Intake._fresh_fill

    def only_the_first(self: Intake, event: ev.FillEvent) -> ev.BaseEvent | None:
        return fresh(self, event) if event.fill.revision == 1 else None

    patch.setattr(Intake, "_fresh_fill", only_the_first)


def late_corrections(patch: Patch) -> None:
    """What corrects an execution waits a quarter of a second."""
    admit = Intake.admit

    def admit_late(self: Intake, events: Sequence[ev.BaseEvent]) -> None:
        late = [e for e in events if isinstance(e, ev.FillEvent) and e.fill.revision > 1]
        admit(self, [event for event in events if event not in late])
        if late:
            asyncio.get_running_loop().call_later(LATE, admit, self, late)

    patch.setattr(Intake, "admit", admit_late)


def deaf_check(patch: Patch) -> None:
    """The state is not asked about."""
    silent(patch, "trading_state")


def forgetful_restart(patch: Patch) -> None:
    """A new process begins ACTIVE."""
    replay = Outlook.replay

    def forget(self: Outlook, events: Iterable[ev.BaseEvent]) -> None:
        kept = [event for event in events if not isinstance(event, ev.StateEvent)]
        replay(self, kept)

    patch.setattr(Outlook, "replay", forget)


def zealous_halt(patch: Patch) -> None:
    """It cancels everything, as a global cancel does."""
    patch.setattr(halter, "openers", lambda portfolio: tuple(portfolio.orders.values()))


def strict_check(patch: Patch) -> None:
    """The state binds closing orders too, as elsewhere."""
    strict = CHECKS["trading_state"]._replace(binds=Binds.ALL)
    check_by(patch, strict)


def lazy_halt(patch: Patch) -> None:
    """It only says that it is one."""

    async def nothing(_: Halter) -> None:
        return

    patch.setattr(Halter, "_take_back", nothing)


def enter_when_halted(world: World) -> None:
    entered(world)
    deeds.halt(world)
    deeds.bracket(world, AAPL, Side.BUY, 5, away=2)
    deeds.oco_entries(world, AAPL, 3, away=2)
    world.run(1)


def enter_when_halted_and_killed(world: World) -> None:
    entered(world)
    deeds.halt(world)
    world.run(1)
    world.kill()
    world.boot()
    deeds.scale_in(world, AAPL, 5)
    world.run(1)


def halt_with_a_stop(world: World) -> None:
    entered(world)
    deeds.halt(world)
    world.run(2)


def close_when_halted(world: World) -> None:
    entered(world)
    deeds.halt(world)
    deeds.close(world, AAPL)
    world.run(5)


def halt_with_entries(world: World) -> None:
    deeds.bracket(world, AAPL, Side.BUY, TEN, away=2, limit=2)
    world.run(1)
    deeds.halt(world)
    world.run(8)


def worthless(patch: Patch) -> None:
    """Nobody asks what it is worth."""
    silent(patch, "worst_case_exposure")


def enter_over_the_limit(world: World) -> None:
    entered(world, 101)


def enter_too_dear(world: World) -> None:
    for quantity in (24, 23, 22, 21):  # each below what one order may be worth
        deeds.bracket(world, MSFT, Side.BUY, quantity, away=2)
        world.run(5)


def cover_twice(world: World) -> None:
    entered(world)
    deeds.oco_exits(world, AAPL, away=1)
    world.run(1)


def sell_by_hand(world: World) -> None:
    entered(world)
    world.by_hand(AAPL, -4)
    world.run(5)


def add_to_it(world: World) -> None:
    entered(world)
    deeds.scale_in(world, AAPL, 5)
    world.run(10)


def correct_the_price(world: World) -> None:
    entered(world)
    correct(world, price=Decimal("149.5"))


def correct_the_quantity(world: World) -> None:
    entered(world)
    correct(world, quantity=Decimal(8))


def correct(world: World, **what: Decimal) -> None:
    """Have the exchange say that our first execution was different."""
    first = next(iter(world.exchange.orders.executions()))
    world.touches.append((AAPL, world.clock.now()))
    acts, now = world.exchange.broker_acts, world.clock.now()
    world.exchange.untold += acts.correct(first.exec_id, now=now, **what)
    world.pulse()
    world.run(3)


def close_it(world: World) -> None:
    entered(world)
    deeds.close(world, AAPL)
    world.run(5)


CASES = [
    Planted("S7a", lenient, cover_twice),
    Planted("S7b", blind_guardian, sell_by_hand),
    Planted("S8", no_repairs, lose_the_stop),
    Planted("S10", lenient, enter_over_the_limit),
    Planted("S10", worthless, enter_too_dear),
    Planted("S11", doubled_close, close_it),
    Planted("S12", deaf_check, enter_when_halted),
    Planted("S12", forgetful_restart, enter_when_halted_and_killed),
    Planted("S12", zealous_halt, halt_with_a_stop),
    Planted("S12", strict_check, close_when_halted),
    Planted("L5", lazy_halt, halt_with_entries),
    Planted("S16", forgotten_fills_and_no_look, entered),
    Planted("S19", fills_held_back, entered),
    Planted("S19", fills_held_back, entered, WholeWorld),
    Planted("S19", unhurried_growth, add_to_it),
    Planted("S19", late_corrections, correct_the_price),
    Planted("S20", forgotten_fills, entered),
    Planted("S20", first_word_counts, correct_the_price),
    Planted("S20", first_word_counts, correct_the_quantity),
    Planted("S20", first_word_counts, correct_the_price, WholeWorld),
]

test_a_judge_catches_the_bug_planted_for_it = caught(CASES)
test_the_same_day_without_the_bug_breaks_nothing = plain(CASES)
