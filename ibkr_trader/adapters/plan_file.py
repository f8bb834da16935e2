"""Plans on disk: what `reconcile` showed, until it is applied or too old."""

from __future__ import annotations

from ibkr_trader.adapters.token_file import Naming
from ibkr_trader.execution.reconciling import KeptPlan

PLANS = Naming(
    kind=KeptPlan,
    noun="plan",
    folder="plans",
    again="ibkr-trader reconcile",
    afterwards="ibkr-trader reconcile",
    used="look what is left",
    source="it is the last line of what ibkr-trader reconcile prints",
)
