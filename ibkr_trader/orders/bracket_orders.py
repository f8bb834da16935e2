"""A bracket: an entry, and the stop loss and take profits that end what it opens.

Native first: the exits hang from the entry at the broker (`parent_id`), so they sleep
until it fills, go when it goes, and end each other, even while we are down. With several
targets each stands beside a stop of its own size in an OCA group of the two. What the
broker might fail to do, `bracket_policy.py` repeats, and never more than the group needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.enums import OcaType, OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.models import ZERO, GroupId, OrderRequest, OrderSpec
from ibkr_trader.orders.bracket_group import KIND, Bracket
from ibkr_trader.orders.group import ORDER_TYPES
from ibkr_trader.orders.members import copy_of, oca_name, spec_of, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.orders.group import OrderGroup, Setting

__all__ = ["KIND", "Bracket", "BracketOrderRequest", "bracket_of"]

MOST_TARGETS = 5  # with as many stops and the entry, more than one side of a symbol may have
_ENTRIES = frozenset({OrderType.MARKET, OrderType.LIMIT})
_STOPS = frozenset({OrderType.STOP, OrderType.TRAIL})


class BracketOrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Entry, stop loss and take profits, as somebody asks for them.

    Attributes:
        parent: The entry: a market or limit order.
        stop_loss: What ends all of it at a loss: a stop, or a trail that follows the gain.
        take_profit: A limit on the other side, at a gain; several, which share the quantity;
            or none. What no target takes is left to the stop alone.
        exit_time_in_force: How long the exits may wait, DAY or GTC, whatever their own
            requests say: a stop that expires overnight is a trap.
    """

    parent: OrderRequest
    stop_loss: OrderRequest
    take_profit: OrderRequest | tuple[OrderRequest, ...] = ()
    exit_time_in_force: TimeInForce = TimeInForce.GTC

    @property
    def symbol(self) -> str:
        """What is to be traded."""
        return self.parent.symbol

    @property
    def targets(self) -> tuple[OrderRequest, ...]:
        """The take profits, in the order they were given."""
        given = self.take_profit
        return (given,) if isinstance(given, OrderRequest) else tuple(given)

    def group(self, setting: Setting) -> Bracket:
        """Return the new bracket; the ids are derived from the setting's group.

        Raises:
            ValueError: If the request contradicts itself, with every fault at once.
        """
        self.validate()
        return _opened(setting.group_id, tuple(self._specs(setting)))

    def validate(self) -> None:
        """Refuse a bracket that contradicts itself.

        Raises:
            ValueError: With every fault at once.
        """
        found = list(self._faults())
        if found:
            raise ValueError("; ".join(found))

    def _specs(self, setting: Setting) -> Iterator[OrderSpec]:
        """The orders as they go out: the last stop is the frame that releases them all."""
        entry = spec_of(self.parent, OrderRole.ENTRY, setting)
        yield entry
        parts = [target.quantity for target in self.targets]
        rest = entry.quantity - sum(parts, ZERO)
        if rest:
            parts.append(rest)  # ended by its stop alone
        for leg, part in enumerate(parts, start=1):
            if leg <= len(self.targets):
                target = spec_of(self.targets[leg - 1], OrderRole.TARGET, setting, copy=leg)
                yield self._exit(target, entry, part, is_only=len(parts) == 1)
            stop = spec_of(self.stop_loss, OrderRole.STOP, setting, copy=leg)
            yield self._exit(stop, entry, part, is_only=len(parts) == 1)

    def _exit(
        self, spec: OrderSpec, entry: OrderSpec, quantity: Decimal, *, is_only: bool
    ) -> OrderSpec:
        has_partner = copy_of(spec) <= len(self.targets)
        # The exits of one entry are alternatives to the broker without a word of ours.
        is_named = has_partner and not is_only
        return msgspec.structs.replace(
            spec,
            quantity=quantity,
            parent_id=entry.order_id,
            time_in_force=self.exit_time_in_force,
            oca_group=oca_name(spec.group_id, copy_of(spec)) if is_named else "",
            oca_type=OcaType.REDUCE if is_named else None,
        )

    def _faults(self) -> Iterator[str]:
        entry, stop = self.parent, self.stop_loss
        parts = (("entry", entry), *self._exits())
        for name, request in parts:
            try:
                request.validate()
            except ValueError as error:
                yield f"{name}: {error}"
        if entry.order_type not in _ENTRIES:
            yield f"the entry must be a market or limit order, not {entry.order_type}"
        if stop.order_type not in _STOPS:
            yield f"the stop loss must be a stop or a trailing stop, not {stop.order_type}"
        for target in self.targets:
            if target.order_type is not OrderType.LIMIT:
                yield f"the take profit must be a limit order, not {target.order_type}"
        if len(self.targets) > MOST_TARGETS:
            yield f"at most {MOST_TARGETS} take profits, not {len(self.targets)}"
        if self.exit_time_in_force not in (TimeInForce.DAY, TimeInForce.GTC):
            yield f"the exits must be DAY or GTC, not {self.exit_time_in_force}"
        for name, request in self._exits():
            yield from _exit_faults(name, request, entry)
        yield from self._quantity_faults()
        yield from self._price_faults()

    def _exits(self) -> tuple[tuple[str, OrderRequest], ...]:
        return (("stop loss", self.stop_loss), *(("take profit", one) for one in self.targets))

    def _quantity_faults(self) -> Iterator[str]:
        whole = self.parent.quantity
        stop = self.stop_loss.quantity
        if stop != whole:
            yield f"the stop loss's quantity {stop} must be the entry's {whole}"
        parts = [target.quantity for target in self.targets]
        if all(part.is_finite() for part in (whole, *parts)) and sum(parts, ZERO) > whole:
            what = "take profit's quantity" if len(parts) == 1 else "take profits' quantities"
            yield f"the {what} {' + '.join(map(str, parts))} must be within the entry's {whole}"

    def _price_faults(self) -> Iterator[str]:
        """The order of prices along the entry's side: stop, entry, targets."""
        stop, entry = self.stop_loss.stop_price, self.parent.limit_price
        aims = [target.limit_price for target in self.targets]
        if not all(price is None or price.is_finite() for price in (stop, entry, *aims)):
            return
        is_long = self.parent.side is Side.BUY
        worse, better = ("below", "above") if is_long else ("above", "below")
        sign = self.parent.side.sign
        for target in filter(None, aims):
            if stop is not None and (target - stop) * sign <= 0:
                yield f"the stop loss {stop} must be {worse} the take profit {target}"
        if entry is None:
            return
        if stop is not None and (entry - stop) * sign <= 0:
            yield f"the stop loss {stop} must be {worse} the entry {entry}"
        for target in filter(None, aims):
            if (target - entry) * sign <= 0:
                yield f"the take profit {target} must be {better} the entry {entry}"
        yield from _trail_faults(self.stop_loss.trail_amount, entry)


