"""Days at random under a tight limit of loss: near it, nothing opening goes out.

What is lost is what the exchange's own books say, at each of its pulses; the trader is given a
moment to hear of it. What he does about orders that are out already is another matter.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest

from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.sim.orders import OrderTerms
from tests.invariants.days import Day
from tests.invariants.world import LIMITS, US, WatchedExchange, World

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.sim.events import SimEvent

LIMIT = Decimal(200)
SHARE = Decimal("0.20")  # from there on nothing is opened, long before the halt hides it
REDUCING = LIMIT * SHARE + 5  # our estimate of prices and costs may be off by as much
NOTICE = timedelta(seconds=2)
# Of three hundred days in a row those on which the check of losses, had it judged nothing, would
# have let an opening through. On most others nothing much is lost, or nobody opens anything then.
DAYS = ((5038, 5077, 5114, 5121, 5161), (5140, 5148, 5183, 5291))
_EXITS = ("stop", "target", "close", "cover", "flat")


class Opening(NamedTuple):
    """A frame that could lead further from flat, and when it came."""

    at: datetime
    ref: str


class LosingExchange(WatchedExchange):
    """An exchange that also remembers what the account had lost at each moment."""

    def begin(self) -> None:
        """Start remembering."""
        super().begin()
        self.lost: list[tuple[datetime, Decimal]] = []
        self.openings: list[Opening] = []

    def advance(self, now: datetime) -> list[SimEvent]:
        """Let time pass, and note what is lost."""
        found = super().advance(now)
        self.lost.append((now, -self.account.pnl().daily))
        return found

    def place(
        self, client_id: int, order_id: int, *, terms: OrderTerms, now: datetime
    ) -> list[SimEvent]:
        """Note what opens something of ours."""
        known = {order.key.order_id for order in self.orders.working() if order.key.client_id == US}
        position = self.account.positions.get(terms.con_id)
        held = position.quantity if position is not None else Decimal(0)
        sign = 1 if terms.action == "BUY" else -1
        is_exit = terms.parent_id or any(word in terms.order_ref for word in _EXITS)
        if client_id == US and order_id not in known and held * sign >= 0 and not is_exit:
            self.openings.append(Opening(now, terms.order_ref))
        return super().place(client_id, order_id, terms=terms, now=now)


class LosingWorld(World):
    """A world in which little may be lost."""

    limits = msgspec.structs.replace(
        LIMITS, max_daily_loss=LIMIT, loss_reducing=SHARE, loss_warning=SHARE / 2
    )
    kind = LosingExchange

    @property
    def floor(self) -> LosingExchange:
        """Its exchange."""
        assert isinstance(self.exchange, LosingExchange)
        return self.exchange

    @property
    def offences(self) -> list[str]:
        """The openings that came while too much had been lost for longer than a notice takes."""
        return [
            f"{one.at} {one.ref} came at a loss of {least:f}"
            for one in self.floor.openings
            if (least := self._least(one.at)) is not None and least >= REDUCING
        ]

    def _least(self, at: datetime) -> Decimal | None:
        """The least that was lost at any moment of the last while; None if none is on record."""
        there = [lost for when, lost in self.floor.lost if at - NOTICE <= when <= at]
        return min(there, default=None)


def lived(seed: int) -> tuple[Day, LosingWorld, list[str]]:
    day = Day(seed, LosingWorld)
    found = day.run()
    assert isinstance(day.world, LosingWorld)
    return day, day.world, found


@pytest.mark.parametrize("seeds", DAYS)
def test_nothing_is_opened_when_too_much_is_lost(seeds: tuple[int, ...]) -> None:
    reached = refused = 0
    for seed in seeds:
        day, world, found = lived(seed)
        found += world.offences
        assert not found, "\n".join([f"seed {seed}", *day.record, *found])
        reached += any(lost >= REDUCING for _, lost in world.floor.lost)
        refused += sum(
            any(breach.check == "daily_loss" for breach in one.breaches)
            for one in world.failures
            if isinstance(one, RiskCheckError)
        )
    # Days on which nothing is lost would prove nothing: other ones are to be looked for then.
    assert reached > len(seeds) / 2
    assert refused > len(seeds) / 2
