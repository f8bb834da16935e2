"""Every execution in its latest revision, what each cost, and the round trips they make.

The order and the number of times in which they are heard of change nothing: the highest
revision counts, the last word on a cost, and the first moment at which something was told.
What the broker says is held is the test of it: where executions do not come to that, something
was traded that nobody told us of, and a round trip would be invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import ZERO, Contract, Fill, FillId, OrderId
from ibkr_trader.portfolio.growing import GrowingMap
from ibkr_trader.portfolio.positions import signed
from ibkr_trader.portfolio.results import RoundTrip, round_trips

_replace = msgspec.structs.replace


class Told(msgspec.Struct, frozen=True):
    """An execution in its latest revision, and when it was heard of first."""

    fill: Fill
    at: datetime


class Charge(msgspec.Struct, frozen=True):
    """A word on what an execution cost; without a currency, in that of its contract."""

    at: datetime
    commission: Decimal
    currency: str = ""


class ExecutionLedger(msgspec.Struct, frozen=True, kw_only=True):
    """What has been executed, whoever's order it was.

    Attributes:
        held: What each contract's executions come to, or what the broker said instead.
        strays: Contracts of which something is held that no execution explains: no trips are
            made of them until they are known to be flat.
        flat_since: Since when a contract is counted that had been a stray.
    """

    fills: GrowingMap[FillId, Told] = GrowingMap()
    costs: GrowingMap[str, Charge] = GrowingMap()
    held: Mapping[int, Decimal] = {}
    strays: Mapping[int, Contract] = {}
    flat_since: Mapping[int, datetime] = {}

    def filled(self, event: ev.FillEvent) -> ExecutionLedger:
        """Return the ledger with an execution, a repeat of one, or a correction."""
        fill, key = event.fill, event.fill.fill_id
        seen = self.fills.get(key)
        latest, at, before = fill, event.at, ZERO
        if seen is not None:
            latest = fill if fill.revision > seen.fill.revision else seen.fill
            at, before = min(seen.at, at), signed(seen.fill)
        con_id = fill.contract.con_id
        held = self.held.get(con_id, ZERO) + signed(latest) - before
        ledger = _replace(
            self,
            fills=self.fills.plus(key, Told(latest, at)),
            held={**self.held, con_id: held},
        )
        if fill.commission is None:
            return ledger
        return ledger.charged(key, Charge(event.at, fill.commission))

    def charged(self, fill_id: str, charge: Charge) -> ExecutionLedger:
        """Return the ledger with a word on a cost, which may come early, late or twice."""
        seen = self.costs.get(fill_id)
        if seen is not None and (seen.at, seen.commission) >= (charge.at, charge.commission):
            return self
        return _replace(self, costs=self.costs.plus(fill_id, charge))

    def synced(self, event: ev.SyncEvent) -> ExecutionLedger:
        """Return the ledger held against what the broker says is held."""
        stated = {one.contract.con_id: one for one in event.positions if one.quantity}
        strays, flat_since, held = dict(self.strays), dict(self.flat_since), dict(self.held)
        for con_id in {*stated, *held}:
            there = stated.get(con_id)
            quantity = there.quantity if there is not None else ZERO
            if held.get(con_id, ZERO) == quantity and (quantity or con_id not in strays):
                continue
            held[con_id] = quantity
            if there is not None:
                strays[con_id] = there.contract
            else:
                strays.pop(con_id, None)
                flat_since[con_id] = event.at
        return _replace(self, held=held, strays=strays, flat_since=flat_since)

    def orders(self, con_id: int) -> frozenset[OrderId]:
        """Return whose executions of a contract are known."""
        fills = (told.fill for told in self.fills.values())
        return frozenset(one.order_id for one in fills if one.contract.con_id == con_id)

    def without(self, con_id: int) -> ExecutionLedger:
        """Return the ledger without the executions of a contract, which is flat."""
        fills = self.fills.only(lambda told: told.fill.contract.con_id != con_id)
        costs = {key: cost for key, cost in self.costs.items() if key in fills}
        return _replace(self, fills=fills, costs=GrowingMap(costs))

    def cost(self, fill: Fill) -> Decimal | None:
        """Return what an execution cost, in its contract's money; None if nobody has said."""
        told = self.costs.get(fill.fill_id)
        if told is None or told.currency not in {"", fill.contract.currency}:
            return None
        return told.commission

    @property
    def trips(self) -> tuple[RoundTrip, ...]:
        """The round trips that have ended, in the order of their ends."""
        fills = (
            _replace(told.fill, commission=self.cost(told.fill))
            for told in self.fills.values()
            if self._counts(told.fill)
        )
        return round_trips(fills, self.strays)

    def _counts(self, fill: Fill) -> bool:
        start = self.flat_since.get(fill.contract.con_id)
        return start is None or fill.at >= start
