"""How an order meets the market: pure decisions about one order and one moment's quotes.

What is marketable trades at the quote (so a limit order may get a better price than its own);
what was resting trades at its own limit. Nothing trades beyond a limit, nor more than is
quoted. Stops look at the last trade unless their trigger method says otherwise.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import PriceBand
from ibkr_trader.sim.calendar import Phase
from ibkr_trader.sim.instruments import Tape
from ibkr_trader.sim.orders import INACTIVE, OPENING_TIFS, SimOrder

ZERO = Decimal(0)
_HUNDRED = Decimal(100)

TRAIL_TYPES = frozenset({"TRAIL", "TRAIL LIMIT"})
STOP_TYPES = frozenset({"STP", "STP LMT"}) | TRAIL_TYPES
TOUCHED_TYPES = frozenset({"MIT", "LIT"})
TRIGGERED_TYPES = STOP_TYPES | TOUCHED_TYPES
CLOSE_TYPES = frozenset({"MOC", "LOC"})
EXTENDED_TYPES = frozenset({"LMT"}) | TRIGGERED_TYPES  # those outsideRth applies to
SIMULATED_TYPES = frozenset({"MKT", "LMT"}) | TRIGGERED_TYPES | CLOSE_TYPES
LIMIT_TYPES = frozenset({"LMT", "STP LMT", "LIT", "LOC"})  # those that state their limit

# Trigger methods, as TWS numbers them.
DEFAULT, DOUBLE_BID_ASK, LAST, DOUBLE_LAST, BID_ASK, LAST_OR_BID_ASK, MIDPOINT = 0, 1, 2, 3, 4, 7, 8
TRIGGER_METHODS = frozenset(
    {DEFAULT, DOUBLE_BID_ASK, LAST, DOUBLE_LAST, BID_ASK, LAST_OR_BID_ASK, MIDPOINT}
)
_DOUBLE = frozenset({DOUBLE_BID_ASK, DOUBLE_LAST})

ADDED, REMOVED = 1, 2  # liquidity
CHILD, TRIGGER = "child", "trigger"  # why an order is held, as TWS calls it


class Trade(NamedTuple):
    """What an order may trade now."""

    price: Decimal
    quantity: Decimal
    liquidity: int


def limit_of(order: SimOrder) -> Decimal | None:
    """Return the price an order must not trade beyond, once it works; None for none."""
    return order.cap_price or own_limit(order)


def own_limit(order: SimOrder) -> Decimal | None:
    """Return the limit the order itself has; that of a TRAIL LIMIT follows its stop."""
    if order.terms.order_type in LIMIT_TYPES:
        return order.terms.limit_price
    if order.limit_offset is None or order.stop_price is None:
        return None
    return order.stop_price + order.limit_offset * order.side.sign


def waits_for_trigger(order: SimOrder) -> bool:
    """Say whether the order still sleeps behind its trigger."""
    return order.terms.order_type in TRIGGERED_TYPES and not order.is_triggered


def told_why(order: SimOrder) -> str:
    """Return what TWS says that keeps the order: all of it, and nothing of one set aside."""
    if order.why_held == CHILD and waits_for_trigger(order):
        return f"{CHILD},{TRIGGER}"
    return "" if order.why_held == INACTIVE else order.why_held


def may_trade(order: SimOrder, phase: Phase) -> bool:
    """Say whether the hours let the order trade (or trigger)."""
    if phase is Phase.REGULAR:
        return True
    return phase is Phase.EXTENDED and reaches_extended(order)


def reaches_extended(order: SimOrder) -> bool:
    """Say whether the order also works before the opening and after the close."""
    terms = order.terms
    return (
        terms.outside_rth and terms.order_type in EXTENDED_TYPES and terms.tif not in OPENING_TIFS
    )


# -- triggers -----------------------------------------------------------------------------


def method_of(order: SimOrder, sec_type: str) -> int:
    """Return the trigger method that applies: what TWS's default means for the instrument."""
    method = order.terms.trigger_method
    if method != DEFAULT:
        return method
    if sec_type == "CASH":
        return BID_ASK
    return DOUBLE_BID_ASK if sec_type == "OPT" else LAST


def trigger_price(side: Side, tape: Tape, method: int) -> Decimal | None:
    """Return the price a trigger is compared with; None when there is none.

    For bid/ask methods a buy looks at the bid and a sell at the ask, as TWS defines them.
    """
    quoted = tape.bid if side is Side.BUY else tape.ask
    match method:
        case 2 | 3:
            return tape.last
        case 7:
            known = [price for price in (tape.last, quoted) if price is not None]
            farthest = max if side is Side.BUY else min
            return farthest(known) if known else None
        case 8:
            if tape.bid is None or tape.ask is None:
                return None
            return (tape.bid + tape.ask) / 2
        case _:
            return quoted


