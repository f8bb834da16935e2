"""Which orders make no sense without one that got lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OcaType, OrderRole, OrderType, Side
from ibkr_trader.core.models import OrderId
from ibkr_trader.portfolio.halves import is_half, needs
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import AT, GROUP, fill, filled, spec, working, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.core.models import OrderSpec

ENTRY = spec(OrderRole.ENTRY)
STOP = spec(
    OrderRole.STOP,
    side=Side.SELL,
    order_type=OrderType.STOP,
    limit_price=None,
    parent_id=ENTRY.order_id,
)
ONE = spec(OrderRole.ENTRY, oca_group="either", oca_type=OcaType.CANCEL)
OTHER = spec(
    OrderRole.ENTRY,
    order_id=OrderId(f"{GROUP}-entry.2"),
    oca_group="either",
    oca_type=OcaType.CANCEL,
)


def lost(what: OrderSpec) -> ev.BaseEvent:
    """It is proven that it never arrived."""
    return ev.NotSentEvent(at=AT, order_id=what.order_id, reason="absent twice")


def unknown(what: OrderSpec) -> ev.BaseEvent:
    return ev.UnknownEvent(at=AT, order_id=what.order_id, reason="not listed")


def at_work(*specs: OrderSpec, more: tuple[ev.BaseEvent, ...] = ()) -> PortfolioState:
    sent = [written(one) for one in specs]
    return fold([*sent, working(specs[0].order_id), *more])


def test_an_exit_needs_its_entry_and_an_alternative_the_other() -> None:
    orders = at_work(ENTRY, STOP).orders
    entry, stop = orders[ENTRY.order_id], orders[STOP.order_id]
    assert needs(stop, entry)
    assert not needs(entry, stop)
    assert not needs(entry, entry)
    one, other = at_work(ONE, OTHER).orders.values()
    assert needs(one, other)
    assert needs(other, one)


@pytest.mark.parametrize("how", [lost, unknown])
def test_half_of_two_alternatives_is_half(how: Callable[[OrderSpec], ev.BaseEvent]) -> None:
    state = at_work(ONE, OTHER)
    assert not is_half(state, state.orders[ONE.order_id])
    state = state.apply(how(OTHER))
    assert is_half(state, state.orders[ONE.order_id])


def test_what_has_traded_has_not_come_to_nothing() -> None:
    part = filled(fill(4, order_id=OTHER.order_id))
    state = at_work(ONE, OTHER, more=(part, unknown(OTHER)))
    assert not is_half(state, state.orders[ONE.order_id])


def test_an_exit_whose_entry_got_lost_is_half() -> None:
    state = at_work(STOP, ENTRY, more=(lost(ENTRY),))
    assert is_half(state, state.orders[STOP.order_id])


def test_an_entry_is_half_until_a_stop_works() -> None:
    state = at_work(ENTRY, STOP)
    assert is_half(state, state.orders[ENTRY.order_id]), "nobody has acknowledged its stop"
    state = state.apply(working(STOP.order_id))
    assert not is_half(state, state.orders[ENTRY.order_id])
    state = at_work(ENTRY, STOP, more=(lost(STOP),))
    assert is_half(state, state.orders[ENTRY.order_id])


def test_one_that_stands_alone_is_whole() -> None:
    state = at_work(spec())
    (order,) = state.orders.values()
    assert not is_half(state, order)
