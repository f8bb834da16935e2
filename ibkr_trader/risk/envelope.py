"""How far a strategy may go: the bounds that its own file sets, within those of the account."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """How far a strategy may go, whatever the account allows; None is no limit of its own.

    Attributes:
        capital: What its positions and entries may be worth together.
        max_positions: How many symbols it may be in at once.
        max_daily_loss: What it may lose in a day, open losses included, before it opens no more.
        max_entries_per_day: How many entries it may send.
    """

    capital: Decimal | None = None
    max_positions: int | None = None
    max_daily_loss: Decimal | None = None
    max_entries_per_day: int | None = None
