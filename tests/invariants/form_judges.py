"""S25 and S26: what a request looks like, and how many there are in a second.

Judged by the terms that reached the exchange, and by the fields of each message as it came.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.ids import is_reference
from ibkr_trader.core.ticks import conforms
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from tests.invariants.evidence import role_of
from tests.invariants.reading import read
from tests.invariants.watched import US
from tests.invariants.world import UNIVERSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.sim.gateway.wire_order import WireOrder
    from ibkr_trader.sim.orders import OrderTerms
    from tests.invariants.world import World

MOST_IN_A_SECOND = 45
_SECOND = timedelta(seconds=1)
_PRICES = ("limit_price", "trail_stop_price", "trigger_price", "adjusted_stop_price")
_NUMBERS = (*_PRICES, "aux_price", "trailing_percent", "quantity")
_TRAILS = frozenset({"TRAIL", "TRAIL LIMIT"})
_TIFS = frozenset({"DAY", "GTC", "IOC", "GTD", "OPG", "FOK", "DTC"})


def s25_wire_form(world: World) -> list[str]:
    """Judge every order by its form: legal prices, whole shares, a name, a time in force."""
    found = [
        f"S25 {frame.at:%T.%f} {frame.ref}: {fault}"
        for frame in world.exchange.frames
        if frame.terms is not None and frame.key.client_id == US and role_of(frame.ref) is not None
        for fault in _faults(frame.terms)
    ]
    for sent in read(world).sent:
        if isinstance(sent.entry.message, PlaceOrder):
            written = _written(sent.entry.message.order)
            found += [f"S25 {sent.entry.at:%T.%f} {sent.entry.order_ref}: {f}" for f in written]
    found += [f"S25 order {number} says {field!r}" for number, field in read(world).odd]
    return list(dict.fromkeys(found))


def s26_rate(world: World) -> list[str]:
    """Judge that no second of the wire has more requests of ours than TWS takes."""
    crossed, found, first = read(world).crossed, [], 0
    for last, at in enumerate(crossed):
        while crossed[first] <= at - _SECOND:
            first += 1
        if last - first + 1 > MOST_IN_A_SECOND:
            found.append(f"S26 {last - first + 1} requests in the second before {at:%T.%f}")
    return found[:1]


def _faults(terms: OrderTerms) -> Iterator[str]:
    bands = UNIVERSE[terms.con_id].bands
    for name in (*_PRICES, *(() if terms.order_type in _TRAILS else ("aux_price",))):
        price = getattr(terms, name)
        if price is not None and not conforms(price, bands):
            yield f"{name} {price} is no multiple of the step"
    if terms.quantity < 1 or terms.quantity != int(terms.quantity):
        yield f"a quantity of {terms.quantity}"
    if not is_reference(terms.order_ref):
        yield f"its name is {terms.order_ref!r}"
    if terms.tif not in _TIFS or not terms.account:
        yield f"time in force {terms.tif!r} for account {terms.account!r}"


def _written(order: WireOrder) -> Iterator[str]:
    """What the message itself said: the figures as they stood in it."""
    for name in _NUMBERS:
        value: Decimal | None = getattr(order, name)
        if value is not None and (not value.is_finite() or "E" in str(value)):
            yield f"{name} is written {value}"
    if not order.order_ref or not order.tif or not order.account:
        yield f"ref {order.order_ref!r}, tif {order.tif!r}, account {order.account!r}"
    for text in (order.order_ref, order.tif, order.account, order.order_type, order.oca_group):
        if not text.isascii() or (text and not text.isprintable()):
            yield f"text {text!r}"
