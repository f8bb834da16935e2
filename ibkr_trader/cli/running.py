"""`run`: the trader that stays. It keeps the connection, the groups and the door to itself.

It ends when it is told to (SIGTERM, Ctrl-C, a closed terminal), in good order and within
seconds: what is being sent is finished, and every order at the broker stays as it is.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from ibkr_trader import __version__
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.control_server import ControlDoor
from ibkr_trader.adapters.kill_flag import HaltFile
from ibkr_trader.cli import output
from ibkr_trader.cli.event_lines import EventLines
from ibkr_trader.cli.halt_signal import HaltSignal
from ibkr_trader.cli.serving import Clerk
from ibkr_trader.cli.standing import doubt, lost
from ibkr_trader.cli.trader_card import TraderCard
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.cli.wording import counted
from ibkr_trader.execution.checkpoints import Checkpoints
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.execution.watchlist import Watchlist

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ibkr_trader.cli.face import Face
    from ibkr_trader.execution.desk import Desk

_FINISH = 2.5  # seconds: with the door, the groups and the lanes, all ends within five
_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


async def run(face: Face, *, headless: bool) -> output.Reply | None:
    """Run the trader until it is told to end.

    Raises:
        TraderError: Whatever keeps it from starting, or makes its picture of the account
            worthless.
    """
    if not headless and sys.stdout.isatty():
        output.note("the dashboard is not built yet: running headless; Ctrl-C ends it")
    flag = HaltFile(face.place().kill_flag)
    with HaltSignal(flag) as halting:
        async with desk_for(face, patient=True) as desk:
            halting.reach(desk.trader.halter)
            with desk.trader.arming.claimed():
                await _stay(face, desk)
    return None


async def _stay(face: Face, desk: Desk) -> None:
    """Work at the desk until the process is told to end."""
    desk.trader.guardian.duty, desk.trader.finish_within = Duty.FULL, _FINISH
    lines = _lines(face, desk)
    try:
        with _told_to_end() as ending:
            async with _tended(face, desk):
                head = title(face.settings(), desk)
                lines.say("Ready", f"{head} runs as process {os.getpid()}; {_held(desk)}")
                _begin(lines, desk)
                await ending.wait()
                lines.say("Ending", f"ending; {_held(desk)}: at the broker it all stays")
    finally:
        lines.close()


@asynccontextmanager
async def _tended(face: Face, desk: Desk) -> AsyncIterator[None]:
    """Do what only a trader that stays has to: prices, resting points, the door."""
    trader = desk.trader
    settings = face.settings()
    clerk = Clerk(desk, settings, TraderCard(trader))
    door = ControlDoor(
        settings.place.folder,
        serve=clerk.serve,
        version=__version__,
        since=SystemClock().now(),
    )
    works = (Watchlist(trader).work(), Checkpoints(trader).work(), door.run())
    async with alongside(*works):
        await door.opened()
        try:
            yield
        finally:
            await door.close()


@contextmanager
def _told_to_end() -> Iterator[asyncio.Event]:
    """Turn the signals that end a process into an event, for the length of the block."""
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    for number in _ENDS:
        loop.add_signal_handler(number, ending.set)
    try:
        yield ending
    finally:
        for number in _ENDS:
            loop.remove_signal_handler(number)


def _lines(face: Face, desk: Desk) -> EventLines:
    return EventLines(
        clock=desk.trader.clock,
        portfolio=lambda: desk.trader.portfolio,
        json=face.json,
        utc=face.utc,
    )


def _begin(lines: EventLines, desk: Desk) -> None:
    """Say what the start found amiss, and from then on what happens."""
    portfolio = desk.trader.portfolio
    for found in portfolio.drift.values():
        lines.hear(found)
    for order in lost(portfolio.orders.values()):
        lines.say("Doubt", doubt(order))
    lines.attach(desk.trader.bus)


def _held(desk: Desk) -> str:
    portfolio = desk.trader.portfolio
    return (
        f"{counted(len(portfolio.positions), 'position')}, "
        f"{counted(len(portfolio.orders), 'order')}, "
        f"{counted(len(desk.trader.groups.open_ids()), 'group')}"
    )
