"""Whether a signal is taken: who sent it, whether it is new, how old it is, what it wishes.

A signal that is taken once is never taken again. `judge` looks at nothing but the claim, what
was taken before, the policy and the time. Refusals are values with a name, so that a producer
can be told and a dead letter can say why.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.signals import (
    DUPLICATE,
    FORGED,
    MALFORMED,
    POISON,
    UNSIGNED,
    Claim,
    Malformed,
    is_exit,
)

if TYPE_CHECKING:
    from ibkr_trader.core.signals import FlowClaim, Incoming
    from ibkr_trader.rules.signal_memory import SignalMemory

OLDEST = timedelta(hours=1)  # a memory of twice that is kept: see `signal_memory.DATED_FOR`
MOST_AHEAD = timedelta(minutes=1)
MOST_PER_MINUTE = 600
BUSY = "busy"
RESTING = "resting"
TOO_MANY = "too_many"
UNAVAILABLE = "unavailable"
UNDATED = "undated"
UNKNOWN_SYMBOL = "unknown_symbol"
PASSING = frozenset({BUSY, RESTING, UNAVAILABLE})  # in a moment it may be another answer


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """What a signal must be like.

    Attributes:
        max_age: How old it may be when it comes, by its producer's own time.
        max_ahead: How far that time may lie in the future: clocks differ.
        confidence_min: The least confidence that reaches a rule; each rule may want more.
        per_minute: How many are taken of one source within a minute; of those that only end a
            position, 600.
        symbols: Those that may be named; None is any.
        needs_signature: Whether an unsigned one is refused: with real money it is.
        needs_time: Whether one is refused whose producer does not say when it was made.
    """

    max_age: timedelta = timedelta(seconds=30)
    max_ahead: timedelta = timedelta(seconds=2)
    confidence_min: Decimal = Decimal("0.75")
    per_minute: int = 10
    symbols: frozenset[str] | None = None
    needs_signature: bool = False
    needs_time: bool = False

    def oldest(self, grace: timedelta) -> timedelta:
        """Return how old a signal of that grace may be."""
        return min(OLDEST, self.max_age + max(timedelta(0), grace))

    def __post_init__(self) -> None:
        if not timedelta(0) < self.max_age <= OLDEST:
            raise ValueError(f"max_age must be above 0 and at most {OLDEST.total_seconds():.0f} s")
        if not timedelta(0) <= self.max_ahead <= MOST_AHEAD:
            raise ValueError(f"max_ahead must be from 0 to {MOST_AHEAD.total_seconds():.0f} s")
        if not (self.confidence_min.is_finite() and 0 <= self.confidence_min <= 1):
            raise ValueError("confidence_min must be from 0 to 1")
        if not 0 < self.per_minute <= MOST_PER_MINUTE:
            raise ValueError(f"per_minute must be from 1 to {MOST_PER_MINUTE}")


class Refusal(msgspec.Struct, frozen=True):
    """Why a signal is not taken: the reason's name, and the reason in words."""

    code: str
    message: str


def judge(
    claim: Incoming,
    memory: SignalMemory,
    policy: Admission,
    *,
    now: datetime,
    ours_since: datetime | None = None,
) -> Refusal | None:
    """Return why `claim` is not taken, or None if it is.

    Whether it was taken comes first: to a source that repeats itself, nothing else matters.

    Args:
        claim: The signal.
        memory: What was taken before.
        policy: What a signal must be like.
        now: The time.
        ours_since: Since when the account is ours to trade, if others traded it before: they may
            have acted on what was made by then, and nothing here knows of that.
    """
    if isinstance(claim, Malformed):
        return Refusal(claim.code, claim.message)
    if repeated := _repeated(claim, memory, now):
        return Refusal(DUPLICATE, repeated)
    return (
        _resting(claim, memory, now)
        or _stranger(claim, policy)
        or _before_us(claim, policy, ours_since)
        or _late(claim, policy, now)
        or _out_of_order(claim, memory)
        or _doubtful(claim, policy)
        or _flood(claim, memory, policy, now=now)
    )


def _repeated(claim: Claim | FlowClaim, memory: SignalMemory, now: datetime) -> str:
    if isinstance(claim, Claim) and claim.is_standing:
        if not memory.stands(claim, now):
            return ""
        return f"{claim.source} thinks of {claim.ticker} what it thought before: {claim.action}"
    if not memory.knows(claim.source, claim.signal_id):
        return ""
    return f"signal {claim.signal_id} of {claim.source} was taken before"


