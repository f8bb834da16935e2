"""Whether a strategy stays within its own envelope: the same for the guard and for a shadow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import money
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from ibkr_trader.risk.envelope import Envelope

STRATEGY_ENVELOPE = "strategy_envelope"


class Bounds(NamedTuple):
    """The envelope of the strategy of that name; what it does not bound is never beyond it."""

    name: str
    envelope: Envelope

    def entries(self, *, sent: int, more: int) -> Breach | None:
        """Return what is wrong with `more` entries where so many were sent today."""
        most, count = self.envelope.max_entries_per_day, sent + more
        if most is None or count <= most:
            return None
        return Breach(
            check=STRATEGY_ENVELOPE,
            message=f"It would be entry {count} of the strategy {self.name} today; "
            f"its limit is {most}.",
            limit=str(most),
            actual=str(count),
            headroom=str(max(0, most - sent)),
            hint="the count begins anew at midnight in New York",
        )

    def positions(self, *, held: int, fresh: Sequence[str]) -> Breach | None:
        """Return what is wrong with being in these as well, beside so many others."""
        most, count = self.envelope.max_positions, held + len(fresh)
        if most is None or not fresh or count <= most:
            return None
        return Breach(
            check=STRATEGY_ENVELOPE,
            message=f"{', '.join(fresh)} would make {count} positions of the strategy "
            f"{self.name}, those on their way included; its limit is {most}.",
            limit=str(most),
            actual=str(count),
            headroom=str(max(0, most - held)),
            hint="it opens no other until one of them is over",
        )

    def loss(self, *, lost: Decimal) -> Breach | None:
        """Return what is wrong with opening anything after that day's loss."""
        most = self.envelope.max_daily_loss
        if most is None or lost < most:
            return None
        return Breach(
            check=STRATEGY_ENVELOPE,
            message=f"The strategy {self.name} has lost {money(lost)} today, open losses and "
            f"costs included; at {money(most)} it opens nothing more.",
            limit=number(most),
            actual=number(lost),
            headroom="0",
            hint="the day begins anew at midnight in New York",
        )

    def capital(self, *, tied: Decimal, before: Decimal) -> Breach | None:
        """Return what is wrong with tying up so much in all, where it was `before`."""
        most = self.envelope.capital
        if most is None or tied <= most:
            return None
        return Breach(
            check=STRATEGY_ENVELOPE,
            message=f"The strategy {self.name} would have {money(tied)} tied up, its entries at "
            f"their worst; its capital is {money(most)}.",
            limit=number(most),
            actual=number(tied),
            headroom=number(max(ZERO, most - before)),
        )
