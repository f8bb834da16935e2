"""What is a legal price: the one place that knows price steps and rounds to them.

A contract has bands: from each band's low edge upward, prices move in its increment. When
a price must be rounded, it goes to the side that costs the owner of the order nothing: a
limit becomes no worse, a protective stop no wider.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.models import OrderSpec, PriceBand

_TOUCHED = frozenset({OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED})


def increment_at(price: Decimal, bands: Sequence[PriceBand]) -> Decimal:
    """Return the price step at `price`: that of the highest band at or below it.

    A negative price (spreads have them) moves as its absolute value does.

    Raises:
        ValueError: If there are no bands, or a step is not positive.
    """
    if not bands:
        raise ValueError("a contract without price bands has no legal prices")
    ascending = sorted(bands, key=lambda band: band.low_edge)
    size = abs(price)
    found = next((b for b in reversed(ascending) if b.low_edge <= size), ascending[0])
    if found.increment <= 0:
        raise ValueError(f"a price step must be positive, not {found.increment}")
    return found.increment


def conforms(price: Decimal, bands: Sequence[PriceBand]) -> bool:
    """Whether `price` is a multiple of the step that holds there."""
    return price.is_finite() and price % increment_at(price, bands) == 0


def round_down(price: Decimal, bands: Sequence[PriceBand]) -> Decimal:
    """Return the highest legal price that is not above `price`."""
    below = _floor(price, increment_at(price, bands))
    # Below a band's edge its own step is legal, and an edge need not be a multiple of it.
    return _floor(below, increment_at(below, bands))


def round_up(price: Decimal, bands: Sequence[PriceBand]) -> Decimal:
    """Return the lowest legal price that is not below `price`."""
    above = -_floor(-price, increment_at(price, bands))
    return -_floor(-above, increment_at(above, bands))


def round_limit(price: Decimal, side: Side, bands: Sequence[PriceBand]) -> Decimal:
    """Return the legal limit that is no worse than asked: a buy goes down, a sell up."""
    return round_down(price, bands) if side is Side.BUY else round_up(price, bands)


def round_protective_stop(price: Decimal, side: Side, bands: Sequence[PriceBand]) -> Decimal:
    """Return the legal trigger of a stop that ends a position, never further from the market.

    Args:
        price: The trigger that was asked for.
        side: The side of the stop itself: a sell stop protects a long and goes up.
        bands: The contract's price bands.
    """
    return round_up(price, bands) if side is Side.SELL else round_down(price, bands)


def round_entry_stop(price: Decimal, side: Side, bands: Sequence[PriceBand]) -> Decimal:
    """Return the legal trigger of a stop that opens, never sooner than asked: a buy goes up."""
    return round_up(price, bands) if side is Side.BUY else round_down(price, bands)


def with_legal_prices(spec: OrderSpec, bands: Sequence[PriceBand]) -> OrderSpec:
    """Return the order with its limit and its trigger rounded, by side, type and role."""
    limit, stop = spec.limit_price, spec.stop_price
    if limit is not None:
        limit = round_limit(limit, spec.side, bands)
    if stop is not None and spec.order_type in _TOUCHED:
        stop = round_limit(stop, spec.side, bands)  # it waits for a better price, as a limit does
    elif stop is not None and spec.role is OrderRole.STOP:
        stop = round_protective_stop(stop, spec.side, bands)
    elif stop is not None:
        stop = round_entry_stop(stop, spec.side, bands)
    return msgspec.structs.replace(spec, limit_price=limit, stop_price=stop)


def _floor(price: Decimal, step: Decimal) -> Decimal:
    over = price % step  # exact, and of the price's own sign
    if not over:
        return price
    return price - over if over > 0 else price - over - step
