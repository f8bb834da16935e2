"""What it takes to plant a bug: a day by script, the bug that spoils it, and the world for both.

A judge counts only if a bug is planted that it catches, and if it has nothing against the same
day without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.enums import Side
from ibkr_trader.risk.check import CHECKS, Check
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.risk.verdict import Approved
from tests.invariants import deeds
from tests.invariants.judges import verdict
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest

    from ibkr_trader.sim.gateway.faults import Faults

    Patch = pytest.MonkeyPatch
    Bug = Callable[[Patch], None]
    Script = Callable[[World], None]

TEN = 10


class Planted(NamedTuple):
    """An invariant's number, a bug against it (None: the day itself is the bug), and the day."""

    number: str
    bug: Bug | None
    day: Script
    kind: type[World] = World

    @property
    def name(self) -> str:
        """What a test of it is called."""
        return f"{self.number}-{self.bug.__name__ if self.bug else self.day.__name__}"


def lived(case: Planted) -> set[str]:
    """Live the day, let it come to rest if nothing spoils it, and return what was broken."""
    world = case.kind()
    world.boot()
    try:
        case.day(world)
        if case.bug is None:
            world.rest()
        return judged(world)
    finally:
        world.end()


def caught(case: Planted, patch: Patch) -> bool:
    """Whether the judge of that number speaks of the bug, and has nothing against the plain day."""
    if case.bug is not None:
        case.bug(patch)
    world = case.kind()
    world.boot()
    try:
        case.day(world)
        return case.number in judged(world)
    finally:
        world.end()


def plain(cases: Iterable[Planted]) -> list[Planted]:
    """Return each day once, without its bug."""
    days = {(case.day, case.kind): case for case in cases if case.bug is not None}
    return [case._replace(bug=None) for case in days.values()]


def judged(world: World) -> set[str]:
    """Return the names of the invariants that the day broke."""
    return {line.split(maxsplit=1)[0] for line in verdict(world, at_rest=True)}


def faults(world: World) -> Faults:
    """Return what goes wrong at the gateway of a whole world."""
    assert isinstance(world, WholeWorld)
    assert world.server is not None
    return world.server.faults


# -- parts of days and of bugs ------------------------------------------------------------------


def entered(world: World, quantity: int = TEN) -> None:
    """Hold some AAPL with a stop and a target."""
    deeds.bracket(world, AAPL, Side.BUY, quantity, away=2)
    world.run(1)


def resting(world: World, quantity: int = TEN) -> None:
    """Wait for AAPL to fall, with exits that wait too."""
    deeds.bracket(world, AAPL, Side.BUY, quantity, away=2, limit=2)
    world.run(1)


def lenient(patch: Patch) -> None:
    """A guard lets everything pass."""
    patch.setattr(
        RiskGuard,
        "review",
        lambda _, command, view: Approved(command=command, at=view.now, reduces=True),
    )


def check_by(patch: Patch, one: Check, name: str = "trading_state") -> None:
    """Have the state (or what `name` checks) checked by another check."""

    def made(self: RiskGuard, *_: object, **__: object) -> None:
        self._checks = [(n, one if n == name else c) for n, c in CHECKS.items()]
        self._extra = ()

    patch.setattr(RiskGuard, "__init__", made)


def silent(patch: Patch, name: str) -> None:
    """Have a check say nothing."""
    check_by(patch, CHECKS[name]._replace(run=lambda *_: iter(())), name)
