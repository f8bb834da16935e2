"""Orders that change while they rest: trails that follow, limits behind them, adjustable stops.

Pure: an order and the market in, the order as it then stands out.
"""

from decimal import Decimal

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import PriceBand
from ibkr_trader.sim import refusals
from ibkr_trader.sim.instruments import Instrument, Tape
from ibkr_trader.sim.matching import (
    STOP_TYPES,
    TOUCHED_TYPES,
    TRAIL_TYPES,
    is_on_tick,
    to_tick,
    trailed_stop,
)
from ibkr_trader.sim.orders import OrderTerms, Refusal, SimOrder

PERCENT_UNITS = frozenset({1, 100})
_HUNDRED = Decimal(100)
_PLAIN = {
    "adjusted_order_type": "",
    "trigger_price": None,
    "adjusted_stop_price": None,
    "adjusted_stop_limit_price": None,
    "adjusted_trailing_amount": None,
    "adjustable_trailing_unit": 0,
}
replace = msgspec.structs.replace


# -- trails -------------------------------------------------------------------------------


def first_stop(terms: OrderTerms) -> Decimal | None:
    """Return the trigger that an order states; None for a trail that starts at the market."""
    if terms.order_type in TRAIL_TYPES:
        return terms.trail_stop_price
    return terms.aux_price if terms.order_type in STOP_TYPES | TOUCHED_TYPES else None


def placed(order: SimOrder, tape: Tape, instrument: Instrument) -> SimOrder:
    """Return an order that begins to work, with what it lacked: a trail's stop, its limit's offset.

    A TRAIL LIMIT that states its limit keeps it as far from its stop as the two are now.
    """
    if order.terms.order_type not in TRAIL_TYPES:
        return order
    if order.stop_price is None:
        order = followed(order, tape, instrument)
    if order.terms.order_type == "TRAIL LIMIT" and order.limit_offset is None:
        offset = offset_of(order, order.terms, instrument.bands)
        order = replace(order, limit_offset=offset)
    return order


def offset_of(order: SimOrder, terms: OrderTerms, bands: tuple[PriceBand, ...]) -> Decimal | None:
    """Return how far a TRAIL LIMIT's limit is behind its stop; None while nobody can know."""
    if terms.limit_price_offset is not None:
        return terms.limit_price_offset
    if terms.limit_price is None or order.stop_price is None:
        return None
    stop = to_tick(order.stop_price, bands, up=order.side is Side.BUY)
    return (terms.limit_price - stop) * order.side.sign


def followed(order: SimOrder, tape: Tape, instrument: Instrument) -> SimOrder:
    """Return a trail with its stop where the market has taken it."""
    stop = trailed_stop(order, tape, sec_type=instrument.sec_type, bands=instrument.bands)
    return order if stop == order.stop_price else replace(order, stop_price=stop)


# -- adjustable stops ---------------------------------------------------------------------


def adjusted(order: SimOrder) -> SimOrder:
    """Return a stop as what it turns into: another type, other prices, nothing left to adjust.

    A trail that names no stop of its own starts from where the old stop stands.
    """
    terms = order.terms
    kind, stop = terms.adjusted_order_type, terms.adjusted_stop_price or order.stop_price
    limit = terms.adjusted_stop_limit_price
    changed = replace(terms, order_type=kind, limit_price=limit, aux_price=stop, **_PLAIN)
    offset = None
    if kind in TRAIL_TYPES:
        is_percent = terms.adjustable_trailing_unit in PERCENT_UNITS
        amount = terms.adjusted_trailing_amount
        changed = replace(
            changed,
            aux_price=None if is_percent else amount,
            trailing_percent=amount if is_percent else None,
            trail_stop_price=stop,
            limit_price_offset=None,
        )
        if limit is not None and stop is not None:
            offset = (limit - stop) * order.side.sign
    return replace(order, terms=changed, stop_price=stop, limit_offset=offset, touches=0)


def adjustment_refusal(terms: OrderTerms, instrument: Instrument) -> Refusal | None:
    """Return what TWS would not accept of an adjustment, or None."""
    kind = terms.adjusted_order_type
    if not kind:
        prices = (terms.trigger_price, terms.adjusted_stop_price, terms.adjusted_stop_limit_price)
        is_meant = any(prices) or bool(terms.adjusted_trailing_amount)
        return refusals.invalid("Invalid adjusted order type") if is_meant else None
    if kind not in STOP_TYPES or terms.order_type not in STOP_TYPES:
        return refusals.unsupported("adjustedOrderType")
    bands = instrument.bands
    if not _is_price(terms.trigger_price, bands):
        return refusals.BAD_ADJUSTED_TRIGGER
    has_own = terms.adjusted_stop_price is not None
    if (has_own or kind not in TRAIL_TYPES) and not _is_price(terms.adjusted_stop_price, bands):
        return refusals.BAD_ADJUSTED_STOP
    if kind in {"STP LMT", "TRAIL LIMIT"} and not _is_price(terms.adjusted_stop_limit_price, bands):
        return refusals.BAD_ADJUSTED_LIMIT
    return _trail_refusal(terms) if kind in TRAIL_TYPES else None


def _trail_refusal(terms: OrderTerms) -> Refusal | None:
    amount, unit = terms.adjusted_trailing_amount, terms.adjustable_trailing_unit
    is_amount = amount is not None and amount.is_finite() and amount > 0
    is_wide = unit in PERCENT_UNITS and amount is not None and amount >= _HUNDRED
    if not is_amount or is_wide or unit not in PERCENT_UNITS | {0}:
        return refusals.BAD_ADJUSTED_TRAIL
    return None


def _is_price(price: Decimal | None, bands: tuple[PriceBand, ...]) -> bool:
    return price is not None and price.is_finite() and price > 0 and is_on_tick(price, bands)
