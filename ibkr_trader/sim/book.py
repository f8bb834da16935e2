"""One instrument's open orders, indexed by what could set them off.

Each tick asks only the orders at the top of each ladder, so that its cost does not grow with
the number of orders that rest far from the market.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from decimal import Decimal

from ibkr_trader.core.enums import Side
from ibkr_trader.sim.instruments import Tape
from ibkr_trader.sim.matching import (
    LAST,
    TRAIL_TYPES,
    is_set_off_by_a_rise,
    limit_of,
    method_of,
    waits_for_trigger,
)
from ibkr_trader.sim.orders import OrderKey, SimOrder

ZERO = Decimal(0)
Entry = tuple[Decimal, int, OrderKey]  # signed so that the first to trade sorts first
Ladder = list[Entry]


class Book:
    """Where each working order waits; which of them a price reaches.

    Attributes:
        hungry: Market orders that found nothing, or not enough, on the other side.
        watched: Trails, adjustable stops and those with an unusual trigger: looked at on each
            change.
    """

    def __init__(self, sec_type: str) -> None:
        self._sec_type = sec_type
        self._limits: dict[Side, Ladder] = {Side.BUY: [], Side.SELL: []}
        self._above: Ladder = []  # triggers that a rise reaches
        self._below: Ladder = []  # those that a fall reaches
        self._places: dict[OrderKey, tuple[Ladder, Entry] | dict[OrderKey, None]] = {}
        self.hungry: dict[OrderKey, None] = {}
        self.watched: dict[OrderKey, None] = {}
        self._seen: Tape | None = None
        self._taken: dict[Side, Decimal] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def add(self, order: SimOrder) -> None:
        """Put a working order where it waits, in the place of its earlier self."""
        self.remove(order.key)
        if waits_for_trigger(order):
            self._add_stop(order)
            return
        limit = limit_of(order)
        if limit is None:
            self._set(self.hungry, order.key)
            return
        price = -limit if order.side is Side.BUY else limit
        self._insert(self._limits[order.side], (price, order.sequence, order.key))

    def remove(self, key: OrderKey) -> None:
        """Take an order out; one that is not there is none the worse."""
        place = self._places.pop(key, None)
        if isinstance(place, dict):
            del place[key]
        elif place is not None:
            ladder, entry = place
            del ladder[bisect_left(ladder, entry)]

    def reached(self, last: Decimal | None) -> list[OrderKey]:
        """Return the plain triggers a last price sets off, the nearest first."""
        if last is None:
            return []
        return [*_upto(self._above, last), *_upto(self._below, -last)]

    def crossed(self, tape: Tape) -> list[OrderKey]:
        """Return the limit orders the quotes reach, by price and time."""
        found: list[OrderKey] = []
        if tape.ask is not None:
            found += _upto(self._limits[Side.BUY], -tape.ask)
        if tape.bid is not None:
            found += _upto(self._limits[Side.SELL], tape.bid)
        return found

    def printed(self, price: Decimal) -> list[OrderKey]:
        """Return the limit orders a trade at `price` reaches, by price and time."""
        return [*_upto(self._limits[Side.BUY], -price), *_upto(self._limits[Side.SELL], price)]

    def available(self, side: Side, tape: Tape) -> Decimal:
        """Return what is left of the size quoted to an order of `side`."""
        if tape is not self._seen:
            self._seen = tape
            self._taken = {}
        quoted = tape.ask_size if side is Side.BUY else tape.bid_size
        return quoted - self._taken.get(side, ZERO)

    def take(self, side: Side, quantity: Decimal) -> None:
        """Count a trade against the quoted size, until the quote changes."""
        self._taken[side] = self._taken.get(side, ZERO) + quantity

    def _add_stop(self, order: SimOrder) -> None:
        terms, stop = order.terms, order.stop_price
        is_moving = terms.order_type in TRAIL_TYPES or bool(terms.adjusted_order_type)
        if is_moving or stop is None or method_of(order, self._sec_type) != LAST:
            self._set(self.watched, order.key)
        elif is_set_off_by_a_rise(order):
            self._insert(self._above, (stop, order.sequence, order.key))
        else:
            self._insert(self._below, (-stop, order.sequence, order.key))

    def _insert(self, ladder: Ladder, entry: Entry) -> None:
        insort(ladder, entry)
        self._places[entry[2]] = (ladder, entry)

    def _set(self, members: dict[OrderKey, None], key: OrderKey) -> None:
        members[key] = None
        self._places[key] = members


def _upto(ladder: Ladder, price: Decimal) -> Iterator[OrderKey]:
    for entry in ladder:
        if entry[0] > price:
            return
        yield entry[2]
