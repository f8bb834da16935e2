"""`commit`: sends exactly what a preview showed, or says what has moved since and sends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.ticket_file import TICKETS
from ibkr_trader.adapters.token_file import TokenFolder
from ibkr_trader.cli import adding, placing, values
from ibkr_trader.cli.previewing import where_of
from ibkr_trader.cli.trading import desk_for
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.scaling import Addition
from ibkr_trader.execution.tickets import redeem, reopen

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.cli.output import Reply
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.placing import Prepared


async def commit(face: Face, text: str, *, wait: str, timeout: float | None) -> Reply:
    """Send the ticket whose token is `text`, and reply as the command itself would have.

    Raises:
        TicketRefused: If there is no such ticket any more.
        TraderError: Whatever keeps it from being sent, or from being known.
    """
    settings, clock = face.settings(), SystemClock()
    folder = TokenFolder(settings.place.folder, TICKETS)
    token = folder.token_of(text)
    how = values.choice(wait, "--wait", Wait) if wait else None
    ticket = folder.read(token, now=clock.now())  # nobody is asked about what cannot be sent
    async with desk_for(face, timeout=timeout) as desk:
        quote = await reopen(desk.trader, ticket, sends=not face.dry_run)
        ticket = folder.read(token, now=clock.now())  # that may have taken a while
        # From here to the send there is no `await`.
        made = redeem(
            desk.trader,
            ticket,
            quote,
            where=where_of(settings),
            claim=_kept if face.dry_run else lambda: folder.claim(token),
            sends=not face.dry_run,
        )
        if face.dry_run:
            return _would_send(face, desk, made)
        patience = timeout if timeout is not None else settings.timeout_seconds
        return await _send(face, desk, made, wait=how or ticket.wait, patience=patience)


def _kept() -> None:
    return


def _would_send(face: Face, desk: Desk, made: Prepared | Addition) -> Reply:
    if isinstance(made, Addition):
        return adding.would_send(face, desk, made)
    return placing.would_send(face, desk, made)


async def _send(
    face: Face, desk: Desk, made: Prepared | Addition, *, wait: Wait, patience: float
) -> Reply:
    if isinstance(made, Addition):
        return await adding.send(face, desk, made, wait=wait, patience=patience)
    return await placing.send(face, desk, made, wait=wait, patience=patience)
