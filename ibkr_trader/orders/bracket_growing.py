"""Whether the exits of a bracket will follow an entry more: one answer for all who ask.

It is asked before such an entry is sent, and again with all that is heard as long as it rests:
somebody may size the exits meanwhile, or sell a part elsewhere, and what the entry then brought
would have no stop. What is only under way does not count, neither a change nor a cancel: while
the exits are being changed, they still follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderRole, OrderStatus

if TYPE_CHECKING:
    from ibkr_trader.orders.bracket_group import Bracket
    from ibkr_trader.orders.linked_orders import Leg


def will_follow(group: Bracket) -> bool:
    """Whether all that an entry more would bring gets its exits: it holds, and is not ending.

    Before its first entry has traded, the exits sleep: they would end nothing of what is added.
    While that trades, the broker may size them by it, and by nothing else.
    """
    if group.closers or group.held <= 0 or not group.entry.status.is_closed:
        return False
    legs = group.parts()
    stops = (stop for leg in legs for stop in leg.of(OrderRole.STOP))
    if any(stop.status is OrderStatus.FILLED for stop in stops):
        return False  # the price is beyond it: the others are next
    rest = [leg for leg in legs if not leg.is_spent]
    return bool(rest) and all(_will_grow(group, leg) for leg in rest)


def _will_grow(group: Bracket, leg: Leg) -> bool:
    """Whether the leg has a stop, and nobody keeps its exits as they are.

    One whose size somebody has set is not enlarged; nor is one that the broker has left as it
    is each time it was asked.
    """
    live = leg.live
    return (
        any(order.spec.role is OrderRole.STOP for order in live)
        and group.sized.isdisjoint(order.order_id for order in live)
        and not any(group.memory.is_unheard(f"size {order.order_id} ") for order in live)
    )
