"""An order of ours that the broker has twice, under two permanent ids: it would trade twice.

A change that was sent as the connection broke can leave it so. The one that was known keeps our
name; the other, its twin, is an order of its own here: it counts at its worst, in exposure as in
what exits could trade, and nobody opens anything until a person has looked. Whoever may act takes
it away (`execution/twin_watch.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.ids import is_reached, is_twin, parse_order_id, twin_id
from ibkr_trader.core.models import GroupId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from ibkr_trader.core.models import Order, OrderId, OrderSpec


def twins(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Return those of `orders` that live beside one of ours, under its name."""
    return tuple(order for order in orders if is_twin(order.order_id))


def can_end(twin: Order, client_id: int) -> bool:
    """Whether a cancel that client `client_id` sends ends a twin, and nothing else."""
    return is_reached(twin.spec.broker_order_id, client_id=twin.client_id, ours=client_id)


def told(orders: Iterable[Order], at: datetime) -> Iterator[ev.DriftEvent]:
    """Yield what is to be said of every twin among the orders that the broker has."""
    for twin in twins(orders):
        yield ev.DriftEvent(
            at=at,
            subject=twin.spec.reference,
            ours="one order",
            theirs=f"another with permId {twin.perm_id}, which would trade as well",
            needs_look=True,
        )


def apart(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Return the orders that the broker has, each under a name of its own.

    Of two that nobody has known, the one that is told first keeps the name.
    """
    found: dict[OrderId, Order] = {}
    rest: list[Order] = []
    for order in orders:
        known = found.setdefault(order.order_id, order)
        if known is order:
            continue
        if order.perm_id not in {0, known.perm_id}:
            spec = named(order.spec, twin_id(order.perm_id))
            order = msgspec.structs.replace(order, spec=spec)  # noqa: PLW2901 - the same, renamed
        rest.append(order)
    return (*found.values(), *rest)


def named(spec: OrderSpec, order_id: OrderId) -> OrderSpec:
    """Return the terms of an order under the name that is its own here."""
    if is_twin(order_id):
        reference = spec.reference or spec.order_id
        parts = parse_order_id(reference)
        role = parts.role if parts is not None else OrderRole.SINGLE
        return msgspec.structs.replace(
            spec, order_id=order_id, group_id=GroupId(order_id), role=role, reference=reference
        )
    if is_twin(spec.order_id) and (parts := parse_order_id(order_id)) is not None:
        return msgspec.structs.replace(
            spec, order_id=order_id, group_id=parts.group_id, role=parts.role, reference=""
        )
    return msgspec.structs.replace(spec, order_id=order_id)
