"""Historical bars: the client library's values -> ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.messages import BarReport
from ibkr_trader.adapters.ibkr.translate_values import decimal, moment
from ibkr_trader.core.models import ZERO, Bar

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.adapters.ibkr.lib_types import Figure, LibBar
    from ibkr_trader.core.models import Contract


def bar_report(request_id: int, bar: LibBar) -> BarReport:
    """Return a bar that was asked for with times in epoch seconds; a day's starts at 0:00 UTC.

    Raises:
        ValueError: If a price is missing.
    """
    volume = decimal(bar.volume)
    return BarReport(
        request_id=request_id,
        at=moment(str(bar.date), zone="UTC"),
        open=_price(bar.open),
        high=_price(bar.high),
        low=_price(bar.low),
        close=_price(bar.close),
        # -1 is how a midpoint bar says that it has none
        volume=volume if volume is not None and volume >= ZERO else None,
    )


def bar_of(report: BarReport, contract: Contract) -> Bar:
    """Return a report as a bar of `contract`."""
    return Bar(
        contract=contract,
        at=report.at,
        open=report.open,
        high=report.high,
        low=report.low,
        close=report.close,
        volume=report.volume,
    )


def _price(value: Figure) -> Decimal:
    price = decimal(value)
    if price is None:
        raise ValueError("a bar without a price")
    return price
