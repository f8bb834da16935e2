"""Linked exits: the sizes that the exits of a position follow, as entries and exits trade.

The exits of a group stand in *legs*. Of one leg's exits only one can end its part of the
position: a stop beside a target, or a stop alone. Three facts decide how large the exits
must be: what is held, what each leg has ended already, and the share it was made for. So a
size never depends on what it was before, and may be worked out at any moment, after a
restart, in any order of events.

An entry more (a scale-in) is one more fact of the first kind. Its exits are enlarged after
each fill and never before, each in place and at its own price: the prices of the first
entry stay, and a stop that had moved stays where it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import msgspec

from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.models import ZERO, Order, OrderId, OrderRequest
from ibkr_trader.orders.members import next_copy, spec_of, traded

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.orders.group import Setting

# What cannot be changed now: it is leaving, or nobody knows whether it is there.
_FIXED = frozenset({OrderStatus.PENDING_CANCEL, OrderStatus.UNKNOWN, OrderStatus.PENDING})


class Leg(NamedTuple):
    """Exits of which one alone can end a part of the position.

    Attributes:
        number: Tells the legs of a group apart.
        share: The quantity it was made for; only its proportion to the others' counts.
        orders: Its exits, live and past, oldest first.
    """

    number: int
    share: Decimal
    orders: tuple[Order, ...]

    @property
    def live(self) -> tuple[Order, ...]:
        """The exits that can still trade."""
        return tuple(order for order in self.orders if not order.status.is_closed)

    @property
    def traded(self) -> Decimal:
        """How much of the position it has ended."""
        return sum((traded(order) for order in self.orders), ZERO)

    @property
    def working(self) -> Decimal:
        """The most that it can still end, whichever of its exits trades."""
        return max((order.remaining for order in self.live), default=ZERO)

    @property
    def is_spent(self) -> bool:
        """Whether one of its exits has traded to the end: then it takes no more."""
        return any(order.status is OrderStatus.FILLED for order in self.orders)

    def of(self, role: OrderRole) -> tuple[Order, ...]:
        """Return its orders of one role, oldest first."""
        return tuple(order for order in self.orders if order.spec.role is role)


def split(total: Decimal, shares: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Return `total` in whole parts, in proportion to `shares`; the first has the remainder."""
    whole = sum(shares, ZERO)
    if not whole:
        return tuple(ZERO for _ in shares)
    parts = [(total * share / whole).to_integral_value(ROUND_FLOOR) for share in shares]
    parts[0] += total - sum(parts, ZERO)
    return tuple(parts)


def equal_parts(total: Decimal, number: int) -> tuple[Decimal, ...]:
    """Return `total` in as many whole parts, or fewer where not each could be of one."""
    return split(total, [Decimal(1)] * min(number, int(total)))


def claims(legs: Iterable[Leg], held: Decimal) -> dict[int, Decimal]:
    """Return how much of what is `held` each leg has to end, by its number.

    A leg that is spent has ended its part: what is left, and what comes in afterwards, is
    for the others.
    """
    able = [leg for leg in legs if not leg.is_spent]
    spare = max(ZERO, held)
    sizes = split(spare + sum((leg.traded for leg in able), ZERO), [leg.share for leg in able])
    found: dict[int, Decimal] = {}
    for leg, size in zip(able, sizes, strict=True):
        found[leg.number] = min(spare, max(ZERO, size - leg.traded))
        spare -= found[leg.number]
    return found


def growths(
    legs: Sequence[Leg], held: Decimal, *, keep: Collection[OrderId] = ()
) -> Iterator[tuple[Order, Decimal]]:
    """Yield the working exits that are too small for what is `held`, with their new quantity.

    Never more in all than is held: where another leg is still too large, the growth waits
    until that is cut.

    Args:
        legs: The legs of the group; of other exits of the position it knows nothing.
        held: What the exits are to end, positive.
        keep: Exits to leave as they are.
    """
    wanted = claims(legs, held)
    spare = held - sum((leg.working for leg in legs), ZERO)
    for leg in legs:
        claim = wanted.get(leg.number, ZERO)
        more = claim - leg.working
        if more > max(ZERO, spare):
            continue
        spare -= max(ZERO, more)
        for order in leg.live:
            is_free = order.order_id not in keep and order.status not in _FIXED
            if is_free and order.remaining < claim:
                yield order, traded(order) + claim


@runtime_checkable
class Scalable(Protocol):
    """A group that lets its exits follow what a further entry adds: see `growths`."""

    @property
    def is_scalable(self) -> bool:
        """Whether its exits would follow an entry more: see `bracket_growing`."""


# -- one entry more --------------------------------------------------------------------------


class ScaleInRequest(msgspec.Struct, frozen=True, kw_only=True):
    """More of a position whose exits are to follow.

    Attributes:
        symbol: What is held.
        quantity: How much more.
        limit_price: At this price or better; None is at the market.
        time_in_force: How long it may wait.
        outside_rth: Whether it may also trade outside regular hours.
    """

    symbol: str
    quantity: Decimal
    limit_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    outside_rth: bool = False

    def validate(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ValueError: With every fault at once.
        """
        self.order(Side.BUY).validate()

    def entry(self, orders: Iterable[Order], side: Side, setting: Setting) -> OrderSpec:
        """Return the entry that joins a group.

        Args:
            orders: The group's orders so far: the new one is the next copy of its entry.
            side: The side on which the position was opened.
            setting: The group's own id, its contract, account and price steps.
        """
        copy = next_copy(orders, OrderRole.ENTRY)
        return spec_of(self.order(side), OrderRole.ENTRY, setting, copy=copy)

    def order(self, side: Side) -> OrderRequest:
        """Return the order that adds on `side`."""
        return OrderRequest(
            symbol=self.symbol,
            quantity=self.quantity,
            side=side,
            order_type=OrderType.MARKET if self.limit_price is None else OrderType.LIMIT,
            limit_price=self.limit_price,
            time_in_force=self.time_in_force,
            outside_rth=self.outside_rth,
        )
