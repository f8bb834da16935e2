"""Which contract a command would place something in, or enlarge something in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.commands import Command, ModifyOrder, SubmitOrders

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract
    from ibkr_trader.portfolio.state import PortfolioState


def enlarged(state: PortfolioState, command: Command) -> Contract | None:
    """Return the contract in which `command` places or enlarges an order; None if it does not."""
    match command:
        case SubmitOrders(orders=(first, *_)):
            return first.contract
        case ModifyOrder(order_id=order_id, quantity=wanted) if wanted is not None:
            order = state.order(order_id)
            if order is None or wanted <= order.spec.quantity:
                return None
            return order.spec.contract
        case _:
            return None
