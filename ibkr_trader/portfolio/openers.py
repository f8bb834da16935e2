"""Which of our orders could still lead further from flat: those that a halt takes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.shapes import STOP_TYPES
from ibkr_trader.portfolio.exposure import ExposureIndex

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order
    from ibkr_trader.portfolio.contract_exposure import ContractExposure
    from ibkr_trader.portfolio.exposure import Holdings


def openers(portfolio: Holdings) -> tuple[Order, ...]:
    """Return our live orders that could still open, beside the others or alone.

    Those in flight and those of which nothing is known are among them. Exits are not: they
    go with their entry, or stay for what it has filled; nor is a stop on the side that ends
    what is held, whatever it was placed as. Entries come first.
    """
    index = ExposureIndex.of(portfolio)
    found = [
        order
        for order in portfolio.orders.values()
        if not order.is_foreign and _opens(order, index.contract(order.spec.contract))
    ]
    return tuple(sorted(found, key=lambda order: order.spec.parent_id is not None))


def _opens(order: Order, exposure: ContractExposure) -> bool:
    spec = order.spec
    is_closing = exposure.held * spec.side.sign < 0
    if spec.role.is_protective or (is_closing and spec.order_type in STOP_TYPES):
        return False
    return exposure.is_opener(order.order_id)
