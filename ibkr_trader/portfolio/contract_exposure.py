"""How far a position could go: what is held, plus any subset of the working orders filling.

Limits must hold in the worst case, so each contract has two extremes: the longest and
the shortest position that some subset of its live, in-flight and unknown orders leads
to. Three promises between orders bound the subsets: of a one-cancels-all group one
member fills; an exit cannot fill before the entry it hangs from; the exits of one entry
are such a group even where nobody named it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.models import ZERO, OrderId

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order, OrderSpec, Position


class Working(NamedTuple):
    """What an order can still do to a position: `signed` is its whole remaining quantity.

    What the broker calls filled, and nothing has told yet, is of it: the position lacks it.
    An exit that is `asleep` waits at the broker for its entry; once the entry `has_traded`,
    one that is not may trade whether or not more of the entry does.
    """

    order_id: OrderId
    signed: Decimal
    price: Decimal | None  # the highest price that it names
    parent_id: OrderId | None
    oca: str
    is_unknown: bool = False
    named: str = ""  # the group's name at the broker, by which others can join it
    has_traded: bool = False
    is_asleep: bool = True

    @classmethod
    def of_spec(cls, spec: OrderSpec, quantity: Decimal | None = None) -> Working:
        """Return what `spec` could do if all of it (or only `quantity`) were to fill."""
        quantity = spec.quantity if quantity is None else quantity
        return cls(
            spec.order_id,
            quantity * spec.side.sign,
            highest_price(spec),
            spec.parent_id,
            _alternatives(spec),
            named=spec.oca_group,
        )

    @classmethod
    def of_order(cls, order: Order) -> Working:
        """Return what `order` may do, under its old or wanted terms, or is said to have done."""
        known = cls.of_spec(order.spec, order.remaining + order.unheard)
        prices = [known.price, highest_price(order.desired) if order.desired else None]
        return known._replace(
            price=max((price for price in prices if price is not None), default=None),
            is_unknown=order.status is OrderStatus.UNKNOWN,
            has_traded=max(order.filled, order.reported_filled) > 0,
            is_asleep=not order.unheard and (order.status.is_in_flight or order.is_asleep),
        )


def _alternatives(spec: OrderSpec) -> str:
    """The group of which one member fills: named by us, or made of an entry's exits by TWS.

    TWS calls the latter by a number, and tells it of one exit after the other: until it has
    told it of all, that name would tear them apart.
    """
    if spec.parent_id and (not spec.oca_group or spec.oca_group.isdecimal()):
        return f"exits of {spec.parent_id}"
    return spec.oca_group


def highest_price(spec: OrderSpec) -> Decimal | None:
    """Return the highest price that the order names, or None for a market order."""
    if spec.limit_price is None or spec.stop_price is None:
        return spec.stop_price if spec.limit_price is None else spec.limit_price
    return max(spec.limit_price, spec.stop_price)


class ContractExposure(msgspec.Struct, frozen=True, kw_only=True):
    """One contract: what is held, what works, and the two extremes that may follow.

    Attributes:
        working: What the live, in-flight and unknown orders can still do.
        longest, shortest: The extremes: signed positions, either side of `held` or on it.
        price: The highest that anything here names; None if nothing does.
        value: The larger extreme at that price; None if there is no price for it.
        tied: The part of it that only working orders would add: money they may call for.
    """

    con_id: int
    held: Decimal = ZERO
    held_price: Decimal | None = None
    multiplier: Decimal = Decimal(1)
    working: tuple[Working, ...] = ()
    longest: Decimal = ZERO
    shortest: Decimal = ZERO
    price: Decimal | None = None
    value: Decimal | None = ZERO
    tied: Decimal | None = ZERO

    @classmethod
    def of(
        cls, con_id: int, position: Position | None, working: tuple[Working, ...]
    ) -> ContractExposure:
        """Return the exposure of a position (None is flat) and the orders that work on it."""
        held, held_price, multiplier = ZERO, None, Decimal(1)
        if position is not None:
            held, multiplier = position.quantity, position.contract.multiplier
            mark = position.market_price
            held_price = position.average_cost if mark is None else mark
        return _summed(con_id, working, held=held, held_price=held_price, multiplier=multiplier)

    def replacing(self, changed: Iterable[Working]) -> ContractExposure:
        """Return the exposure with these orders added, or put in place of their namesakes."""
        merged = {order.order_id: order for order in self.working}
        merged.update((order.order_id, order) for order in changed)
        return self._with(tuple(merged.values()))

    def extends(self, before: ContractExposure) -> bool:
        """Whether this may end further from flat, on either side, than `before` could."""
        return self.longest > max(before.longest, ZERO) or self.shortest < min(
            before.shortest, ZERO
        )

    def opens_alone(self, order_id: OrderId) -> bool:
        """Whether one of the orders leads further from flat if no other but its entry trades.

        Beside the rest a larger alternative in its group may hide it.
        """
        line = self._line(order_id)
        rest = tuple(order for order in line if order.order_id != order_id)
        (up, down), (rest_up, rest_down) = _reach(line), _reach(rest)
        return self.held + up > max(self.held + rest_up, ZERO) or self.held - down < min(
            self.held - rest_down, ZERO
        )

    def is_opener(self, order_id: OrderId) -> bool:
        """Whether one of the orders may lead further from flat: beside the rest, or alone."""
        return self.extends(self._without(order_id)) or self.opens_alone(order_id)

    def surplus(self, order_id: OrderId, sign: int) -> Decimal:
        """Return how much further from flat an order leads on its side: 1 long, -1 short."""
        both = (self, self._alone(order_id))
        return max(
            _beyond(one, sign) - _beyond(one._without(order_id), sign)  # noqa: SLF001 - as above
            for one in both
        )

    def _without(self, order_id: OrderId) -> ContractExposure:
        return self._with(tuple(o for o in self.working if o.order_id != order_id))

    def _alone(self, order_id: OrderId) -> ContractExposure:
        """The order, and those it hangs from, as all that works."""
        return self._with(self._line(order_id))

    def _line(self, order_id: OrderId) -> tuple[Working, ...]:
        """The order, and those it hangs from."""
        by_id = {order.order_id: order for order in self.working}
        line: dict[OrderId, Working] = {}
        order = by_id.get(order_id)
        while order is not None and order.order_id not in line:
            line[order.order_id] = order
            order = by_id.get(order.parent_id) if order.parent_id is not None else None
        return tuple(line.values())

    def _with(self, working: tuple[Working, ...]) -> ContractExposure:
        return _summed(
            self.con_id,
            working,
            held=self.held,
            held_price=self.held_price,
            multiplier=self.multiplier,
        )

    @property
    def most(self) -> Decimal:
        """The largest position, long or short, that may follow."""
        return max(self.longest, -self.shortest)

    def priced(self, market: Decimal) -> ContractExposure:
        """Return the exposure with the market's price among those that may be paid."""
        price = market if self.price is None else max(market, self.price)
        value, tied = _values(self.most, self.most - abs(self.held), price * self.multiplier)
        return msgspec.structs.replace(self, price=price, value=value, tied=tied)


