"""Is anybody at the other end? A silent socket looks alive for ever, so somebody has to ask.

The gateway is asked for its time every few seconds. What arrives by itself is no sign of life:
prices may still come on a line on which nothing of ours arrives any more. But an answer that we
were too slow to read, or had stopped reading, is not missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.lanes import Lane, Parcel
from ibkr_trader.core.errors import BrokerUnavailable

if TYPE_CHECKING:
    from ibkr_trader.adapters.ibkr.connection import IBKRConnection

_LAG = 1.0  # a timer this late means that we were slow, not the gateway


async def ask_time(connection: IBKRConnection) -> None:
    """Ask the gateway for its time, and wait for the answer.

    Raises:
        BrokerUnavailable: If there is no link, or none came in time.
    """
    with connection.requests.ask("the time", "currentTime") as question:
        frame = connection.encode(lambda api: api.reqCurrentTime())
        # A backlog of cancels must not look like death.
        connection.put(Parcel(Lane.KILL, (frame,)))
        await question.answer(timeout=connection.settings.heartbeat_timeout)


async def listen_for_life(connection: IBKRConnection) -> None:
    """Ask once, if a link stands, and end the link if nobody answers."""
    try:
        session = connection.session
    except BrokerUnavailable:
        return
    clock, patience = connection.clock, connection.settings.heartbeat_timeout
    asked_at, turns = clock.monotonic(), session.link.turns
    try:
        await ask_time(connection)
    except BrokerUnavailable as error:
        late = clock.monotonic() - asked_at - patience
        was_held = session.link.is_paused or session.link.turns != turns
        if late < _LAG and not was_held:
            session.link.abort(f"no sign of life: {error.message}")
