"""What is held, by executions alone: average cost, long and short, realised profit.

A `Book` is one contract's ledger: what was held at its beginning, and every execution
since, each in its latest revision. The outcome does not depend on the order in which the
executions were heard of: they count in the order of their times.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.ids import FOREIGN
from ibkr_trader.core.models import ZERO, Contract, Fill, FillId, Position
from ibkr_trader.portfolio.growing import GrowingMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from ibkr_trader.portfolio.state import PortfolioState

_FOREIGN = f"{FOREIGN}-"


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """One contract's ledger.

    Attributes:
        base: What was held before the first of `fills`; its realised profit is zero.
        position: What is held now, perhaps nothing; `realized_pnl` is since `base`.
        fills: The executions since, latest revisions.
        newest: The time and id of the execution that comes last.
        is_mixed: Some of them may be of orders that are not ours.
        opened: How much of the base orders of ours have opened.
    """

    base: Position
    position: Position
    fills: GrowingMap[FillId, Fill] = GrowingMap()
    newest: tuple[datetime, FillId] | None = None
    is_mixed: bool = False
    opened: Decimal = ZERO

    @classmethod
    def open(cls, account: str, contract: Contract) -> Book:
        """Return the empty ledger of a contract."""
        flat = Position(account=account, contract=contract, quantity=ZERO, average_cost=ZERO)
        return cls(base=flat, position=flat)

    @classmethod
    def of(cls, held: Position, fills: Iterable[Fill] = (), *, instead: Book | None = None) -> Book:
        """Return the ledger that ends at `held` after `fills`; the base is worked out.

        Where the fills do not tell what the base had cost, `held`'s average is taken. What was
        ours of the ledger it stands `instead` of is ours, as far as the base goes.
        """
        known = tuple(sorted(fills, key=place))
        quantity = held.quantity - sum((signed(fill) for fill in known), ZERO)
        base = msgspec.structs.replace(
            held,
            quantity=quantity,
            average_cost=_cost_before(held, known) if quantity else ZERO,
            realized_pnl=ZERO,
        )
        opened = ZERO
        if instead is not None and instead.base.quantity * quantity > 0:
            opened = min(instead.opened, abs(quantity))
        return _told(base, GrowingMap({fill.fill_id: fill for fill in known}), opened=opened)

    @classmethod
    def on(cls, base: Position, fills: Iterable[Fill]) -> Book:
        """Return the ledger that leads from `base` over `fills`."""
        return _told(base, GrowingMap({fill.fill_id: fill for fill in fills}), opened=ZERO)

    def after(self, fill: Fill) -> Book:
        """Return the ledger with an execution, or with its later revision, in its place."""
        where = place(fill)
        fills = self.fills.plus(fill.fill_id, fill)
        is_known = len(fills) == len(self.fills)
        if is_known or (self.newest is not None and where < self.newest):
            return _told(self.base, fills, opened=self.opened)
        return msgspec.structs.replace(
            self,
            position=_after(self.position, fill),
            fills=fills,
            newest=where,
            is_mixed=self.is_mixed or not is_ours(fill),
        )

    def charged(self, fill: Fill) -> Book:
        """Return the ledger with what a known execution has cost: nothing moves."""
        return msgspec.structs.replace(self, fills=self.fills.plus(fill.fill_id, fill))

    def since(self, moment: datetime) -> Book:
        """Return the ledger that begins at `moment`: what came before is its base."""
        base, past = self.base, []
        for fill in sorted(self.fills.values(), key=place):
            if fill.at < moment:
                base = _after(base, fill)
                past.append(fill)
        _, opened = ours_after(past, held=self.base.quantity, ours=self.opened)
        base = msgspec.structs.replace(base, realized_pnl=ZERO)
        return _told(base, self.fills.only(lambda fill: fill.at >= moment), opened=opened)


def is_ours(fill: Fill) -> bool:
    """Whether an execution is of an order of ours."""
    return not fill.order_id.startswith(_FOREIGN)


def ours_after(fills: Iterable[Fill], *, held: Decimal, ours: Decimal) -> tuple[Decimal, Decimal]:
    """Return what is held after executions, and how much of it orders of ours have opened.

    What somebody closes comes off his own part first.

    Args:
        fills: The executions, in the order of their times.
        held: What was held before, signed.
        ours: How much of that was ours.
    """
    for fill in fills:
        change, is_mine = signed(fill), is_ours(fill)
        left = abs(held + change)
        if held * change >= 0:
            ours += abs(change) if is_mine else ZERO
        elif held * (held + change) < 0:
            ours = left if is_mine else ZERO  # turned round: all of it is new
        elif is_mine:
            ours = max(ZERO, ours - abs(change))
        ours, held = min(ours, left), held + change
    return held, ours


def opened_at(book: Book) -> datetime | None:
    """Return since when something is held without a break; None if nothing is, or nobody knows.

    What was held before the first execution of the ledger has an opening that it does not have.
    """
    held, since = book.base.quantity, None
    for fill in sorted(book.fills.values(), key=place):
        after = held + signed(fill)
        if held * after <= 0:
            since = fill.at if after else None
        held = after
    return since


def place(fill: Fill) -> tuple[datetime, FillId]:
    """Return where an execution comes among those of its contract: by time, then by id."""
    return (fill.at, fill.fill_id)


def signed(fill: Fill) -> Decimal:
    """Return what the execution does to a signed position."""
    return fill.quantity * fill.side.sign


def traded(position: Position, quantity: Decimal, price: Decimal) -> Position:
    """Return `position` after buying (or, negative, selling) at `price`.

    What adds moves the average cost; what reduces realises profit; what goes through flat
    does both, and the rest is held at `price`.
    """
    held, cost = position.quantity, position.average_cost
    total = held + quantity
    if not quantity:
        return position
    if held * quantity >= 0:
        cost = (abs(held) * cost + abs(quantity) * price) / abs(total)
        return msgspec.structs.replace(position, quantity=total, average_cost=cost)
    closed = min(abs(held), abs(quantity))
    gain = closed * (price - cost) * position.contract.multiplier
    has_turned = total * held < 0
    return msgspec.structs.replace(
        position,
        quantity=total,
        average_cost=price if has_turned else (cost if total else ZERO),
        realized_pnl=position.realized_pnl + (gain if held > 0 else -gain),
    )


def position_events(
    before: PortfolioState, after: PortfolioState, cause: ev.FillEvent
) -> tuple[ev.PositionEvent, ...]:
    """Return what an execution did to the position in its contract, the only one that it moves.

    Going from long to short at once is two facts: closed, then opened. Each event has the
    profit that its change has realised, and the position at the market (without a quote: at
    the price that was just traded), so that its open profit is known. What the events of a
    contract have realised adds up to its ledger's, corrections included.
    """
    con_id = cause.fill.contract.con_id
    old, book = before.books.get(con_id), after.books.get(con_id)
    if book is None or book is old:
        return ()
    mark = after.marks.get(con_id, cause.fill.price)
    now = msgspec.structs.replace(book.position, market_price=mark)
    return tuple(_changes(old.position if old is not None else None, now, cause))


def _changes(
    old: Position | None, new: Position, cause: ev.OrderEvent
) -> Iterator[ev.PositionEvent]:
    had = old.quantity if old is not None else ZERO
    gain = new.realized_pnl - (old.realized_pnl if old is not None else ZERO)
    at, order_id = cause.at, cause.order_id
    is_over = had * new.quantity <= 0
    if is_over and (had or (gain and not new.quantity)):
        # Flat: just now, or before, and an execution of then was corrected.
        flat = msgspec.structs.replace(new, quantity=ZERO, average_cost=ZERO)
        yield ev.PositionCloseEvent(at=at, position=flat, cause=order_id, realized_pnl=gain)
        gain, had = ZERO, ZERO
    if not had and new.quantity:
        yield ev.PositionOpenEvent(at=at, position=new, cause=order_id, realized_pnl=gain)
    elif had and not _is_same(old, new):
        yield ev.PositionUpdateEvent(at=at, position=new, cause=order_id, realized_pnl=gain)


def _is_same(old: Position | None, new: Position) -> bool:
    return old is not None and (old.quantity, old.average_cost, old.realized_pnl) == (
        new.quantity,
        new.average_cost,
        new.realized_pnl,
    )


def _after(position: Position, fill: Fill) -> Position:
    after = traded(position, signed(fill), fill.price)
    return msgspec.structs.replace(after, updated_at=fill.at)


def _told(base: Position, fills: GrowingMap[FillId, Fill], *, opened: Decimal) -> Book:
    position, newest, is_mixed = base, None, False
    for fill in sorted(fills.values(), key=place):
        position, newest = _after(position, fill), place(fill)
        is_mixed |= not is_ours(fill)
    return Book(
        base=base,
        position=position,
        fills=fills,
        newest=newest,
        is_mixed=is_mixed,
        opened=opened,
    )


def _cost_before(held: Position, fills: tuple[Fill, ...]) -> Decimal:
    """What the base had cost: reductions leave the average as it is, additions move it."""
    quantity, cost = held.quantity, held.average_cost
    for fill in reversed(fills):
        before = quantity - signed(fill)
        if before * quantity <= 0:
            return held.average_cost  # it went through flat: the past has left no trace
        if abs(quantity) > abs(before):
            cost = (cost * abs(quantity) - fill.price * abs(signed(fill))) / abs(before)
        quantity = before
    return cost
