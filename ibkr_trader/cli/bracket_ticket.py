"""A bracket as it is typed and as it is shown: its parts, what they are worth, what to mind."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.cli import values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.sizing import Unsized, only_one, rule_of
from ibkr_trader.core.enums import OrderRole, OrderType, TimeInForce
from ibkr_trader.core.models import ZERO, OrderRequest
from ibkr_trader.core.text import average, money, quantity
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.orders.linked_orders import equal_parts
from ibkr_trader.risk.sizing import AtrRisk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.core.models import OrderSpec

TARGET = "--take-profit"
_STOPS = "--stop-loss, --trail-amount and --trail-percent"
_PER_CENT = 100


class Exits(NamedTuple):
    """The exits of a bracket as they were typed."""

    stop_loss: str = ""
    trail_amount: str = ""
    trail_percent: str = ""
    targets: tuple[str, ...] = ()
    lasting: TimeInForce = TimeInForce.GTC


def typed(
    entry: OrderRequest, exits: Exits, *, quantity: str, size: str
) -> BracketOrderRequest | Unsized:
    """Return the bracket that was typed, or what makes it once a rule has found its size.

    Raises:
        UsageFault: If its parts contradict one another.
    """
    only_one(quantity, size)
    if quantity:
        return _bracket(entry, exits, chosen=None)
    rule = rule_of(size)
    is_chosen = isinstance(rule, AtrRisk) and not any(exits[:3])
    stop = None if is_chosen else _stop(entry, exits)

    def make(found: Decimal, chosen: Decimal | None) -> BracketOrderRequest:
        return _bracket(msgspec.structs.replace(entry, quantity=found), exits, chosen=chosen)

    return Unsized(rule, entry, stop, make)


def _stop(entry: OrderRequest, exits: Exits) -> OrderRequest:
    return stop_of(
        entry,
        stop_loss=exits.stop_loss,
        trail_amount=exits.trail_amount,
        trail_percent=exits.trail_percent,
    )


def _bracket(entry: OrderRequest, exits: Exits, *, chosen: Decimal | None) -> BracketOrderRequest:
    stop = (
        exit_of(entry, order_type=OrderType.STOP, price=chosen)
        if chosen is not None
        else _stop(entry, exits)
    )
    return BracketOrderRequest(
        parent=entry,
        stop_loss=stop,
        take_profit=targets_of(entry, exits.targets),
        exit_time_in_force=exits.lasting,
    )


def exit_of(
    entry: OrderRequest, *, order_type: OrderType, price: Decimal, size: Decimal | None = None
) -> OrderRequest:
    """Return the order that ends what `entry` begins, at `price`; the bracket says how long."""
    is_stop = order_type is OrderType.STOP
    return msgspec.structs.replace(
        entry,
        side=entry.side.opposite,
        quantity=entry.quantity if size is None else size,
        order_type=order_type,
        limit_price=None if is_stop else price,
        stop_price=price if is_stop else None,
        time_in_force=TimeInForce.GTC,  # an entry may be IOC or FOK, a stop may not
    )


def stop_of(
    entry: OrderRequest, *, stop_loss: str, trail_amount: str, trail_percent: str
) -> OrderRequest:
    """Return what gives up: a stop at a price, or a trail that follows the gain.

    Raises:
        UsageFault: If not exactly one of the three is given, or it is no figure.
    """
    given = [text for text in (stop_loss, trail_amount, trail_percent) if text]
    if len(given) != 1:
        message = f"a bracket needs one of {_STOPS}" + (f", not {len(given)}" if given else "")
        raise UsageFault(message, hint="give one of them, such as --stop-loss 145")
    if stop_loss:
        at = values.price(stop_loss, "--stop-loss")
        return exit_of(entry, order_type=OrderType.STOP, price=at)
    trailing = exit_of(entry, order_type=OrderType.STOP, price=Decimal(1))
    return msgspec.structs.replace(
        trailing,
        order_type=OrderType.TRAIL,
        stop_price=None,
        trail_amount=values.price(trail_amount, "--trail-amount") if trail_amount else None,
        trail_percent=values.price(trail_percent, "--trail-percent") if trail_percent else None,
    )


def targets_of(entry: OrderRequest, texts: Sequence[str]) -> tuple[OrderRequest, ...]:
    """Return the take profits: `155` shares what is left with its like, `155:6` is for six.

    Raises:
        UsageFault: If one is neither, or there is nothing left to share.
    """
    parsed = [_target(text) for text in texts]
    taken = sum((size for _, size in parsed if size is not None), ZERO)
    sharing = sum(size is None for _, size in parsed)
    left = entry.quantity - taken
    if sharing and left < sharing:
        message = (
            f"{quantity(max(left, ZERO))} of {quantity(entry.quantity)} are left "
            f"for {sharing} take profit{'' if sharing == 1 else 's'} without a quantity"
        )
        raise UsageFault(message, hint=f"write them as {TARGET} 155:6, within --quantity")
    shares = iter(equal_parts(left, sharing))
    return tuple(
        exit_of(
            entry,
            order_type=OrderType.LIMIT,
            price=at,
            size=next(shares) if size is None else size,
        )
        for at, size in parsed
    )


def _target(text: str) -> tuple[Decimal, Decimal | None]:
    at, colon, size = text.strip().partition(":")
    try:
        return values.price(at, TARGET), values.quantity(size, TARGET) if colon else None
    except UsageFault as fault:
        is_price = fault.typed == at
        better = f"{fault.better if is_price else at}{colon}{size if is_price else fault.better}"
        raise UsageFault(fault.message, option=TARGET, typed=text, better=better) from fault


def remedies(request: BracketOrderRequest) -> list[dict[str, str]]:
    """Return the other ways to read a bracket with its exits on the wrong sides: each is one."""
    stop = request.stop_loss.stop_price
    if stop is None or len(request.targets) != 1 or request.targets[0].limit_price is None:
        return []
    (given,) = request.targets
    target = request.targets[0].limit_price
    side = request.parent.side.opposite
    prices = {"--stop-loss": f"{target:f}", TARGET: f"{stop:f}"}
    swapped = msgspec.structs.replace(
        request,
        stop_loss=msgspec.structs.replace(request.stop_loss, stop_price=target),
        take_profit=msgspec.structs.replace(given, limit_price=stop),
    )
    turned = msgspec.structs.replace(
        request,
        parent=msgspec.structs.replace(request.parent, side=side),
        stop_loss=msgspec.structs.replace(request.stop_loss, side=side.opposite),
        take_profit=msgspec.structs.replace(given, side=side.opposite),
    )
    ways = ((swapped, prices), (turned, {"--side": side.value.lower()}))
    return [changes for bracket, changes in ways if _is_valid(bracket)]


def _is_valid(request: BracketOrderRequest) -> bool:
    try:
        request.validate()
    except ValueError:
        return False
    return True


def worth(specs: Sequence[OrderSpec], paid: Decimal | None) -> list[str]:
    """Return what the exits of a bracket are worth from the entry's price, if that is known."""
    entry = next((spec for spec in specs if spec.role is OrderRole.ENTRY), None)
    if entry is None or paid is None:
        return []
    targets = [spec for spec in specs if spec.role is OrderRole.TARGET]
    words = []
    for spec in targets:
        part = "" if spec.quantity == entry.quantity else f" {quantity(spec.quantity)}"
        gain = _gain(entry, spec, (spec.limit_price or paid) - paid)
        words.append(f"target{part} {money(gain, signed=True)}")
    if stops := [spec for spec in specs if spec.role is OrderRole.STOP]:
        words.append(_risk(entry, stops, paid))
    return [f"From {average(paid)}: {' · '.join(words)} before commissions"] if words else []


