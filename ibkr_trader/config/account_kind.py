"""Which profile an account belongs to: the account decides that, not the port."""

from __future__ import annotations

from ibkr_trader.config import Profile
from ibkr_trader.core.accounts import is_paper, is_simulated, masked
from ibkr_trader.core.errors import AccountMismatch


def check_account(profile: Profile, account: str) -> None:
    """Refuse an account that is not of the profile's kind.

    Raises:
        AccountMismatch: If it is not.
    """
    kind = kind_of(account)
    if kind is not profile:
        message = f"profile {profile} found account {masked(account)}, which is a {kind} account"
        raise AccountMismatch(message, hint=f"use --profile {kind}, or connect to another port")


def kind_of(account: str) -> Profile:
    """Return which profile an account id belongs to; what is not known is taken for real money."""
    if is_simulated(account):
        return Profile.SIM
    return Profile.PAPER if is_paper(account) else Profile.LIVE
