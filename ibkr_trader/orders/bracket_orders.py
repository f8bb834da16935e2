"""A bracket: an entry, and the stop loss and take profit that end what it opens.

Native first: the exits hang from the entry at the broker (`parent_id`), so they sleep
until it fills, go when it goes, and end each other, even while we are down. What the
broker might fail to do, `bracket_policy.py` repeats, and never more than the group needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.models import ZERO, GroupId, Order, OrderId, OrderRequest, OrderSpec
from ibkr_trader.orders import bracket_policy
from ibkr_trader.orders.closing import KIND as CLOSING
from ibkr_trader.orders.group import ORDER_TYPES, Step
from ibkr_trader.orders.members import Members, follow, spec_of, traded, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.orders.group import Setting

KIND = "bracket"
# A cancel by one of these was not anybody's wish: the exit it hits is still wanted.
_NOT_WISHES = frozenset({"broker", "recovery"})


class BracketOrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Entry, stop loss and take profit, as somebody asks for them.

    Attributes:
        parent: The entry: a market or limit order.
        stop_loss: A stop on the other side, at a loss.
        take_profit: A limit on the other side, at a gain.
        exit_time_in_force: How long the exits may wait, DAY or GTC, whatever their own
            requests say: a stop that expires overnight is a trap.
    """

    parent: OrderRequest
    stop_loss: OrderRequest
    take_profit: OrderRequest
    exit_time_in_force: TimeInForce = TimeInForce.GTC

    @property
    def symbol(self) -> str:
        """What is to be traded."""
        return self.parent.symbol

    def group(self, setting: Setting) -> Bracket:
        """Return the new bracket."""
        return Bracket.create(self, setting)

    def validate(self) -> None:
        """Refuse a bracket that contradicts itself.

        Raises:
            ValueError: With every fault at once.
        """
        found = list(self._faults())
        if found:
            raise ValueError("; ".join(found))

    def _faults(self) -> Iterator[str]:
        entry, stop, target = self.parent, self.stop_loss, self.take_profit
        for name, request in (("entry", entry), ("stop loss", stop), ("take profit", target)):
            try:
                request.validate()
            except ValueError as error:
                yield f"{name}: {error}"
        if entry.order_type not in (OrderType.MARKET, OrderType.LIMIT):
            yield f"the entry must be a market or limit order, not {entry.order_type}"
        if stop.order_type is not OrderType.STOP:
            yield f"the stop loss must be a stop order, not {stop.order_type}"
        if target.order_type is not OrderType.LIMIT:
            yield f"the take profit must be a limit order, not {target.order_type}"
        if self.exit_time_in_force not in (TimeInForce.DAY, TimeInForce.GTC):
            yield f"the exits must be DAY or GTC, not {self.exit_time_in_force}"
        for name, request in (("stop loss", stop), ("take profit", target)):
            yield from _exit_faults(name, request, entry)
        yield from self._price_faults()

    def _price_faults(self) -> Iterator[str]:
        """The order of prices along the entry's side: stop, entry, target."""
        stop, target = self.stop_loss.stop_price, self.take_profit.limit_price
        entry = self.parent.limit_price
        if not all(price is None or price.is_finite() for price in (stop, target, entry)):
            return
        is_long = self.parent.side is Side.BUY
        worse, better = ("below", "above") if is_long else ("above", "below")
        sign = self.parent.side.sign
        if stop is not None and target is not None and (target - stop) * sign <= 0:
            yield f"the stop loss {stop} must be {worse} the take profit {target}"
        if entry is None:
            return
        if stop is not None and (entry - stop) * sign <= 0:
            yield f"the stop loss {stop} must be {worse} the entry {entry}"
        if target is not None and (target - entry) * sign <= 0:
            yield f"the take profit {target} must be {better} the entry {entry}"


