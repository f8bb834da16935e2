"""What an order of each type is made of: which prices it takes, how long it may wait.

The one table of it. A request that does not fit is refused before anything else happens,
and the guard holds every order against the same table before it goes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.enums import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from ibkr_trader.core.models import Adjustment, OrderRequest, OrderSpec

MOST = Decimal(10) ** 9  # quantities and prices above it are slips of the hand


class Shape(NamedTuple):
    """Which prices an order type takes; a trailing one takes exactly one of two trails."""

    needs: tuple[str, ...] = ()
    may_have: tuple[str, ...] = ()
    trails: bool = False

    def takes(self, price: str) -> bool:
        """Whether an order of this shape can have the price."""
        if price in TRAILS:
            return self.trails
        return price in self.needs or price in self.may_have


SHAPES: Mapping[OrderType, Shape] = MappingProxyType(
    {
        OrderType.MARKET: Shape(),
        OrderType.LIMIT: Shape(("limit_price",)),
        OrderType.STOP: Shape(("stop_price",)),
        OrderType.STOP_LIMIT: Shape(("limit_price", "stop_price")),
        OrderType.TRAIL: Shape((), ("stop_price",), trails=True),
        # Stop and limit are where it begins; the broker keeps them as far apart as they are.
        OrderType.TRAIL_LIMIT: Shape(("limit_price", "stop_price"), trails=True),
        OrderType.MARKET_IF_TOUCHED: Shape(("stop_price",)),
        OrderType.LIMIT_IF_TOUCHED: Shape(("limit_price", "stop_price")),
        OrderType.MARKET_ON_CLOSE: Shape(),
        OrderType.LIMIT_ON_CLOSE: Shape(("limit_price",)),
    }
)
PRICES = ("limit_price", "stop_price", "trail_amount", "trail_percent")
TRAILS = ("trail_amount", "trail_percent")
STOP_TYPES = frozenset(
    {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAIL, OrderType.TRAIL_LIMIT}
)
TARGET_TYPES = frozenset({OrderType.LIMIT, OrderType.LIMIT_IF_TOUCHED, OrderType.MARKET_IF_TOUCHED})
TOUCHED_TYPES = frozenset({OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED})
TRAIL_TYPES = frozenset({OrderType.TRAIL, OrderType.TRAIL_LIMIT})
_ADJUSTABLE = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
# What a stop becomes, and the prices that the new one needs.
ADJUSTED: Mapping[OrderType, Shape] = MappingProxyType(
    {
        OrderType.STOP: Shape(("stop_price",)),
        OrderType.STOP_LIMIT: Shape(("limit_price", "stop_price")),
        OrderType.TRAIL: Shape(("stop_price",), trails=True),
        OrderType.TRAIL_LIMIT: Shape(("limit_price", "stop_price"), trails=True),
    }
)
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG})
_AT_CLOSE = frozenset({OrderType.MARKET_ON_CLOSE, OrderType.LIMIT_ON_CLOSE})
_PER_CENT = 100
_TYPES: Mapping[str, type] = MappingProxyType(
    {"symbol": str, "side": Side, "order_type": OrderType, "time_in_force": TimeInForce}
)


class Fault(NamedTuple):
    """What is wrong with an order, in plain words; `field` and `value` say where."""

    text: str
    field: str = ""
    value: object = ""


def type_faults(terms: OrderRequest) -> Iterator[str]:
    """Yield what is of the wrong type: a program may hand over anything, a float above all."""
    for name in ("quantity", *PRICES):
        yield from decimal_faults(name, getattr(terms, name), may_be_unset=name != "quantity")
    if terms.adjustment is not None:
        for name in ("trigger", *PRICES):
            value = getattr(terms.adjustment, name)
            yield from decimal_faults(f"adjusted_{name}", value, may_be_unset=name != "trigger")
    for name, kind in _TYPES.items():
        value = getattr(terms, name)
        if not isinstance(value, kind):
            yield f"the {name.replace('_', ' ')} must be a {kind.__name__}, not {value!r}"
    if not isinstance(terms.good_after, datetime | None):
        yield f"the good after must be a datetime, not {terms.good_after!r}"


def decimal_faults(name: str, value: object, *, may_be_unset: bool = True) -> Iterator[str]:
    """Yield that a figure is no `Decimal`; money is never made from a float."""
    if isinstance(value, Decimal) or (value is None and may_be_unset):
        return
    yield f"the {name.replace('_', ' ')} must be a Decimal made from text or an int, not {value!r}"


def faults(terms: OrderRequest | OrderSpec) -> Iterator[Fault]:
    """Yield what is wrong with the terms by themselves, each in plain words."""
    yield from _quantity_faults(terms.quantity)
    yield from _price_faults(terms, terms.order_type, SHAPES[terms.order_type])
    if terms.adjustment is not None:
        yield from _adjustment_faults(terms, terms.adjustment)
    yield from _time_faults(terms)


def _quantity_faults(quantity: Decimal) -> Iterator[Fault]:
    text = ""
    if not quantity.is_finite():
        text = f"the quantity {quantity} is not a number"
    elif quantity < 1:
        text = f"the quantity must be 1 or more, not {quantity:f}; the side says buy or sell"
    elif quantity > MOST:
        text = f"the quantity {quantity:f} is beyond any meaning"
    elif quantity % 1:
        text = f"the quantity must be whole, not {quantity:f}"
    if text:
        yield Fault(text, "quantity", quantity)


def _price_faults(
    terms: OrderRequest | OrderSpec | Adjustment, kind: OrderType, shape: Shape
) -> Iterator[Fault]:
    given: dict[str, Decimal] = {}
    for name in PRICES:
        value = getattr(terms, name)
        if value is None and name not in shape.needs:  # as most are
            continue
        words = name.replace("_", " ")
        if value is None:
            yield Fault(f"a {kind} order needs a {words}", name)
            continue
        given[name] = value
        if not shape.takes(name):
            yield Fault(f"a {kind} order takes no {words}", name, value)
        elif not _is_price(value):
            yield Fault(f"the {words} must be a price above zero, not {value}", name, value)
    if shape.trails and sum(name in given for name in TRAILS) != 1:
        text = f"a {kind} order needs one of a trail amount and a trail percent"
        yield Fault(text, "trail_amount")
    percent = given.get("trail_percent")
    if percent is not None and percent.is_finite() and percent >= _PER_CENT:
        yield Fault(f"a trail of {percent} percent is no stop", "trail_percent", percent)


def _is_price(value: Decimal) -> bool:
    return value.is_finite() and 0 < value <= MOST


def _adjustment_faults(terms: OrderRequest | OrderSpec, adjustment: Adjustment) -> Iterator[Fault]:
    """A stop is adjusted once, in its owner's favour, while the market is beyond it."""
    kind, trigger = adjustment.order_type, adjustment.trigger
    if terms.order_type not in _ADJUSTABLE:
        yield Fault(f"a {terms.order_type} order cannot be adjusted", "adjustment")
        return
    if kind not in ADJUSTED:
        yield Fault(f"a stop cannot be adjusted to a {kind} order", "adjustment")
        return
    found = [
        fault._replace(text=f"adjusted: {fault.text}")
        for fault in _price_faults(adjustment, kind, ADJUSTED[kind])
    ]
    if not _is_price(trigger):
        text = f"the adjustment's trigger must be a price above zero, not {trigger}"
        found.append(Fault(text, "adjustment", trigger))
    yield from found
    before, after = terms.stop_price, adjustment.stop_price
    if found or before is None or after is None or not _is_price(before):
        return  # its prices mean nothing yet
    # Of a sell stop, sign -1: the trigger lies above it, and the new stop in between.
    sign = terms.side.sign
    beyond, back = ("above", "below") if sign < 0 else ("below", "above")
    if (before - trigger) * sign <= 0:
        text = f"the adjustment's trigger {trigger} must be {beyond} the stop {before}"
        yield Fault(text, "adjustment", trigger)
    if (before - after) * sign < 0:
        text = f"the adjusted stop {after} must not be {back} the stop {before}: it would widen"
        yield Fault(text, "adjustment", after)
    if (after - trigger) * sign <= 0:
        text = f"the adjusted stop {after} must be {back} its trigger {trigger}"
        yield Fault(text, "adjustment", after)


def _time_faults(terms: OrderRequest | OrderSpec) -> Iterator[Fault]:
    kind, lasting = terms.order_type, terms.time_in_force
    text = ""
    if lasting is TimeInForce.GTD:
        text = "an order good till a date has no date here: use GTC"
    elif kind in _AT_CLOSE and lasting is not TimeInForce.DAY:
        text = f"a {kind} order lives for the day only, not {lasting}"
    elif lasting in _AT_ONCE and kind not in (OrderType.MARKET, OrderType.LIMIT):
        text = f"{lasting} is for market and limit orders, not {kind}"
    if text:
        yield Fault(text, "time_in_force", lasting)
    after = terms.good_after
    if after is None:
        return
    if after.utcoffset() != timedelta(0) or after.microsecond:
        text = f"the good-after time must be a whole second in UTC, not {after.isoformat()}"
        yield Fault(text, "good_after", after)
    if lasting in _AT_ONCE or kind in _AT_CLOSE:
        what = lasting if lasting in _AT_ONCE else kind
        yield Fault(f"{what} has a time of its own: it takes no good-after time", "good_after")
