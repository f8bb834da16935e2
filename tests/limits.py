"""Limits that leave room, for tests that are about something else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from ibkr_trader.risk.limits import RiskLimits

_A_MOMENT = timedelta(microseconds=1)
_ROOM: dict[str, Any] = {
    "max_openings_per_second": 100,
    "max_openings_per_minute": 100,
    "require_stop": False,
    "max_risk_share": Decimal(1),
    "max_risk_per_trade": Decimal(1_000_000),
    "max_open_positions": 1_000,
    "max_heat": Decimal(10),
    "max_correlated_share": Decimal(10),
    "max_sector_share": Decimal(10),
    "max_daily_loss": Decimal(1_000_000),
    "max_drawdown": Decimal(1),
    "max_efficiency": Decimal(1_000_000),
    "efficiency_warning": Decimal(1_000_000),
    "max_rejects": 1_000,
    "max_rejects_per_symbol": 1_000,
    "max_unknown": 1_000,
    "max_stop_outs": 1_000,
    "min_shortable": Decimal("0.1"),
    "stop_out_cooldown": _A_MOMENT,
    "entry_delay": _A_MOMENT,
    "entry_cutoff": _A_MOMENT,
    "halt_pause": _A_MOMENT,
    "max_jump": Decimal(10),
    "marketable_collar": Decimal("0.03"),
    "blackouts": frozenset(),
}


def roomy(**changes: Any) -> RiskLimits:
    """Return limits of which those of earlier checks have their defaults, and the rest room."""
    return RiskLimits(**(_ROOM | changes))
