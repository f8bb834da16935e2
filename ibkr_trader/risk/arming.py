"""Whether a live desk may open anything: it is armed by a person, for a time, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

_IS_NOW, _WAS = "The desk is ", "the desk was "
_HOW = "ibkr-trader arm"
_HOW_LIVE = "at a terminal: ibkr-trader arm --profile live"


class Lack(msgspec.Struct, frozen=True):
    """One condition that is not met, and what to do about it."""

    message: str
    hint: str = ""


class Arming(msgspec.Struct, frozen=True, kw_only=True):
    """Whether openings may go out, as far as arming is concerned.

    Only a live desk has to be armed; sim and paper are armed from the start.

    Attributes:
        is_live: Whether real money is at stake.
        until: When the armed time ends, by the desk's clock; None without one.
        reason: Why it is not armed, in plain words.
        is_disarmed: Somebody has disarmed it, live or not.
        lacks: What else is missing before it could be armed.
    """

    is_live: bool = False
    until: datetime | None = None
    reason: str = ""
    is_disarmed: bool = False
    lacks: tuple[Lack, ...] = ()

    def is_armed(self, now: datetime) -> bool:
        """Whether openings may go out at `now`."""
        if self.is_disarmed or self.lacks:
            return False
        return not self.is_live or (self.until is not None and now < self.until)

    def missing(self, now: datetime) -> Iterator[Lack]:
        """Yield everything that keeps the desk from being armed at `now`, at once."""
        yield from self.lacks
        is_over = self.until is not None and self.until <= now
        if is_over or self.until is None or self.is_disarmed:
            why = self.reason or ("the armed time is over" if is_over else "nobody has armed it")
            name, how = ("The live desk", _HOW_LIVE) if self.is_live else ("The desk", _HOW)
            if any(one.message == why for one in self.lacks):
                yield Lack(f"{name} is not armed any more", how)
            else:  # what has ended it may well be over by now
                yield Lack(f"{name} is not armed ({why.replace(_IS_NOW, _WAS)})", how)
