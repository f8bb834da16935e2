"""Which of our orders could still lead further from flat: those that a halt takes back.

A stop on the side that ends what is held may stay, whatever it was placed as, as far as there
is something for it to end; what is beyond that could open, and goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.models import ZERO
from ibkr_trader.core.shapes import STOP_TYPES
from ibkr_trader.portfolio.exposure import ExposureIndex

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from ibkr_trader.core.models import Order
    from ibkr_trader.portfolio.contract_exposure import ContractExposure
    from ibkr_trader.portfolio.exposure import Holdings


class Oversized(NamedTuple):
    """A stop that may stay in part: `quantity` is what the whole order should come to."""

    order: Order
    quantity: Decimal


def openers(portfolio: Holdings) -> tuple[Order, ...]:
    """Return our live orders that could still open, beside the others or alone.

    Those in flight and those of which nothing is known are among them. Exits are not: they
    go with their entry, or stay for what it has filled; nor is a stop as far as it ends what
    is held. Entries come first.
    """
    index = ExposureIndex.of(portfolio)
    spared = _spared(portfolio, index)
    found = [
        order
        for order in portfolio.orders.values()
        if not order.is_foreign
        and not spared.get(order.order_id)
        and not order.spec.role.is_protective
        and index.contract(order.spec.contract).is_opener(order.order_id)
    ]
    return tuple(sorted(found, key=lambda order: order.spec.parent_id is not None))


def oversized(portfolio: Holdings) -> tuple[Oversized, ...]:
    """Return the stops that end what is held, and could open with the rest of their size."""
    spared = _spared(portfolio, ExposureIndex.of(portfolio))
    return tuple(
        Oversized(order, order.filled + kept)
        for order in portfolio.orders.values()
        if ZERO < (kept := spared.get(order.order_id, ZERO)) < order.remaining
    )


def _spared(portfolio: Holdings, index: ExposureIndex) -> dict[str, Decimal]:
    """How much of each stop ends what is held: the nearest first, after what protects anyway."""
    stops: dict[int, list[Order]] = {}
    for order in portfolio.orders.values():
        exposure = index.contract(order.spec.contract)
        if not order.is_foreign and _ends(order, exposure):
            stops.setdefault(order.spec.contract.con_id, []).append(order)
    found: dict[str, Decimal] = {}
    for con_id, orders in stops.items():
        room = abs(index.contracts[con_id].held) - _protected(portfolio, con_id, index)
        for order in sorted(orders, key=_distance):
            found[order.order_id] = max(ZERO, min(order.remaining, room))
            room -= found[order.order_id]
    return found


def _ends(order: Order, exposure: ContractExposure) -> bool:
    """Whether it is a stop on the side that ends what is held, though nobody calls it an exit."""
    spec = order.spec
    is_closing = exposure.held * spec.side.sign < 0
    return is_closing and spec.order_type in STOP_TYPES and not spec.role.is_protective


def _protected(portfolio: Holdings, con_id: int, index: ExposureIndex) -> Decimal:
    """How much of what is held the stops of groups end: of each that excludes others, the most."""
    groups: dict[str, Decimal] = {}
    side = -index.contracts[con_id].held
    for order in _protective(portfolio.orders.values(), con_id):
        if order.spec.side.sign * side > 0:
            name = order.spec.oca_group or order.order_id
            groups[name] = max(groups.get(name, ZERO), order.remaining)
    return sum(groups.values(), ZERO)


def _protective(orders: Iterable[Order], con_id: int) -> list[Order]:
    return [
        order
        for order in orders
        if order.spec.contract.con_id == con_id
        and order.spec.role.is_protective
        and order.spec.order_type in STOP_TYPES
    ]


def _distance(order: Order) -> Decimal:
    """Whose stop protects first comes first; a trail whose stop nobody states comes last."""
    stop = order.spec.stop_price
    return order.spec.side.sign * stop if stop is not None else ZERO
