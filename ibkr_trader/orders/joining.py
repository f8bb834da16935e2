"""One order that joins others that work already: of them and it, one is to trade.

The broker keeps the promise (one-cancels-all); nothing is taken away first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.enums import OcaType, OrderRole
from ibkr_trader.core.models import OrderRequest
from ibkr_trader.orders.members import spec_of, written
from ibkr_trader.orders.single_orders import Single

if TYPE_CHECKING:
    from ibkr_trader.orders.group import Setting


class JoinRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order, and the group at the broker that it is to join.

    Attributes:
        order: What is asked for.
        role: Why it exists.
        oca_group, oca_type: As the orders that it joins have them.
    """

    order: OrderRequest
    role: OrderRole
    oca_group: str
    oca_type: OcaType | None = None

    @property
    def symbol(self) -> str:
        """What is to be traded."""
        return self.order.symbol

    def validate(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ValueError: With every fault at once.
        """
        self.order.validate()
        if not self.oca_group:
            raise ValueError("there is no group to join")

    def group(self, setting: Setting) -> Single:
        """Return the order as a group of its own: only the broker links it."""
        spec = msgspec.structs.replace(
            spec_of(self.order, self.role, setting),
            oca_group=self.oca_group,
            oca_type=self.oca_type,
        )
        return Single(group_id=setting.group_id, orders=written((spec,)))
