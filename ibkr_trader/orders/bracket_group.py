"""A bracket as it stands: its entries and exits, and what they have traded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import Command, SubmitOrders
from ibkr_trader.core.enums import OrderRole, TimeInForce
from ibkr_trader.core.models import ZERO, GroupId, Order, OrderId, OrderSpec
from ibkr_trader.core.text import quantity
from ibkr_trader.orders import bracket_policy
from ibkr_trader.orders.asking import Memory, parted
from ibkr_trader.orders.bracket_growing import will_follow
from ibkr_trader.orders.bracket_repairs import claim, room
from ibkr_trader.orders.closing import KIND as CLOSING
from ibkr_trader.orders.cover_orders import KIND as COVER
from ibkr_trader.orders.group import Step
from ibkr_trader.orders.linked_orders import Leg
from ibkr_trader.orders.members import Members, copy_of, follow, traded
from ibkr_trader.orders.wishes import is_taken_back

KIND = "bracket"
_CLOSED = frozenset({CLOSING, COVER})
_NOT_EXITS = frozenset({OrderRole.ENTRY, OrderRole.CLOSE})


class Bracket(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The orders of a bracket and what has become of them.

    Attributes:
        orders: By id: entry, targets, stops, and what joined them later.
        shares: The quantity that each leg was made for. Of n legs, what ends the k-th
            are the copies k, k + n, k + 2n … of their role: so an id says where it belongs.
        memory: What the group has asked for and told.
        since: Since when something has been as it should not stay.
        waived: Exits that somebody took back on purpose; they are not put back.
        fixed: Exits that somebody has given a size of his own; they are not enlarged.
        room: What a close, or an exit put back, could have been when all of it was denied: other
            exits have the rest, or it was sold elsewhere.
    """

    group_id: GroupId
    orders: Members
    shares: tuple[Decimal, ...]
    memory: Memory = Memory()
    since: Mapping[str, datetime] = MappingProxyType({})
    waived: frozenset[OrderId] = frozenset()
    fixed: frozenset[OrderId] = frozenset()
    room: Decimal = ZERO

    @property
    def entry(self) -> Order:
        """The order that the exits hang from."""
        return self.entries[0]

    @cached_property
    def entries(self) -> tuple[Order, ...]:
        """The orders that open: the first one, and the scale-ins."""
        return tuple(o for o in self.orders.values() if o.spec.role is OrderRole.ENTRY)

    @cached_property
    def exits(self) -> tuple[Order, ...]:
        """The orders that wait to end what the entries open, oldest first."""
        return tuple(o for o in self.orders.values() if o.spec.role not in _NOT_EXITS)

    @cached_property
    def closers(self) -> tuple[Order, ...]:
        """The orders with which the group itself has ended something at the market."""
        return tuple(o for o in self.orders.values() if o.spec.role is OrderRole.CLOSE)

    @cached_property
    def held(self) -> Decimal:
        """What the group holds, positive in the entry's direction; negative is turned round."""
        side = self.entry.spec.side
        return sum(
            (traded(o) if o.spec.side is side else -traded(o) for o in self.orders.values()), ZERO
        )

    @property
    def sized(self) -> frozenset[OrderId]:
        """The exits whose size is somebody's own: `fixed`, and what stands in their place."""
        found: set[OrderId] = set()
        for leg in self.parts() if self.fixed else ():
            for order in leg.orders:
                before = leg.of(order.spec.role)
                ids = {one.order_id for one in before[: before.index(order) + 1]}
                if not self.fixed.isdisjoint(ids):
                    found.add(order.order_id)
        return frozenset(found)

    @property
    def is_closed(self) -> bool:
        """Whether no order of the group can trade any more, and none is still to come."""
        is_over = all(order.status.is_closed for order in self.orders.values())
        return is_over and not bracket_policy.owes(self)

    @property
    def is_scalable(self) -> bool:
        """Whether an entry more may join it now, and rest: its exits will follow."""
        return will_follow(self)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should mind before it is sent."""
        found: list[str] = []
        stops = [order.spec for order in self.exits if order.spec.role is OrderRole.STOP]
        if any(stop.time_in_force is TimeInForce.DAY for stop in stops):
            found.append("The stop lasts for the day: what is held overnight will have none.")
        aimed = sum((o.spec.quantity for o in self.exits if o.spec.role is OrderRole.TARGET), ZERO)
        if aimed and aimed < self.entry.spec.quantity:
            rest = quantity(self.entry.spec.quantity - aimed)
            found.append(f"{rest} have no target: their stop ends them.")
        return tuple(found)

    def parts(self) -> tuple[Leg, ...]:
        """Return what ends each part of the position, in order: its exits, or a closing order."""
        return self._parts

    @cached_property
    def _parts(self) -> tuple[Leg, ...]:
        count = len(self.shares)
        legs: dict[int, list[Order]] = {number: [] for number in range(1, count + 1)}
        for order in (*self.exits, *self.closers):
            legs[(copy_of(order.spec) - 1) % count + 1].append(order)
        return tuple(
            Leg(number, share, tuple(legs[number]))
            for number, share in enumerate(self.shares, start=1)
        )

    def open(self) -> SubmitOrders:
        """Return the orders, to be sent all or none: entry, then each target and stop."""
        specs = tuple(order.spec for order in self.orders.values())
        return SubmitOrders(group_id=self.group_id, orders=specs, kind=KIND)

    def react(self, event: ev.BaseEvent) -> Step:
        """Follow the orders, and return what the broker has failed to do.

        An event of another kind changes no order, but time passes with it: what is overdue
        is asked for.
        """
        orders = follow(self.orders, event, self.group_id)
        if orders is not self.orders:
            return bracket_policy.step(self._after(event, orders), event.at)
        if isinstance(event, ev.DisconnectEvent):
            return Step(parted(self, self.memory))
        return bracket_policy.step(self, event.at)

    def unsent(self, command: Command) -> Bracket:
        """Return the group as if it had not asked for `command`: it never left."""
        return msgspec.structs.replace(self, memory=self.memory.without(command))

    def _after(self, event: ev.BaseEvent, orders: Members) -> Bracket:
        group = msgspec.structs.replace(self, orders=orders)
        match event:
            case ev.CancelRequestEvent() if is_taken_back(event, own=KIND):
                waived = self.waived | {event.order_id}
                memory = self.memory
                if event.origin in _CLOSED:  # what it protects is being closed, or is gone
                    told = memory.said | {f"waived {event.order_id}"}
                    memory = msgspec.structs.replace(memory, said=told)
                return msgspec.structs.replace(group, waived=waived, memory=memory)
            case ev.ModifyEvent() if event.origin != KIND:
                before = self.orders[event.order_id]
                # A change of a price carries a size all the same: the one under way, if one is.
                # The confirmed one beside it was asked for: somebody takes the growth back.
                carried = (before.desired or before.spec).quantity
                if event.spec.quantity == carried or self._would_ask_for(event):
                    return group
                return msgspec.structs.replace(group, fixed=self.fixed | {event.order_id})
            case ev.DenyEvent(spec=OrderSpec(role=OrderRole.CLOSE)):
                return msgspec.structs.replace(group, room=room(event))
            case ev.DenyEvent() if fits := room(event):
                fixed = self.fixed | {event.order_id}  # what stands in its place stays as small
                return msgspec.structs.replace(group, room=fits, fixed=fixed)
            case _:
                return group

    def _would_ask_for(self, event: ev.ModifyEvent) -> bool:
        """Whether the guardian was only quicker to give an exit the size that it is to have."""
        if event.origin != COVER:
            return False
        order = self.orders[event.order_id]
        left = event.spec.quantity - traded(order)
        return any(left == claim(self, leg) for leg in self.parts() if order in leg.orders)
