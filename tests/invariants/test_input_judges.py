"""S15 and S27: each judge catches the bugs planted for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.ibkr.market_data import IBKRMarketData
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core.enums import Side
from ibkr_trader.execution import signal_desk
from ibkr_trader.rules.admission import Admission
from ibkr_trader.sim.gateway.fault_rules import Drop, Fault, When
from tests.execution.parts import INSTALL
from tests.execution.strategy_stage import ENTRY, StrategyFloor
from tests.invariants import deeds
from tests.invariants.input_judges import s15_one_group_a_signal, s27_stale_never_trades
from tests.invariants.planted import Planted, caught, entered, faults, plain, silent
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, LIMITS, World

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.events import BaseEvent

    Patch = pytest.MonkeyPatch

OLD = 45.0  # seconds
PAUSE = 6.0  # two of them are longer than an order counts as repeated
TICKS = ("tickPrice", "tickSize", "tickString", "tickGeneric")


class ThriftyWorld(World):
    """A world in which little may be opened in a minute."""

    limits = msgspec.structs.replace(LIMITS, max_openings_per_minute=3)


def never_too_often(patch: Patch) -> None:
    """Nobody counts what is opened."""
    silent(patch, "order_rate")


def any_price_will_do(patch: Patch) -> None:
    """The last price that was heard is taken for the present one, however quiet it has been."""
    patch.setattr(IBKRMarketData, "_renew", lambda *_: None)


def enter_and_enter(world: World) -> None:
    for quantity in range(1, 7):
        deeds.bracket(world, AAPL, Side.BUY, quantity, away=2, limit=1)
        world.run(1)


def enter_on_an_old_price(world: World) -> None:
    entered(world)
    faults(world).arm(Fault(when=When(names=TICKS, times=0, answers=True), act=Drop()))
    world.run(30)
    deeds.bracket(world, AAPL, Side.BUY, 7, away=2, limit=1)
    world.run(25)


def enter_into_a_hole(world: World) -> None:
    """By a price of now; it arrives long after, and so does every price."""
    assert isinstance(world, WholeWorld)
    entered(world)
    world.inject("blackhole both 9")
    deeds.bracket(world, AAPL, Side.BUY, 7, away=2, limit=1)
    world.run(12)
    faults(world).arm(Fault(when=When(names=TICKS, times=0, answers=True), act=Drop()))
    world.run(30)
    deeds.bracket(world, AAPL, Side.BUY, 5, away=2, limit=1)
    world.run(25)


CASES = [
    Planted("S15", never_too_often, enter_and_enter, ThriftyWorld),
    Planted("S27", any_price_will_do, enter_on_an_old_price, WholeWorld),
    Planted("S27", any_price_will_do, enter_into_a_hole, WholeWorld),
]

test_a_judge_catches_the_bug_planted_for_it = caught(CASES)
test_the_same_day_without_the_bug_breaks_nothing = plain(CASES)


# -- signals ------------------------------------------------------------------------------------


async def signalled() -> list[Command | BaseEvent]:
    """Enter on a signal, leave on another, and hand the first over again; then an old one."""
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal, per_minute=600) as desk:
        began = floor.clock.now()
        for action, name in (("BUY", "s1"), ("SELL", "s2"), ("BUY", "s1"), ("SELL", "s3")):
            floor.clock.advance(PAUSE)
            claim = floor.claim(action, signal_id=name)
            await floor.closing(desk, desk.signals.take(claim))
        floor.clock.advance(OLD)
        late = floor.claim("BUY", signal_id="s4", issued_at=began)
        await floor.closing(desk, desk.signals.take(late))
    return [message for _, message in journal.messages()]


def gullible_desk(patch: Patch) -> None:
    """Whoever sends a signal is believed, and no signal grows old."""
    patch.setattr(signal_desk, "judge", lambda *_, **__: None)
    patch.setattr(Admission, "oldest", lambda *_: timedelta(days=1))


async def test_s27_an_old_signal_and_a_known_one_trade_nothing() -> None:
    messages = await signalled()
    assert s15_one_group_a_signal(messages) == []
    assert s27_stale_never_trades(messages) == []


async def test_s27_catches_a_desk_that_believes_everybody(monkeypatch: Patch) -> None:
    gullible_desk(monkeypatch)
    found = " ".join(s27_stale_never_trades(await signalled()))
    assert "taken twice" in found
    assert "acts on a signal" in found


async def test_s15_catches_a_signal_that_opens_two_groups(monkeypatch: Patch) -> None:
    gullible_desk(monkeypatch)
    assert s15_one_group_a_signal(await signalled())
