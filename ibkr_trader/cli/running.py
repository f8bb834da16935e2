"""`run`: the trader that stays. It keeps the connection, the groups and the door to itself.

It ends when it is told to (SIGTERM, Ctrl-C, a closed terminal), in good order and within
seconds: what is being sent is finished, and every order at the broker stays as it is.

On a terminal it shows the dashboard, which is a client at its own door: one that fails leaves
a trader that goes on.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ibkr_trader import __version__
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.control_server import ControlDoor
from ibkr_trader.adapters.kill_flag import HaltFile
from ibkr_trader.cli import output, screening
from ibkr_trader.cli.board import Board
from ibkr_trader.cli.deciding import NOTHING, Decides, Ready, check, deciding
from ibkr_trader.cli.end_signals import lent_signals, told_to_end
from ibkr_trader.cli.event_lines import EventLines
from ibkr_trader.cli.halt_signal import HaltSignal
from ibkr_trader.cli.loop_watch import LoopWatch
from ibkr_trader.cli.metered import metered
from ibkr_trader.cli.serving import Clerk
from ibkr_trader.cli.standing import doubt, lost
from ibkr_trader.cli.standing_by import leave_when_lost, led
from ibkr_trader.cli.trader_card import TraderCard
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.cli.wording import counted
from ibkr_trader.execution.checkpoints import Checkpoints
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.execution.watchlist import Watchlist

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ibkr_trader.cli.face import Face
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.leadership import Leadership

logger = logging.getLogger(__name__)
_FINISH = 2.5  # seconds: with the door, the groups and the lanes, all ends within five


async def run(
    face: Face, *, headless: bool, look: screening.Look, by: Decides
) -> output.Reply | None:
    """Run the trader until it is told to end.

    Raises:
        TraderError: Whatever keeps it from starting, or makes its picture of the account
            worthless.
    """
    ready = check(face, by)
    is_seen = not (headless or face.json) and screening.is_terminal()
    if not (is_seen or headless or face.json):
        output.note("no terminal here: running headless, one line for each event")
    flag = HaltFile(face.place().kill_flag)
    with HaltSignal(flag) as halting:
        async with (
            led(face) as leadership,
            desk_for(
                face,
                patient=True,
                decides=True,
                sinks=ready.sinks,
                leadership=leadership,
            ) as desk,
        ):
            halting.reach(desk.trader.halter)
            with desk.trader.arming.claimed():
                await stay(face, desk, look if is_seen else None, by=ready, leadership=leadership)
    return None


async def stay(
    face: Face,
    desk: Desk,
    look: screening.Look | None,
    *,
    by: Ready = NOTHING,
    leadership: Leadership | None = None,
) -> None:
    """Work at an open desk until the process is told to end, on a screen if there is a look."""
    desk.trader.guardian.duty, desk.trader.finish_within = Duty.FULL, _FINISH
    desk.trader.alarming.stays = True
    lines, watch = _lines(face, desk), LoopWatch()
    try:
        with told_to_end(watch.told_to_end) as ending, watch.watching():
            async with (
                alongside(watch.work()),
                _tended(face, desk) as card,
                metered(face, desk, lines, card=card),
                deciding(face, desk, lines, by=by, card=card),
                alongside(leave_when_lost(leadership)),
            ):
                head = title(face.settings(), desk)
                lines.say("Ready", f"{head} runs as process {os.getpid()}; {_held(desk)}")
                _begin(lines, desk)
                if look is not None:
                    await _on_screen(
                        face, look, lines, ending=ending, board=card.board, watch=watch
                    )
                await ending.wait()
                lines.say("Ending", f"ending; {_held(desk)}: at the broker it all stays")
    finally:
        lines.close()


async def _on_screen(
    face: Face,
    look: screening.Look,
    lines: EventLines,
    *,
    ending: asyncio.Event,
    board: Board | None,
    watch: LoopWatch,
) -> None:
    """Show the dashboard until it is left; whatever becomes of it, the trader is not touched."""
    lines.is_silent = True
    await asyncio.to_thread(lines.settle)  # what is ours to say is not the program's
    try:
        with lent_signals(ending, watch.told_to_end):
            left = await screening.show(
                face,
                look,
                on_end=lambda _: ending.set(),
                is_own=True,
                on_print=board.printed if board is not None else lambda _: None,
                aside=watch.told_to_end,
            )
    except Exception:  # the edge of a face: a screen is no reason to leave orders alone
        logger.exception("the screen failed")
        text = "the screen failed, its traceback is in the log; the trader goes on"
    else:
        text = "the screen is closed; the trader goes on"
        if left.ends_trader:
            ending.set()
    finally:
        lines.is_silent = False
    if not ending.is_set():
        lines.say("Screen", f"{text}. Ctrl-C ends it, ibkr-trader dashboard shows it again")


@asynccontextmanager
async def _tended(face: Face, desk: Desk) -> AsyncIterator[TraderCard]:
    """Do what only a trader that stays has to: prices, resting points, the door."""
    trader = desk.trader
    settings = face.settings()
    card = TraderCard(trader)
    card.board = Board(trader)
    clerk = Clerk(desk, settings, card)
    door = ControlDoor(
        settings.place.folder,
        serve=clerk.serve,
        watches=clerk.watches,
        version=__version__,
        since=SystemClock().now(),
    )
    works = (Watchlist(trader).work(), Checkpoints(trader).work(), door.run())
    async with alongside(*works):
        await door.opened()
        try:
            yield card
        finally:
            await door.close()


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
        f"{counted(len(desk.trader.groups.open_ids), 'group')}"
    )
