"""What protects each position: stop, target, coverage, and how far away the stop is.

Only what the broker has confirmed counts: a stop that may not exist protects nobody. Of
exits of which only one can trade (one-cancels-all, or the exits of one entry) the largest
counts, not the sum.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.enums import OrderStatus, OrderType
from ibkr_trader.core.models import ZERO, Order, OrderId, Position

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.portfolio.state import PortfolioState

STOP_TYPES = frozenset(
    {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAIL, OrderType.TRAIL_LIMIT}
)
TARGET_TYPES = frozenset({OrderType.LIMIT, OrderType.LIMIT_IF_TOUCHED, OrderType.MARKET_IF_TOUCHED})
# A hold may be a refusal: what is set aside protects nobody.
_NOT_WORKING = frozenset({OrderStatus.INACTIVE})


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """One position and the orders that would end it.

    Attributes:
        stop: The trigger that would be reached first; None without one.
        target: The price at which gain would be taken first; None without one.
        covered: How much of the position stops would end.
        coverage: The same as a fraction of the position, at most 1.
        closing: What all exits together can still trade, for the bound that it is no more
            than the position.
        distance: From the mark to the stop, per unit; negative once it has been passed.
        distance_fraction: The same as a fraction of the mark.
        risk: What reaching the stop would cost per unit, from the average cost; negative
            when the stop already secures a gain.
        r: The open gain in units of `risk`; None without one that is positive.
        orders: The orders that protect, stops first.
    """

    position: Position
    stop: Decimal | None = None
    target: Decimal | None = None
    covered: Decimal = ZERO
    coverage: Decimal = ZERO
    closing: Decimal = ZERO
    distance: Decimal | None = None
    distance_fraction: Decimal | None = None
    risk: Decimal | None = None
    r: Decimal | None = None
    orders: tuple[OrderId, ...] = ()

    @property
    def is_covered(self) -> bool:
        """Whether stops would end all of it."""
        return self.covered >= abs(self.position.quantity)


def protections(state: PortfolioState) -> dict[int, Protection]:
    """Return what protects each position, by con_id."""
    return {
        con_id: protection(position, state.orders.values())
        for con_id, position in state.positions.items()
    }


def protection(position: Position, orders: Iterable[Order]) -> Protection:
    """Return what protects one position, out of any orders."""
    exits = [order for order in orders if _is_exit(order, position)]
    stops = [order for order in exits if order.spec.order_type in STOP_TYPES]
    targets = [order for order in exits if order.spec.order_type in TARGET_TYPES]
    is_long, size = position.quantity > 0, abs(position.quantity)
    triggers = [o.spec.stop_price for o in stops if o.spec.stop_price is not None]
    aims = [aim for o in targets if (aim := o.spec.limit_price or o.spec.stop_price) is not None]
    stop = (max if is_long else min)(triggers, default=None)
    target = (min if is_long else max)(aims, default=None)
    covered = min(_together(stops), size)
    sign = 1 if is_long else -1
    mark, cost = position.market_price, position.average_cost
    distance = None if mark is None or stop is None else (mark - stop) * sign
    risk = None if stop is None else (cost - stop) * sign
    return Protection(
        position=position,
        stop=stop,
        target=target,
        covered=covered,
        coverage=covered / size if size else ZERO,
        closing=_together(exits),
        distance=distance,
        distance_fraction=distance / mark if distance is not None and mark else None,
        risk=risk,
        r=(mark - cost) * sign / risk if mark is not None and risk and risk > 0 else None,
        orders=tuple(order.order_id for order in (*stops, *targets)),
    )


def _is_exit(order: Order, position: Position) -> bool:
    return (
        order.spec.contract.con_id == position.contract.con_id
        and order.status.is_open
        and order.status not in _NOT_WORKING
        and order.spec.side.sign * position.quantity < 0
    )


def _together(orders: Iterable[Order]) -> Decimal:
    """What the orders can trade, if of each group that excludes one another one does."""
    total, groups = ZERO, dict[str, Decimal]()
    for order in orders:
        spec = order.spec
        group = spec.oca_group or (f"exits of {spec.parent_id}" if spec.parent_id else "")
        if group:
            groups[group] = max(groups.get(group, ZERO), order.remaining)
        else:
            total += order.remaining
    return total + sum(groups.values(), ZERO)
