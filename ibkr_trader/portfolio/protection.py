"""What protects each position: stop, target, coverage, and how far away the stop is.

Only what the broker has confirmed counts: a stop that may not exist protects nobody. How
stops and exits add up is decided in `orders/coverage.py`; whoever placed them counts alike.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.enums import OrderType
from ibkr_trader.core.models import ZERO, Contract, Order, OrderId, Position
from ibkr_trader.core.shapes import STOP_TYPES, TARGET_TYPES
from ibkr_trader.orders.cover_scene import Scene
from ibkr_trader.orders.coverage import coverage, protects, remarks, works
from ibkr_trader.portfolio.caring import adopted, is_released
from ibkr_trader.portfolio.ledger_fold import quantity_of, subject_of
from ibkr_trader.portfolio.positions import ours_after, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ibkr_trader.orders.cover_orders import Market
    from ibkr_trader.portfolio.state import PortfolioState


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """One position and the orders that would end it.

    Attributes:
        stop: The trigger that would be reached first; None without one.
        target: The price at which gain would be taken first; None without one.
        covered: How much of the position stops would end.
        coverage: The same as a fraction of the position, at most 1.
        closing: What all exits together can still trade, at their worst.
        surplus: What they could trade beyond what is held and what their entries may add.
        distance: From the mark to the stop, per unit; negative once it has been passed.
        distance_fraction: The same as a fraction of the mark.
        risk: What reaching the stop would cost per unit, from the average cost; negative
            when the stop already secures a gain.
        r: The open gain in units of `risk`; None without one that is positive.
        orders: The orders that protect, stops first.
        naked_since: Since when a part may have been without a stop; None if none is.
        remarks: What keeps an exit from being all that it looks like, by its id.
    """

    position: Position
    stop: Decimal | None = None
    target: Decimal | None = None
    covered: Decimal = ZERO
    coverage: Decimal = ZERO
    closing: Decimal = ZERO
    surplus: Decimal = ZERO
    distance: Decimal | None = None
    distance_fraction: Decimal | None = None
    risk: Decimal | None = None
    r: Decimal | None = None
    orders: tuple[OrderId, ...] = ()
    naked_since: datetime | None = None
    remarks: tuple[tuple[OrderId, str], ...] = ()

    @property
    def is_covered(self) -> bool:
        """Whether stops would end all of it."""
        return self.covered >= abs(self.position.quantity)

    @property
    def is_exact(self) -> bool:
        """Whether stops would end all of it, and no exit could trade beyond it."""
        return self.is_covered and not self.surplus


def protections(state: PortfolioState) -> dict[int, Protection]:
    """Return what protects each position, by con_id."""
    return {
        con_id: protection(position, state.orders.values(), state.closed.values())
        for con_id, position in state.positions.items()
    }


def protection(
    position: Position, orders: Iterable[Order], ended: Iterable[Order] = ()
) -> Protection:
    """Return what protects one position, out of any live orders.

    Args:
        position: What is held.
        orders: The live orders, of any contract.
        ended: Orders that have ended lately: they tell since when a stop is missing.
    """
    con_id, mark = position.contract.con_id, position.market_price
    here = [order for order in orders if order.spec.contract.con_id == con_id]
    sums = coverage(position.quantity, here, mark=mark)
    exits = [order for order in here if order.spec.side.sign * position.quantity < 0]
    stops = [order for order in exits if protects(order, mark)]
    targets = [o for o in exits if o.spec.order_type in TARGET_TYPES and works(o)]
    is_long, size = position.quantity > 0, abs(position.quantity)
    triggers = [o.spec.stop_price for o in stops if o.spec.stop_price is not None]
    aims = [aim for o in targets if (aim := o.spec.limit_price or o.spec.stop_price) is not None]
    stop = (max if is_long else min)(triggers, default=None)
    sign, cost = 1 if is_long else -1, position.average_cost
    distance = None if mark is None or stop is None else (mark - stop) * sign
    risk = None if stop is None else (cost - stop) * sign
    return Protection(
        position=position,
        stop=stop,
        target=(min if is_long else max)(aims, default=None),
        covered=sums.covered,
        coverage=sums.covered / size if size else ZERO,
        closing=sums.closing,
        surplus=sums.surplus,
        distance=distance,
        distance_fraction=distance / mark if distance is not None and mark else None,
        risk=risk,
        r=(mark - cost) * sign / risk if mark is not None and risk and risk > 0 else None,
        orders=tuple(order.order_id for order in (*stops, *targets)),
        naked_since=_since(position, lost_stops(position, ended)) if sums.naked else None,
        remarks=_said_of(exits, mark),
    )


def _said_of(exits: Iterable[Order], mark: Decimal | None) -> tuple[tuple[OrderId, str], ...]:
    said = ((order.order_id, ", ".join(remarks(order, mark))) for order in exits)
    return tuple((order_id, words) for order_id, words in said if words)


def lost_stops(position: Position, ended: Iterable[Order]) -> tuple[Order, ...]:
    """Return the stops of the position that have ended, oldest first."""
    found = (
        order
        for order in ended
        if order.spec.contract.con_id == position.contract.con_id
        and order.status.is_closed
        and order.spec.order_type in STOP_TYPES
        and order.spec.side.sign * position.quantity < 0
        and order.updated_at is not None
    )
    return tuple(sorted(found, key=lambda order: (order.updated_at, order.order_id)))


def last_lost(positions: Iterable[Position], ended: Iterable[Order]) -> dict[OrderId, Order]:
    """Return the stop that each position has lost last, by its id.

    Whether a person took it away decides what may be done about the position, for as long as
    it is held.
    """
    there = tuple(ended)
    lost = (lost_stops(position, there)[-1:] for position in positions)
    return {order.order_id: order for orders in lost for order in orders}


def _since(position: Position, lost: tuple[Order, ...]) -> datetime | None:
    """The last moment at which something was traded, or a stop was lost."""
    moments = [position.updated_at, *(order.updated_at for order in lost[-1:])]
    return max((moment for moment in moments if moment is not None), default=None)


class Standing(NamedTuple):
    """What a contract's protection follows from; two that are equal need no second look."""

    contract: Contract
    held: Decimal
    cost: Decimal
    orders: tuple[Order, ...]
    is_known: bool
    is_closing: bool
    mark: Decimal | None  # only where an order's use depends on it
    is_released: bool = False


