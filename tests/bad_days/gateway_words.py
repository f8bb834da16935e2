"""What the gateway says of its own accord, and which codes it has said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.sim.gateway.order_replies import ErrorMessage, OrderStatusReply
from ibkr_trader.sim.gateway.session import Session

if TYPE_CHECKING:
    from ibkr_trader.sim.gateway.talk import Talk
    from tests.bad_days.stage import Day

US = 1  # the desk's client id


def line(day: Day) -> Talk:
    """Return the gateway's way to say something to the desk."""
    session = day.server.engine.floor._listeners[US]
    assert isinstance(session, Session)
    return session.talk


def codes(day: Day) -> set[int]:
    """Return the codes that the desk was told of, about its orders and its questions."""
    told = [entry.message for entry in day.wire.told("error")]
    return {one.code for one in told if isinstance(one, ErrorMessage) and one.req_id >= 0}


async def say(day: Day, code: int, ref: str, text: str = "") -> None:
    """Have the gateway send an error about an order that works."""
    line(day).refuse(day.order(ref).order_id, code, text or f"text of {code}")
    day.server.pulse()
    await day.quiet()


async def say_status(day: Day, ref: str, status: str) -> None:
    """Have the gateway call an order by a status, whatever has become of it."""
    told = day.wire.told("orderStatus", ref=ref)[-1].message
    assert isinstance(told, OrderStatusReply)
    line(day).say(msgspec.structs.replace(told, status=status))
    day.server.pulse()
    await day.quiet()
