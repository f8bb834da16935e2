"""The account in TWS's own tags: what accountValue, accountSummary and `$LEDGER` say."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from ibkr_trader.sim.account import AccountState, Rate, Totals

ZERO = Decimal(0)
_CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Return an amount as statements show it."""
    return amount.quantize(_CENT)


class AccountValue(msgspec.Struct, frozen=True):
    """One line of the account: TWS's tag, its value as text, and its currency ('' for none)."""

    tag: str
    value: str
    currency: str


def statement(state: AccountState, totals: Totals, rate: Rate) -> tuple[AccountValue, ...]:
    """Return every line TWS states, the `$LEDGER` rows of each currency and BASE included."""
    base = state.currency
    lines = [AccountValue(tag, text, "") for tag, text in _plain(state, totals)]
    lines += [AccountValue(tag, str(cents(sum_)), base) for tag, sum_ in _money(state, totals)]
    for currency in sorted(state.cash):
        lines += _ledger(state, totals, currency=currency, rate=rate(currency))
    lines += _ledger(state, totals, currency="BASE", rate=Decimal(1))
    return tuple(lines)


def _plain(state: AccountState, totals: Totals) -> Iterator[tuple[str, str]]:
    net = totals.net_liquidation
    yield "AccountCode", state.account
    yield "AccountType", "INDIVIDUAL"
    yield "AccountReady", "true"
    cushion = totals.excess_liquidity / net if net > 0 else ZERO
    yield "Cushion", str(max(ZERO, cushion).quantize(Decimal("0.000001")))
    leverage = totals.gross_value / net if net > 0 else ZERO
    yield "Leverage-S", str(cents(leverage))
    yield "Leverage", str(cents(leverage))
    yield "LookAheadNextChange", "0"
    yield "HighestSeverity", "0"
    yield "DayTradesRemaining", "-1"  # unlimited
    for day in range(1, 5):
        yield f"DayTradesRemainingT+{day}", "-1"


def _money(state: AccountState, totals: Totals) -> Iterator[tuple[str, Decimal]]:
    equity = totals.equity_with_loan
    yield "NetLiquidation", totals.net_liquidation
    yield "TotalCashValue", totals.cash
    yield "SettledCash", totals.cash
    yield "AccruedCash", ZERO
    yield "BuyingPower", totals.buying_power
    yield "EquityWithLoanValue", equity
    yield "PreviousDayEquityWithLoanValue", state.day_equity
    yield "GrossPositionValue", totals.gross_value
    yield "StockMarketValue", totals.stock_value
    yield "OptionMarketValue", totals.option_value
    yield "RegTEquity", equity
    yield "RegTMargin", totals.init_margin
    yield "SMA", max(ZERO, equity - totals.init_margin)
    yield "UnrealizedPnL", totals.unrealized
    yield "RealizedPnL", totals.realized
    for kind in ("", "Full", "LookAhead"):
        yield f"{kind}InitMarginReq", totals.init_margin
        yield f"{kind}MaintMarginReq", totals.maint_margin
        yield f"{kind}AvailableFunds", totals.available_funds
        yield f"{kind}ExcessLiquidity", totals.excess_liquidity


def _ledger(
    state: AccountState, totals: Totals, *, currency: str, rate: Decimal
) -> Iterator[AccountValue]:
    is_whole = currency in {"BASE", state.currency}
    cash = totals.cash if currency == "BASE" else state.cash[currency]
    stock = totals.stock_value if is_whole else ZERO
    options = totals.option_value if is_whole else ZERO
    rows = {
        "Currency": currency,
        "CashBalance": cents(cash),
        "TotalCashBalance": cents(cash),
        "AccruedCash": cents(ZERO),
        "StockMarketValue": cents(stock),
        "OptionMarketValue": cents(options),
        "NetLiquidationByCurrency": cents(cash + stock + options),
        "UnrealizedPnL": cents(totals.unrealized if is_whole else ZERO),
        "RealizedPnL": cents(totals.realized if is_whole else ZERO),
        "ExchangeRate": rate.quantize(Decimal("0.0000001")),
    }
    for tag, value in rows.items():
        yield AccountValue(tag, str(value), currency)
