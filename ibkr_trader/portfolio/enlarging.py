"""What a command would do as things stand: enlarge something, or nothing any more."""

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


def is_needless(state: PortfolioState, command: Command) -> bool:
    """Whether the broker was faster: the order to cancel or change has ended."""
    if isinstance(command, SubmitOrders):
        return False
    order = state.order(command.order_id)
    return order is not None and order.status.is_closed
