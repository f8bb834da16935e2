"""The next step of a closing, in the account as it now stands."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ibkr_trader.core.models import ZERO
from ibkr_trader.portfolio.ledger_fold import quantity_of, stated_apart
from ibkr_trader.portfolio.lost_orders import to_take_over

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core.models import Contract
    from ibkr_trader.orders.closing import Closing, ClosingStep
    from ibkr_trader.portfolio.state import PortfolioState

_UNEXPLAINED = "the broker holds nothing of it any more, and no execution says why: look in TWS"


def closable(state: PortfolioState, contract: Contract) -> Decimal:
    """Return the signed quantity that our books and the broker's last word both have."""
    held, stated = quantity_of(state, contract.con_id), stated_apart(state, contract)
    if stated is None:
        return held
    return min(held, stated, key=abs) if held * stated > 0 else ZERO


def flatten(
    closing: Closing, state: PortfolioState, *, objection: str = "", as_stated: bool = False
) -> ClosingStep:
    """Return what `closing` does next; ask again after every event until it is over.

    Route the step's commands before asking again: what they change is then in `state`. With
    an `objection` it is not closed any more, and only left protected. `as_stated` heeds the
    broker where it states less than our books: what only these have is trouble.
    """
    ours = quantity_of(state, closing.contract.con_id)
    held = closable(state, closing.contract) if as_stated else ours
    orders = chain(state.orders.values(), state.closed.values())
    step = closing.give_up(held, orders, objection) if objection else closing.step(held, orders)
    if ours and not held and step.is_over:
        return step._replace(trouble=_UNEXPLAINED)
    return step


def unfinished(state: PortfolioState, *, client_id: int = 0) -> dict[int, Contract]:
    """Return every contract that is not at rest, by con_id: held, or with an order of ours.

    Args:
        state: The account.
        client_id: Ours at the gateway: what a lost journal of ours had is counted, too. Without
            it, only what is on record.
    """
    held = {con_id: position.contract for con_id, position in state.positions.items()}
    ours = [order for order in state.orders.values() if not order.is_foreign]
    ours += to_take_over(state, client_id=client_id)
    return held | {order.spec.contract.con_id: order.spec.contract for order in ours}
