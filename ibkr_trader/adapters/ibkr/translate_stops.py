"""The prices and times that make an order wait: triggers, trails, adjustments, good-after times.

A trail moves at the broker and our copy of its stop is always old. So a change of one never
repeats a price that it does not name: it would pull the stop back.
"""

from __future__ import annotations

from datetime import UTC
from types import MappingProxyType
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.translate_values import decimal, moment, plain
from ibkr_trader.core.enums import OrderType
from ibkr_trader.core.models import Adjustment
from ibkr_trader.core.shapes import ADJUSTED, SHAPES, TRAIL_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from ibkr_trader.adapters.ibkr.lib_types import LibOrder
    from ibkr_trader.core.models import OrderSpec

ORDER_TYPES: Mapping[OrderType, str] = MappingProxyType(
    {
        OrderType.MARKET: "MKT",
        OrderType.LIMIT: "LMT",
        OrderType.STOP: "STP",
        OrderType.STOP_LIMIT: "STP LMT",
        OrderType.TRAIL: "TRAIL",
        OrderType.TRAIL_LIMIT: "TRAIL LIMIT",
        OrderType.MARKET_IF_TOUCHED: "MIT",
        OrderType.LIMIT_IF_TOUCHED: "LIT",
        OrderType.MARKET_ON_CLOSE: "MOC",
        OrderType.LIMIT_ON_CLOSE: "LOC",
    }
)
_FROM_TWS = {tws.replace(" ", ""): ours for ours, tws in ORDER_TYPES.items()}
_PERCENT = 100  # adjustableTrailingUnit; 0 is an amount
_UTC_MARK = len("YYYYMMDD")  # a dash there means UTC


def order_type_of(words: str) -> OrderType | None:
    """Return the order type that TWS calls `words`; None if it is none of ours."""
    return _FROM_TWS.get(words.replace(" ", ""))


def text_of(price: Decimal | None) -> str:
    """Return a price as it is sent; what is unset is left empty."""
    return "" if price is None else plain(price)


def fill_in_trail(spec: OrderSpec, order: LibOrder, asked: frozenset[str] | None) -> None:
    """Write the prices of a trail: those it begins at, or of a change those it names."""
    order.auxPrice = text_of(spec.trail_amount)
    order.trailingPercent = text_of(spec.trail_percent)
    order.lmtPrice = ""
    if asked is None or "stop_price" in asked:
        order.trailStopPrice = text_of(spec.stop_price)
    if asked is None:
        order.lmtPrice = text_of(spec.limit_price)
    elif spec.limit_price is not None and spec.stop_price is not None:
        # The distance is what lasts; the broker keeps it while it moves both.
        order.lmtPriceOffset = plain((spec.limit_price - spec.stop_price) * spec.side.sign)


def fill_in_adjustment(adjustment: Adjustment | None, order: LibOrder) -> None:
    """Write what a stop is to turn into."""
    if adjustment is None:
        return
    order.adjustedOrderType = ORDER_TYPES[adjustment.order_type]
    order.triggerPrice = plain(adjustment.trigger)
    order.adjustedStopPrice = text_of(adjustment.stop_price)
    order.adjustedStopLimitPrice = text_of(adjustment.limit_price)
    is_percent = adjustment.trail_percent is not None
    trail = adjustment.trail_percent if is_percent else adjustment.trail_amount
    order.adjustedTrailingAmount = text_of(trail)
    order.adjustableTrailingUnit = _PERCENT if is_percent else 0


def adjustment_of(order: LibOrder, order_type: OrderType) -> Adjustment | None:
    """Return what a stop is still to turn into; None if nothing, or if it already has.

    Raises:
        ValueError: If it has no trigger.
    """
    kind = order_type_of(order.adjustedOrderType or "")
    if kind is None or kind not in ADJUSTED or order_type in TRAIL_TYPES:
        return None
    trigger = decimal(order.triggerPrice)
    if trigger is None:
        raise ValueError(f"an adjustment to {kind} without a trigger")
    trail = decimal(order.adjustedTrailingAmount) if ADJUSTED[kind].trails else None
    is_percent = bool(order.adjustableTrailingUnit)
    return Adjustment(
        trigger=trigger,
        order_type=kind,
        stop_price=decimal(order.adjustedStopPrice),
        limit_price=decimal(order.adjustedStopLimitPrice)
        if ADJUSTED[kind].takes("limit_price")
        else None,
        trail_amount=None if is_percent else trail,
        trail_percent=trail if is_percent else None,
    )


def limit_price_of(order: LibOrder, order_type: OrderType) -> Decimal | None:
    """Return the limit of an order; of a trail it may be told only as a distance."""
    if not SHAPES[order_type].takes("limit_price"):
        return None
    limit = decimal(order.lmtPrice)
    if order_type is OrderType.TRAIL_LIMIT and not limit:
        stop, offset = decimal(order.trailStopPrice), decimal(order.lmtPriceOffset)
        if stop is not None and offset is not None:
            return stop + offset if order.action == "BUY" else stop - offset
    return limit


def stop_price_of(order: LibOrder, order_type: OrderType) -> Decimal | None:
    """Return the trigger of an order, or where its trail has come to."""
    if order_type in TRAIL_TYPES:
        return decimal(order.trailStopPrice)
    return decimal(order.auxPrice) if SHAPES[order_type].takes("stop_price") else None


def good_after_text(at: datetime | None) -> str:
    """Return a good-after time as TWS takes it: in UTC, to the second."""
    return "" if at is None else f"{at.astimezone(UTC):%Y%m%d-%H:%M:%S}"


def moment_of(text: str) -> datetime | None:
    """Return a good-after time; None if there is none.

    Raises:
        ValueError: If it is none.
    """
    if not text:
        return None
    zone = "UTC" if text[_UTC_MARK : _UTC_MARK + 1] == "-" else "US/Eastern"
    return moment(text, zone=zone)