def touches(order: SimOrder, tape: Tape, sec_type: str) -> int:
    """Return how many prices in a row, this one included, have been at or beyond the trigger."""
    price = trigger_price(order.side, tape, method_of(order, sec_type))
    stop = order.stop_price
    if price is None or stop is None:
        return 0
    reached = price >= stop if is_set_off_by_a_rise(order) else price <= stop
    return order.touches + 1 if reached else 0


def is_set_off_by_a_rise(order: SimOrder) -> bool:
    """Say which way the market must go: up for a buy stop, and for a sale at a touch."""
    return (order.side is Side.BUY) is not (order.terms.order_type in TOUCHED_TYPES)


def is_adjusted_at(order: SimOrder, tape: Tape, sec_type: str) -> bool:
    """Say whether the market has reached the price at which a stop turns into another order.

    It lies in the owner's favour: above the market for a sell stop, below it for a buy stop.
    """
    price = trigger_price(order.side, tape, method_of(order, sec_type))
    trigger = order.terms.trigger_price
    if price is None or trigger is None:
        return False
    return price <= trigger if order.side is Side.BUY else price >= trigger


def is_reached(order: SimOrder, count: int, sec_type: str) -> bool:
    """Say whether so many touches set the order off: two for the double methods."""
    return count >= (2 if method_of(order, sec_type) in _DOUBLE else 1)


def trailed_stop(
    order: SimOrder, tape: Tape, *, sec_type: str, bands: tuple[PriceBand, ...]
) -> Decimal | None:
    """Return where a trail's stop stands after this price: it follows and never turns back."""
    price = trigger_price(order.side, tape, method_of(order, sec_type))
    stop = order.stop_price
    if price is None:
        return stop
    percent = order.terms.trailing_percent
    offset = price * percent / _HUNDRED if percent is not None else order.terms.aux_price or ZERO
    if order.side is Side.SELL:
        fresh = to_tick(price - offset, bands, up=False)
        return fresh if stop is None else max(stop, fresh)
    fresh = to_tick(price + offset, bands, up=True)
    return fresh if stop is None else min(stop, fresh)


# -- prices -------------------------------------------------------------------------------


def increment_at(price: Decimal, bands: tuple[PriceBand, ...]) -> Decimal:
    """Return the tick that applies at a price."""
    tick = bands[0].increment
    for band in bands[1:]:
        if abs(price) >= band.low_edge:
            tick = band.increment
    return tick


def is_on_tick(price: Decimal, bands: tuple[PriceBand, ...]) -> bool:
    """Say whether a price conforms to the minimum variation."""
    return price % increment_at(price, bands) == 0


def to_tick(price: Decimal, bands: tuple[PriceBand, ...], *, up: bool) -> Decimal:
    """Round a price to its tick, up or down."""
    tick = increment_at(price, bands)
    steps = (price / tick).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return steps * tick


# -- trading ------------------------------------------------------------------------------


def is_better(side: Side, price: Decimal, limit: Decimal) -> bool:
    """Say whether a price is within a limit: at or below for a buy, at or above for a sell."""
    return price <= limit if side is Side.BUY else price >= limit


def cross(
    order: SimOrder, tape: Tape, available: Decimal, *, limit: Decimal | None, was_resting: bool
) -> Trade | None:
    """Return what a working order trades against the quote; None if nothing.

    Args:
        order: Working, its trigger (if any) behind it.
        tape: The market now.
        available: What is left of the quoted size on the other side.
        limit: The order's limit; None trades at any price.
        was_resting: It was in the book before this quote came: it trades at its own limit.
    """
    quoted = tape.ask if order.side is Side.BUY else tape.bid
    if tape.halted or quoted is None or available <= 0:
        return None
    if limit is not None and not is_better(order.side, quoted, limit):
        return None
    quantity = min(order.remaining, available)
    if quantity < order.remaining and wants_all(order):
        return None
    if was_resting and limit is not None:
        return Trade(limit, quantity, ADDED)
    return Trade(quoted, quantity, REMOVED)


def wants_all(order: SimOrder) -> bool:
    """Say whether the order takes everything or nothing."""
    return order.terms.all_or_none or order.terms.tif == "FOK"


def at_print(
    order: SimOrder, *, price: Decimal, available: Decimal, limit: Decimal
) -> Trade | None:
    """Return what a resting limit order trades when others trade at `price`; at its own limit."""
    if available <= 0 or not is_better(order.side, price, limit):
        return None
    quantity = min(order.remaining, available)
    if quantity < order.remaining and wants_all(order):
        return None
    return Trade(limit, quantity, ADDED)


def in_auction(order: SimOrder, price: Decimal | None, *, halted: bool) -> Trade | None:
    """Return what an order trades in an opening or closing auction: all of it, or nothing."""
    if price is None or halted:
        return None
    limit = limit_of(order)
    if limit is not None and not is_better(order.side, price, limit):
        return None
    return Trade(price, order.remaining, REMOVED)
