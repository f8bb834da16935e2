"""One cancels the other: entries of which one is wanted, or exits of one position.

Native first: the legs are members of an OCA group at the broker, which keeps the promise
while we are down, and as far as the exchange lets it in a race. What the broker might fail
to do, `oco_policy.py` repeats.

IBKR reduces a group pro rata, which means one thing only among orders of one size. So exits
at several levels become several groups, each a target beside as much of a stop.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import Command, SubmitOrders
from ibkr_trader.core.enums import OcaType, OrderRole, TimeInForce
from ibkr_trader.core.models import GroupId, Order, OrderId, OrderRequest, OrderSpec
from ibkr_trader.orders import oco_policy
from ibkr_trader.orders.asking import Memory, parted
from ibkr_trader.orders.group import ORDER_TYPES, Step
from ibkr_trader.orders.members import Members, follow, written
from ibkr_trader.orders.oco_legs import Legs, OnRace, fitted, leg_faults
from ibkr_trader.orders.wishes import is_taken_back

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.orders.group import Setting

KIND = "oco"
# A cancel by one of these was not anybody's wish.


class OCOOrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of which one cancels or reduces the others.

    Whether they are entries or exits follows from what is held when they are placed.

    Attributes:
        order_a, order_b: Two orders that wait for a price: limits, stops, trails.
        more: Further legs.
        oca_type: What a trade in one does to the others; None is CANCEL for entries,
            REDUCE for exits, both so that no two can trade at once as far as IBKR can help it.
        on_race: What to do if they do all the same.
        exit_time_in_force: How long exits may wait, DAY or GTC, whatever their own requests
            say: a stop that expires overnight is a trap.
    """

    order_a: OrderRequest
    order_b: OrderRequest
    more: tuple[OrderRequest, ...] = ()
    oca_type: OcaType | None = None
    on_race: OnRace = OnRace.FLATTEN
    exit_time_in_force: TimeInForce = TimeInForce.GTC

    @property
    def symbol(self) -> str:
        """What is to be traded."""
        return self.order_a.symbol

    @property
    def legs(self) -> tuple[OrderRequest, ...]:
        """All of them, in the order they were given."""
        return (self.order_a, self.order_b, *self.more)

    def validate(self) -> None:
        """Refuse legs that contradict each other.

        Raises:
            ValueError: With every fault at once.
        """
        found = list(leg_faults(self.legs))
        if self.exit_time_in_force not in (TimeInForce.DAY, TimeInForce.GTC):
            found.append(f"exits must be DAY or GTC, not {self.exit_time_in_force}")
        if found:
            raise ValueError("; ".join(found))

    def group(self, setting: Setting) -> OCO:
        """Return the new group.

        Raises:
            ValueError: If the legs do not go with what is held, or one would trade at once.
        """
        self.validate()
        fit = fitted(self.legs, setting, oca_type=self.oca_type, exits_last=self.exit_time_in_force)
        plan = {
            "legs": fit.legs.value,
            "oca_type": fit.oca_type.value,
            "on_race": self.on_race.value,
        }
        return OCO.opened(setting.group_id, fit.specs, plan)


