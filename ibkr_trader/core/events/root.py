"""The root of what may happen, and why a check says no."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why a check says no, with the figures a person needs to act on it.

    One that `is_warning` denies nothing: it is told beside what was done.
    """

    check: str
    message: str
    limit: str = ""
    actual: str = ""
    headroom: str = ""
    hint: str = ""
    is_warning: bool = False


class BaseEvent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that happened at `at` (UTC)."""

    at: datetime
