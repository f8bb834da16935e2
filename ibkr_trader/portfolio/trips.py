"""Whose a position is, trip by trip, and what each owner has made of a contract's day.

A trip goes from flat to flat. It belongs to whoever's order opened it, whoever adds to it or
ends it: two cannot share a position, because they would share its exits, and nobody could say
whose profit it is. So a day's result of one contract is split by its trips, and its parts add
up to the whole, whatever was corrected, repeated or reordered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.models import ZERO
from ibkr_trader.portfolio.day_tally import fill_costs
from ibkr_trader.portfolio.pnl import UNBEGUN
from ibkr_trader.portfolio.positions import place, signed, traded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from decimal import Decimal

    from ibkr_trader.core.models import Fill, OrderId
    from ibkr_trader.portfolio.pnl import ContractPnl
    from ibkr_trader.portfolio.positions import Book

    Maker = Callable[[OrderId], str]

NOBODY = ""  # owns what no strategy has opened


class Trip(NamedTuple):
    """What is held, signed, and whose it is; what is flat is nobody's."""

    held: Decimal = ZERO
    owner: str = NOBODY

    def after(self, fill: Fill, maker: Maker) -> Trip:
        """Return the trip after an execution: a new one begins where flat is left or crossed."""
        held = self.held + signed(fill)
        if not held:
            return Trip()
        if self.held * held <= 0:
            return Trip(held, maker(fill.order_id))
        return Trip(held, self.owner)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One owner's part of a contract's day; `unrealized` is None if some of it is unknown."""

    realized: Decimal = ZERO
    unrealized: Decimal | None = ZERO
    commission: Decimal = ZERO

    @property
    def net(self) -> Decimal | None:
        """Everything together; None if some part is unknown."""
        return (
            None if self.unrealized is None else self.realized + self.unrealized - self.commission
        )

    def plus(self, other: Share) -> Share:
        """Return both together."""
        is_known = self.unrealized is not None and other.unrealized is not None
        return Share(
            realized=self.realized + other.realized,
            unrealized=(self.unrealized or ZERO) + (other.unrealized or ZERO) if is_known else None,
            commission=self.commission + other.commission,
        )


UNKNOWN = Share(unrealized=None)


def in_order(fills: Iterable[Fill]) -> list[Fill]:
    """Return executions in the order in which they count."""
    return sorted(fills, key=place)


def trip_over(start: Trip, fills: Iterable[Fill], maker: Maker) -> Trip:
    """Return the trip that `fills` lead to, from `start`."""
    for fill in in_order(fills):
        start = start.after(fill, maker)
    return start


def trip_on(trip: Trip, before: Book, book: Book, *, maker: Maker) -> Trip | None:
    """Return the trip that `book` leads to, from the `trip` that `before` led to.

    So one execution more costs a step and no recount. None if `book` is not that ledger with later
    executions: then it is for a new count.
    """
    news = book.fills.since(before.fills) if book.base is before.base else None
    if news is None or any(old is not None and _step(old) != _step(new) for old, new in news):
        return None
    added = in_order(new for old, new in news if old is None)
    if added and before.newest is not None and place(added[0]) < before.newest:
        return None
    return trip_over(trip, added, maker)


def _step(fill: Fill) -> tuple[object, ...]:
    """What of an execution a trip depends on: not on its price or its cost."""
    return place(fill), signed(fill), fill.order_id


def trades_of(owner: str, fills: Iterable[Fill], maker: Maker) -> tuple[Fill, ...]:
    """Return the executions of one strategy's trips, whoever ended them, in their order.

    Of one that goes through flat between two owners it is the part that is his. What nobody's
    orders do is followed only while it ends a strategy's trip: of what is nobody's, it is not
    known what was held before.
    """
    running: dict[int, Trip] = {}
    found: list[Fill] = []
    for fill in in_order(fills):
        con_id = fill.contract.con_id
        trip = running.pop(con_id, Trip())
        after = trip.after(fill, maker)
        if after.owner:
            running[con_id] = after
        if trip.owner == after.owner == owner:
            found.append(fill)
        elif owner in {trip.owner, after.owner}:
            his = trip if trip.owner == owner else after
            found.append(_part(fill, abs(his.held)))
    return tuple(found)


def _part(fill: Fill, quantity: Decimal) -> Fill:
    if fill.quantity == quantity:
        return fill
    cost = fill.commission
    part = None if cost is None else cost * quantity / fill.quantity
    return msgspec.structs.replace(fill, quantity=quantity, commission=part)


def shares(
    book: Book, one: ContractPnl, *, since: datetime, base_owner: str, maker: Maker
) -> dict[str, Share]:
    """Return what each owner has made of a contract's day; together they are `one`.

    Args:
        book: Its ledger.
        one: Its day, from the same ledger.
        since: When the day began.
        base_owner: Who opened what the ledger begins with.
        maker: Says which strategy an order is of.
    """
    fills = in_order(book.fills.values())
    before = [fill for fill in fills if fill.at < since]
    today = fills[len(before) :]
    trip = trip_over(Trip(book.base.quantity, base_owner), before, maker)
    if one.is_foreign:
        return _unknown(trip, today, maker)
    parts = _Parts()
    if one.doubt == UNBEGUN:
        parts.add(trip.owner, UNKNOWN)  # it is flat since, and nobody knows what it had cost
    costs = fill_costs(today)
    held = msgspec.structs.replace(
        book.base, quantity=trip.held, average_cost=one.opening, realized_pnl=ZERO
    )
    is_costed = one.doubt != UNBEGUN
    for fill in today:
        after, moved = trip.after(fill, maker), traded(held, signed(fill), fill.price)
        is_over = trip.held * after.held <= 0 and bool(trip.held)
        gain = moved.realized_pnl - held.realized_pnl if is_costed else ZERO
        cost = costs[fill.fill_id]
        opened = abs(after.held) / fill.quantity if is_over and fill.quantity else ZERO
        owner = trip.owner if trip.held else maker(fill.order_id)
        parts.add(owner, Share(realized=gain, commission=cost - cost * opened))
        if opened:
            parts.add(after.owner, Share(commission=cost * opened))
        is_costed = is_costed or is_over
        trip, held = after, moved
    if trip.held:
        parts.add(trip.owner, Share(unrealized=one.unrealized))
    return parts.found


class _Parts:
    """Shares, added up as they come."""

    def __init__(self) -> None:
        self.found: dict[str, Share] = {}

    def add(self, owner: str, share: Share) -> None:
        known = self.found.get(owner)
        self.found[owner] = share if known is None else known.plus(share)


def _unknown(trip: Trip, fills: Iterable[Fill], maker: Maker) -> dict[str, Share]:
    """Of what is in other money nothing is known, whoever traded it."""
    found = {trip.owner: UNKNOWN} if trip.held else {}
    for fill in fills:
        trip = trip.after(fill, maker)
        if trip.held:
            found[trip.owner] = UNKNOWN
    return found
