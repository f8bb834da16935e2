"""The next step of a closing, in the account as it now stands."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ibkr_trader.portfolio.ledger_fold import quantity_of

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract
    from ibkr_trader.orders.closing import Closing, ClosingStep
    from ibkr_trader.portfolio.state import PortfolioState


def flatten(closing: Closing, state: PortfolioState, *, objection: str = "") -> ClosingStep:
    """Return what `closing` does next; ask again after every event until it is over.

    Route the step's commands before asking again: what they change is then in `state`. With
    an `objection` it is not closed any more, and only left protected.
    """
    held = quantity_of(state, closing.contract.con_id)
    orders = chain(state.orders.values(), state.closed.values())
    if objection:
        return closing.give_up(held, orders, objection)
    return closing.step(held, orders)


def unfinished(state: PortfolioState) -> dict[int, Contract]:
    """Return every contract that is not at rest, by con_id: held, or with an order of ours."""
    held = {con_id: position.contract for con_id, position in state.positions.items()}
    return held | {
        order.spec.contract.con_id: order.spec.contract
        for order in state.orders.values()
        if not order.is_foreign
    }
