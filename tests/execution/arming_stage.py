"""A live desk on an exchange in memory, with a vault and a person that the test decides about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import ConfigError, RiskCheckError, TraderError
from ibkr_trader.execution.arming_watch import (
    ArmingWatch,
    Lease,
)
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.execution.trader import Trader
from ibkr_trader.risk.arming import Lack
from tests.execution.parts import START, Floor, request

HOUR = timedelta(hours=1)
RESTING = request(10, limit="140")


class Shelf:
    """A vault in memory, whose two clocks the test sets."""

    def __init__(self, kept: Lease | str = "") -> None:
        self.kept = kept
        self.wall, self.up = START, 1000.0
        self.change = ""
        self.is_stuck = False

    def now(self) -> datetime:
        return self.wall

    def uptime(self) -> float:
        return self.up

    def read(self) -> Lease | str:
        return self.kept

    def write(self, lease: Lease) -> None:
        self.kept = lease

    def remove(self) -> None:
        if self.is_stuck:
            message = "it cannot be removed"
            raise ConfigError(message)
        self.kept = ""

    def changed(self) -> str:
        return self.change

    def pass_on(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.wall += timedelta(seconds=seconds)
        self.up += seconds


class Person:
    """Whoever sits at the terminal, if anybody does."""

    def __init__(self, *, answer: str | None = "SIM0000001", is_attended: bool = True) -> None:
        self.is_attended = is_attended
        self.answer = answer
        self.asked: list[str] = []

    async def ask(self, question: str) -> None:
        self.asked.append(question)
        if self.answer is None:
            message = "no"
            raise TraderError(message)

    async def ask_typed(self, question: str, expected: str) -> None:
        self.asked.append(question)
        if self.answer != expected:
            message = "something else was typed"
            raise TraderError(message)


class Desk:
    """A live desk on an exchange in memory."""

    def __init__(self, trader: Trader, shelf: Shelf, *, lacks: tuple[Lack, ...] = ()) -> None:
        self.trader = trader
        self.shelf = shelf
        self.told: list[ev.ArmEvent] = []
        trader.arming = self.watch = ArmingWatch(trader, vault=shelf, lacks=lacks)
        trader.bus.subscribe(ev.ArmEvent, self.told.append)

    @property
    def is_armed(self) -> bool:
        return self.watch.arming().is_armed(self.trader.clock.now())

    def ended_by(self) -> str:
        """Why it is not armed any more; what is kept must be gone, too."""
        assert not self.is_armed
        assert self.shelf.kept == ""
        return self.watch.arming().reason

    async def opens(self, quantity: int = 10) -> bool:
        """Whether an opening order goes out."""
        reasons: set[str] = set()
        try:
            prepared = await prepare(self.trader, request(quantity, limit="140"))
            await place(self.trader, prepared, wait=Wait.ACCEPTED, timeout=2)
        except RiskCheckError as denied:
            reasons = {breach.check for breach in denied.breaches}
        assert reasons <= {"armed"}
        return not reasons


@asynccontextmanager
async def live(
    shelf: Shelf | None = None,
    *,
    lacks: tuple[Lack, ...] = (),
    journal: MemoryJournal | None = None,
) -> AsyncIterator[Desk]:
    desks: list[Desk] = []

    def equip(trader: Trader) -> None:
        desks.append(Desk(trader, shelf or Shelf(), lacks=lacks))

    async with Floor().trader(journal=journal, equip=equip):
        yield desks[0]


def arm(desk: Desk, length: timedelta = 8 * HOUR) -> None:
    desk.watch.arm(length, origin="test")


async def recorded(desk: Desk) -> None:
    """Let the watch put on record what it has seen."""
    assert await desk.trader.until(lambda _: bool(desk.told) or None, timeout=3)
