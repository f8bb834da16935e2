"""A process that commits a ticket and is killed on the way.

    python -m tests.scenarios.ticket_child DATA_DIR TOKEN POINT

POINT is `before-claim`, `after-claim`, or a checkpoint of the order path. `SIGKILL` to itself:
nothing is flushed, closed or said.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from ibkr_trader import open_desk
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.ticket_file import TICKETS
from ibkr_trader.adapters.token_file import TokenFolder
from ibkr_trader.cli.previewing import where_of
from ibkr_trader.config import load
from ibkr_trader.execution.placing import Prepared, Wait, place
from ibkr_trader.execution.tickets import redeem, reopen


def die() -> None:
    """End at once."""
    os.kill(os.getpid(), signal.SIGKILL)


async def main(data_dir: str, token: str, point: str) -> None:
    """Commit the ticket, dying at `point`."""
    is_claimed = False

    def reach(name: str) -> None:
        if name == point and is_claimed:
            die()

    def claim() -> None:
        nonlocal is_claimed
        if point == "before-claim":
            die()
        folder.claim(token)
        is_claimed = True
        if point == "after-claim":
            die()

    settings = load({"profile": "sim", "data_dir": data_dir})
    folder = TokenFolder(settings.place.folder, TICKETS)
    async with open_desk(settings=settings, reach=reach) as desk:
        ticket = folder.read(token, now=SystemClock().now())
        quote = await reopen(desk.trader, ticket)
        where = where_of(settings)
        made = redeem(desk.trader, ticket, quote, where=where, claim=claim)
        assert isinstance(made, Prepared)
        await place(desk.trader, made, wait=Wait.FILLED, timeout=10)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
