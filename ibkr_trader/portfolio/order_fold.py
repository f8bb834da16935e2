"""How news of orders moves a `PortfolioState`.

The order's own state machine decides (`orders/lifecycle.py`); here is what surrounds it:
which order is meant, what to do about one that nobody knows, each execution and each
commission once, and what cannot be true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.models import ZERO, FillId, Order, OrderId
from ibkr_trader.orders import lifecycle
from ibkr_trader.portfolio import ledger_fold, lost_orders

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core.models import Fill
    from ibkr_trader.portfolio.state import PortfolioState

_replace = msgspec.structs.replace
_OUR_STEPS = (ev.NewOrderEvent, ev.ModifyEvent)


def follow(state: PortfolioState, event: ev.OrderEvent) -> PortfolioState:
    """Return `state` after any news of an order.

    Raises:
        InvariantBroken: If the event is a step of our own that is illegal.
    """
    if state.renamed:
        event = lost_orders.named(state, event)
    match event:
        case ev.FillEvent():
            return fill(state, event)
        case ev.CommissionEvent():
            return commission(state, event)
        case ev.AdoptEvent():
            return lost_orders.taken(state, event)
        case _:
            return news(state, event)


def news(state: PortfolioState, event: ev.OrderEvent) -> PortfolioState:
    """Return `state` after anything that is said of an order but fills and commissions."""
    order = state.order(event.order_id)
    if order is None:
        return state if _is_on_record(state, event) else _first_news(state, event)
    if isinstance(event, ev.NewOrderEvent):
        raise InvariantBroken(f"{event.order_id} was written down as new a second time")
    return _moved(state, order, event)


def fill(state: PortfolioState, event: ev.FillEvent) -> PortfolioState:
    """Return `state` after an execution or a correction, whoever's order it is."""
    told, seen = event.fill, state.fills.get(event.fill.fill_id)
    if seen is not None and told.revision <= seen.revision:
        return _cost_of_repeat(state, event, seen)
    if told.commission is None:
        told = _with_known_cost(state, told, seen)
    if told.fill_id in state.unclaimed_costs:
        costs = {key: cost for key, cost in state.unclaimed_costs.items() if key != told.fill_id}
        state = _replace(state, unclaimed_costs=costs)
    state = ledger_fold.execute(state, told)
    order = state.order(told.order_id)
    if order is None:
        return state
    if told is not event.fill or seen is not event.replaces:
        event = _replace(event, fill=told, replaces=seen)
    state = _moved(state, order, event)
    return _charged(state, told, _cost(told) - _cost(seen))


def commission(state: PortfolioState, event: ev.CommissionEvent) -> PortfolioState:
    """Return `state` after the cost of an execution, which may be repeated or come first."""
    key = FillId(event.fill_id)
    known = state.fills.get(key)
    if known is None:
        return _replace(state, unclaimed_costs={**state.unclaimed_costs, key: event})
    if known.commission == event.commission and known.realized_pnl == event.realized_pnl:
        return state
    charged = _replace(known, commission=event.commission, realized_pnl=event.realized_pnl)
    state = ledger_fold.charge(_replace(state, fills=state.fills.plus(key, charged)), charged)
    return _charged(state, known, _cost(charged) - _cost(known))


def settled(state: PortfolioState, event: ev.SyncEvent) -> PortfolioState:
    """Return `state` once all positions were stated: they have what orders were called filled for.

    But for those of which that was said while the broker was asked. What nobody knows as an order
    any more is none: it must not come back by being settled.
    """
    claimed = {state.renamed.get(one, one) for one in event.claimed}
    waiting = {key: state.order(key) for key in state.unheard}
    if None in waiting.values():
        known = {key: order for key, order in waiting.items() if order is not None}
        state = _replace(state, unheard=known)
    for key, order in waiting.items():
        if order is not None and key not in claimed:
            state = _put(state, order, _replace(order, heard=order.reported_filled))
    return state


def _first_news(state: PortfolioState, event: ev.OrderEvent) -> PortfolioState:
    if not _has_terms(event):
        # Of each kind the latest: what the order is will be said when its terms come.
        held = state.unclaimed.get(event.order_id, ())
        kept = tuple(old for old in held if type(old) is not type(event))
        return _replace(state, unclaimed={**state.unclaimed, event.order_id: (*kept, event)})
    state = _put(state, None, lifecycle.open_order(event))
    earlier: list[ev.OrderEvent] = []
    if isinstance(event, ev.AcceptEvent):
        earlier += (
            ev.FillEvent(at=event.at, order_id=event.order_id, fill=known)
            for known in state.fills.values()
            if known.order_id == event.order_id
        )
    earlier += state.unclaimed.get(event.order_id, ())
    if not earlier:
        return state
    others = {key: held for key, held in state.unclaimed.items() if key != event.order_id}
    state = _replace(state, unclaimed=others)
    for old in earlier:
        state = _moved(state, _known(state, event.order_id), old)
        if isinstance(old, ev.FillEvent):
            state = _charged(state, old.fill, _cost(old.fill))
    return state