class Bracket(msgspec.Struct, frozen=True, kw_only=True):
    """The orders of a bracket and what has become of them.

    Attributes:
        orders: By id: entry, target, stop, and the stop that may have replaced it.
        asked: What the group has asked for, and when.
        said: What it has told already.
        waived: Exits that somebody took back on purpose; they are not put back.
        exit_traded_at: When an exit traded last.
        stop_lost_at: When it was first seen that no stop works any more.
    """

    group_id: GroupId
    orders: Members
    asked: Mapping[str, bracket_policy.Asked] = MappingProxyType({})
    said: frozenset[str] = frozenset()
    waived: frozenset[OrderId] = frozenset()
    exit_traded_at: datetime | None = None
    stop_lost_at: datetime | None = None

    @classmethod
    def create(cls, request: BracketOrderRequest, setting: Setting) -> Bracket:
        """Return a new bracket; the ids are derived from the setting's group.

        Raises:
            ValueError: If the request contradicts itself, with every fault at once.
        """
        request.validate()

        entry = spec_of(request.parent, OrderRole.ENTRY, setting)
        exits = (
            msgspec.structs.replace(
                spec_of(asked, role, setting),
                parent_id=entry.order_id,
                time_in_force=request.exit_time_in_force,
            )
            # The stop goes last: it is the frame that releases all three.
            for asked, role in (
                (request.take_profit, OrderRole.TARGET),
                (request.stop_loss, OrderRole.STOP),
            )
        )
        return cls(group_id=setting.group_id, orders=written((entry, *exits)))

    @property
    def entry(self) -> Order:
        """The order that opens."""
        return next(o for o in self.orders.values() if o.spec.role is OrderRole.ENTRY)

    @property
    def exits(self) -> tuple[Order, ...]:
        """The orders that end what the entry opens, oldest first."""
        return tuple(o for o in self.orders.values() if o.spec.role is not OrderRole.ENTRY)

    @property
    def held(self) -> Decimal:
        """What the group holds, positive in the entry's direction; negative is turned round."""
        return traded(self.entry) - sum((traded(order) for order in self.exits), ZERO)

    @property
    def is_closed(self) -> bool:
        """Whether no order of the group can trade any more, and none is to be replaced."""
        is_over = all(order.status.is_closed for order in self.orders.values())
        return is_over and not bracket_policy.wants_stop(self)

    def open(self) -> SubmitOrders:
        """Return the three orders, to be sent all or none: entry, target, stop."""
        specs = tuple(order.spec for order in self.orders.values())
        return SubmitOrders(group_id=self.group_id, orders=specs, kind=KIND)

    def react(self, event: ev.BaseEvent) -> Step:
        """Follow the orders, and return what the broker has failed to do.

        An event of another kind changes no order, but time passes with it: what is overdue
        is asked for. So let the market's events pass through here as well.
        """
        orders = follow(self.orders, event, self.group_id)
        if orders is not self.orders:
            return bracket_policy.step(self._after(event, orders), event.at)
        # Only what is waited for can be overdue; prices come by the thousand.
        is_waiting = self.asked or self.exit_traded_at or self.stop_lost_at
        return bracket_policy.step(self, event.at) if is_waiting else Step(self)

    def _after(self, event: ev.BaseEvent, orders: Members) -> Bracket:
        group = msgspec.structs.replace(self, orders=orders)
        match event:
            case ev.CancelRequestEvent() if event.origin not in _NOT_WISHES | {KIND}:
                waived = self.waived | {event.order_id}
                said = self.said
                if event.origin == CLOSING:
                    said |= {f"waived {event.order_id}"}  # what it protects is being closed
                return msgspec.structs.replace(group, waived=waived, said=said)
            case ev.FillEvent() if orders[event.order_id].spec.role is not OrderRole.ENTRY:
                return msgspec.structs.replace(group, exit_traded_at=event.at)
            case _:
                return group


@ORDER_TYPES.register(KIND)
def bracket_of(
    group_id: GroupId, specs: tuple[OrderSpec, ...], _plan: Mapping[str, str]
) -> Bracket:
    """Return the bracket as it was when it was opened, from its orders."""
    return Bracket(group_id=group_id, orders=written(specs))


def _exit_faults(name: str, request: OrderRequest, entry: OrderRequest) -> Iterator[str]:
    if request.side is entry.side:
        yield f"the {name} must be on the other side: {entry.side.opposite}, not {request.side}"
    if request.quantity != entry.quantity:
        yield f"the {name}'s quantity {request.quantity} must be the entry's {entry.quantity}"
    if request.symbol != entry.symbol:
        yield f"the {name} is for {request.symbol}, the entry for {entry.symbol}"
    if request.account != entry.account:
        yield f"the {name} must be for the same account as the entry"
