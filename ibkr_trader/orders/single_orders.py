"""One order by itself: the group that promises nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.models import GroupId, OrderSpec
from ibkr_trader.orders.group import ORDER_TYPES, Step
from ibkr_trader.orders.members import Members, follow, spec_of, written

if TYPE_CHECKING:
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.core.models import OrderRequest
    from ibkr_trader.orders.group import Setting

KIND = "single"


class Single(msgspec.Struct, frozen=True, kw_only=True):
    """A group of one; `orders` is the order as it now stands."""

    group_id: GroupId
    orders: Members

    @classmethod
    def create(cls, request: OrderRequest, setting: Setting) -> Single:
        """Return the group of a new order.

        Raises:
            ValueError: If the request contradicts itself, with every fault at once.
        """
        request.validate()
        spec = spec_of(request, OrderRole.SINGLE, setting)
        return cls(group_id=setting.group_id, orders=written((spec,)))

    @property
    def is_closed(self) -> bool:
        """Whether the order cannot trade any more."""
        return all(order.status.is_closed for order in self.orders.values())

    def open(self) -> SubmitOrders:
        """Return the order to send."""
        specs = tuple(order.spec for order in self.orders.values())
        return SubmitOrders(group_id=self.group_id, orders=specs, kind=KIND)

    def react(self, event: BaseEvent) -> Step:
        """Follow the order; nothing ever follows from it."""
        orders = follow(self.orders, event, self.group_id)
        group = self if orders is self.orders else Single(group_id=self.group_id, orders=orders)
        return Step(group, is_at_rest=True)


@ORDER_TYPES.register(KIND)
def single_of(group_id: GroupId, specs: tuple[OrderSpec, ...], _plan: Mapping[str, str]) -> Single:
    """Return the group as it was when it was opened."""
    return Single(group_id=group_id, orders=written(specs))
