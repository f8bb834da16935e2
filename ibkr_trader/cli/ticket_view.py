"""A ticket as people and scripts see it: its legs, its stakes, what it uses, and how to send it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ibkr_trader.cli.bracket_ticket import stake, worth
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.limits_view import figure
from ibkr_trader.cli.order_view import spec_document, specs_table
from ibkr_trader.cli.output import Reply, Table
from ibkr_trader.cli.remarks import document, line
from ibkr_trader.cli.wording import when
from ibkr_trader.core.text import UNKNOWN, average, broker_words, money, percent
from ibkr_trader.execution.tickets import LIFETIME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ibkr_trader.core.commands import SubmitOrders
    from ibkr_trader.core.events import Breach
    from ibkr_trader.core.models import Quote, WhatIf
    from ibkr_trader.execution.tickets import Answer, Ticket
    from ibkr_trader.risk.headroom import Use

_NEAR = Decimal("0.10")  # limits that are used by less are only counted
_EVERY_TIME = "a second"  # one command a second: it says nothing of this one


class Seen(NamedTuple):
    """Everything that a preview found out.

    Attributes:
        ticket, token: None and empty if it cannot be sent.
        until: When it expires, by the exchange's clock.
        denials: Why the checks would deny it.
        notes: What the group itself, or the calendar, has to say.
        call: How it is sent, without the token.
    """

    command: SubmitOrders
    quote: Quote | None
    answers: tuple[Answer, ...]
    uses: tuple[Use, ...]
    warnings: tuple[Breach, ...]
    denials: tuple[Breach, ...]
    notes: tuple[str, ...]
    calendar: tuple[str, ...]
    until: datetime
    call: str
    ticket: Ticket | None = None
    token: str = ""


def ticket_reply(seen: Seen, head: str, *, utc: bool) -> Reply:
    """Return the ticket; one that cannot be sent says why, and has no token."""
    refused = [answer for answer in seen.answers if answer.is_refused]
    code = Exit.DENIED if seen.denials else Exit.REJECTED if refused else Exit.DONE
    would = "would be sent" if code is Exit.DONE else "would not be sent"
    specs = seen.command.orders
    blocks: list[str | Table] = [f"{head}  {would}", specs_table(specs), *_stakes(seen)]
    blocks += [_said(answer) for answer in seen.answers]
    if seen.uses:
        blocks += _limits(seen.uses)
    blocks += seen.notes
    blocks += [f"note: {text}" for text in seen.calendar]
    blocks += [line(one) for one in seen.warnings]
    blocks += [f"denied: {one.check}: {one.message}" for one in seen.denials]
    blocks += [f"  fix: {hint}" for hint in dict.fromkeys(one.hint for one in seen.denials) if hint]
    blocks += list(_ending(seen, utc=utc))
    return Reply(schema="ticket/1", data=_document(seen), blocks=blocks, exit=code)


def _ending(seen: Seen, *, utc: bool) -> Iterator[str]:
    if not seen.token:
        yield "Nothing was sent, and there is no ticket."
        return
    seconds = f"{LIFETIME.total_seconds():.0f} s"
    yield f"Nothing was sent. This is good for {seconds}, until {when(seen.until, utc=utc)}:"
    yield f"  {seen.call} {seen.token}"


def _paid(seen: Seen) -> Decimal | None:
    mark = seen.quote.mark if seen.quote is not None else None
    return seen.command.orders[0].limit_price or mark


def _stakes(seen: Seen) -> Iterator[str]:
    specs, paid = seen.command.orders, _paid(seen)
    yield from worth(specs, paid)
    known = stake(specs, paid)
    if known is None:
        return
    currency = specs[0].contract.currency
    best = f", {money(known.gain, currency, signed=True)} at best" if known.gain is not None else ""
    ratio = f", reward to risk {average(known.ratio)}" if known.ratio is not None else ""
    yield f"If it stops where it should: {money(known.loss, currency, signed=True)}{best}{ratio}"


def _said(answer: Answer) -> str:
    """What the broker says of one order."""
    if answer.is_refused:
        words = broker_words(answer.words) or "it gave no reason"
        return f"refused: {answer.order_id} would be rejected by the broker: {answer.code} {words}"
    if answer.what_if is None:
        return f"note: The broker does not say what {answer.order_id} would cost: {answer.words}"
    told = answer.what_if
    change, after = told.initial_margin_change, told.initial_margin
    text = (
        f"Margin {money(change, signed=True)}, to {money(after)} of {money(told.equity_with_loan)}"
        f"; commission {_commission(told)}  ({answer.order_id}, by the broker)"
    )
    return text + (f". {told.warning}" if told.warning else "")


def _commission(told: WhatIf) -> str:
    currency = told.commission_currency
    if told.commission is not None:
        return money(told.commission, currency)
    if told.min_commission is None and told.max_commission is None:
        return UNKNOWN
    return f"{money(told.min_commission)} to {money(told.max_commission, currency)}"


def _limits(uses: tuple[Use, ...]) -> list[str | Table]:
    """The limits that the order comes near to; of the others only how many there are."""
    near = tuple(
        use
        for use in uses
        if use.subject != _EVERY_TIME and (use.limit is None or use.after >= use.limit * _NEAR)
    )
    left = len(uses) - len(near)
    blocks: list[str | Table] = [_table(near)] if near else []
    if left:
        more, are = ("more " if near else ""), ("limit is" if left == 1 else "limits are")
        blocks.append(f"{left} {more}{are} used by less than {percent(_NEAR)}: --json has all")
    return blocks


def _table(uses: tuple[Use, ...]) -> Table:
    names = Counter((use.check, use.subject) for use in uses)
    rows = tuple(
        (
            # What a check says twice of one subject is told apart by its note.
            " ".join(
                part
                for part in (use.check, use.subject, use.note * (names[use.check, use.subject] > 1))
                if part
            ),
            figure(use.before, use.unit),
            figure(use.after, use.unit),
            figure(use.limit, use.unit),
            percent(use.after / use.limit, digits=0) if use.limit else "",
        )
        for use in uses
    )
    heads, right = ("LIMIT", "NOW", "AFTER", "OF", "IN USE"), frozenset({"NOW", "AFTER", "OF"})
    return Table(heads, rows, right, spare=("NOW",), bars=frozenset({"IN USE"}))


def _document(seen: Seen) -> dict[str, Any]:
    known, paid = stake(seen.command.orders, _paid(seen)), _paid(seen)
    return {
        "sent": False,
        "token": seen.token or None,
        "expires_at": seen.ticket.expires_at if seen.ticket is not None else None,
        "commit": f"{seen.call} {seen.token}" if seen.token else None,
        "group": seen.command.group_id,
        "kind": seen.command.kind,
        "orders": [spec_document(spec) for spec in seen.command.orders],
        "price": paid,
        "loss": known.loss if known is not None else None,
        "gain": known.gain if known is not None else None,
        "reward_to_risk": known.ratio if known is not None else None,
        "what_if": [_answer(answer) for answer in seen.answers],
        "limits": [
            msgspec.structs.asdict(use) | {"unit": use.unit.name.lower()} for use in seen.uses
        ],
        "warnings": [document(one) for one in seen.warnings],
        "calendar": list(seen.calendar),
        "notes": list(seen.notes),
        "denials": [document(one) for one in seen.denials],
    }


def _answer(answer: Answer) -> dict[str, Any]:
    told = msgspec.structs.asdict(answer.what_if) if answer.what_if is not None else {}
    return {
        "id": answer.order_id,
        **told,
        "refused": {"code": answer.code, "reason": answer.words} if answer.is_refused else None,
        "unanswered": answer.words if answer.what_if is None and not answer.is_refused else None,
    }
