"""One context for each contract: its side, what is held, and which of our orders belong to it.

A view and not a state: it follows from the picture alone. So a stop, a target, a manual
close or the end of the day ends a context by itself, and the next entry begins a new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.core.ids import parse_order_id
from ibkr_trader.core.models import ZERO, Contract, GroupId, Order
from ibkr_trader.portfolio.ledger_fold import quantity_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from ibkr_trader.portfolio.state import PortfolioState


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What goes on in one contract.

    Attributes:
        side: The side on which the position was opened, or is about to be; None while
            entries on both sides wait, of which one is to be.
        held: What is held, signed, whoever traded it.
        entries: Our live orders that open or add.
        exits: Our live orders that end it, or wait for an entry to end what it opens.
    """

    contract: Contract
    side: Side | None
    held: Decimal = ZERO
    entries: tuple[Order, ...] = ()
    exits: tuple[Order, ...] = ()

    @property
    def groups(self) -> tuple[GroupId, ...]:
        """The groups whose orders work here, the oldest first."""
        return tuple(dict.fromkeys(o.spec.group_id for o in (*self.entries, *self.exits)))

    def exits_of(self, group_id: GroupId) -> tuple[Order, ...]:
        """Return the exits of one group."""
        return tuple(order for order in self.exits if order.spec.group_id == group_id)


def contexts(state: PortfolioState) -> dict[int, Context]:
    """Return every context by con_id: contracts that are held, or in which orders of ours work."""
    con_ids = {
        **dict.fromkeys(state.positions),
        **{order.spec.contract.con_id: None for order in _ours(state.orders.values())},
    }
    found = ((con_id, context(state, con_id)) for con_id in con_ids)
    return {con_id: one for con_id, one in found if one is not None}


def context(state: PortfolioState, con_id: int) -> Context | None:
    """Return the context of a contract, or None if nothing is held and nothing works."""
    live = [o for o in _ours(state.orders.values()) if o.spec.contract.con_id == con_id]
    position = state.positions.get(con_id)
    if position is None and not live:
        return None
    held = quantity_of(state, con_id)
    exits = tuple(order for order in live if _is_exit(order, held))
    entries = tuple(order for order in live if order not in exits)
    return Context(
        contract=position.contract if position is not None else live[0].spec.contract,
        side=_side(held, entries, exits),
        held=held,
        entries=entries,
        exits=exits,
    )


def left_by_others(state: PortfolioState, con_id: int) -> tuple[Order, ...]:
    """Return the live orders in a contract that another desk of the account has placed.

    It may have ended, and they remain: its entries may fill yet, and its exits are not ours to
    move. An order that was typed by hand is nobody's plan.
    """
    return tuple(
        order
        for order in state.orders.values()
        if order.is_foreign
        and order.spec.contract.con_id == con_id
        and parse_order_id(order.spec.reference) is not None
    )


def _ours(orders: Iterable[Order]) -> Iterable[Order]:
    return (order for order in orders if not order.is_foreign)


def _is_exit(order: Order, held: Decimal) -> bool:
    """Whether the order ends: by its role, or because it is against what is held."""
    return order.spec.role.is_protective or order.spec.side.sign * held < 0


def _side(held: Decimal, entries: Iterable[Order], exits: Iterable[Order]) -> Side | None:
    if held:
        return Side.holding(held)
    sides = {order.spec.side for order in entries} or {order.spec.side.opposite for order in exits}
    return sides.pop() if len(sides) == 1 else None
