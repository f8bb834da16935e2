"""What an account's id tells: whose money it is, and how much of the id is shown.

IBKR's ids are letters and figures: `U` and `F` are real accounts, `DU` and `DF` paper ones. Those
of the simulator begin with `SIM`, and are nobody's.
"""

from __future__ import annotations

import re

_SIMULATED = "SIM"
_PAPER = ("DU", "DF")
# Newer paper accounts have a letter more before the figures: `DUA`, `DUN`.
_ANY = re.compile(r"\b(?:D[UF][A-Z]?|U|F|I)[0-9]{5,12}[A-Z]?\b")
_FIGURES = "0123456789"
_MOST_LETTERS, _LAST = 2, 3  # of an id, what is shown of it


def is_simulated(account: str) -> bool:
    """Whether an account is the simulator's."""
    return account.startswith(_SIMULATED)


def is_paper(account: str) -> bool:
    """Whether an account holds no real money at IBKR."""
    return account.startswith(_PAPER)


def masked(account: str) -> str:
    """Return an account's id with most of it left out: `DU***567`; one of the simulator whole."""
    if is_simulated(account) or len(account) <= _MOST_LETTERS + _LAST:
        return account
    return f"{account.rstrip(_FIGURES)[:_MOST_LETTERS]}***{account[-_LAST:]}"


def without_accounts(text: str) -> str:
    """Return `text` with whatever in it looks like an account's id `masked`."""
    return _ANY.sub(lambda found: masked(found[0]), text)
