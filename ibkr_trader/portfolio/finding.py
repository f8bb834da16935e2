"""Which orders a person means: by our id, its short form, the broker's number, or a prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.ids import short_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.core.models import Order, OrderId


def find_orders(text: str, live: Iterable[Order], closed: Iterable[Order]) -> tuple[OrderId, ...]:
    """Return the ids of the orders that `text` may mean; more than one is ambiguous.

    In this order, and the first that finds anything decides:

    1. an order's id, with or without the install prefix (`k7qav-17-stop`, `17-stop`);
    2. a group (`17`, `k7qav-17`): every order of it. The broker's order number is written
       with a sign, `#17`, and its permId plainly: a bare `17` must never reach the order
       that happens to be the seventeenth at the broker;
    3. the beginning of an id. A bare number is never one: `1` must not reach order 17.

    Orders that can still trade come first; a prefix means a closed one only if no other.
    """
    wanted = text.strip()
    if not wanted:
        return ()
    working, past = tuple(live), tuple(closed)
    every = (*working, *past)
    return (
        tuple(order.order_id for order in every if wanted in _names(order))
        or tuple(order.order_id for order in every if wanted in _numbers(order))
        or tuple(_beginning(wanted, working))
        or tuple(_beginning(wanted, past))
    )


def _names(order: Order) -> tuple[str, ...]:
    return (order.order_id, short_id(order.order_id))


def _numbers(order: Order) -> Iterator[str]:
    group_id = order.spec.group_id
    yield group_id
    yield short_id(group_id)
    if order.spec.broker_order_id:
        yield f"#{order.spec.broker_order_id}"
    if order.perm_id:
        yield str(order.perm_id)


def _beginning(wanted: str, orders: Iterable[Order]) -> Iterator[OrderId]:
    if wanted.isdecimal():
        return
    for order in orders:
        if any(name.startswith(wanted) for name in _names(order)):
            yield order.order_id
