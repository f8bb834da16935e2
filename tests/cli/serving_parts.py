"""A clerk's counter: a trader's desk in this process, and commands of a test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from ibkr_trader.adapters.control import Call, Done, Failed
from ibkr_trader.cli import logs
from ibkr_trader.cli.face import DESK_COMMANDS, DeskCommand
from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.remote import Sent
from ibkr_trader.cli.serving import Clerk
from ibkr_trader.cli.trader_card import TraderCard
from ibkr_trader.config import Settings, load
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.ports import Journal
from tests.execution.parts import FallibleBroker, Floor


class Terminal:
    """A client that remembers what it was told and asked, and says yes."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.asked: list[str] = []

    def tell(self, text: str, *, is_note: bool = False) -> None:
        self.told.append(f"({text})" if is_note else text)

    async def ask(self, question: str, *, is_typed: bool = False) -> str:
        self.asked.append(question)
        return "DU0000000" if is_typed else ""


@contextmanager
def settings_in(folder: Path) -> Iterator[Settings]:
    """Settings of nobody's, and a log beside them."""
    found = load({"profile": "sim", "data_dir": str(folder)})
    logs.start(folder)
    yield found
    logs.stop()


class Counter:
    """A clerk's counter: one call after the other."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self.terminal = Terminal()
        self.desk = desk
        self.clerk = Clerk(desk, settings, TraderCard(desk.trader))

    async def __call__(self, command: str, **call: Any) -> Sent | Failure:
        made = Call(command=command, **call)
        answer = await self.clerk.serve(made, self.terminal)  # type: ignore[arg-type] # as much of a client as it needs
        if isinstance(answer, Done):
            return msgspec.json.decode(answer.reply, type=Sent)
        assert isinstance(answer, Failed)
        return msgspec.json.decode(answer.failure, type=Failure)


@asynccontextmanager
async def counter(
    settings: Settings, journal: Journal | None = None, *, floor: Floor | None = None
) -> AsyncIterator[Counter]:
    """A counter at a desk on the simulator."""
    async with (floor or Floor()).trader(journal=journal) as trader:
        yield Counter(Desk(trader), settings)


def gone_after(at: Counter, commands: int) -> None:
    """Let the broker go away once so many more commands were sent to it; 0 is at once."""
    broker = at.desk.trader.broker
    assert isinstance(broker, FallibleBroker)
    broker.gone_at, broker.is_gone = broker.sent + commands, not commands


@contextmanager
def own_commands() -> Iterator[None]:
    """Let a test enter commands of its own, and take them out again."""
    before = dict(DESK_COMMANDS.items())
    try:
        yield
    finally:
        DESK_COMMANDS._parts = before


def enter(
    name: str, body: Any, *, is_alone: bool = False, changes: bool = True, **manner: Any
) -> None:
    """Enter a command without options; it takes the place of one of that name."""
    made = DeskCommand(
        name=name,
        body=body,
        options={},
        required=frozenset(),
        changes=changes,
        is_alone=is_alone,
        **manner,
    )
    DESK_COMMANDS._parts[name] = made
