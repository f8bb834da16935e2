"""The next step of a closing, in the account as it now stands."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ibkr_trader.portfolio.ledger_fold import quantity_of

if TYPE_CHECKING:
    from ibkr_trader.orders.closing import Closing, ClosingStep
    from ibkr_trader.portfolio.state import PortfolioState


def flatten(closing: Closing, state: PortfolioState) -> ClosingStep:
    """Return what `closing` does next; ask again after every event until it is over.

    Route the step's commands before asking again: what they change is then in `state`.
    """
    held = quantity_of(state, closing.contract.con_id)
    return closing.step(held, chain(state.orders.values(), state.closed.values()))
