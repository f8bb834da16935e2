"""What orders that are gone would be today: the same prices and links, sized to what is held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import OcaType, OrderType
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.models import ZERO, Contract, GroupId, Order, OrderId, OrderRequest
from ibkr_trader.core.shapes import STOP_TYPES, TRAIL_TYPES
from ibkr_trader.core.text import price, quantity
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.orders.coverage import backing, clusters
from ibkr_trader.orders.joining import JoinRequest
from ibkr_trader.orders.members import traded
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from ibkr_trader.portfolio.undoing import Story, left_of

if TYPE_CHECKING:
    from ibkr_trader.orders.cover_orders import Market
    from ibkr_trader.portfolio.state import PortfolioState

Request = OrderRequest | BracketOrderRequest | OCOOrderRequest | JoinRequest


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to place again.

    Attributes:
        group_id: The group it belonged to.
        contract: What it trades.
        request: What is asked for now; None if it cannot be, and `trouble` says why.
        ends: It ends what is held.
        takes: Exits that still work and must go first: they come back linked to the others.
        trouble: Why it cannot come back.
    """

    group_id: GroupId
    contract: Contract
    request: Request | None = None
    ends: bool = False
    takes: tuple[OrderId, ...] = ()
    trouble: str = ""


def pieces(story: Story, state: PortfolioState, *, known_exits: frozenset[OrderId]) -> list[Piece]:
    """Return what would be placed again, group by group.

    Args:
        story: What was cancelled.
        state: The account today.
        known_exits: Orders without the role of an exit that only ended something.
    """
    by_group: dict[GroupId, list[Order]] = {}
    for order in story.gone():
        by_group.setdefault(order.spec.group_id, []).append(order)
    found: list[Piece] = []
    taken: dict[int, Decimal] = {}
    for group_id, gone in by_group.items():
        entries = [order for order in gone if not _ends(order, known_exits)]
        exits = [order for order in gone if _ends(order, known_exits)]
        if entries:
            found += _entered(group_id, entries, exits)
            exits = [order for order in exits if _is_held(order, entries)]
        if exits:
            found += _ended(group_id, exits, story, state=state, taken=taken)
    return found


def through(piece: Piece, market: Market) -> str:
    """Return which exit the market has already passed, in plain words; empty if none.

    What opens is for the guard to judge.
    """
    request = piece.request
    if not piece.ends or request is None:
        return ""
    for leg in _legs(request):
        near = market.bid if leg.side.sign < 0 else market.ask
        at = leg.stop_price if leg.order_type in STOP_TYPES else leg.limit_price
        # A stop waits beyond the market, a limit on the better side of it.
        way = leg.side.sign if leg.order_type in STOP_TYPES else -leg.side.sign
        if at is not None and (at - near) * way <= 0:
            kind = "stop" if leg.order_type in STOP_TYPES else "limit"
            return f"the {kind} at {price(at)} would trade at once: the market is at {price(near)}"
    return ""


def _legs(request: Request) -> tuple[OrderRequest, ...]:
    """The exits of which one is to trade; those of a bracket wait for its entry."""
    match request:
        case OCOOrderRequest():
            return request.legs
        case JoinRequest():
            return (request.order,)
        case BracketOrderRequest():
            return ()
        case _:
            return (request,)


def _ends(order: Order, known_exits: frozenset[OrderId]) -> bool:
    return order.spec.role.is_protective or order.order_id in known_exits


def _is_held(order: Order, entries: Iterable[Order]) -> bool:
    """Whether the entry of an exit has traded, so that there is something to end."""
    entry = next((one for one in entries if one.order_id == order.spec.parent_id), None)
    return entry is None or traded(entry) > 0


def _entered(group_id: GroupId, entries: list[Order], exits: list[Order]) -> list[Piece]:
    """What opens comes back as it was, for what it had left to trade."""
    contract = entries[0].spec.contract
    if len(entries) > 1:
        if len({order.spec.oca_group for order in entries}) > 1:
            return [_single(group_id, order) for order in entries]
        first, second, *more = (_request(order, left_of(order)) for order in entries)
        oco = OCOOrderRequest(
            order_a=first, order_b=second, more=tuple(more), oca_type=entries[0].spec.oca_type
        )
        return [Piece(group_id=group_id, contract=contract, request=oco)]
    entry, size = entries[0], left_of(entries[0])
    stops = [order for order in exits if order.spec.order_type in STOP_TYPES]
    if len(stops) != 1:
        return [_single(group_id, entry)]
    targets = [order for order in exits if order not in stops]
    bracket = BracketOrderRequest(
        parent=_request(entry, size),
        stop_loss=_request(stops[0], size),
        take_profit=tuple(_sized(targets, size)),
        exit_time_in_force=stops[0].spec.time_in_force,
    )
    return [Piece(group_id=group_id, contract=contract, request=bracket)]


def _single(group_id: GroupId, order: Order) -> Piece:
    request = _request(order, left_of(order))
    return Piece(group_id=group_id, contract=order.spec.contract, request=request)


