"""Which of our orders the broker means, when our id did not come back with it."""

from __future__ import annotations

from typing import Any

from ibkr_trader.core import events as ev
from ibkr_trader.core.ids import twin_id
from ibkr_trader.core.models import GroupId, Order, OrderId
from ibkr_trader.portfolio.reconciliation import Reconciliation
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import (
    accepted,
    fill,
    spec,
)
from tests.portfolio.stage import (
    ID,
    held,
    sent,
    settle,
    snapshot,
    theirs,
)


def renamed(**more: Any) -> Order:
    return theirs(
        spec(order_id=OrderId("foreign-9001"), group=GroupId("foreign-9001")),
        is_foreign=True,
        **more,
    )


def test_an_order_is_known_by_its_number_or_its_permanent_id() -> None:
    """Our words may be missing from what the broker says; its own names are not."""
    before = fold([accepted(spec())], sent(spec()))
    for stated in (renamed(perm_id=0), renamed(client_id=0), renamed()):
        after, _ = settle(before, snapshot(stated))
        assert after.orders.keys() == {ID}
        assert not after.orders[ID].is_foreign


def test_a_number_given_out_again_is_not_our_order() -> None:
    before = fold([accepted(spec())], sent(spec()))
    after, _ = settle(before, snapshot(theirs(spec()), renamed(perm_id=1)))
    assert after.orders.keys() == {ID, OrderId("foreign-9001")}
    assert after.orders[OrderId("foreign-9001")].is_foreign


def test_a_number_given_out_again_is_not_our_order_even_if_ours_is_gone() -> None:
    """The permanent id decides: what sells under our old number is not our buy order."""
    before = fold([accepted(spec(), perm_id=77)], sent(spec()))
    after, _ = settle(before, snapshot(renamed(perm_id=99)))
    assert after.orders[OrderId("foreign-9001")].is_foreign
    assert after.order(ID) is not None
    assert ID not in after.orders


def test_an_execution_is_known_by_its_number_or_its_permanent_id() -> None:
    before = fold([accepted(spec())], sent(spec()))
    names: list[dict[str, Any]] = [{"client_id": 7, "broker_order_id": 101}, {"perm_id": 9001}]
    for name in names:
        told = fill(4, order_id="foreign-9001", **name)
        stated = snapshot(theirs(spec()), fills=(told,), positions=(held(4),))
        after, _ = settle(before, stated)
        assert after.orders[ID].filled == 4


def test_a_stranger_stays_a_stranger() -> None:
    unanswered = sent(spec())
    foreign = OrderId("foreign-9001")
    after, _ = settle(unanswered, snapshot(theirs(spec()), renamed(perm_id=5, client_id=3)))
    assert after.orders[foreign].is_foreign
    again, _ = settle(after, snapshot(theirs(spec()), renamed(perm_id=5, client_id=3)))
    assert again.orders[foreign].is_foreign
    told = fill(1, order_id=foreign, perm_id=5)
    filled_by, _ = settle(
        after, snapshot(theirs(spec()), renamed(perm_id=5, client_id=3), fills=(told,),
                        positions=(held(1),)),
    )  # fmt: skip
    assert filled_by.orders[foreign].filled == 1


def test_a_stranger_by_a_new_name_is_not_made_ours() -> None:
    """Before it had a permanent id, it was called by its number."""
    early = theirs(
        spec(order_id=OrderId("foreign-3-101"), group=GroupId("foreign-3-101")),
        is_foreign=True,
        perm_id=5,
        client_id=3,
    )
    before, _ = settle(PortfolioState(), snapshot(early))
    after, _ = settle(before, snapshot(renamed(perm_id=5, client_id=3)))
    assert [order.is_foreign for order in after.orders.values()] == [True]


def called(order_id: str, perm_id: int) -> Order:
    """What the adapter takes for ours, or for its twin, on a link on which it knew neither."""
    what = spec()
    if order_id != ID:
        what = spec(order_id=OrderId(order_id), group=GroupId(order_id), reference=str(ID))
    return theirs(what, perm_id=perm_id)


def test_the_permanent_id_says_which_of_two_is_the_one_that_was_known() -> None:
    before = fold([accepted(spec(), perm_id=5)], sent(spec()))
    mixed_up = snapshot(called(ID, 9), called(twin_id(5), 5))
    for stated in (snapshot(called(ID, 5), called(ID, 9)), mixed_up):
        after, _ = settle(before, stated)
        assert {key: one.perm_id for key, one in after.orders.items()} == {ID: 5, twin_id(9): 9}
        assert after.orders[twin_id(9)].spec.reference == ID
        assert after.orders[ID].spec.reference == ""


def test_a_twin_stays_a_twin_when_what_it_doubles_is_gone() -> None:
    before = fold([accepted(spec(), perm_id=5)], sent(spec()))
    both, _ = settle(before, snapshot(called(ID, 5), called(ID, 9)))
    for stated in (snapshot(called(ID, 9)), snapshot(called(twin_id(9), 9))):
        after, _ = settle(both, stated)
        assert after.orders.keys() == {twin_id(9)}


def test_what_a_twin_trades_is_the_twins() -> None:
    before = fold([accepted(spec(), perm_id=5)], sent(spec()))
    told = fill(10, order_id=ID, perm_id=9)
    after, _ = settle(before, snapshot(called(ID, 5), called(ID, 9), fills=(told,)))
    assert after.orders[ID].filled == 0
    assert after.fills[told.fill_id].order_id == twin_id(9)


def test_a_twin_that_nobody_knew_keeps_what_it_was_called() -> None:
    after, _ = settle(PortfolioState(), snapshot(called(twin_id(9), 9)))
    assert after.orders.keys() == {twin_id(9)}


def drift(outcome: Reconciliation) -> list[tuple[str, str, str, bool]]:
    found = (event for event in outcome.events if isinstance(event, ev.DriftEvent))
    return [(one.subject, one.ours, one.theirs, one.needs_look) for one in found]


def test_two_live_orders_of_one_id_are_drift() -> None:
    stated = snapshot(theirs(spec()), theirs(spec(), perm_id=9002))
    after, outcome = settle(sent(spec()), stated)
    told = "another with permId 9002, which would trade as well"
    assert drift(outcome) == [(ID, "one order", told, True)]
    assert after.orders.keys() == {ID, twin_id(9002)}, "each counts"


def test_one_order_that_is_told_twice_is_drift_too() -> None:
    _, outcome = settle(sent(spec()), snapshot(theirs(spec()), theirs(spec(), perm_id=0)))
    assert drift(outcome) == [(ID, "one order", "another with permId 0", True)]
