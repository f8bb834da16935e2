"""What a dashboard asks of a running trader: how it stands, what it says of a change, and why.

None of it is a command line, and none of it changes anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import Face, desk_part
from ibkr_trader.cli.output import Reply

if TYPE_CHECKING:
    from ibkr_trader.cli.board import Board
    from ibkr_trader.execution.desk import Desk


class _Streaming(Protocol):
    """A face whose client has a screen."""

    def stream(self, payload: bytes) -> bool:
        """Show it how things stand; False if it has not taken what came before."""


@desk_part("watch", streams=True, believes=True)
async def watch(face: Face) -> Reply:
    """Send glimpses for as long as the client listens."""
    from ibkr_trader.cli import watching  # noqa: PLC0415 - brings the risk checks

    desk, board = _at_the_trader(face)
    settings, stream = face.settings(), cast("_Streaming", face).stream
    profile, config = settings.profile.value, settings.config_hash
    await watching.watch(desk, board, stream, profile=profile, config=config)
    return Reply(schema="screen-watched/1", data={}, blocks=[])


@desk_part("weigh", believes=True)
async def weigh(face: Face, *, order: str, quantity: str, limit: str, stop: str) -> Reply:
    """Say what the guard would say of an order's new terms; nothing is sent."""
    from ibkr_trader.cli import weighing  # noqa: PLC0415 - brings the risk checks

    desk, _ = _at_the_trader(face)
    typed = weighing.Typed(quantity=quantity, limit=limit, stop=stop)
    found = await weighing.weigh(desk, order, typed)
    data = {
        "reduces": found.reduces,
        "fault": found.fault,
        "notes": list(found.notes),
        "is_open": found.is_open,
    }
    lines = [found.fault] if found.fault else []
    return Reply(schema="screen-weighed/1", data=data, blocks=[*lines, *found.notes])


@desk_part("details", believes=True)
async def details(face: Face, *, about: str) -> Reply:
    """Tell all there is to say of an order, by its id, or of a position, by its contract's."""
    from ibkr_trader.cli import explaining  # noqa: PLC0415 - only when asked

    desk, _ = _at_the_trader(face)
    lines = await explaining.explain(desk, about, utc=face.utc)
    return Reply(schema="screen-details/1", data={"lines": lines}, blocks=list(lines))


def _at_the_trader(face: Face) -> tuple[Desk, Board]:
    """Return the trader's desk, and what it keeps for screens.

    Raises:
        UsageFault: If no trader carries this out, or it keeps nothing.
    """
    board = face.trader.board if face.trader is not None else None
    if face.desk is None or board is None:
        raise UsageFault("only a running trader can be watched", hint="ibkr-trader run")
    return face.desk, board