class OCO(msgspec.Struct, frozen=True, kw_only=True):
    """The legs of an OCO order and what has become of them.

    Attributes:
        orders: By id: the legs, and the closing order that a race may have called for.
        legs: Whether they open or end a position.
        oca_type: What a trade in one does to the others.
        sets: The legs that belong together, by the id of each: its OCA group, or its own id.
        sizes: How much may trade in each set: the largest that a leg of it has been.
        changed_at: When anything last happened in each set, by the broker's times.
        waived: Legs that somebody took back on purpose.
        memory: What was asked for and told.
        over_at: When the last order was first seen closed.
        is_over: It has been quiet since, for long enough to hear of a late trade.
    """

    group_id: GroupId
    orders: Members
    legs: Legs
    oca_type: OcaType
    on_race: OnRace
    sets: Mapping[OrderId, str]
    sizes: Mapping[str, Decimal]
    changed_at: Mapping[str, datetime] = MappingProxyType({})
    waived: frozenset[OrderId] = frozenset()
    memory: Memory = Memory()
    over_at: datetime | None = None
    is_over: bool = False

    @classmethod
    def opened(
        cls, group_id: GroupId, specs: tuple[OrderSpec, ...], plan: Mapping[str, str]
    ) -> OCO:
        """Return a group of these orders, of which nothing is known yet."""
        # A closing order joins again when its own news is folded.
        legs = tuple(spec for spec in specs if spec.role is not OrderRole.CLOSE)
        sets = {spec.order_id: spec.oca_group or spec.order_id for spec in legs}
        sizes: dict[str, Decimal] = {}
        for spec in legs:
            key = sets[spec.order_id]
            sizes[key] = max(spec.quantity, sizes.get(key, spec.quantity))
        return cls(
            group_id=group_id,
            orders=written(legs),
            legs=Legs(plan["legs"]),
            oca_type=OcaType(plan["oca_type"]),
            on_race=OnRace(plan["on_race"]),
            sets=sets,
            sizes=sizes,
        )

    @property
    def members(self) -> tuple[Order, ...]:
        """The legs, without a closing order of the group's own."""
        return tuple(order for order_id, order in self.orders.items() if order_id in self.sets)

    @property
    def closing(self) -> Order | None:
        """The order that closes the surplus of a race, if there was one."""
        found = (o for o in self.orders.values() if o.spec.role is OrderRole.CLOSE)
        return next(found, None)

    @property
    def plan(self) -> Mapping[str, str]:
        """What a restart must know and the orders do not say."""
        return {
            "legs": self.legs.value,
            "oca_type": self.oca_type.value,
            "on_race": self.on_race.value,
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know before it goes out."""
        return tuple(oco_policy.notes(self))

    @property
    def is_closed(self) -> bool:
        """Whether no order of the group can trade any more, and no late trade is expected."""
        return self.is_over

    def open(self) -> SubmitOrders:
        """Return the legs to send, all or none."""
        specs = tuple(order.spec for order in self.members)
        return SubmitOrders(group_id=self.group_id, orders=specs, kind=KIND, plan=self.plan)

    def react(self, event: ev.BaseEvent) -> Step:
        """Follow the legs, and return what the broker has failed to do."""
        orders = follow(self.orders, event, self.group_id)
        if orders is not self.orders and isinstance(event, ev.OrderEvent):
            return oco_policy.step(self._after(event, orders), event.at)
        if isinstance(event, ev.DisconnectEvent):
            return Step(parted(self, self.memory))
        # A price changes nothing here; what is overdue is seen at the next heartbeat.
        is_price = isinstance(event, ev.MarketEvent | ev.OrderEvent)
        return Step(self) if is_price else oco_policy.step(self, event.at)

    def unsent(self, command: Command) -> OCO:
        """Forget that `command` was asked for: it could not be sent."""
        return msgspec.structs.replace(self, memory=self.memory.without(command))

    def _after(self, event: ev.OrderEvent, orders: Members) -> OCO:
        key = self.sets.get(event.order_id)
        if key is None:
            return msgspec.structs.replace(self, orders=orders)
        size = max(self.sizes[key], orders[event.order_id].spec.quantity)
        last = self.changed_at.get(key, event.at)
        group = msgspec.structs.replace(
            self,
            orders=orders,
            sizes={**self.sizes, key: size},
            changed_at={**self.changed_at, key: max(last, event.at)},
        )
        if is_taken_back(event, own=oco_policy.ORIGIN):
            return msgspec.structs.replace(group, waived=group.waived | {event.order_id})
        return group


@ORDER_TYPES.register(KIND)
def oco_of(group_id: GroupId, specs: tuple[OrderSpec, ...], plan: Mapping[str, str]) -> OCO:
    """Return the group as it was when it was opened, from its orders and its plan."""
    return OCO.opened(group_id, specs, plan)