def _ended(
    group_id: GroupId,
    gone: list[Order],
    story: Story,
    *,
    state: PortfolioState,
    taken: dict[int, Decimal],
) -> list[Piece]:
    """What ends a position comes back linked, for no more than is held and not ended yet."""
    contract, side = gone[0].spec.contract, gone[0].spec.side
    base = Piece(group_id=group_id, contract=contract, ends=True)
    siblings = _siblings(gone, story.siblings(group_id), state)
    held = state.positions.get(contract.con_id)
    if held is None or held.quantity * side.sign >= 0:
        what = "is not held any more" if held is None else "is held the other way round now"
        return [_trouble(base, f"{label(contract)} {what}")]
    away = frozenset(order.order_id for order in siblings)
    busy = _busy(state, contract, side.sign, away=away) + taken.get(contract.con_id, ZERO)
    room = abs(held.quantity) - busy
    if room <= 0:
        size = f"{quantity(abs(held.quantity))} {label(contract)}"
        return [_trouble(base, f"other exits end all {size} already")]
    found = _joined(base, gone, siblings, room=room) or [_paired(base, gone, siblings, room=room)]
    most = max((_size(piece.request) for piece in found if piece.request), default=ZERO)
    taken[contract.con_id] = taken.get(contract.con_id, ZERO) + most
    return found


def _siblings(gone: list[Order], kin: Iterable[Order], state: PortfolioState) -> list[Order]:
    """The exits that still work and belong to them: by group, or by a name at the broker."""
    ids = {order.order_id for order in kin}
    names = {order.spec.oca_group for order in gone} - {""}
    return [
        order
        for order in state.orders.values()
        if order.order_id in ids or (order.spec.oca_group in names and not order.is_foreign)
    ]


def _joined(base: Piece, gone: list[Order], siblings: list[Order], *, room: Decimal) -> list[Piece]:
    """What joins the exits that still work, where the broker links those by a name."""
    names = {(order.spec.oca_group, order.spec.oca_type) for order in siblings}
    if len(names) != 1 or not (link := next(iter(names)))[0]:
        return []
    stops = [order for order in gone if order.spec.order_type in STOP_TYPES]
    targets = [order for order in gone if order not in stops]
    requests = [
        JoinRequest(order=request, role=order.spec.role, oca_group=link[0], oca_type=link[1])
        for kin in (stops, targets)
        for order, request in zip(kin, _sized(kin, room), strict=False)
    ]
    return [msgspec.structs.replace(base, request=request) for request in requests]


def _paired(base: Piece, gone: list[Order], siblings: list[Order], *, room: Decimal) -> Piece:
    """What comes back as a pair; targets that still work, and no name links, go along."""
    exits = [*gone, *siblings]
    stops = [order for order in exits if order.spec.order_type in STOP_TYPES]
    alone = [short_id(order.order_id) for order in siblings if order in stops]
    if alone:  # a stop that works is not taken away for anything
        return _trouble(base, f"it cannot be linked to {', '.join(alone)}, which works")
    targets = [order for order in exits if order not in stops]
    request = _linked(_sized(stops, room), _sized(targets, room), exits)
    if request is None:
        what = f"{len(exits)} exits of {label(base.contract)} that nothing links"
        return _trouble(base, f"{what}: place them again")
    takes = tuple(sorted(order.order_id for order in siblings))
    return msgspec.structs.replace(base, request=request, takes=takes)


def _trouble(base: Piece, words: str) -> Piece:
    return msgspec.structs.replace(base, ends=False, trouble=words)


def _linked(
    stops: Sequence[OrderRequest], targets: Sequence[OrderRequest], exits: Sequence[Order]
) -> Request | None:
    if len(stops) + len(targets) == 1:
        return (*stops, *targets)[0]
    if not stops or not targets:
        return None
    first, second, *more = (*stops, *targets)
    types = {order.spec.oca_type for order in exits if order.spec.oca_type is not None}
    return OCOOrderRequest(
        order_a=first,
        order_b=second,
        more=tuple(more),
        oca_type=types.pop() if len(types) == 1 else OcaType.REDUCE,
        exit_time_in_force=stops[0].time_in_force,
    )


def _busy(
    state: PortfolioState, contract: Contract, sign: int, *, away: frozenset[OrderId]
) -> Decimal:
    """How much of the position other exits end already, whoever's."""
    live = [o for o in state.orders.values() if o.spec.contract.con_id == contract.con_id]
    exits = [o for o in live if o.spec.side.sign == sign and o.order_id not in away]
    return sum((backing(group, group.worst) for group in clusters(exits, live)), ZERO)


def _sized(orders: Iterable[Order], room: Decimal) -> list[OrderRequest]:
    """The orders one after the other, as long as there is something for them to end."""
    found: list[OrderRequest] = []
    for order in orders:
        left = order.remaining if not order.status.is_closed else left_of(order)
        size = min(left, room)
        if size > 0:
            found.append(_request(order, size))
            room -= size
    return found


def _size(request: Request) -> Decimal:
    """How much of a position the request may end: of linked legs one trades."""
    legs = _legs(request)
    stops = sum((leg.quantity for leg in legs if leg.order_type in STOP_TYPES), ZERO)
    return max(stops, sum((leg.quantity for leg in legs), ZERO) - stops)


def _request(order: Order, size: Decimal) -> OrderRequest:
    spec = order.spec
    # The broker moves a trail's trigger: where it was then is not where it begins now.
    is_trail = spec.order_type in TRAIL_TYPES and spec.order_type is not OrderType.TRAIL_LIMIT
    return OrderRequest(
        symbol=ticker(spec.contract),
        quantity=size,
        side=spec.side,
        order_type=spec.order_type,
        limit_price=spec.limit_price,
        stop_price=None if is_trail else spec.stop_price,
        trail_amount=spec.trail_amount,
        trail_percent=spec.trail_percent,
        adjustment=spec.adjustment,
        time_in_force=spec.time_in_force,
        good_after=spec.good_after,
        outside_rth=spec.outside_rth,
    )