def _exit_faults(name: str, request: OrderRequest, entry: OrderRequest) -> Iterator[str]:
    if request.side is entry.side:
        yield f"the {name} must be on the other side: {entry.side.opposite}, not {request.side}"
    if request.symbol != entry.symbol:
        yield f"the {name} is for {request.symbol}, the entry for {entry.symbol}"
    if request.account != entry.account:
        yield f"the {name} must be for the same account as the entry"


def _trail_faults(amount: Decimal | None, entry: Decimal) -> Iterator[str]:
    if amount is not None and amount.is_finite() and amount >= entry:
        yield f"a trail of {amount} is no stop for an entry at {entry}"


@ORDER_TYPES.register(KIND)
def bracket_of(
    group_id: GroupId, specs: tuple[OrderSpec, ...], _plan: Mapping[str, str]
) -> OrderGroup:
    """Return the bracket as it was when it was opened, from its orders.

    What joined it later (a stop put back, a scale-in) comes in with its own news.
    """
    return _opened(group_id, specs)


def _opened(group_id: GroupId, specs: tuple[OrderSpec, ...]) -> Bracket:
    entry = next(spec for spec in specs if spec.role is OrderRole.ENTRY)
    opening = (entry, *(spec for spec in specs if spec.parent_id == entry.order_id))
    shares = tuple(spec.quantity for spec in opening if spec.role is OrderRole.STOP)
    return Bracket(group_id=group_id, orders=written(opening), shares=shares)
