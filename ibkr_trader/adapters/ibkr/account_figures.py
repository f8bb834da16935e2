"""The account's figures, gathered from the rows in which TWS states them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.translate_values import number
from ibkr_trader.core.models import AccountValues

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.adapters.ibkr.messages import AccountValue

_FIELDS = {
    "NetLiquidation": "net_liquidation",
    "TotalCashValue": "cash",
    "AvailableFunds": "available_funds",
    "BuyingPower": "buying_power",
    "InitMarginReq": "initial_margin",
    "MaintMarginReq": "maintenance_margin",
    "GrossPositionValue": "gross_position_value",
    "RealizedPnL": "realized_pnl",
    "UnrealizedPnL": "unrealized_pnl",
    "DayTradesRemaining": "day_trades_left",
}
_BY_CURRENCY = frozenset({"RealizedPnL", "UnrealizedPnL"})  # stated in each, and in all: BASE


class AccountFigures:
    """The latest figure of each kind, for one account."""

    def __init__(self) -> None:
        self._figures: dict[str, Decimal] = {}
        self._currency = "USD"

    def take(self, row: AccountValue) -> None:
        """Take over one row.

        Raises:
            ValueError: If its figure is none.
        """
        field = _FIELDS.get(row.key)
        if field is None or (row.key in _BY_CURRENCY and row.currency != "BASE"):
            return
        value = number(row.value)
        if value is not None:
            self._figures[field] = value
        if row.key == "NetLiquidation" and row.currency:
            self._currency = row.currency

    def values(self, account: str) -> AccountValues:
        """Return what is stated so far."""
        return AccountValues(account=account, currency=self._currency, **self._figures)
