"""What an order of each type is made of: which prices it takes, how long it may wait.

The one table of it. A request that does not fit is refused before anything else happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.enums import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderRequest, OrderSpec

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
        OrderType.TRAIL_LIMIT: Shape(("limit_price",), ("stop_price",), trails=True),
        OrderType.MARKET_IF_TOUCHED: Shape(("stop_price",)),
        OrderType.LIMIT_IF_TOUCHED: Shape(("limit_price", "stop_price")),
        OrderType.MARKET_ON_CLOSE: Shape(),
        OrderType.LIMIT_ON_CLOSE: Shape(("limit_price",)),
    }
)
PRICES = ("limit_price", "stop_price", "trail_amount", "trail_percent")
TRAILS = ("trail_amount", "trail_percent")
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG})
_AT_CLOSE = frozenset({OrderType.MARKET_ON_CLOSE, OrderType.LIMIT_ON_CLOSE})
_PER_CENT = 100
_TYPES: Mapping[str, type] = MappingProxyType(
    {"symbol": str, "side": Side, "order_type": OrderType, "time_in_force": TimeInForce}
)


def type_faults(terms: OrderRequest) -> Iterator[str]:
    """Yield what is of the wrong type: a program may hand over anything, a float above all."""
    for name in ("quantity", *PRICES):
        yield from decimal_faults(name, getattr(terms, name), may_be_unset=name != "quantity")
    for name, kind in _TYPES.items():
        value = getattr(terms, name)
        if not isinstance(value, kind):
            yield f"the {name.replace('_', ' ')} must be a {kind.__name__}, not {value!r}"


def decimal_faults(name: str, value: object, *, may_be_unset: bool = True) -> Iterator[str]:
    """Yield that a figure is no `Decimal`; money is never made from a float."""
    if isinstance(value, Decimal) or (value is None and may_be_unset):
        return
    yield f"the {name.replace('_', ' ')} must be a Decimal made from text or an int, not {value!r}"


def faults(terms: OrderRequest | OrderSpec) -> Iterator[str]:
    """Yield what is wrong with the terms by themselves, each in plain words."""
    yield from _quantity_faults(terms.quantity)
    yield from _price_faults(terms)
    yield from _time_faults(terms)


def _quantity_faults(quantity: Decimal) -> Iterator[str]:
    if not quantity.is_finite():
        yield f"the quantity {quantity} is not a number"
    elif quantity <= 0:
        yield f"the quantity must be 1 or more, not {quantity:f}; the side says buy or sell"
    elif quantity > MOST:
        yield f"the quantity {quantity:f} is beyond any meaning"
    elif quantity % 1:
        yield f"the quantity must be whole, not {quantity:f}"


def _price_faults(terms: OrderRequest | OrderSpec) -> Iterator[str]:
    kind, shape = terms.order_type, SHAPES[terms.order_type]
    given: dict[str, Decimal] = {}
    for name in PRICES:
        value, words = getattr(terms, name), name.replace("_", " ")
        if value is None:
            if name in shape.needs:
                yield f"a {kind} order needs a {words}"
            continue
        given[name] = value
        if not shape.takes(name):
            yield f"a {kind} order takes no {words}"
        elif not value.is_finite() or not 0 < value <= MOST:
            yield f"the {words} must be a price above zero, not {value}"
    if shape.trails and sum(name in given for name in TRAILS) != 1:
        yield f"a {kind} order needs one of a trail amount and a trail percent"
    percent = given.get("trail_percent")
    if percent is not None and percent >= _PER_CENT:
        yield f"a trail of {percent} percent is no stop"


def _time_faults(terms: OrderRequest | OrderSpec) -> Iterator[str]:
    kind, lasting = terms.order_type, terms.time_in_force
    if lasting is TimeInForce.GTD:
        yield "an order good till a date has no date here: use GTC"
    elif kind in _AT_CLOSE and lasting is not TimeInForce.DAY:
        yield f"a {kind} order lives for the day only, not {lasting}"
    elif lasting in _AT_ONCE and kind not in (OrderType.MARKET, OrderType.LIMIT):
        yield f"{lasting} is for market and limit orders, not {kind}"
