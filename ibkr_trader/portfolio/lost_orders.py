"""Orders of a desk like this one whose journal is gone: known by their references, and taken over.

A new journal draws a new prefix, so its desk meets the orders of the lost one as strangers'.
What the broker states of them proves what they are: the reference names group and role, the
permanent id is theirs alone, the parent and the OCA group are the broker's own links. What only
the journal knew (who asked, and what a group does beside those links) stays unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.ids import make_order_id, parse_order_id
from ibkr_trader.core.models import Order, OrderId
from ibkr_trader.orders import lifecycle
from ibkr_trader.portfolio.growing import GrowingMap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibkr_trader.core.models import Fill, FillId
    from ibkr_trader.portfolio.positions import Book
    from ibkr_trader.portfolio.state import PortfolioState

_replace = msgspec.structs.replace


def is_of_lost_journal(order: Order, *, client_id: int) -> bool:
    """Whether an order is of a desk like this one, at our client id, with a journal of its own."""
    is_desks = parse_order_id(order.spec.reference) is not None
    return order.is_foreign and is_desks and order.client_id == client_id != 0


def lost_orders(
    state: PortfolioState, *, client_id: int, con_id: int | None = None
) -> tuple[Order, ...]:
    """Return the live orders of a lost journal in one contract (None: in all), entries first."""
    found = (
        order
        for order in state.orders.values()
        if con_id in {None, order.spec.contract.con_id}
        and is_of_lost_journal(order, client_id=client_id)
    )
    return tuple(sorted(found, key=lambda order: (order.spec.parent_id is not None, order.perm_id)))


def to_take_over(
    state: PortfolioState, *, client_id: int, con_id: int | None = None
) -> tuple[Order, ...]:
    """Return those of them that can be taken over as they stand."""
    found = lost_orders(state, client_id=client_id, con_id=con_id)
    return tuple(order for order in found if not why_not(state, order))


def why_not(state: PortfolioState, order: Order) -> str:
    """Return why an order of a lost journal cannot be taken over; empty if it can."""
    name = order.spec.reference
    if not order.status.is_open or order.status is OrderStatus.PENDING_CANCEL:
        return f"the broker calls it {order.status}"
    if not order.perm_id:
        return "the broker has not said its permanent id"
    if state.order(OrderId(name)) is not None:
        return f"the journal has another order {name}"
    if sum(one.is_foreign and one.spec.reference == name for one in state.orders.values()) > 1:
        return f"more than one order is called {name}"
    return ""


def as_ours(order: Order) -> Order:
    """Return an order of a lost journal as it stands, by its own name: group and role are in it.

    Raises:
        ValueError: If its reference is none of a desk like this one.
    """
    ref = parse_order_id(order.spec.reference)
    if ref is None:
        raise ValueError(f"{order.spec.reference!r} is no reference of a desk like this one")
    spec = _replace(
        order.spec,
        order_id=OrderId(order.spec.reference),
        group_id=ref.group_id,
        role=ref.role,
        reference="",
    )
    return _replace(order, spec=spec, is_foreign=False)


def unproven(state: PortfolioState, order: Order) -> Iterator[str]:
    """Yield what of an order's group the broker does not prove, in a few words each.

    Args:
        state: The account.
        order: One of a lost journal, not taken over yet.
    """
    ours = as_ours(order).spec
    if ours.role is OrderRole.SINGLE:
        return
    entry = make_order_id(ours.group_id, OrderRole.ENTRY)
    if ours.role.is_protective and not any(_is_called(one, entry) for one in state.orders.values()):
        yield f"{entry} is not at the broker any more"
    yield "the rules of its group are lost, the broker's own links hold"


def taken(state: PortfolioState, event: ev.AdoptEvent) -> PortfolioState:
    """Return `state` once an order of a lost journal goes by its own name.

    Its executions were counted when they came; from here on they are that order's.

    Raises:
        InvariantBroken: If there is an order of that name already.
    """
    if state.order(event.order_id) is not None:
        raise InvariantBroken(f"{event.order_id} was taken over a second time")
    was, order = event.was, lifecycle.open_order(event)
    fills = {
        key: _replace(fill, order_id=order.order_id)
        for key, fill in state.fills.items()
        if fill.order_id == was
    }
    orders = {key: _moved(one, event) for key, one in state.orders.items() if key != was}
    orders[order.order_id] = order
    unheard = {key: _moved(one, event) for key, one in state.unheard.items() if key != was}
    if order.unheard:
        unheard[order.order_id] = order
    groups = {key: members for key, members in state.groups.items() if was not in members}
    group = (*groups.get(order.spec.group_id, ()), order.order_id)
    return _replace(
        state,
        orders=orders,
        closed=GrowingMap({key: _moved(one, event) for key, one in state.closed.items()}),
        unheard=unheard,
        renamed={**state.renamed, was: order.order_id},
        groups=GrowingMap({**groups, order.spec.group_id: group}),
        children=_children(state, event),
        unclaimed={key: held for key, held in state.unclaimed.items() if key != was},
        fills=GrowingMap({**state.fills, **fills}),
        books={key: _charged(book, fills) for key, book in state.books.items()},
    )


def named(state: PortfolioState, event: ev.OrderEvent) -> ev.OrderEvent:
    """Return news of an order by its own name, where it says what that was called before.

    The broker adapter names what it reads, and the order may be taken over before that is heard.
    An order that has got the old name since is another: its permanent id tells.
    """
    known = state.renamed.get(event.order_id)
    ours = state.order(known) if known is not None else None
    if ours is None or state.order(event.order_id) is not None:
        return event
    if _perm_id(event) not in {0, ours.perm_id}:
        return event
    match event:
        case ev.FillEvent(fill=told):
            told = _replace(told, order_id=ours.order_id)
            return _replace(event, order_id=ours.order_id, fill=told)
        case ev.AcceptEvent(spec=spec):
            parent = spec.parent_id
            spec = _replace(
                spec,
                order_id=ours.order_id,
                group_id=ours.spec.group_id,
                role=ours.spec.role,
                parent_id=state.renamed.get(parent, parent) if parent is not None else None,
                reference="",
            )
            return _replace(event, order_id=ours.order_id, spec=spec, is_foreign=False)
        case _:
            return _replace(event, order_id=ours.order_id)


def _perm_id(event: ev.OrderEvent) -> int:
    """The permanent id that an event names; 0 if it names none."""
    match event:
        case ev.FillEvent(fill=told):
            return told.perm_id
        case ev.AcceptEvent() | ev.StatusEvent():
            return event.perm_id
        case _:
            return 0


def _is_called(order: Order, name: OrderId) -> bool:
    return name in {order.order_id, order.spec.reference}


def _moved(order: Order, event: ev.AdoptEvent) -> Order:
    """An order that hangs from the one that was taken over hangs from it by its new name."""
    if order.spec.parent_id != event.was:
        return order
    return _replace(order, spec=_replace(order.spec, parent_id=event.order_id))


def _children(
    state: PortfolioState, event: ev.AdoptEvent
) -> GrowingMap[OrderId, tuple[OrderId, ...]]:
    names = {event.was: event.order_id}
    found = {
        names.get(parent, parent): tuple(names.get(one, one) for one in members)
        for parent, members in state.children.items()
    }
    parent = event.order.spec.parent_id
    if parent is not None and event.order_id not in found.get(parent, ()):
        found[parent] = (*found.get(parent, ()), event.order_id)
    return GrowingMap(found)


def _charged(book: Book, fills: Mapping[FillId, Fill]) -> Book:
    for key, fill in fills.items():
        if key in book.fills:
            book = book.charged(_replace(book.fills[key], order_id=fill.order_id))
    return book
