"""The legs of an OCO order: what they may be, what they are for, and how they are linked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.enums import OcaType, OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.models import OrderRequest, OrderSpec
from ibkr_trader.core.shapes import STOP_TYPES, TARGET_TYPES, TRAIL_TYPES
from ibkr_trader.core.text import price, quantity
from ibkr_trader.orders.members import oca_name, spec_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.orders.group import Setting

MOST_LEGS = 20
_LASTING = (TimeInForce.DAY, TimeInForce.GTC)
_LIMIT, _STOP = "limit", "stop"
# Of each pair, the first must lie below the second.
_ORDERED = (
    ((Side.SELL, _STOP), (Side.SELL, _LIMIT)),
    ((Side.BUY, _LIMIT), (Side.BUY, _STOP)),
    ((Side.BUY, _LIMIT), (Side.SELL, _LIMIT)),
    ((Side.SELL, _STOP), (Side.BUY, _STOP)),
)


class Legs(StrEnum):
    """What the legs are for."""

    ENTRIES = "entries"  # one of them is wanted
    EXITS = "exits"  # each would end what is held, or a part of it


class OnRace(StrEnum):
    """What to do when two legs have traded that should have ended each other."""

    FLATTEN = "flatten"  # close the surplus at the market, once
    KEEP = "keep"  # say so, and leave it to a person


class Fitted(NamedTuple):
    """The legs as orders, linked."""

    legs: Legs
    oca_type: OcaType
    specs: tuple[OrderSpec, ...]


def leg_faults(legs: Sequence[OrderRequest]) -> Iterator[str]:
    """Yield what is wrong with the legs by themselves and with each other."""
    if len(legs) > MOST_LEGS:
        yield f"an OCO order has at most {MOST_LEGS} legs, not {len(legs)}"
    found = [fault for leg in legs for fault in _own_faults(leg)]
    yield from found
    first = legs[0]
    for leg in legs[1:]:
        if leg.symbol != first.symbol:
            yield f"one leg is for {first.symbol}, another for {leg.symbol}"
        if leg.account != first.account:
            yield "all legs must be for the same account"
        if leg.time_in_force is not first.time_in_force:
            yield "all legs must wait equally long, or one is left alone"
    if not found:
        yield from _price_faults(legs)


def words(leg: OrderRequest | OrderSpec) -> str:
    """Return a leg in few words: `SELL 10 LIMIT 155.00`."""
    at = leg.limit_price if leg.order_type in TARGET_TYPES and leg.limit_price else leg.stop_price
    if leg.order_type in TRAIL_TYPES:
        at = None
    figure = f" {price(at)}" if at is not None else ""
    return f"{leg.side} {quantity(leg.quantity)} {leg.order_type.replace('_', ' ')}{figure}"


def fitted(
    legs: Sequence[OrderRequest],
    setting: Setting,
    *,
    oca_type: OcaType | None,
    exits_last: TimeInForce,
) -> Fitted:
    """Return the legs as linked orders.

    Args:
        legs: Valid by themselves.
        setting: Where the group begins; what is held tells entries from exits.
        oca_type: What a trade does to the others; None is what suits the purpose.
        exits_last: How long exits may wait.

    Raises:
        ValueError: If the legs do not go with what is held, or one would trade at once.
    """
    found = list(_reached(legs, setting))
    ending = [leg for leg in legs if leg.side.sign * setting.held < 0]
    if not ending:
        chosen = oca_type or OcaType.CANCEL
        found += _entry_faults(legs, chosen)
        make, purpose = _entries, Legs.ENTRIES
    else:
        chosen = oca_type or OcaType.REDUCE
        found += _exit_faults(legs, setting)
        legs = [msgspec.structs.replace(leg, time_in_force=exits_last) for leg in legs]
        make, purpose = _exits, Legs.EXITS
    if found:
        raise ValueError("; ".join(found))
    return Fitted(purpose, chosen, tuple(make(legs, setting, chosen)))


# -- faults ----------------------------------------------------------------------------------


def _own_faults(leg: OrderRequest) -> Iterator[str]:
    try:
        leg.validate()
    except ValueError as error:
        yield f"{leg.side} leg: {error}"
        return
    if leg.order_type not in TARGET_TYPES | STOP_TYPES:
        yield f"a {leg.order_type} order waits for no price, so nothing could cancel it"
    if leg.time_in_force not in _LASTING:
        yield f"a leg must be DAY or GTC, not {leg.time_in_force}"


def _price_faults(legs: Sequence[OrderRequest]) -> Iterator[str]:
    """No leg may be reached only after another, or trade with it."""
    for low, high in _ORDERED:
        below, above = _prices(legs, *low), _prices(legs, *high)
        if below and above and max(below) >= min(above):
            yield (
                f"the {low[0]} {low[1]} {price(max(below))} must be below "
                f"the {high[0]} {high[1]} {price(min(above))}"
            )


def _prices(legs: Sequence[OrderRequest], side: Side, kind: str) -> list[Decimal]:
    mine = [leg for leg in legs if leg.side is side]
    if kind == _STOP:
        found = [leg.stop_price for leg in mine if leg.order_type in STOP_TYPES]
    else:
        targets = [leg for leg in mine if leg.order_type not in STOP_TYPES]
        found = [leg.limit_price or leg.stop_price for leg in targets]
    return [one for one in found if one is not None]


def _reached(legs: Sequence[OrderRequest], setting: Setting) -> Iterator[str]:
    """A leg that trades at once leaves no choice. The guard looks after the stops."""
    mark = setting.mark
    if mark is None:
        return
    for leg in legs:
        at = leg.limit_price
        if leg.order_type is OrderType.LIMIT and at is not None and (mark - at) * leg.side.sign < 0:
            yield f"the {words(leg)} would trade at once: the market is at {price(mark)}"


def _entry_faults(legs: Sequence[OrderRequest], oca_type: OcaType) -> Iterator[str]:
    if oca_type is OcaType.CANCEL:
        return
    if len({leg.side for leg in legs}) > 1:
        yield "a buy and a sell cannot reduce each other as entries: use --oca cancel"
    if len({leg.quantity for leg in legs}) > 1:
        yield "entries that reduce each other must be of one quantity: use --oca cancel"


def _exit_faults(legs: Sequence[OrderRequest], setting: Setting) -> Iterator[str]:
    held = f"{quantity(setting.held)} {setting.contract.symbol} held"
    adding = [leg for leg in legs if leg.side.sign * setting.held > 0]
    if adding:
        exits = [leg for leg in legs if leg not in adding]
        yield (
            f"with {held}, {words(exits[0])} would end the position and {words(adding[0])} "
            "add to it: give exits alone, entries alone, or close the position first"
        )
        return
    for stops, name in ((False, "targets"), (True, "stops")):
        size = _size(leg for leg in legs if (leg.order_type in STOP_TYPES) is stops)
        if not size:
            missing = "stop" if stops else "target (a limit)"
            yield f"with {held} these are exits, and exits need a {missing}, or nothing is linked"
        elif size > abs(setting.held):
            yield f"the {name} are for {quantity(size)}, with {held}: the rest would turn it round"


def _size(legs: Iterable[OrderRequest]) -> Decimal:
    return sum((leg.quantity for leg in legs), Decimal(0))


# -- orders ----------------------------------------------------------------------------------


def _entries(
    legs: Sequence[OrderRequest], setting: Setting, oca_type: OcaType
) -> Iterator[OrderSpec]:
    for copy, leg in enumerate(legs, start=1):
        spec = spec_of(leg, OrderRole.ENTRY, setting, copy=copy)
        yield msgspec.structs.replace(
            spec, oca_group=oca_name(setting.group_id, 1), oca_type=oca_type
        )


def _exits(
    legs: Sequence[OrderRequest], setting: Setting, oca_type: OcaType
) -> Iterator[OrderSpec]:
    """Stops go first: should the rest not arrive, the position is protected."""
    stops = [leg for leg in legs if leg.order_type in STOP_TYPES]
    targets = [leg for leg in legs if leg.order_type not in STOP_TYPES]
    slices = _sliced(stops, targets)
    made: list[OrderSpec] = []
    for number, parts in enumerate(slices, start=1):
        name = oca_name(setting.group_id, number)
        for role, leg in parts:
            copy = 1 + sum(spec.role is role for spec in made)
            spec = spec_of(leg, role, setting, copy=copy)
            if len(parts) > 1:
                spec = msgspec.structs.replace(spec, oca_group=name, oca_type=oca_type)
            made.append(spec)
    return iter(sorted(made, key=lambda spec: spec.role is not OrderRole.STOP))


Part = tuple[OrderRole, OrderRequest]


def _sliced(
    stops: Sequence[OrderRequest], targets: Sequence[OrderRequest]
) -> list[tuple[Part, ...]]:
    """Cut the legs so that each target stands beside as much of a stop; what is over, alone."""
    slices: list[tuple[Part, ...]] = []
    waiting = {OrderRole.STOP: list(stops), OrderRole.TARGET: list(targets)}
    while all(waiting.values()):
        size = min(line[0].quantity for line in waiting.values())
        slices.append(tuple(_cut(role, line, size) for role, line in waiting.items()))
    for role, line in waiting.items():
        slices += [((role, leg),) for leg in line]
    return slices


def _cut(role: OrderRole, line: list[OrderRequest], size: Decimal) -> Part:
    """Take `size` off the first leg in the line."""
    first = line.pop(0)
    rest = first.quantity - size
    if rest:
        line.insert(0, msgspec.structs.replace(first, quantity=rest))
    return role, msgspec.structs.replace(first, quantity=size)