def _is_on_record(state: PortfolioState, event: ev.OrderEvent) -> bool:
    """Whether an order was taken over, and this calls it what it was called before."""
    if not isinstance(event, ev.AcceptEvent) or not event.is_foreign:
        return False
    ours = state.order(OrderId(event.spec.reference))
    return ours is not None and not ours.is_foreign and ours.perm_id == event.perm_id != 0


def _has_terms(event: ev.OrderEvent) -> bool:
    match event:
        case ev.NewOrderEvent() | ev.AcceptEvent():
            return True
        case ev.DenyEvent():
            return event.spec is not None
        case _:
            return False


def _moved(state: PortfolioState, order: Order, event: ev.OrderEvent) -> PortfolioState:
    after = lifecycle.apply(order, event)
    if after is None:
        if isinstance(event, _OUR_STEPS):
            name = type(event).__name__
            raise InvariantBroken(f"{name} of {order.order_id}, which is {order.status}")
        return _surprise(state, event, ours=order.status, theirs=type(event).__name__)
    state = _put(state, order, after)
    if order.status.is_closed and not after.status.is_closed and order.filled <= after.filled:
        return _surprise(state, event, ours=order.status, theirs=after.status)
    return state


def _surprise(
    state: PortfolioState, event: ev.OrderEvent, *, ours: str, theirs: str
) -> PortfolioState:
    subject = f"order {event.order_id}"
    return ledger_fold.with_drift(
        state, ev.DriftEvent(at=event.at, subject=subject, ours=ours, theirs=theirs)
    )


def _put(state: PortfolioState, before: Order | None, after: Order) -> PortfolioState:
    """Enter an order among the live or the past, and link it to its group and parent."""
    order_id, spec = after.order_id, after.spec
    orders, closed = state.orders, state.closed
    if after.status.is_closed:
        closed = closed.plus(order_id, after)
        if order_id in orders:
            orders = {key: order for key, order in orders.items() if key != order_id}
    else:
        orders = {**orders, order_id: after}
        if before is not None and before.status.is_closed:
            closed = closed.only(lambda order: order.order_id != order_id)
    unheard = state.unheard
    if after.unheard:
        unheard = {**unheard, order_id: after}
    elif order_id in unheard:
        unheard = {key: order for key, order in unheard.items() if key != order_id}
    groups, children = state.groups, state.children
    if before is None:
        groups = groups.plus(spec.group_id, (*groups.get(spec.group_id, ()), order_id))
    if spec.parent_id is not None and (before is None or before.spec.parent_id is None):
        siblings = children.get(spec.parent_id, ())
        children = children.plus(spec.parent_id, (*siblings, order_id))
    return _replace(
        state,
        orders=orders,
        closed=closed,
        unheard=unheard,
        groups=groups,
        children=children,
    )


def _known(state: PortfolioState, order_id: OrderId) -> Order:
    return state.orders.get(order_id) or state.closed[order_id]


def _charged(state: PortfolioState, told: Fill, amount: Decimal) -> PortfolioState:
    order = state.order(told.order_id) if amount else None
    if order is None:
        return state
    cost = ev.CommissionEvent(
        at=order.updated_at or told.at,
        order_id=told.order_id,
        fill_id=told.fill_id,
        commission=amount,
    )
    return _moved(state, order, cost)


def _cost_of_repeat(state: PortfolioState, event: ev.FillEvent, seen: Fill) -> PortfolioState:
    told = event.fill
    if told.revision < seen.revision or told.commission is None or seen.commission is not None:
        return state
    return commission(
        state,
        ev.CommissionEvent(
            at=event.at,
            order_id=event.order_id,
            fill_id=told.fill_id,
            commission=told.commission,
            realized_pnl=told.realized_pnl,
        ),
    )


def _with_known_cost(state: PortfolioState, told: Fill, seen: Fill | None) -> Fill:
    early = state.unclaimed_costs.get(told.fill_id)
    if early is not None:
        return _replace(told, commission=early.commission, realized_pnl=early.realized_pnl)
    if seen is not None:
        return _replace(told, commission=seen.commission, realized_pnl=seen.realized_pnl)
    return told


def _cost(told: Fill | None) -> Decimal:
    return ZERO if told is None or told.commission is None else told.commission
