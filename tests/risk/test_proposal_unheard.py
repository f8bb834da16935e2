"""What an order is called filled for, before anything tells of it, counts as if it still worked."""

from __future__ import annotations

import msgspec

from ibkr_trader.core.commands import ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.models import GroupId, Order, OrderSpec
from ibkr_trader.risk.proposal import propose
from ibkr_trader.risk.verdict import Approved
from tests.risk.world import (
    D,
    held,
    judge,
    limit,
    limits,
    portfolio,
    reasons,
    review,
    spec,
    stop,
    view,
    working,
)


def submit(one: OrderSpec, *, reduces: bool = False) -> SubmitOrders:
    return SubmitOrders(group_id=GroupId(one.group_id), orders=(one,), reduces=reduces)


def claimed(terms: OrderSpec) -> Order:
    return working(terms, OrderStatus.FILLED, reported_filled=terms.quantity)


TARGET = limit("SELL", 10, "155", "t-1-target", role=OrderRole.TARGET)


def test_what_has_closed_already_by_the_brokers_word_is_not_closed_again() -> None:
    done = claimed(TARGET)
    world = view(portfolio=portfolio(held(10), past=(done,)))
    again = submit(stop("SELL", 10, "145", "t-2-single"), reduces=True)
    assert "reduce_only" in reasons(review(again, world))
    told = msgspec.structs.replace(done, heard=D(10))
    assert isinstance(review(again, view(portfolio=portfolio(held(10), past=(told,)))), Approved)


def test_an_entry_that_is_called_filled_stands_in_the_way_of_a_limit() -> None:
    done = claimed(spec("BUY", 60, "t-1-entry", role=OrderRole.ENTRY))
    world = view(portfolio=portfolio(past=(done,)), limits=limits(max_position_size=D(100)))
    more = submit(limit("BUY", 50, "150", "t-2-single"))
    assert propose(more, world).after[1].longest == 110
    assert judge("position_size", more, world)
    told = msgspec.structs.replace(done, heard=D(60))
    world = view(portfolio=portfolio(past=(told,)), limits=limits(max_position_size=D(100)))
    assert not judge("position_size", more, world)


def test_the_checks_know_an_order_that_is_over_and_still_counts() -> None:
    """Those that look at what works beside an order find it, though it works no more."""
    entry = limit("BUY", 5, "140", "t-1-entry", role=OrderRole.ENTRY, oca_group="either")
    more = working(limit("BUY", 5, "140", "t-3-single"))
    world = view(portfolio=portfolio(more, past=(claimed(entry),)))
    against = limit("SELL", 5, "139", "t-2-entry", role=OrderRole.ENTRY)
    assert judge("one_side", submit(against), world)
    assert judge("opposing", submit(msgspec.structs.replace(against, oca_group="either")), world)
    alone = view(portfolio=portfolio(more)).heat_now().contracts[1].total
    both = world.heat_now().contracts[1].total
    assert alone is not None
    assert both == 2 * alone
    grown = ModifyOrder(order_id=more.order_id, quantity=D(6))
    assert judge("heat", grown, world) == []
