"""What a shadow would hold of one symbol, and the orders that would work for it.

The same steps whether the market is seen or the journal is read again: the market only says
which orders trade and at what price; what follows from that is worked out of the execution.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.enums import Side, WouldBe
from ibkr_trader.core.models import ZERO
from ibkr_trader.orders.linked_orders import equal_parts
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.rules import wishes
from ibkr_trader.rules.arithmetic import ARITHMETIC
from ibkr_trader.rules.fill_model import flow
from ibkr_trader.rules.shadow_terms import QUANTITY, multiplier_of, wish_of

if TYPE_CHECKING:
    from ibkr_trader.core.events import DecisionEvent, WouldFillEvent
    from ibkr_trader.rules.fill_model import Look

_PRIORITY: Mapping[WouldBe, int] = {WouldBe.EXIT: 0, WouldBe.ENTRY: 1, WouldBe.ADD: 2}


class Target(NamedTuple):
    """A part of what is held, and the limit at which its gain is taken."""

    price: Decimal
    quantity: Decimal


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An order that would work: an entry, more of it, or an exit at the market.

    Attributes:
        decision_id: Whose it is.
        quantity: How many; of an exit all that is held then.
        limit: None is the market.
        since: When it was placed: what the market did before does not fill it.
        stop: Where an entry is given up.
        targets: Where an entry takes its gain.
    """

    decision_id: str
    kind: WouldBe
    side: Side
    since: datetime
    quantity: Decimal = ZERO
    limit: Decimal | None = None
    stop: Decimal | None = None
    targets: tuple[Decimal, ...] = ()


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol of one shadow.

    Attributes:
        quantity: What would be held, signed.
        basis: What it would have cost, fees apart; positive.
        stop: Where it would be given up.
        targets: Where gain would be taken, nearest first.
        trail: How the stop follows, and
        best: the best price since it does.
        waiting: Orders of which nothing has traded yet.
        entered_by: The decision behind what is held.
        money: What this trip has brought in so far, fees apart.
        paid: The fees of it.
    """

    quantity: Decimal = ZERO
    basis: Decimal = ZERO
    multiplier: Decimal = Decimal(1)
    stop: Decimal | None = None
    targets: tuple[Target, ...] = ()
    trail: Trail | None = None
    best: Decimal | None = None
    waiting: tuple[Waiting, ...] = ()
    entered_by: str = ""
    money: Decimal = ZERO
    paid: Decimal = ZERO

    @property
    def closing(self) -> Side:
        """The side that closes what is held."""
        return Side.closing(self.quantity)

    @property
    def entering(self) -> tuple[Waiting, ...]:
        """The orders that would open or add."""
        return tuple(one for one in self.waiting if one.kind is not WouldBe.EXIT)

    @property
    def average(self) -> Decimal:
        """What one would have cost."""
        with localcontext(ARITHMETIC):
            return self.basis / abs(self.quantity) if self.quantity else ZERO

    def decided(self, event: DecisionEvent) -> Place:
        """Return the place with the orders that a decision would place, move or take back."""
        here = self.on(event.at)
        match wish_of(event):
            case wishes.Enter() as wish:
                return _entering(here, event, wish)
            case wishes.Add() as wish if here.quantity and not here.waiting:
                side = here.closing.opposite
                order = _order(event, WouldBe.ADD, side, quantity=wish.quantity, limit=wish.limit)
                return _with(here, order)
            case wishes.Exit() as wish:
                return _leaving(here, event, wish.only)
            case wishes.MoveStop() as wish if here.quantity:
                return _tightened(here, wish.level)
            case wishes.LetTrail() as wish if here.quantity and here.trail is None:
                return msgspec.structs.replace(here, trail=wish.trail)
            case _:
                return here

    def on(self, now: datetime) -> Place:
        """Return the place without the entries at a limit that were placed on an earlier day."""
        kept = tuple(
            one for one in self.waiting if one.limit is None or one.since.date() == now.date()
        )
        return self if kept == self.waiting else msgspec.structs.replace(self, waiting=kept)

    def filled(self, event: WouldFillEvent) -> Place:
        """Return the place after an execution of one of its orders."""
        fill = _signed(event)
        money = flow(event.side, event.quantity, event.price, multiplier=event.multiplier)
        money, paid = self.money + money, self.paid + event.commission
        left = self.quantity + fill
        rest = tuple(one for one in self.waiting if not _is_of(one, event))
        if not left:  # an entry on the other side waits on; nothing is added to nothing
            entries = tuple(one for one in rest if one.kind is WouldBe.ENTRY)
            return Place(waiting=entries, multiplier=self.multiplier)
        order = next((one for one in self.waiting if _is_of(one, event)), None)
        moved = msgspec.structs.replace(
            self, quantity=left, money=money, paid=paid, waiting=rest, basis=self._cost(event, left)
        )
        if event.kind is WouldBe.ENTRY and order is not None:
            return msgspec.structs.replace(
                moved,
                stop=order.stop,
                targets=_parts(order.targets, event.quantity),
                entered_by=event.decision_id,
            )
        if event.kind is WouldBe.TARGET:
            return msgspec.structs.replace(moved, targets=self.targets[1:])
        if self.targets:  # added to: the last target takes the rest
            last = self.targets[-1]
            larger = last._replace(quantity=last.quantity + event.quantity)
            return msgspec.structs.replace(moved, targets=(*self.targets[:-1], larger))
        return moved

    def gain_of(self, side: Side, quantity: Decimal, price: Decimal) -> Decimal | None:
        """Return what the trip brings if that ends it, the last fee apart; None if it does not."""
        if self.quantity + quantity * side.sign:
            return None
        return self.money + flow(side, quantity, price, multiplier=self.multiplier) - self.paid

    def followed(self, look: Look) -> Place:
        """Return the place with its stop behind the best price of `look`, if it trails."""
        if self.trail is None or not self.quantity:
            return self
        seen = look.high if self.quantity > 0 else look.low
        best = self.best
        if best is None or (seen - best) * self.quantity > 0:
            best = seen
        begins, side = self.trail.activation, self.closing
        moved = msgspec.structs.replace(self, best=best)
        if begins is not None and (begins - best) * side.sign < 0:
            return moved
        return _tightened(moved, self.trail.behind(best, side))

    def _cost(self, event: WouldFillEvent, left: Decimal) -> Decimal:
        with localcontext(ARITHMETIC):
            if abs(left) > abs(self.quantity):
                return self.basis + event.quantity * event.price
            return self.average * abs(left)


# -- what a wish changes --------------------------------------------------------------------


def _entering(place: Place, event: DecisionEvent, wish: wishes.Enter) -> Place:
    held = place.quantity * wish.side.sign
    if held > 0 or place.waiting or (held and not wish.reverses):
        return place
    order = _order(
        event,
        WouldBe.ENTRY,
        wish.side,
        quantity=Decimal(event.terms[QUANTITY]),
        limit=wish.limit,
    )
    order = msgspec.structs.replace(order, stop=wish.stop, targets=wish.targets)
    leaving = (_order(event, WouldBe.EXIT, wish.side),) if held else ()
    there = msgspec.structs.replace(place, multiplier=multiplier_of(event))
    return _with(there, *leaving, order)


def _leaving(place: Place, event: DecisionEvent, only: Side | None) -> Place:
    if not place.quantity:
        kept = tuple(one for one in place.waiting if only not in {None, one.side})
        return msgspec.structs.replace(place, waiting=kept)
    if only is not None and place.quantity * only.sign < 0:
        return place
    order = _order(event, WouldBe.EXIT, place.closing)
    return msgspec.structs.replace(place, waiting=(order,))


def _tightened(place: Place, level: Decimal) -> Place:
    sign = 1 if place.quantity > 0 else -1
    if place.stop is not None and (level - place.stop) * sign <= 0:
        return place
    return msgspec.structs.replace(place, stop=level)


def _with(place: Place, *orders: Waiting) -> Place:
    waiting = sorted((*place.waiting, *orders), key=lambda one: _PRIORITY[one.kind])
    return msgspec.structs.replace(place, waiting=tuple(waiting))


def _signed(event: WouldFillEvent) -> Decimal:
    return event.quantity * event.side.sign


def _is_of(order: Waiting, event: WouldFillEvent) -> bool:
    return (order.decision_id, order.kind) == (event.decision_id, event.kind)


def _order(
    event: DecisionEvent,
    kind: WouldBe,
    side: Side,
    *,
    quantity: Decimal = ZERO,
    limit: Decimal | None = None,
) -> Waiting:
    return Waiting(
        decision_id=event.decision_id,
        kind=kind,
        side=side,
        since=event.at,
        quantity=quantity,
        limit=limit,
    )


def _parts(prices: tuple[Decimal, ...], total: Decimal) -> tuple[Target, ...]:
    """Each target with its part of the total, as a bracket shares it out."""
    parts = equal_parts(total, len(prices))
    return tuple(Target(price, share) for price, share in zip(prices, parts, strict=False))
