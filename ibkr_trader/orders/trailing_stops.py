"""A stop that follows the market: kept by IBKR, or by a running trader over a resting stop.

Native first: a TRAIL order follows on IBKR's servers, whether we run or not. With an activation
price it is a resting stop that turns into a trail there once the market has come so far.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.models import Adjustment, GroupId, Order, OrderRequest, OrderSpec
from ibkr_trader.core.shapes import decimal_faults
from ibkr_trader.core.text import price, quantity
from ibkr_trader.orders.asking import Memory, Word
from ibkr_trader.orders.group import ORDER_TYPES, Step
from ibkr_trader.orders.managed_trails import ManagedTrail, Trail, banded
from ibkr_trader.orders.members import Members, follow, spec_of, traded, why_ended, written
from ibkr_trader.orders.wishes import is_taken_back

if TYPE_CHECKING:
    from ibkr_trader.orders.group import Setting

KIND = "trail"


class TrailingStopConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A trailing stop, as somebody asks for it.

    Attributes:
        side: SELL for a long position, BUY for a short one; None is what ends the position.
        trail_amount, trail_percent: How far it stays behind the market: exactly one of them.
        activation_price: Follow only once the market has come so far; until then the stop
            rests where it begins.
        stop_price: Where it begins; None is the trail's distance from the market.
        is_managed: A plain stop rests at the broker, and a running trader tightens it.
    """

    symbol: str
    quantity: Decimal
    side: Side | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    activation_price: Decimal | None = None
    stop_price: Decimal | None = None
    is_managed: bool = False
    time_in_force: TimeInForce = TimeInForce.GTC
    outside_rth: bool = False
    account: str | None = None

    def validate(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ValueError: With every fault at once.
        """
        found = list(self._faults())
        if found:
            raise ValueError("; ".join(found))

    def group(self, setting: Setting) -> TrailingStop | ManagedTrail:
        """Return the new group.

        Raises:
            ValueError: If it does not go with what is held or with the market.
        """
        self.validate()
        side = self._side(setting)
        is_exit = side.sign * setting.held < 0
        if is_exit and self.quantity > abs(setting.held):
            held = quantity(abs(setting.held))
            raise ValueError(f"{held} {self.symbol} are held: a stop for more would turn it round")
        if self.is_managed and not is_exit:
            raise ValueError("a managed trail protects what is held: nothing is, on that side")
        role = OrderRole.STOP if is_exit else OrderRole.ENTRY
        request = self._request(side, setting)
        request.validate()
        spec = spec_of(request, role, setting)
        if not self.is_managed:
            return TrailingStop(group_id=setting.group_id, orders=written((spec,)))
        trail = Trail(
            amount=self.trail_amount,
            percent=self.trail_percent,
            activation=self.activation_price,
            bands=banded(setting.bands),
        )
        return ManagedTrail.resting(spec, trail)

    def _faults(self) -> Iterator[str]:
        try:
            self._trail(self.side or Side.SELL).validate()
        except ValueError as error:
            yield str(error)
        found = list(decimal_faults("activation price", self.activation_price))
        yield from found
        activation = self.activation_price
        if not found and activation is not None and not (activation.is_finite() and activation > 0):
            yield f"the activation price must be a price above zero, not {activation}"
        if self.time_in_force not in (TimeInForce.DAY, TimeInForce.GTC):
            yield f"a trailing stop must be DAY or GTC, not {self.time_in_force}"

    def _side(self, setting: Setting) -> Side:
        if self.side is not None:
            return self.side
        if not setting.held:
            raise ValueError(
                f"no {self.symbol} is held, so there is nothing to protect; a trail that opens a "
                "position needs its side said: --side buy or --side sell"
            )
        return Side.closing(setting.held)

    def _trail(self, side: Side) -> OrderRequest:
        return OrderRequest(
            symbol=self.symbol,
            quantity=self.quantity,
            side=side,
            order_type=OrderType.TRAIL,
            stop_price=self.stop_price,
            trail_amount=self.trail_amount,
            trail_percent=self.trail_percent,
            time_in_force=self.time_in_force,
            outside_rth=self.outside_rth,
            account=self.account,
        )

    def _request(self, side: Side, setting: Setting) -> OrderRequest:
        """Return the order that goes out: a trail, or a stop that will become or be one."""
        trail, activation = self._trail(side), self.activation_price
        if activation is None and not self.is_managed:
            return trail
        mark = setting.mark
        if activation is not None and mark is not None and (activation - mark) * side.sign >= 0:
            raise ValueError(
                f"the market, at {price(mark)}, has reached the activation price "
                f"{price(activation)}: leave it out, and the trail begins at once"
            )
        stop = self.stop_price or self._begin(side, setting)
        resting = msgspec.structs.replace(
            trail,
            order_type=OrderType.STOP,
            stop_price=stop,
            trail_amount=None,
            trail_percent=None,
        )
        if activation is None or self.is_managed:
            return resting
        adjustment = Adjustment(
            trigger=activation,
            order_type=OrderType.TRAIL,
            stop_price=self._behind(activation, side),
            trail_amount=self.trail_amount,
            trail_percent=self.trail_percent,
        )
        return msgspec.structs.replace(resting, adjustment=adjustment)

    def _begin(self, side: Side, setting: Setting) -> Decimal:
        if setting.mark is None:
            raise ValueError(f"nobody quotes {self.symbol}: say where the stop begins: --stop")
        return self._behind(setting.mark, side)

    def _behind(self, market: Decimal, side: Side) -> Decimal:
        trail = Trail(amount=self.trail_amount, percent=self.trail_percent)
        return market + trail.distance(market) * side.sign


class TrailingStop(msgspec.Struct, frozen=True, kw_only=True):
    """A stop that IBKR moves; `orders` is the order as it now stands."""

    group_id: GroupId
    orders: Members
    is_waived: bool = False
    memory: Memory = Memory()

    @property
    def stop(self) -> Order:
        """The order that follows."""
        return next(iter(self.orders.values()))

    @property
    def is_closed(self) -> bool:
        """Whether the order cannot trade any more."""
        return self.stop.status.is_closed

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know before it goes out."""
        spec = self.stop.spec
        if spec.role is OrderRole.ENTRY:
            return ("Nothing that is held would be ended: this trail OPENS a position.",)
        if (turn := spec.adjustment) is not None:
            rests, begins = price(spec.stop_price), price(turn.trigger)
            return (f"A stop at {rests} until the market is at {begins}; then IBKR trails it.",)
        return ("IBKR trails it, whether a trader runs or not.",)

    def open(self) -> SubmitOrders:
        """Return the order to send."""
        return SubmitOrders(group_id=self.group_id, orders=(self.stop.spec,), kind=KIND)

    def react(self, event: ev.BaseEvent) -> Step:
        """Follow the order, and say when it protects no more; nothing else follows from it."""
        orders = follow(self.orders, event, self.group_id)
        if orders is self.orders:
            return Step(self)
        is_waived = self.is_waived or is_taken_back(event)
        group = msgspec.structs.replace(self, orders=orders, is_waived=is_waived)
        done = self.memory.after((), _words(group), at=event.at, group_id=self.group_id)
        return Step(msgspec.structs.replace(group, memory=done.memory), (), done.events)


@ORDER_TYPES.register(KIND)
def trailing_stop_of(
    group_id: GroupId, specs: tuple[OrderSpec, ...], _plan: Mapping[str, str]
) -> TrailingStop:
    """Return the group as it was when it was opened."""
    return TrailingStop(group_id=group_id, orders=written(specs))


def _words(group: TrailingStop) -> Iterator[Word]:
    stop = group.stop
    is_lost = stop.status.is_closed and stop.spec.role is OrderRole.STOP and not group.is_waived
    if not is_lost or stop.status in (OrderStatus.FILLED, OrderStatus.DENIED):
        return
    left, symbol = quantity(stop.spec.quantity - traded(stop)), stop.spec.contract.symbol
    why = why_ended(stop)
    yield Word("naked", f"{left} {symbol} are held without their stop: {why}")
