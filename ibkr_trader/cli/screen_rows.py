"""The rows of a screen, each made again only if what it shows has changed.

Orders and positions are replaced and never changed, so the same object needs no second look.
What costs most is how the stops of a contract add up: that is worked out when its orders or
the size of the position change, not with every price.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.cli.order_view import lasting, terms
from ibkr_trader.cli.position_view import six_digits
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import OrderStatus, OrderType
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.shapes import SHAPES, STOP_TYPES, TARGET_TYPES
from ibkr_trader.core.text import SENTENCES, broker_words, plain, quantity
from ibkr_trader.core.ticks import increment_at
from ibkr_trader.dashboard.scene import OrderRow, PositionRow
from ibkr_trader.orders.coverage import at_work, clusters, protects
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ibkr_trader.core.models import ContractDetails, Order, OrderId, OrderSpec, Position
    from ibkr_trader.portfolio.protection import Protection
    from ibkr_trader.portfolio.state import PortfolioState

_LAST = 1 << 62
_UNDER_WAY = frozenset({OrderStatus.PENDING_MODIFY, OrderStatus.PENDING_CANCEL})


class Guard(NamedTuple):
    """How a position is protected, whatever the price.

    Attributes:
        whole: By all of its orders.
        near: The stop and the target that would be reached first: the price matters to them.
        needed: The stops without which it would be covered less.
        mark: The price that it was worked out at, where that makes a difference.
    """

    position: Position
    whole: Protection
    near: tuple[Order, ...] = ()
    needed: frozenset[OrderId] = frozenset()
    mark: Decimal | None = None

    @property
    def stop_id(self) -> str:
        """The stop that would be reached first; empty without one."""
        is_stop = bool(self.near) and self.near[0].spec.order_type in STOP_TYPES
        return self.near[0].order_id if is_stop else ""


class _Basis(NamedTuple):
    """What a position's row was made of."""

    position: Position
    guard: Guard
    details: ContractDetails | None
    is_closing: bool


class ScreenRows:
    """The rows of one screen.

    Attributes:
        orders: By id; `positions` by con_id.
    """

    def __init__(self, placed_by: Callable[[Order], str]) -> None:
        self._placed_by = placed_by
        self.orders: dict[OrderId, OrderRow] = {}
        self.positions: dict[int, PositionRow] = {}
        self._known: Mapping[OrderId, Order] = {}
        self._by_contract: dict[int, dict[OrderId, Order]] = {}
        self._guards: dict[int, Guard] = {}
        self._bases: dict[int, _Basis] = {}

    def follow(
        self, portfolio: PortfolioState, details: Callable[[int], ContractDetails | None]
    ) -> None:
        """Bring the rows up to date."""
        fresh, touched = self._news(portfolio)
        for con_id in self._guards.keys() - portfolio.positions.keys():
            del self._guards[con_id], self.positions[con_id], self._bases[con_id]
            touched.add(con_id)
        for con_id, position in portfolio.positions.items():
            guard = self._guards.get(con_id)
            if guard is None or con_id in touched or _is_other(guard, position):
                self._guards[con_id] = self._guarded(portfolio, position)
                touched.add(con_id)
        for con_id in touched:
            guard = self._guards.get(con_id)
            for order_id, order in self._by_contract.get(con_id, {}).items():
                if order_id in fresh or _is_flagged_otherwise(self.orders[order_id], order, guard):
                    self.orders[order_id] = self._order_row(order, guard)
        for con_id, position in portfolio.positions.items():
            self._show(
                _Basis(
                    position,
                    self._guards[con_id],
                    details(con_id),
                    con_id in portfolio.closings,
                )
            )

    def _news(self, portfolio: PortfolioState) -> tuple[set[OrderId], set[int]]:
        """Take over the orders; return the new and changed ones, and the contracts with news."""
        orders, known = portfolio.orders, self._known
        if orders is known:
            return set(), set()
        news = [order for key, order in orders.items() if known.get(key) is not order]
        gone = known.keys() - orders.keys()
        olds = [old for one in news if (old := known.get(one.order_id)) is not None]
        olds += [known[key] for key in gone]
        for order in olds:  # its contract may have been resolved to another since
            self._by_contract[order.spec.contract.con_id].pop(order.order_id, None)
        for order in news:
            self._by_contract.setdefault(order.spec.contract.con_id, {})[order.order_id] = order
        for key in gone:
            del self.orders[key]
        self._known = orders
        touched = {order.spec.contract.con_id for order in (*olds, *news)}
        return {order.order_id for order in news}, touched

    def _guarded(self, portfolio: PortfolioState, position: Position) -> Guard:
        here = list(self._by_contract.get(position.contract.con_id, {}).values())
        whole = protection(position, here, portfolio.closed.values())
        minds = any(order.spec.order_type is OrderType.STOP_LIMIT for order in here)
        found = {order.order_id: order for order in here}
        exits = [found[order_id] for order_id in whole.orders]
        return Guard(
            position,
            whole,
            _nearest(whole, exits),
            _needed(position, here),
            position.market_price if minds else None,
        )

    def _order_row(self, order: Order, guard: Guard | None) -> OrderRow:
        spec, shape = order.spec, SHAPES[order.spec.order_type]
        may_change = not (order.is_foreign or shape.trails or order.status.is_closed)
        return OrderRow(
            order_id=order.order_id,
            short=short_id(order.order_id),
            number=spec.broker_order_id,
            con_id=spec.contract.con_id,
            symbol=label(spec.contract),
            ticker=ticker(spec.contract),
            side=spec.side.value,
            quantity=spec.quantity,
            filled=order.filled,
            kind=spec.order_type.value,
            terms=terms(spec),
            limit=spec.limit_price,
            stop=spec.stop_price,
            can_limit=may_change and shape.takes("limit_price"),
            can_stop=may_change and shape.takes("stop_price"),
            tif=lasting(spec),
            status=order.status.value,
            group=short_id(spec.group_id),
            role=spec.role.value,
            rule=self._placed_by(order),
            created_at=order.created_at,
            is_pending=order.desired is not None or order.status in _UNDER_WAY,
            is_foreign=order.is_foreign,
            is_unknown=order.status is OrderStatus.UNKNOWN,
            is_protective=_is_protective(order, guard),
            is_last_stop=guard is not None and order.order_id in guard.needed,
            note=_note(order),
        )

    def _show(self, basis: _Basis) -> None:
        """Make a position's row, unless it was made of the very same things."""
        con_id = basis.position.contract.con_id
        before = self._bases.get(con_id)
        if before is None or any(a is not b for a, b in zip(before, basis, strict=True)):
            self._bases[con_id] = basis
            self.positions[con_id] = _position_row(basis)