def standings(state: PortfolioState) -> dict[int, Standing]:
    """Return how every contract stands that is held or has live orders, by con_id."""
    found: dict[int, list[Order]] = {con_id: [] for con_id in state.positions}
    for order in state.orders.values():
        found.setdefault(order.spec.contract.con_id, []).append(order)
    return {con_id: _standing(state, con_id, orders) for con_id, orders in found.items()}


def _standing(state: PortfolioState, con_id: int, orders: list[Order]) -> Standing:
    position = state.positions.get(con_id)
    contract = position.contract if position is not None else orders[0].spec.contract
    minds = any(order.spec.order_type is OrderType.STOP_LIMIT for order in orders)
    return Standing(
        contract=contract,
        held=quantity_of(state, con_id),
        cost=position.average_cost if position is not None else ZERO,
        orders=tuple(orders),
        is_known=state.has_synced and subject_of(contract) not in state.drift,
        is_closing=con_id in state.closings,
        mark=position.market_price if position is not None and minds else None,
        is_released=is_released(state, con_id),
    )


def scenes(
    state: PortfolioState,
    markets: Mapping[int, Market] | None = None,
    *,
    found: Mapping[int, Standing] | None = None,
) -> tuple[Scene, ...]:
    """Return contracts as the cover policy sees them.

    Args:
        state: The account.
        markets: The markets that are open and fresh, by con_id.
        found: The contracts that are asked about; None is all that are held or have orders.
    """
    fresh = markets or {}
    return tuple(
        _scene(state, one, market=fresh.get(con_id))
        for con_id, one in (standings(state) if found is None else found).items()
    )


def flat(contract: Contract) -> Standing:
    """Return how a contract stands of which nothing is left."""
    return Standing(contract, ZERO, ZERO, (), is_known=True, is_closing=False, mark=None)


def _scene(state: PortfolioState, one: Standing, *, market: Market | None) -> Scene:
    scene = Scene(
        contract=one.contract,
        held=one.held,
        cost=one.cost,
        orders=one.orders,
        is_known=one.is_known,
        is_closing=one.is_closing,
        is_released=one.is_released,
        mark=one.mark,
        market=market,
    )
    position = state.positions.get(one.contract.con_id)
    if position is None or coverage(one.held, one.orders, mark=one.mark).is_exact:
        return scene  # the day's history is only of interest where something is to be done
    lost = lost_stops(position, state.closed.values())
    ours = opened_here(state, position)
    return scene._replace(lost=lost, since=_since(position, lost), ours=ours)


def opened_here(state: PortfolioState, position: Position) -> Decimal:
    """Return how much of a position orders of ours have opened, as far as the journal tells.

    What was held before it counts as opened elsewhere. What was adopted counts as opened here,
    too, from that moment on.
    """
    book, taken = state.books[position.contract.con_id], adopted(state, position.contract.con_id)
    is_all_ours = book.opened == abs(book.base.quantity) and not book.is_mixed
    if taken is None and is_all_ours:
        return abs(book.position.quantity)  # nobody else was there: as on most days
    fills = sorted(book.fills.values(), key=place)
    before = [fill for fill in fills if taken is None or fill.at <= taken.at]
    held, ours = ours_after(before, held=book.base.quantity, ours=book.opened)
    if taken is not None:
        ours = min(ours + abs(taken.held), abs(held))
        _, ours = ours_after(fills[len(before) :], held=held, ours=ours)
    return ours
