"""Exposure, halts and the ledger: each judge catches the bugs planted for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution import halter
from ibkr_trader.execution.guardian import Guardian
from ibkr_trader.execution.halter import Halter
from ibkr_trader.execution.intake import Intake
from ibkr_trader.execution.outlook import Outlook
from ibkr_trader.execution.recovery import Recovery
from ibkr_trader.orders import bracket_repairs, managed_trails
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
from tests.invariants.world import AAPL, MSFT, World

Patch = pytest.MonkeyPatch
PACE = timedelta(seconds=1)
LATE = timedelta(seconds=1)


# -- the days, each with the bug that spoils it -------------------------------------------------


def blind_guardian(patch: Patch) -> None:
    """Nobody looks at what is covered and what is not."""

    async def look(*_: object, **__: object) -> None:
        await asyncio.sleep(0)

    patch.setattr(Guardian, "look", look)


def no_repairs(patch: Patch) -> None:
    """A bracket misses no exit that is gone."""
    patch.setattr(bracket_repairs, "wants", lambda *_: iter(()))


def loosened_trail(patch: Patch) -> None:
    """The stop follows the market both ways."""

    def due(self: managed_trails.ManagedTrail, at: datetime) -> Decimal | None:
        asked = self.asked_at or datetime.min.replace(tzinfo=UTC)
        if self.market.market is None or self.stop.desired is not None or at - asked < PACE:
            return None
        wanted = (self.market.market * Decimal("0.99")).quantize(Decimal("0.01"))
        return wanted if wanted != self.stop.spec.stop_price else None

    patch.setattr(managed_trails.ManagedTrail, "_due", due)


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
    """Until the commission is here, as others do: or a second, here."""
    admit = Intake.admit

    def admit_late(self: Intake, events: Sequence[ev.BaseEvent]) -> None:
        fills = [event for event in events if isinstance(event, ev.FillEvent)]
        admit(self, [event for event in events if event not in fills])
        if fills:
            late = [msgspec.structs.replace(fill, at=fill.at + LATE) for fill in fills]
            asyncio.get_running_loop().call_later(1, admit, self, late)

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


def trail_a_fall(world: World) -> None:
    world.by_hand(AAPL, TEN)
    world.run(2)
    deeds.trail(world, AAPL, percent=1, is_managed=True)
    world.run(2)
    for price in ("151", "152", "152.10", "151.50", "151.20"):
        for _ in range(3):
            world.quote(AAPL, Decimal(price))
            world.run(1.2)


def close_it(world: World) -> None:
    entered(world)
    deeds.close(world, AAPL)
    world.run(5)


def change_what_was_filled(world: World) -> None:
    """A change of an order that is filled goes on record."""
    entered(world)
    assert world.trader is not None
    entry = world.trader.portfolio.order(OrderId("k7qav-1-entry"))
    assert entry is not None
    change = ev.ModifyEvent(at=world.clock.now(), order_id=entry.order_id, spec=entry.spec)
    world.journal.append([change])


CASES = [
    Planted("S7a", lenient, cover_twice),
    Planted("S7b", blind_guardian, sell_by_hand),
    Planted("S8", no_repairs, lose_the_stop),
    Planted("S9", loosened_trail, trail_a_fall),
    Planted("S10", lenient, enter_over_the_limit),
    Planted("S10", worthless, enter_too_dear),
    Planted("S11", doubled_close, close_it),
    Planted("S12", deaf_check, enter_when_halted),
    Planted("S12", forgetful_restart, enter_when_halted_and_killed),
    Planted("S12", zealous_halt, halt_with_a_stop),
    Planted("S12", strict_check, close_when_halted),
    Planted("L5", lazy_halt, halt_with_entries),
    Planted("S16", forgotten_fills_and_no_look, entered),
    Planted("S18", None, change_what_was_filled),
    Planted("S19", fills_held_back, entered),
    Planted("S20", forgotten_fills, entered),
]

test_a_judge_catches_the_bug_planted_for_it = caught(CASES)
test_the_same_day_without_the_bug_breaks_nothing = plain(CASES)
