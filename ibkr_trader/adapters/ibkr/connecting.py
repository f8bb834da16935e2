"""A connection for the length of a block: from the first attempt to the last frame."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.dialing import ClientIdInUse
from ibkr_trader.execution.tasks import alongside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ibkr_trader.adapters.ibkr.connection import IBKRConnection
    from ibkr_trader.execution.leadership import Leadership

_LAST_FRAMES = 0.5  # seconds for what still waits to leave
_LOOK = 0.02


@asynccontextmanager
async def connected(
    connection: IBKRConnection, leadership: Leadership | None
) -> AsyncIterator[None]:
    """Keep the connection for the length of the block, and a moment for what is still to leave."""
    if leadership is not None and leadership.waits:
        await _open_after(connection, leadership)
    else:
        await connection.open()
    async with alongside(connection.run()):
        try:
            yield
        finally:
            await _sent(connection)
            connection.close()


async def _open_after(connection: IBKRConnection, leadership: Leadership) -> None:
    """Connect as soon as the client id of the former leader is free, while we lead.

    Its socket may outlive it. Another id would not do: what it placed could not be changed.
    """
    is_told = False
    while not leadership.objection():
        try:
            return await connection.open()
        except ClientIdInUse as error:
            if not is_told:
                leadership.say(f"waiting for the former leader's connection: {error.message}")
            is_told = True
        await asyncio.sleep(connection.settings.backoff)
    raise leadership.refusal()


async def _sent(connection: IBKRConnection) -> None:
    """Wait until nothing waits in the lanes: a cancel that was approved is not left behind."""
    deadline = connection.clock.monotonic() + _LAST_FRAMES
    while len(connection.lanes) and connection.clock.monotonic() < deadline:  # noqa: ASYNC110 - the lanes tell nobody
        await asyncio.sleep(_LOOK)
