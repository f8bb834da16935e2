"""What the exchange saw during a drill: how long something was naked, or had too many exits."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.drills.judges import Wish, exits_and_room, openings, sent_twice, stopped

if TYPE_CHECKING:
    from ibkr_trader.drills.still_gateway import StillGateway

_NONE = timedelta(0)


class Stretch(msgspec.Struct):
    """How long something was so: at the longest stretch, now, and in all."""

    longest: timedelta = _NONE
    now: timedelta = _NONE
    total: timedelta = _NONE

    def add(self, span: timedelta, *, is_so: bool) -> None:
        """Count a span of time in which it was so, or was not."""
        if not is_so:
            self.now = _NONE
            return
        self.now += span
        self.total += span
        self.longest = max(self.longest, self.now)


class Evidence:
    """Looks at the exchange's books at the end of each moment, before time goes on.

    Attributes:
        naked: The time in which something was held without its full stop.
        surplus: The time in which exits could trade more than there was to end.
        asked: What the story has asked to open, and how often.
    """

    def __init__(self, gateway: StillGateway) -> None:
        self._gateway = gateway
        self.naked, self.surplus = Stretch(), Stretch()
        self.asked: Counter[Wish] = Counter()
        self._worth = self.worth
        gateway.on_instant = self.look

    @property
    def worth(self) -> Decimal:
        """What the account is worth at the market."""
        return self._gateway.exchange.account.totals().net_liquidation

    @property
    def profit(self) -> Decimal:
        """What the account has gained since the beginning, costs included."""
        return self.worth - self._worth

    def look(self, seconds: float) -> None:
        """Count how things stand for so many seconds, which are about to pass."""
        ledger, span = self._gateway.ledger, timedelta(seconds=seconds)
        held = ledger.positions()
        traded = set(held) | {order.terms.con_id for order in ledger.live()}
        is_naked = any(stopped(ledger, one) < abs(held[one]) for one in held)
        pairs = [exits_and_room(ledger, one) for one in traded]
        self.naked.add(span, is_so=is_naked)
        self.surplus.add(span, is_so=any(worst > room for worst, room in pairs))

    def duplicates(self) -> int:
        """Return how many orders went out once too often: under two numbers, or for one wish."""
        twice = sum(len(keys) - 1 for keys in sent_twice(self._gateway.wire).values())
        sent = openings(self._gateway.wire)
        return twice + sum(max(0, n - max(1, self.asked[wish])) for wish, n in sent.items())
