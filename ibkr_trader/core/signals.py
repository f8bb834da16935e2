"""A signal on its way in: what a source hands over, and what it is told.

A source turns whatever its producer sends into one of three claims. Nothing has judged them
yet: `rules/admission.py` does. The reply is given once the journal has the decision, so a
source that acknowledges after it loses nothing, and one that repeats itself is told that the
signal was seen before.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from ibkr_trader.core.enums import Outcome, SignalAction

# Why a signal is refused, where a source says so, or goes by it; `rules/admission.py` has all.
MALFORMED = "malformed"
FORGED = "forged"
UNSIGNED = "unsigned"
POISON = "poison"
DUPLICATE = "duplicate"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction, as somebody claims it.

    Attributes:
        source: The source's name; with `signal_id` it names the signal for good.
        signal_id: The producer's own name for it, or one made from its content; empty for one
            that stands.
        action: What is wished: see `SignalAction`.
        confidence: From 0 to 1.
        price: What the producer saw, if it says so.
        issued_at: When the producer made it (UTC), if it says so.
        sequence: Its number, where the source counts.
        is_signed: Its signature was checked, and is good.
        grace: How much older it may be than others, because its source can only ask now and
            then.
        is_standing: It has neither name nor time: it is what its producer thinks at present, and
            the same one for as long as that does not change.
    """

    source: str
    signal_id: str
    ticker: str
    action: SignalAction
    confidence: Decimal
    price: Decimal | None = None
    issued_at: datetime | None = None
    sequence: int | None = None
    is_signed: bool = False
    grace: timedelta = timedelta(0)
    is_standing: bool = False


class FlowClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A measure of the options flow that crossed its threshold, as somebody claims it.

    The fields are those of `Claim`; `measure` is `trades`, `divergence` or the like.
    """

    source: str
    signal_id: str
    ticker: str
    measure: str
    value: Decimal
    threshold: Decimal
    issued_at: datetime | None = None
    sequence: int | None = None
    is_signed: bool = False
    grace: timedelta = timedelta(0)


class Malformed(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is no signal: `message` says why, `excerpt` shows its beginning."""

    source: str
    message: str
    excerpt: str = ""
    signal_id: str = ""
    code: str = MALFORMED


class SeenSignal(msgspec.Struct, frozen=True, kw_only=True):
    """A signal that was taken, and until when it must be known again."""

    source: str
    signal_id: str
    until: datetime


class StandingSignal(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction that stands, as it was taken last.

    `acted` once something was done about it; `failed` is an exit that did not come about.
    """

    source: str
    ticker: str
    signal: str
    confidence: Decimal
    at: datetime
    acted: bool = False
    failed: bool = False


Incoming = Claim | FlowClaim | Malformed


def is_exit(incoming: Incoming) -> bool:
    """Whether all that is wished is to be out of something."""
    return isinstance(incoming, Claim) and incoming.action.is_exit


class SignalReply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a signal, once that is in the journal.

    Attributes:
        outcome: See `Outcome`.
        code: Why it was refused, by the reason's name; empty if it was taken.
        reasons: The same in words, and whatever its rules had to say.
        decisions: What was decided because of it, by id.
        is_final: Nothing will be different if it is handed over again. False asks the source
            to keep it: we could not write it down.
    """

    outcome: Outcome
    code: str = ""
    reasons: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    is_final: bool = True
