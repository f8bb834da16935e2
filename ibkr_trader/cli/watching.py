"""Shows one screen how the trader stands, again and again, until its client hangs up.

A glimpse is made when something has happened, at most a few times a second, and once a second
for the clock. A screen that has not read the last one gets none: the trader never waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.cli.glimpses import Glimpser
from ibkr_trader.cli.session_hours import USUAL, hours

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.cli.board import Board
    from ibkr_trader.execution.desk import Desk

LEAST = 0.2  # seconds between two glimpses
TOGETHER = 4  # screens that are shown something so often; more of them wait longer, each
MOST = 1.0  # the same when nothing happens: clocks and ages go on


async def watch(
    desk: Desk, board: Board, show: Callable[[bytes], bool], *, profile: str, config: str
) -> None:
    """Show glimpses until this is cancelled; `show` says whether the screen took one.

    `config` names the settings that the trader runs with, as its journal does.
    """
    calendar = ExchangeCalendar()
    # Its first answer takes a tenth of a second, in which the trader must not stand still.
    await asyncio.to_thread(hours, USUAL, calendar, desk.trader.clock.now())
    glimpser = Glimpser(desk, board, profile=profile, config=config, calendar=calendar)
    encoder = msgspec.json.Encoder()
    with board.watched() as news:
        while True:
            news.clear()
            if show(encoder.encode(glimpser.take())):
                glimpser.sent()
            else:
                glimpser.left_out()
            pause = pace(board.watchers)
            await asyncio.sleep(pause)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, MOST - pause)):
                    await news.wait()


def pace(watchers: int) -> float:
    """Return how many seconds a screen waits for the next glimpse, when there are so many."""
    return LEAST * max(1.0, watchers / TOGETHER)