def in_order(rows: Iterable[OrderRow]) -> list[OrderRow]:
    """Return rows by group and in the order of sending; strangers last."""

    def place(row: OrderRow) -> tuple[int, int]:
        is_ours = row.group.isdecimal()
        return (int(row.group) if is_ours else _LAST, row.number)

    return sorted(rows, key=place)


def _is_other(guard: Guard, position: Position) -> bool:
    """Whether a position has changed in more than its price, where that is no matter."""
    before = guard.position
    return before is not position and (
        before.quantity != position.quantity
        or before.average_cost != position.average_cost
        or before.updated_at != position.updated_at
        or (guard.mark is not None and guard.mark != position.market_price)
    )


def _nearest(whole: Protection, exits: list[Order]) -> tuple[Order, ...]:
    """The stop and the target that would be reached first, in this order."""
    stops = [one for one in exits if one.spec.order_type in STOP_TYPES]
    targets = [one for one in exits if one.spec.order_type in TARGET_TYPES]
    # A trail that nobody has told the place of is a stop all the same.
    stops.sort(key=lambda one: one.spec.stop_price != whole.stop)
    targets.sort(key=lambda one: _aim(one.spec) != whole.target)
    return (*stops[:1], *targets[:1])


def _aim(spec: OrderSpec) -> Decimal | None:
    return spec.limit_price or spec.stop_price


def _needed(position: Position, here: list[Order]) -> frozenset[OrderId]:
    """The stops without which less of the position would be covered than is now.

    Of those of which only one can trade the largest counts, as in `orders/coverage.py`: an
    equal one beside it makes a stop dispensable.
    """
    size, mark = abs(position.quantity), position.market_price
    stops = [
        order
        for order in here
        if order.spec.side.sign * position.quantity < 0 and protects(order, mark)
    ]
    sizes = {order.order_id: at_work(order) for order in stops}
    groups = clusters(stops, here)
    most = [max(sizes[one.order_id] for one in group.members) for group in groups]
    total = sum(most, ZERO)
    found: set[OrderId] = set()
    for group, best in zip(groups, most, strict=True):
        for order in group.members:
            others = (sizes[one.order_id] for one in group.members if one is not order)
            without = total - best + max(others, default=ZERO)
            if min(without, size) < min(total, size):
                found.add(order.order_id)
    return frozenset(found)


def _is_protective(order: Order, guard: Guard | None) -> bool:
    """Whether an order would end a position at a loss: by its role, or by what is held."""
    spec = order.spec
    if spec.order_type not in STOP_TYPES:
        return False
    held = guard.position.quantity if guard is not None else ZERO
    return spec.role.is_protective or spec.side.sign * held < 0


def _is_flagged_otherwise(row: OrderRow, order: Order, guard: Guard | None) -> bool:
    is_needed = guard is not None and order.order_id in guard.needed
    return row.is_last_stop != is_needed or row.is_protective != _is_protective(order, guard)


def _note(order: Order) -> str:
    """What is under way, or what the broker says."""
    if order.desired is not None:
        size = f"{quantity(order.desired.quantity)} at " if _is_resized(order) else ""
        return f"asked for {size}{terms(order.desired)}"
    return plain(broker_words(order.reason) or order.held_for, limit=SENTENCES)


def _is_resized(order: Order) -> bool:
    return order.desired is not None and order.desired.quantity != order.spec.quantity


def _position_row(basis: _Basis) -> PositionRow:
    position, guard, details, is_closing = basis
    whole, mark = guard.whole, position.market_price
    here = protection(position, guard.near)  # where the price is from the nearest stop
    return PositionRow(
        con_id=position.contract.con_id,
        symbol=label(position.contract),
        ticker=ticker(position.contract),
        quantity=position.quantity,
        average=position.average_cost,
        last=mark,
        pnl=position.unrealized_pnl,
        stop=here.stop,
        target=here.target,
        distance_fraction=six_digits(here.distance_fraction),
        r=six_digits(here.r),
        covered=whole.covered,
        coverage=six_digits(whole.coverage) or ZERO,
        surplus=whole.surplus,
        naked_since=whole.naked_since,
        stop_id=guard.stop_id,
        tick=increment_at(mark, details.bands) if details is not None and mark else None,
        is_closing=is_closing,
        remarks=tuple(f"{short_id(order_id)} {words}" for order_id, words in whole.remarks),
    )