def growth(before: ContractExposure, after: ContractExposure, sign: int) -> Decimal:
    """Return how much further from flat `after` may end than `before`: 1 long, -1 short.

    Of several that exclude one another and come together, each hides behind the next:
    `surplus` does not show what they add as one.
    """
    return _beyond(after, sign) - _beyond(before, sign)


def restated(exposure: ContractExposure, held: Decimal) -> ContractExposure:
    """Return the exposure with the same orders, were `held` (signed) what they work on."""
    return _summed(
        exposure.con_id,
        exposure.working,
        held=held,
        held_price=exposure.held_price,
        multiplier=exposure.multiplier,
    )


def _beyond(exposure: ContractExposure, sign: int) -> Decimal:
    return max(ZERO, exposure.longest if sign > 0 else -exposure.shortest)


def _summed(
    con_id: int,
    working: tuple[Working, ...],
    *,
    held: Decimal,
    held_price: Decimal | None,
    multiplier: Decimal,
) -> ContractExposure:
    up, down = _reach(working)
    longest, shortest = held + up, held - down
    most = max(longest, -shortest)
    price = held_price
    for order in working:
        if order.price is not None and (price is None or order.price > price):
            price = order.price
    value, tied = _values(most, most - abs(held), None if price is None else price * multiplier)
    return ContractExposure(
        con_id=con_id,
        held=held,
        held_price=held_price,
        multiplier=multiplier,
        working=working,
        longest=longest,
        shortest=shortest,
        price=price,
        value=value,
        tied=tied,
    )


def _values(
    most: Decimal, more: Decimal, unit: Decimal | None
) -> tuple[Decimal | None, Decimal | None]:
    """The worth of `most` and of the part of it that is `more` than now."""
    if unit is None:
        return (None, None) if most else (ZERO, ZERO)
    return most * unit, max(more, ZERO) * unit


def _reach(working: tuple[Working, ...]) -> tuple[Decimal, Decimal]:
    """How far up and how far down any subset of `working` can take a position."""
    # One that joins the exits of an entry by their group's name is an alternative to them.
    kin = {o.named: o.oca for o in working if o.named and o.named != o.oca}
    working = tuple(o._replace(oca=kin.get(o.oca, o.oca)) for o in working) if kin else working
    ids = {order.order_id for order in working}
    exits: dict[OrderId, list[Working]] = {}
    roots: list[Working] = []
    for order in working:
        # Once its entry is no longer working, an exit stands alone.
        if order.parent_id is not None and order.parent_id in ids:
            exits.setdefault(order.parent_id, []).append(order)
        else:
            roots.append(order)
    return _reach_of(roots, exits)


def _reach_of(
    orders: Iterable[Working], exits: dict[OrderId, list[Working]]
) -> tuple[Decimal, Decimal]:
    up = down = ZERO
    groups: dict[str, tuple[Decimal, Decimal]] = {}
    for order in orders:
        hanging = exits.get(order.order_id)
        if hanging is None:  # as of most: this is asked for each order of each review
            rise, fall = (order.signed, ZERO) if order.signed > ZERO else (ZERO, -order.signed)
        else:
            rise, fall = _with_exits(order, hanging, exits)
        if order.oca:
            most_up, most_down = groups.get(order.oca, (ZERO, ZERO))
            groups[order.oca] = max(most_up, rise), max(most_down, fall)
        else:
            up += rise
            down += fall
    for rise, fall in groups.values():
        up += rise
        down += fall
    return up, down


def _with_exits(
    order: Working, hanging: list[Working], exits: dict[OrderId, list[Working]]
) -> tuple[Decimal, Decimal]:
    """How far up and how far down an order can take a position together with its exits."""
    up, down = _reach_of(hanging, exits)
    rise, fall = max(ZERO, up + order.signed), max(ZERO, down - order.signed)
    if order.has_traded:
        # An order fills, and its exits may follow; or no more of it does, and those that an
        # earlier part of it woke trade all the same.
        alone_up, alone_down = _reach_of([e for e in hanging if not e.is_asleep], exits)
        rise, fall = max(rise, alone_up), max(fall, alone_down)
    return rise, fall
