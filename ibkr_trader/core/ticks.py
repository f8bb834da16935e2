"""What is a legal price: the one place that knows price steps and rounds to them.

A contract has bands: from each band's low edge upward, prices move in its increment. When
a price must be rounded, it goes to the side that costs the owner of the order nothing: a
limit becomes no worse, a protective stop no wider.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from ibkr_trader.core.enums import OrderRole, Side
from ibkr_trader.core.models import Adjustment, OrderSpec, PriceBand
from ibkr_trader.core.shapes import TOUCHED_TYPES


def increment_at(price: Decimal, bands: Sequence[PriceBand]) -> Decimal:
    """Return the price step at `price`: that of the highest band at or below it.

    A negative price (spreads have them) moves as its absolute value does.

    Raises:
        ValueError: If there are no bands, or a step is not positive.
    """
    if not bands:
        raise ValueError("a contract without price bands has no legal prices")
    # Most contracts have one: each price of each order asks for it.
    ascending = sorted(bands, key=lambda band: band.low_edge) if len(bands) > 1 else bands
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


def round_trail(amount: Decimal, price: Decimal | None, bands: Sequence[PriceBand]) -> Decimal:
    """Return the trail in whole steps, never wider than asked, and one step at the least.

    Args:
        amount: How far the stop stays behind the market.
        price: Where the stop stands, for the step that holds there; None if nobody says,
            then the coarsest step counts that is not larger than the amount.
        bands: The contract's price bands.
    """
    if price is not None:
        step = increment_at(price, bands)
    else:
        steps = [band.increment for band in bands]
        step = max((one for one in steps if one <= amount), default=min(steps))
    return max(_floor(amount, step), step)


def with_legal_prices(spec: OrderSpec, bands: Sequence[PriceBand]) -> OrderSpec:
    """Return the order with every price rounded, by side, type and role; percents stay."""
    limit, stop, trail = spec.limit_price, spec.stop_price, spec.trail_amount
    if trail is not None:
        trail = round_trail(trail, stop, bands)
    if limit is not None:
        limit = round_limit(limit, spec.side, bands)
    if stop is not None and spec.order_type in TOUCHED_TYPES:
        stop = round_limit(stop, spec.side, bands)  # it waits for a better price, as a limit does
    elif stop is not None and spec.role is OrderRole.STOP:
        stop = round_protective_stop(stop, spec.side, bands)
    elif stop is not None:
        stop = round_entry_stop(stop, spec.side, bands)
    adjustment = spec.adjustment and _adjusted(spec.adjustment, spec.side, bands)
    return msgspec.structs.replace(
        spec, limit_price=limit, stop_price=stop, trail_amount=trail, adjustment=adjustment
    )


def _adjusted(old: Adjustment, side: Side, bands: Sequence[PriceBand]) -> Adjustment:
    """The stop that a stop turns into: tighter than asked rather than wider."""
    limit, stop, trail = old.limit_price, old.stop_price, old.trail_amount
    return msgspec.structs.replace(
        old,
        trigger=round_limit(old.trigger, side, bands),
        limit_price=None if limit is None else round_limit(limit, side, bands),
        stop_price=None if stop is None else round_protective_stop(stop, side, bands),
        trail_amount=None if trail is None else round_trail(trail, stop, bands),
    )


def _floor(price: Decimal, step: Decimal) -> Decimal:
    over = price % step  # exact, and of the price's own sign
    if not over:
        return price
    return price - over if over > 0 else price - over - step
