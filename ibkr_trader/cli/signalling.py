"""`signal send`: a signal that a person hands over, through the same door as every other."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.core.enums import Outcome, SignalAction
from ibkr_trader.core.errors import WHAT_BECAME_OF_IT
from ibkr_trader.core.signals import DUPLICATE, Claim
from ibkr_trader.core.text import quantity

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.signals import SignalReply

SOURCE = "cli"
_NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_FIGURE = re.compile(r"(0|1|0?\.[0-9]{1,9}|1\.0{1,9}|0\.[0-9]{1,9})")
_EXITS = {
    Outcome.ACTED: Exit.DONE,
    Outcome.NOTHING: Exit.DONE,
    Outcome.REFUSED: Exit.DENIED,
    Outcome.FAILED: Exit.INCOMPLETE,
    Outcome.UNKNOWN: Exit.UNKNOWN,
}
_WORDS = {
    Outcome.ACTED: "done",
    Outcome.NOTHING: "nothing to do",
    Outcome.REFUSED: "refused",
    Outcome.FAILED: "failed",
    Outcome.UNKNOWN: "nobody knows what came of it",
}


class Wished(msgspec.Struct, frozen=True, kw_only=True):
    """A signal as it was typed; without an id it gets one that was never used."""

    symbol: str
    action: SignalAction
    confidence: Decimal
    price: Decimal | None = None
    signal_id: str = ""


def confidence(text: str) -> Decimal:
    """Read a confidence.

    Raises:
        UsageFault: If it is no figure from 0 to 1.
    """
    stripped = text.strip()
    if not (stripped.isascii() and _FIGURE.fullmatch(stripped)):
        message = f"--confidence {text!r} must be a figure from 0 to 1"
        raise UsageFault(message, option="--confidence", typed=text, better="0.9")
    return Decimal(stripped)


def name(text: str) -> str:
    """Read a signal's name; empty is none.

    Raises:
        UsageFault: If it has other characters than a name, or too many.
    """
    if text and not _NAME.fullmatch(text):
        message = f"--id {text!r} must have 1 to 64 letters, digits and . _ : -"
        raise UsageFault(message, option="--id", typed=text, better="desk-2026-11-20-1")
    return text


async def send(face: Face, wish: Wished) -> output.Reply:
    """Hand the signal over, and reply with what came of it.

    Raises:
        UsageFault: If no trader runs here that takes signals.
    """
    if face.desk is None or face.desk.trader.strategist is None:
        message = "no trader runs here, and signals are for its strategies"
        raise UsageFault(message, hint="ibkr-trader run --strategy FILE")
    async with desk_for(face) as desk:
        trader, strategist = desk.trader, face.desk.trader.strategist
        claim = Claim(
            source=SOURCE,
            # Two typed at once are two, and what is taken is a record more: so this never comes
            # twice, in this process or in another.
            signal_id=wish.signal_id
            or f"{trader.new_group_id()}.{trader.journal.state.last_record}",
            ticker=wish.symbol,
            action=wish.action,
            confidence=wish.confidence,
            price=wish.price,
            issued_at=trader.clock.now(),
            is_signed=True,  # it came through a door that only this user can open
        )
        reply = await strategist.signals.take(claim)
        head = title(face.settings(), desk)
        return output.Reply(
            schema="signal/1",
            data=_document(claim, reply),
            blocks=_blocks(head, claim, reply),
            exit=Exit.DONE if reply.code == DUPLICATE else _EXITS[reply.outcome],
        )


def _document(claim: Claim, reply: SignalReply) -> dict[str, object]:
    return {
        "signal": {"source": claim.source, "id": claim.signal_id, "symbol": claim.ticker},
        "outcome": reply.outcome.value.lower(),
        "code": reply.code,
        "reasons": list(reply.reasons),
        "decisions": list(reply.decisions),
    }


def _blocks(head: str, claim: Claim, reply: SignalReply) -> list[str | output.Table]:
    what = f"signal {claim.action} {claim.ticker}, confidence {quantity(claim.confidence)}"
    outcome = _WORDS[Outcome.NOTHING if reply.code == DUPLICATE else reply.outcome]
    lines: list[str | output.Table] = [f"{head}  {what}: {outcome}"]
    lines += [f"  {reason}" for reason in reply.reasons]
    if reply.outcome is Outcome.UNKNOWN:
        lines.append(f"Do not send it again. Next: {WHAT_BECAME_OF_IT}")
    return lines
