"""Every judge catches a bug that is planted for it, and has nothing against the day without it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution import halter
from ibkr_trader.execution.guardian import Guardian
from ibkr_trader.execution.halter import Halter
from ibkr_trader.execution.intake import Intake
from ibkr_trader.execution.outlook import Outlook
from ibkr_trader.execution.recovery import Recovery
from ibkr_trader.orders import bracket_repairs, closing, managed_trails
from ibkr_trader.risk.check import CHECKS, Binds, Check
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.sim import life
from ibkr_trader.sim.broker import SimulatedBroker
from tests.invariants import deeds
from tests.invariants.judges import verdict
from tests.invariants.world import AAPL, MSFT, World

Patch = pytest.MonkeyPatch
TEN = 10
PACE = timedelta(seconds=1)
LATE = timedelta(seconds=1)


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    world.boot()
    yield world
    world.end()


def entered(world: World, quantity: int = TEN) -> None:
    """Hold some AAPL with a stop and a target."""
    deeds.bracket(world, AAPL, Side.BUY, quantity, away=2)
    world.run(1)


def judged(world: World) -> set[str]:
    """Return the names of the invariants that the day broke."""
    return {line.split(maxsplit=1)[0] for line in verdict(world, at_rest=True)}


def lenient(patch: Patch) -> None:
    """Plant a guard that lets everything pass."""
    patch.setattr(
        RiskGuard,
        "review",
        lambda _, command, view: Approved(command=command, at=view.now, reduces=True),
    )


# -- the days, each with the bug that spoils it -------------------------------------------------


def sent_twice(patch: Patch) -> None:
    send = SimulatedBroker.send

    async def send_twice(self: SimulatedBroker, approved: Approved) -> None:
        await send(self, approved)
        if isinstance(command := approved.command, SubmitOrders):
            specs = tuple(
                msgspec.structs.replace(spec, broker_order_id=spec.broker_order_id + 50)
                for spec in command.orders
            )
            again = msgspec.structs.replace(command, orders=specs)
            await send(self, msgspec.structs.replace(approved, command=again))

    patch.setattr(SimulatedBroker, "send", send_twice)


def blind_guardian(patch: Patch) -> None:
    async def look(*_: object, **__: object) -> None:
        await asyncio.sleep(0)

    patch.setattr(Guardian, "look", look)


def no_repairs(patch: Patch) -> None:
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


def doubled_close(patch: Patch) -> None:
    lenient(patch)
    left = closing._left
    patch.setattr(closing, "_left", lambda *arguments: left(*arguments) * 2)


def forgotten_fills(patch: Patch) -> None:
    patch.setattr(Intake, "_fresh_fill", lambda *_: None)


def forgotten_fills_and_no_look(patch: Patch) -> None:
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


def check_by(patch: Patch, one: Check, name: str = "trading_state") -> None:
    """Have the state (or what `name` checks) checked by another check."""

    def made(self: RiskGuard, *_: object, **__: object) -> None:
        self._checks = [(n, one if n == name else c) for n, c in CHECKS.items()]
        self._extra = ()

    patch.setattr(RiskGuard, "__init__", made)


def deaf_check(patch: Patch) -> None:
    """The state is not asked about."""
    silent = CHECKS["trading_state"]._replace(run=lambda *_: iter(()))
    check_by(patch, silent)


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
    name = "worst_case_exposure"
    check_by(patch, CHECKS[name]._replace(run=lambda *_: iter(())), name)


def enter_and_rest(world: World) -> None:
    entered(world)


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


def lose_the_stop(world: World) -> None:
    entered(world)
    stop = next(o for o in world.exchange.orders.working() if o.terms.order_type == "STP")
    life.cancel(world.exchange._pit, stop, reason="by the broker")
    world.pulse()
    world.run(10)


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
    entered(world)
    assert world.trader is not None
    entry = world.trader.portfolio.order(OrderId("k7qav-1-entry"))
    assert entry is not None
    change = ev.ModifyEvent(at=world.clock.now(), order_id=entry.order_id, spec=entry.spec)
    world.journal.append([change])


Day = Callable[[World], None]
Bug = Callable[[Patch], None]
CASES: list[tuple[str, Bug | None, Day]] = [
    ("S1", sent_twice, enter_and_rest),
    ("S7a", lenient, cover_twice),
    ("S7b", blind_guardian, sell_by_hand),
    ("S8", no_repairs, lose_the_stop),
    ("S9", loosened_trail, trail_a_fall),
    ("S10", lenient, enter_over_the_limit),
    ("S10", worthless, enter_too_dear),
    ("S11", doubled_close, close_it),
    ("S12", deaf_check, enter_when_halted),
    ("S12", forgetful_restart, enter_when_halted_and_killed),
    ("S12", zealous_halt, halt_with_a_stop),
    ("S12", strict_check, close_when_halted),
    ("L5", lazy_halt, halt_with_entries),
    ("S16", forgotten_fills_and_no_look, enter_and_rest),
    ("S18", None, change_what_was_filled),
    ("S19", fills_held_back, enter_and_rest),
    ("S20", forgotten_fills, enter_and_rest),
]


@pytest.mark.parametrize(
    ("name", "bug", "day"),
    CASES,
    ids=[f"{name}-{bug.__name__ if bug else 'none'}" for name, bug, _ in CASES],
)
def test_a_judge_catches_the_bug_planted_for_it(
    name: str, bug: Bug | None, day: Day, monkeypatch: Patch
) -> None:
    if bug is not None:
        bug(monkeypatch)
    world = World()
    world.boot()
    day(world)
    found = judged(world)
    world.end()
    assert name in found


@pytest.mark.parametrize("day", [c[2] for c in CASES if c[1] is not None], ids=lambda d: d.__name__)
def test_the_same_day_without_the_bug_breaks_nothing(world: World, day: Day) -> None:
    day(world)
    world.rest()
    assert judged(world) == set()
