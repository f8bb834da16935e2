"""Which strategy every order is of: its group's, or that which asked for the closing it is part of.

The one decision about that: the book of a desk and whoever reads a journal ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

import msgspec

from ibkr_trader.core.ids import parse_order_id
from ibkr_trader.core.models import GroupId, OrderId
from ibkr_trader.core.origins import strategy_of
from ibkr_trader.portfolio.trips import NOBODY

if TYPE_CHECKING:
    from ibkr_trader.core import events as ev


class Makers(msgspec.Struct, frozen=True, kw_only=True):
    """Whose orders are.

    Attributes:
        groups: Whose the orders of a group are, where a strategy opened it.
        strangers: Entries in such groups that somebody else sent.
    """

    groups: Mapping[GroupId, str] = MappingProxyType({})
    strangers: frozenset[OrderId] = frozenset()

    def maker(self, order_id: OrderId) -> str:
        """Return the strategy that an order is of; empty is nobody's."""
        ref = parse_order_id(order_id)
        if ref is None or order_id in self.strangers:
            return NOBODY
        return self.groups.get(ref.group_id, NOBODY)

    def asked(self, event: ev.CloseRequestEvent) -> Self:
        """Take note of whose a closing is; the same object if it is nobody's."""
        strategy = strategy_of(event.origin)
        return self._with(event.group_id, strategy) if strategy else self

    def named(self, event: ev.NewOrderEvent, *, is_first: bool) -> Self:
        """Take note of whose a new order is: its group's, unless somebody else adds to that.

        Args:
            event: The order, as it went on record.
            is_first: Whether it is the first of its group.
        """
        strategy, group = strategy_of(event.origin), event.spec.group_id
        opener = self.groups.get(group, NOBODY)
        if not opener:
            return self._with(group, strategy) if strategy and is_first else self
        if opens(event) and strategy != opener:
            strangers = self.strangers | {event.order_id}
            return msgspec.structs.replace(self, strangers=strangers)
        return self

    def _with(self, group: GroupId, strategy: str) -> Self:
        return msgspec.structs.replace(self, groups={**self.groups, group: strategy})


def opens(event: ev.NewOrderEvent) -> bool:
    """Whether an order is there to open or to add, and not to end something."""
    return not event.spec.role.is_protective and not event.reduces
