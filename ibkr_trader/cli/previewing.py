"""`--preview`: all there is to know of an order before it is sent, and a token to send it."""

from __future__ import annotations

import asyncio
import shlex
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.ticket_file import TICKETS
from ibkr_trader.adapters.token_file import TokenFolder
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.ticket_view import Seen, ticket_reply
from ibkr_trader.execution.day_notes import day_notes
from ibkr_trader.execution.tickets import LIFETIME, Where, ask_broker, issue
from ibkr_trader.risk.headroom import uses
from ibkr_trader.risk.verdict import Approved, Denied

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.cli.output import Reply
    from ibkr_trader.config import Settings
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.placing import Prepared, Wait
    from ibkr_trader.execution.scaling import Addition
    from ibkr_trader.risk.verdict import Verdict


def require_sense(face: Face, *, preview: bool) -> None:
    """Refuse a preview of a dry run: it is one, and more.

    Raises:
        UsageFault: If both are asked for.
    """
    if preview and face.dry_run:
        message = "--preview sends nothing either: give --preview or --dry-run, not both"
        raise UsageFault(message)


async def preview(
    face: Face, desk: Desk, made: Prepared | Addition, *, head: str, wait: Wait
) -> Reply:
    """Reply with the ticket of what is ready to be sent, and keep it for its minute."""
    trader, settings = desk.trader, face.settings()
    # What is denied is not worth a question; the verdict that counts is that after the answers.
    first = _verdict(desk, made)
    answers = () if isinstance(first, Denied) else await ask_broker(trader, made.command)
    contract, now = made.command.orders[0].contract, trader.clock.now()
    details = trader.outlook.details(contract.con_id)
    days: tuple[str, ...] = ()
    if details is not None:
        notes = partial(day_notes, details, ExchangeCalendar(), now, told=_early_closes(first))
        days = await asyncio.to_thread(notes)
    verdict = _verdict(desk, made)
    seen = Seen(
        command=made.command,
        quote=made.quote,
        answers=answers,
        uses=uses(made.command, trader.outlook.view()),
        warnings=verdict.warnings if isinstance(verdict, Approved) else (),
        denials=verdict.breaches if isinstance(verdict, Denied) else (),
        notes=getattr(made.group, "notes", ()),
        calendar=days,
        until=trader.clock.now() + LIFETIME,
        call=_call(face),
    )
    if not seen.denials and not any(answer.is_refused for answer in answers):
        machine = SystemClock().now()
        ticket = issue(trader, made, where=where_of(settings), wait=wait, now=machine)
        token = TokenFolder(settings.place.folder, TICKETS).keep(ticket, now=machine)
        seen = seen._replace(ticket=ticket, token=token)
    return ticket_reply(seen, head, utc=face.utc)


def where_of(settings: Settings) -> Where:
    """Return which settings a ticket belongs to."""
    return Where(profile=settings.profile.value, config=settings.config_hash)


def _verdict(desk: Desk, made: Prepared | Addition) -> Verdict:
    return desk.trader.router.preview(made.command)


def _early_closes(verdict: Verdict) -> set[datetime]:
    """The early closes of which the guard itself tells: once is enough."""
    warnings = verdict.breaches if isinstance(verdict, Denied) else verdict.warnings
    told = (one.limit for one in warnings if one.is_warning and one.check == "market_hours")
    return {datetime.fromisoformat(closes) for closes in told}


def _call(face: Face) -> str:
    """How the ticket is sent from the same desk, without the token."""
    words = ["ibkr-trader", "commit"]
    given = dict(zip(face.arguments, face.arguments[1:], strict=False))
    for option in ("--profile", "--data-dir"):
        if option in given:
            words += [option, shlex.quote(given[option])]
    return " ".join(words)
