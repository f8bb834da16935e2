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
MOST = 1.0  # the same when nothing happens: clocks and ages go on


async def watch(desk: Desk, board: Board, show: Callable[[bytes], bool], *, profile: str) -> None:
    """Show glimpses until this is cancelled; `show` says whether the screen took one."""
    calendar = ExchangeCalendar()
    # Its first answer takes a tenth of a second, in which the trader must not stand still.
    await asyncio.to_thread(hours, USUAL, calendar, desk.trader.clock.now())
    glimpser = Glimpser(desk, board, profile=profile, calendar=calendar)
    encoder = msgspec.json.Encoder()
    with board.watched() as news:
        while True:
            news.clear()
            if show(encoder.encode(glimpser.take())):
                glimpser.sent()
            else:
                glimpser.left_out()
            await asyncio.sleep(LEAST)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MOST - LEAST):
                    await news.wait()
