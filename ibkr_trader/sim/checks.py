"""What makes an order acceptable at all: its form, its prices, its size, its words.

Nothing here depends on the account: that an order is well formed and still too big, or may
not be sold short, is `acceptance.py`'s to say, with TWS's 201.
"""

from datetime import datetime
from decimal import Decimal

from ibkr_trader.sim import refusals
from ibkr_trader.sim.adjusting import adjustment_refusal
from ibkr_trader.sim.instruments import Instrument
from ibkr_trader.sim.matching import (
    CLOSE_TYPES,
    LIMIT_TYPES,
    SIMULATED_TYPES,
    TRAIL_TYPES,
    TRIGGER_METHODS,
    TRIGGERED_TYPES,
    is_on_tick,
)
from ibkr_trader.sim.order_times import parse_moment
from ibkr_trader.sim.orders import OPENING_TIFS, OrderTerms, Refusal

ZERO = Decimal(0)
_MAX_SIZE = Decimal(10_000_000)
_HUNDRED = Decimal(100)

# Order types TWS has and this exchange does not: refused as unsupported, not as unknown.
_KNOWN_TYPES = frozenset(
    {
        *("MTL", "REL", "PEG MKT", "PEGMKT", "PEG MID", "PEGMID"),
        *("PEG BEST", "PEGBEST", "PEG BENCH", "PEGBENCH", "PEG PRIM", "PEG STK", "MIDPRICE"),
        *("VOL", "BOX TOP", "BOXTOP", "SNAP MKT", "SNAP MID", "SNAP PRIM", "MKT PRT", "STP PRT"),
        *("LWTH", "RPI", "PASSV REL", "REL + MKT", "REL + LMT", "LMT + MKT", "QUOTE", "FUNARI"),
        *("MKTPROT", "STPPROT", "MOO", "LOO", "VWAP", "COMB"),
    }
)
_TIFS = frozenset({"", "DAY", "GTC", "IOC", "FOK", "GTD", "OPG", "AUC", "DTC"})
_OTHER_TIFS = frozenset({"OVERNIGHT", "OVT"})


def check_form(
    terms: OrderTerms, instrument: Instrument | None, *, account: str, now: datetime
) -> Refusal | None:
    """Return the first thing TWS would refuse in an order's form, or None."""
    if instrument is None:
        return refusals.NO_CONTRACT
    if terms.account and terms.account != account:
        return refusals.invalid(f"Invalid account code '{terms.account}'.")
    if terms.action not in {"BUY", "SELL"}:
        return refusals.invalid("Invalid side")
    return (
        _type(terms, instrument)
        or _size(terms, instrument)
        or _prices(terms, instrument)
        or adjustment_refusal(terms, instrument)
        or _tif(terms, now)
    )


def _type(terms: OrderTerms, instrument: Instrument) -> Refusal | None:
    if terms.order_type not in SIMULATED_TYPES:
        if terms.order_type in _KNOWN_TYPES:
            return refusals.unsupported(terms.order_type)
        return refusals.invalid("Invalid order type was entered")
    if terms.unsupported:
        return refusals.unsupported(", ".join(terms.unsupported))
    has_auctions = instrument.sec_type == "STK"
    if not has_auctions and (terms.order_type in CLOSE_TYPES or terms.tif in OPENING_TIFS):
        return refusals.unsupported()
    if terms.trigger_method not in TRIGGER_METHODS:
        return refusals.BAD_TRIGGER
    return None


def _size(terms: OrderTerms, instrument: Instrument) -> Refusal | None:
    quantity = terms.quantity
    if not quantity.is_finite() or quantity < 0:
        return refusals.invalid("The size value must be positive")
    if quantity == 0:
        return refusals.ZERO_SIZE
    if quantity != quantity.to_integral_value():
        return refusals.FRACTION
    if quantity < instrument.min_size:
        return refusals.TOO_SMALL
    return refusals.TOO_LARGE if quantity > _MAX_SIZE else None


def _prices(terms: OrderTerms, instrument: Instrument) -> Refusal | None:
    needed: list[Decimal | None] = []
    if terms.order_type in LIMIT_TYPES:
        needed.append(terms.limit_price)
    if terms.order_type in TRIGGERED_TYPES - TRAIL_TYPES:
        needed.append(terms.aux_price)
    if terms.order_type in TRAIL_TYPES:
        refusal = _trail(terms)
        if refusal is not None:
            return refusal
        stated = [terms.aux_price or None, terms.trail_stop_price]
        if terms.order_type == "TRAIL LIMIT":
            stated += [terms.limit_price or None, terms.limit_price_offset or None]
        needed += [price for price in stated if price is not None]
    for price in needed:
        if price is None or not price.is_finite() or price <= 0:
            return refusals.NO_PRICE
        if not is_on_tick(price, instrument.bands):
            return refusals.OFF_TICK
    return None


def _trail(terms: OrderTerms) -> Refusal | None:
    amount, percent = terms.aux_price or None, terms.trailing_percent or None
    if (amount is None) == (percent is None):
        return refusals.invalid("You must specify an offset amount or a percent offset value.")
    if percent is not None and not ZERO < percent < _HUNDRED:
        return refusals.BAD_PERCENT
    if terms.order_type == "TRAIL LIMIT" and not (
        terms.limit_price or terms.limit_price_offset is not None
    ):
        return refusals.invalid("You must specify a limit price or a limit price offset.")
    return None


def _tif(terms: OrderTerms, now: datetime) -> Refusal | None:
    if terms.tif in _OTHER_TIFS:
        return refusals.TIF_INCOMPATIBLE
    if terms.tif not in _TIFS:
        return refusals.BAD_TIF
    if terms.order_type in CLOSE_TYPES and terms.tif not in {"", "DAY"}:
        return refusals.CLOSE_NEEDS_DAY
    if terms.tif in {"IOC", "FOK", *OPENING_TIFS} and terms.order_type in TRIGGERED_TYPES:
        return refusals.TIF_INCOMPATIBLE
    return _times(terms, now)


def _times(terms: OrderTerms, now: datetime) -> Refusal | None:
    if terms.good_after_time and not isinstance(parse_moment(terms.good_after_time), datetime):
        return refusals.BAD_TIME
    if terms.tif != "GTD":
        return None
    until = parse_moment(terms.good_till_date)
    if until is None:
        return refusals.BAD_TIME
    if isinstance(until, datetime) and until <= now:
        return refusals.rejected("The good till date is in the past.")
    return None
