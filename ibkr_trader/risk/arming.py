"""Whether a live desk may open anything: it is armed by a person, for a time, or not at all."""

from __future__ import annotations

from datetime import datetime

import msgspec


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
