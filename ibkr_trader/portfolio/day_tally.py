"""A contract's executions of one day, added up, so that one more costs a step and no recount.

What comes later than everything counted is added; a commission that the broker states takes the
place of its estimate. Anything else (a correction, an execution heard of late, another beginning)
is for a new count.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.models import ZERO, Fill, FillId, Position
from ibkr_trader.portfolio.positions import Book, place, signed, traded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

_LEAST_COMMISSION = Decimal(1)  # of an execution, before the broker has stated any
_USUAL_RATE = Decimal("0.005")  # a unit


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What executions have cost.

    Attributes:
        stated: Commissions that the broker has stated, together.
        charged: The units they are for.
        awaited: Units whose commission is yet to be stated.
        usual: What those cost at a usual rate.
    """

    stated: Decimal = ZERO
    charged: Decimal = ZERO
    awaited: Decimal = ZERO
    usual: Decimal = ZERO

    @property
    def estimated(self) -> Decimal:
        """What the broker has yet to state: as dear a unit as what it has stated."""
        return self._estimate(self.awaited, usual=self.usual)

    def of(self, fill: Fill) -> Decimal:
        """Return what one of the executions has cost, estimated if need be."""
        if fill.commission is not None:
            return fill.commission
        return self._estimate(fill.quantity, usual=_usual(fill))

    def _estimate(self, quantity: Decimal, *, usual: Decimal) -> Decimal:
        return self.stated * quantity / self.charged if self.charged else usual

    def plus(self, fill: Fill, times: int = 1) -> Costs:
        """Return the costs with an execution more, or with -1 `times`, less."""
        quantity = fill.quantity * times
        if fill.commission is not None:
            return Costs(
                stated=self.stated + fill.commission * times,
                charged=self.charged + quantity,
                awaited=self.awaited,
                usual=self.usual,
            )
        return Costs(
            stated=self.stated,
            charged=self.charged,
            awaited=self.awaited + quantity,
            usual=self.usual + _usual(fill) * times,
        )


class DayTally(msgspec.Struct, frozen=True, kw_only=True):
    """A day of one ledger.

    Attributes:
        book: The ledger that is counted, from before the day began.
        since: When the day began.
        base: What was held then, at its cost.
        began: The same, at the price that it is counted from.
        held: What is held now, counted from there.
        costs: What trading has cost.
        traded: Units bought and sold.
        executions: How many there were.
    """

    book: Book
    since: datetime
    base: Position
    began: Position
    held: Position
    costs: Costs = Costs()
    traded: Decimal = ZERO
    executions: int = 0

    @classmethod
    def of(cls, book: Book, *, since: datetime, base: Position, began: Position) -> DayTally:
        """Return the count of what `book` has from `since` on."""
        fills = sorted((fill for fill in book.fills.values() if fill.at >= since), key=place)
        return _told(cls(book=book, since=since, base=base, began=began, held=began), fills)

    def after(self, book: Book) -> DayTally | None:
        """Return the count of a later `book`; None if it is not this one and something more."""
        before = self.book
        news = book.fills.since(before.fills) if book.base is before.base else None
        if news is None:
            return None
        costs, added = self.costs, []
        for old, new in news:
            if old is None:
                added.append(new)
            elif not _is_only_charged(old, new):
                return None
            elif new.at >= self.since:
                costs = costs.plus(old, -1).plus(new)
        added.sort(key=place)
        late = (self.since, "") if before.newest is None else max(before.newest, (self.since, ""))
        if added and place(added[0]) < late:
            return None
        return _told(msgspec.structs.replace(self, book=book, costs=costs), added)


def fill_costs(fills: Iterable[Fill]) -> dict[FillId, Decimal]:
    """Return what each of a contract's executions of one day has cost, estimated if need be."""
    known, costs = tuple(fills), Costs()
    for fill in known:
        costs = costs.plus(fill)
    return {fill.fill_id: costs.of(fill) for fill in known}


def _usual(fill: Fill) -> Decimal:
    """What an execution costs as a rule: for when the broker has stated none at all."""
    return max(_LEAST_COMMISSION, fill.quantity * _USUAL_RATE) if fill.quantity else ZERO


def _is_only_charged(old: Fill, new: Fill) -> bool:
    """Whether nothing but what it has cost was learned of an execution."""
    return old == msgspec.structs.replace(
        new, commission=old.commission, realized_pnl=old.realized_pnl
    )


def _told(tally: DayTally, fills: Sequence[Fill]) -> DayTally:
    """The count with `fills`, in the order of their times."""
    held, costs, units = tally.held, tally.costs, tally.traded
    for fill in fills:
        held, costs = traded(held, signed(fill), fill.price), costs.plus(fill)
        units += fill.quantity
    count = tally.executions + len(fills)
    return msgspec.structs.replace(tally, held=held, costs=costs, traded=units, executions=count)
