"""What goes on in one contract: one side, and the orders of ours that belong to it."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, Side
from ibkr_trader.core.models import GroupId, OrderId
from ibkr_trader.portfolio.contexts import context, contexts, left_by_others
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import (
    AAPL,
    AT,
    MSFT,
    accepted,
    bracket_specs,
    fill,
    filled,
    spec,
    written,
)

ENTRY, TARGET, STOP = (OrderId(f"memo-1-{role}") for role in ("entry", "target", "stop"))
SECOND = GroupId("memo-2")


def opened(*more: ev.BaseEvent) -> PortfolioState:
    """Return the picture of a bracket that works, after `more`."""
    news: list[ev.BaseEvent] = []
    for one in bracket_specs():
        news += [written(one, kind="bracket"), accepted(one)]
    return fold([*news, *more])


def bought(quantity: int = 10) -> ev.FillEvent:
    return filled(fill(quantity, key="b", order_id=ENTRY))


def test_nothing_is_no_context() -> None:
    assert context(PortfolioState(), AAPL.con_id) is None
    assert contexts(PortfolioState()) == {}


def test_an_entry_that_waits_has_a_side_already() -> None:
    here = context(opened(), AAPL.con_id)
    assert here is not None
    assert (here.side, here.held, here.contract) == (Side.BUY, Decimal(0), AAPL)
    assert [order.order_id for order in here.entries] == [ENTRY]
    assert [order.order_id for order in here.exits] == [TARGET, STOP]
    assert here.groups == ("memo-1",)


def test_a_position_has_its_side_and_its_exits() -> None:
    here = context(opened(bought()), AAPL.con_id)
    assert here is not None
    assert (here.side, here.held, here.entries) == (Side.BUY, Decimal(10), ())
    assert [order.order_id for order in here.exits_of(GroupId("memo-1"))] == [TARGET, STOP]
    assert here.exits_of(SECOND) == ()


def test_a_short_is_the_other_side() -> None:
    sold = msgspec.structs.replace(fill(5, key="s", side=Side.SELL), order_id=OrderId("memo-3-x"))
    here = context(fold([filled(sold)]), AAPL.con_id)
    assert here is not None
    assert (here.side, here.held, here.groups) == (Side.SELL, Decimal(-5), ())


def test_an_order_against_what_is_held_is_an_exit_whatever_its_role() -> None:
    single = spec(group=SECOND, side=Side.SELL, limit_price=Decimal(160), broker_order_id=9)
    adding = spec(group=GroupId("memo-3"), broker_order_id=10)
    news = (written(single), accepted(single), written(adding), accepted(adding))
    here = context(opened(bought(), *news), AAPL.con_id)
    assert here is not None
    assert [order.order_id for order in here.exits] == [TARGET, STOP, "memo-2-single"]
    assert [order.order_id for order in here.entries] == ["memo-3-single"]
    assert here.groups == ("memo-3", "memo-1", "memo-2")


def test_entries_on_both_sides_have_no_side_yet() -> None:
    buy = spec(broker_order_id=1, oca_group="one")
    sell = spec(group=SECOND, side=Side.SELL, broker_order_id=2, oca_group="one")
    here = context(fold([written(buy), written(sell)]), AAPL.con_id)
    assert here is not None
    assert here.side is None


def test_exits_that_were_left_behind_say_which_side_it_was() -> None:
    stop = spec(OrderRole.STOP, side=Side.SELL, broker_order_id=1)
    here = context(fold([written(stop)]), AAPL.con_id)
    assert here is not None
    assert (here.side, here.held) == (Side.BUY, Decimal(0))


def test_orders_of_strangers_are_not_ours() -> None:
    theirs = accepted(spec(order_id="foreign-77-1", side=Side.SELL), is_foreign=True)
    assert contexts(fold([theirs])) == {}


def test_the_end_of_the_exits_is_the_end_of_the_context() -> None:
    out = fill(10, "145", key="x", order_id=STOP, side=Side.SELL)
    over = opened(bought(), filled(out), ev.CancelEvent(at=AT, order_id=TARGET))
    assert contexts(over) == {}


def test_each_contract_has_its_own() -> None:
    other = spec(group=SECOND, contract=MSFT, side=Side.SELL, broker_order_id=9)
    found = contexts(opened(bought(), written(other)))
    assert {con_id: one.side for con_id, one in found.items()} == {
        AAPL.con_id: Side.BUY,
        MSFT.con_id: Side.SELL,
    }


@pytest.mark.parametrize(
    ("reference", "con_id", "count"),
    [
        ("other-1000001-entry", AAPL.con_id, 1),
        ("other-1000001-entry", MSFT.con_id, 0),
        ("typed by hand", AAPL.con_id, 0),
        ("", AAPL.con_id, 0),
    ],
)
def test_what_another_desk_has_left_is_told_from_what_was_typed(
    reference: str, con_id: int, count: int
) -> None:
    terms = msgspec.structs.replace(spec(order_id="foreign-77"), reference=reference)
    state = opened(accepted(terms, is_foreign=True))
    assert len(left_by_others(state, con_id)) == count