def _resting(claim: Claim | FlowClaim, memory: SignalMemory, now: datetime) -> Refusal | None:
    if not (isinstance(claim, Claim) and claim.is_standing and memory.rests(claim, now)):
        return None
    return Refusal(RESTING, f"the exit of {claim.ticker} has just failed; it is tried again soon")


def _stranger(claim: Claim | FlowClaim, policy: Admission) -> Refusal | None:
    if policy.needs_signature and not claim.is_signed:
        return Refusal(UNSIGNED, f"{claim.source} did not sign it, and here it must")
    if policy.symbols is not None and claim.ticker not in policy.symbols:
        message = f"{claim.ticker} is no symbol that a strategy or [signals] symbols names"
        return Refusal(UNKNOWN_SYMBOL, message)
    return None


def _before_us(
    claim: Claim | FlowClaim, policy: Admission, since: datetime | None
) -> Refusal | None:
    if since is None:
        return None
    if claim.issued_at is None:
        return Refusal(UNDATED, "others may have acted on it: it does not say when it was made")
    # A producer's clock may be so far ahead: by ours it may have been made that much sooner.
    if claim.issued_at >= since + policy.max_ahead:
        return None
    early = _seconds(since + policy.max_ahead - claim.issued_at)
    message = f"it is {early} too old: whoever traded this account before may have acted on it"
    return Refusal("before_us", message)


def _late(claim: Claim | FlowClaim, policy: Admission, now: datetime) -> Refusal | None:
    if claim.issued_at is None:
        if policy.needs_time:
            return Refusal(UNDATED, f"{claim.source} does not say when it was made")
        return None
    age, most = now - claim.issued_at, policy.oldest(claim.grace)
    if age > most:
        return Refusal("stale", f"it is {_seconds(age)} old; {_seconds(most)} is the most")
    if -age > policy.max_ahead:
        return Refusal("future", f"its time lies {_seconds(-age)} ahead of ours: a clock is wrong")
    return None


def _out_of_order(claim: Claim | FlowClaim, memory: SignalMemory) -> Refusal | None:
    last = memory.sequences.get(claim.source)
    if claim.sequence is None or last is None or claim.sequence > last:
        return None
    message = f"it is number {claim.sequence} of {claim.source}, and {last} was taken before"
    return Refusal("out_of_order", message)


def _doubtful(claim: Claim | FlowClaim, policy: Admission) -> Refusal | None:
    if not isinstance(claim, Claim):
        return None
    if not (claim.confidence.is_finite() and 0 <= claim.confidence <= 1):
        return Refusal(MALFORMED, f"its confidence is {claim.confidence}, and not from 0 to 1")
    if claim.confidence >= policy.confidence_min:
        return None
    message = f"its confidence is {claim.confidence}, and {policy.confidence_min} is the least"
    return Refusal("low_confidence", message)


def _flood(
    claim: Claim | FlowClaim, memory: SignalMemory, policy: Admission, *, now: datetime
) -> Refusal | None:
    # What only ends a position does not stand in line with what opens one.
    leaves = is_exit(claim)
    most = MOST_PER_MINUTE if leaves else policy.per_minute
    if memory.taken_lately(claim.source, now, exits=leaves) < most:
        return None
    message = f"{claim.source} has had {most} signals taken within a minute"
    return Refusal(TOO_MANY, message)


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.1f} s"


REASONS: Mapping[str, str] = {
    MALFORMED: "it is no signal",
    FORGED: "its signature is wrong",
    UNSIGNED: "it is not signed, and here it must be",
    POISON: "it was delivered again and again, and never finished",
    DUPLICATE: "it was taken before",
    UNKNOWN_SYMBOL: "nothing here trades its symbol",
    UNDATED: "it does not say when it was made",
    "stale": "it is too old",
    "before_us": "it was made before the account was ours to trade",
    "future": "it claims to be from the future",
    "out_of_order": "a later one of its source was taken before",
    "low_confidence": "it is not confident enough",
    TOO_MANY: "too many of its source come within a minute",
    UNAVAILABLE: "nobody could be asked about its symbol",
    BUSY: "too many of its symbol wait for their turn",
    RESTING: "an exit that stands has just failed, and is tried again a minute later",
}
"""Every reason for which a signal is refused, by name."""
