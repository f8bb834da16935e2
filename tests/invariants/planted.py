"""What it takes to plant a bug: a day by script, the bug that spoils it, and the world for both.

A judge counts only if a bug is planted that it catches, and if it has nothing against the same
day without it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.lanes import Lane, Parcel
from ibkr_trader.core.enums import Side
from ibkr_trader.orders import closing
from ibkr_trader.risk.check import CHECKS, Check
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.sim import life
from tests.invariants import deeds
from tests.invariants.judges import verdict
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ibkr_trader.adapters.ibkr.connection import IBKRConnection
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


def caught(cases: Sequence[Planted]) -> Callable[[Planted, Patch], None]:
    """Return the test that each judge speaks of the bug planted for it."""

    @pytest.mark.parametrize("case", cases, ids=lambda case: case.name)
    def test(case: Planted, monkeypatch: Patch) -> None:
        if case.bug is not None:
            case.bug(monkeypatch)
        found = broken(case)
        assert case.number in found, f"nobody speaks of it; broken: {sorted(found)}"

    return test


def plain(cases: Iterable[Planted]) -> Callable[[Planted], None]:
    """Return the test that nobody has anything against the same days without their bugs."""
    spoilt = (case for case in cases if case.bug is not None)
    days = {(case.day, case.kind): case._replace(bug=None) for case in spoilt}

    @pytest.mark.parametrize("case", days.values(), ids=lambda case: case.name)
    def test(case: Planted) -> None:
        found = broken(case, rests=True)
        assert not found, f"broken: {sorted(found)}"

    return test


def broken(case: Planted, *, rests: bool = False) -> set[str]:
    """Live the day, to its rest if nothing spoils it, and return the names of what it broke."""
    world = case.kind()
    world.boot()
    try:
        case.day(world)
        if rests:
            world.rest()
        return {line.split(maxsplit=1)[0] for line in verdict(world, at_rest=True)}
    finally:
        world.end()


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


def lost(world: World) -> None:
    """Wait for AAPL to fall with an order that the broker's door passes on to nobody."""
    assert world.trader is not None
    vars(world.trader.broker)["_submit"] = lambda _: None
    resting(world)


def lose_the_stop(world: World) -> None:
    entered(world)
    take_the_stop(world, AAPL)
    world.run(10)


def take_the_stop(world: World, con_id: int) -> None:
    """Have the broker take the stop of a contract away."""
    working = world.exchange.orders.working()
    stop = next(o for o in working if (o.terms.order_type, o.terms.con_id) == ("STP", con_id))
    life.cancel(world.exchange._pit, stop, reason="by the broker")
    world.pulse()


def connection_of(world: World) -> IBKRConnection:
    """Return the line to the gateway of a world that has one."""
    assert world.trader is not None
    assert isinstance(world.trader.broker, IBKRBroker)
    return world.trader.broker._connection


def queue_data(connection: IBKRConnection, count: int) -> None:
    """Let requests for data wait on a line."""
    for number in range(1_000_000, 1_000_000 + count):
        frame = connection.encode(partial(_stop_data, number))
        connection.put(Parcel(Lane.DATA, (frame,)))


def _stop_data(number: int, api: Any) -> None:
    api.cancelMktData(number)


def lenient(patch: Patch) -> None:
    """A guard lets everything pass."""
    patch.setattr(
        RiskGuard,
        "review",
        lambda _, command, view: Approved(command=command, at=view.now, reduces=True),
    )


def doubled_close(patch: Patch) -> None:
    """Twice of what is held is closed, and nobody minds."""
    lenient(patch)
    left = closing._left
    patch.setattr(closing, "_left", lambda *arguments: left(*arguments) * 2)


def check_by(patch: Patch, one: Check, name: str = "trading_state") -> None:
    """Have the state (or what `name` checks) checked by another check."""

    def made(self: RiskGuard, *_: object, **__: object) -> None:
        self._checks = [(n, one if n == name else c) for n, c in CHECKS.items()]
        self._extra = ()

    patch.setattr(RiskGuard, "__init__", made)


def silent(patch: Patch, name: str) -> None:
    """Have a check say nothing."""
    check_by(patch, CHECKS[name]._replace(run=lambda *_: iter(())), name)