class Stake(NamedTuple):
    """What a bracket can lose at its stops and gain at its targets, in the contract's currency.

    Attributes:
        loss: Below zero, unless the stop stands where there is a gain already.
        gain: None without a target; what has none is not counted.
    """

    loss: Decimal
    gain: Decimal | None

    @property
    def ratio(self) -> Decimal | None:
        """The gain for each unit of loss; None where one of them is none."""
        return None if self.gain is None or self.loss >= ZERO else self.gain / -self.loss


def stake(specs: Sequence[OrderSpec], paid: Decimal | None) -> Stake | None:
    """Return what is at stake from the entry's price; None if there is no stop, or no price."""
    entry = next((spec for spec in specs if spec.role is OrderRole.ENTRY), None)
    stops = [spec for spec in specs if spec.role is OrderRole.STOP]
    if entry is None or paid is None or not stops:
        return None
    targets = [spec for spec in specs if spec.role is OrderRole.TARGET]
    gains = [_gain(entry, spec, (spec.limit_price or paid) - paid) for spec in targets]
    return Stake(_loss(entry, stops, paid), sum(gains, ZERO) if gains else None)


def _risk(entry: OrderSpec, stops: Sequence[OrderSpec], paid: Decimal) -> str:
    """What the stops lose together: one stop, in as many parts as there are targets."""
    is_trail = any(spec.order_type is OrderType.TRAIL for spec in stops)
    loss = money(_loss(entry, stops, paid), signed=True)
    return f"trail {loss} at first" if is_trail else f"stop {loss}"


def _loss(entry: OrderSpec, stops: Sequence[OrderSpec], paid: Decimal) -> Decimal:
    loss = ZERO
    for spec in stops:
        away = (spec.stop_price or paid) - paid
        if spec.order_type is OrderType.TRAIL:
            behind = spec.trail_amount or paid * (spec.trail_percent or ZERO) / _PER_CENT
            away = -behind * entry.side.sign
        loss += _gain(entry, spec, away)
    return loss


def _gain(entry: OrderSpec, spec: OrderSpec, away: Decimal) -> Decimal:
    return away * entry.side.sign * spec.quantity * entry.contract.multiplier
