"""What to do: the closed set of commands that the order path takes.

A command is a wish in the imperative. It comes from a face, a rule or an order group,
and only `execution/router.py` turns it into something the broker sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import final

import msgspec

from ibkr_trader.core.models import GroupId, OrderId, OrderSpec


@final
class SubmitOrders(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Send these orders, all or none, in this order.

    Attributes:
        kind: The registered name of the order type, so that a restart can rebuild the group.
        origin: Who asked: `cli`, `library`, a rule's name.
        correlation_id: Ties the command to what caused it, through journal and log.
        reduces: Claims that the orders only reduce risk; the guard verifies it.
        plan: What the group must know to go on after a restart and its orders do not say, as
            text by name; only the order type reads it.
        without_stop: It is meant to be opened without a protective stop.
    """

    group_id: GroupId
    orders: tuple[OrderSpec, ...]
    kind: str = "single"
    origin: str = "cli"
    correlation_id: str = ""
    reduces: bool = False
    without_stop: bool = False
    plan: Mapping[str, str] = msgspec.field(default_factory=dict)


@final
class ModifyOrder(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Change a working order: what is None stays as it is.

    One that `is_cosmetic` may be left out when messages are scarce: it will be asked again.
    """

    order_id: OrderId
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    origin: str = "cli"
    correlation_id: str = ""
    is_cosmetic: bool = False


@final
class CancelOrder(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Take an order back. Cancelling a closed order is harmless.

    Attributes:
        broker_order_id: For an order that we know only by the broker's id.
        is_of_all: Every order of the account is meant, whoever placed it, and `order_id` is none
            of them: others' cannot be cancelled by name. Never where money is real.
    """

    order_id: OrderId
    broker_order_id: int = 0
    origin: str = "cli"
    correlation_id: str = ""
    is_of_all: bool = False


Command = SubmitOrders | ModifyOrder | CancelOrder
