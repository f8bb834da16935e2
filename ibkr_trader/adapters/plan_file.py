"""Plans on disk: what `reconcile` showed, until it is applied or too old; see `token_file.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters import token_file
from ibkr_trader.adapters.token_file import Naming, TokenFolder
from ibkr_trader.execution.reconciling import KeptPlan

if TYPE_CHECKING:
    from pathlib import Path

_NAMING = Naming(
    noun="plan",
    folder="plans",
    again="ibkr-trader reconcile",
    afterwards="ibkr-trader reconcile",
    used="look what is left",
    source="it is the last line of what ibkr-trader reconcile prints",
)


def token_of(text: str) -> str:
    """Return what was typed as a plan's token: see `token_file.token_of`.

    Raises:
        TicketRefused: If it cannot be one.
    """
    return token_file.token_of(text, _NAMING)


class PlanFolder(TokenFolder[KeptPlan]):
    """The plans of one profile, in `plans/` of its folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, KeptPlan, _NAMING)
