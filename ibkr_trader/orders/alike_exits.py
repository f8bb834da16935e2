"""Exits for what is added to a position, like those that protect it already.

The exits of a bracket follow a scale-in in place (`linked_orders.py`). Those that came by
themselves (a trail, an OCO pair) stay as they are; what is added beside them enters with
exits of its own at the same prices, linked at the broker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderType, Side, TimeInForce
from ibkr_trader.core.models import ZERO, Order, OrderRequest
from ibkr_trader.core.shapes import STOP_TYPES, TRAIL_TYPES
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.orders.linked_orders import split

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.orders.linked_orders import ScaleInRequest


def alike(
    request: ScaleInRequest, exits: Iterable[Order], *, held: Decimal
) -> BracketOrderRequest | None:
    """Return the bracket that adds to a position with exits like these; None without a stop.

    Args:
        request: What is to be added.
        exits: The working exits of one group.
        held: What is held, signed.
    """
    found = [order for order in exits if order.status.is_open]
    stops = [order.spec for order in found if order.spec.order_type in STOP_TYPES]
    if not stops:
        return None
    side = Side.holding(held)
    # Of several the one that would be reached first: what is added is never protected less.
    stop = max(stops, key=lambda spec: (spec.stop_price or ZERO) * side.sign)
    entry = request.order(side)
    targets = [order for order in found if order.spec.order_type is OrderType.LIMIT]
    return BracketOrderRequest(
        parent=entry,
        stop_loss=_stop(stop, entry),
        take_profit=tuple(_targets(targets, entry, held=abs(held))),
        exit_time_in_force=(
            TimeInForce.DAY if stop.time_in_force is TimeInForce.DAY else TimeInForce.GTC
        ),
    )


def _stop(like: OrderSpec, entry: OrderRequest) -> OrderRequest:
    """The same stop or trail; one with a limit becomes one without: it must end the position."""
    is_trail = like.order_type in TRAIL_TYPES
    return OrderRequest(
        symbol=entry.symbol,
        quantity=entry.quantity,
        side=entry.side.opposite,
        order_type=OrderType.TRAIL if is_trail else OrderType.STOP,
        stop_price=like.stop_price,  # a trail begins where the other has got to
        trail_amount=like.trail_amount,
        trail_percent=like.trail_percent,
        adjustment=like.adjustment,
        outside_rth=like.outside_rth,
    )


def _targets(
    like: Sequence[Order], entry: OrderRequest, *, held: Decimal
) -> Iterator[OrderRequest]:
    """The same targets, each for its part of the position."""
    shares = [order.remaining for order in like]
    rest = max(ZERO, held - sum(shares, ZERO))  # ended by a stop alone
    parts = split(entry.quantity, [*shares, rest])
    for order, part in zip(like, parts, strict=False):
        if part:
            yield OrderRequest(
                symbol=entry.symbol,
                quantity=part,
                side=entry.side.opposite,
                order_type=OrderType.LIMIT,
                limit_price=order.spec.limit_price,
                outside_rth=order.spec.outside_rth,
            )
