"""In which money the account is counted: what is in any other is unknown, never added.

Nothing here converts money: an amount in another currency beside one in the account's own is
no sum at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract
    from ibkr_trader.portfolio.state import PortfolioState

FOREIGN = "nothing here converts {}"  # as a reason why an amount is unknown


def currency_of(portfolio: PortfolioState) -> str:
    """Return the account's currency; empty while nobody has stated the account's values."""
    return portfolio.values.currency if portfolio.values is not None else ""


def is_foreign(contract: Contract, currency: str) -> bool:
    """Whether a contract is in other money than `currency`; what is empty, nobody can tell."""
    return currency not in ("", contract.currency)
