"""A person at TWS: enters, changes, cancels and closes by hand."""

from typing import Any

import pytest

from ibkr_trader.sim import events as sim
from ibkr_trader.sim.door import NotThere, Refused
from ibkr_trader.sim.orders import OrderKey, SimOrder
from tests.sim.pit_desk import AAPL, Pit, codes, d, said, terms


def shown(found: list[sim.SimEvent]) -> SimOrder:
    return next(e.order for e in found if isinstance(e, sim.OrderShown))


def test_an_order_by_hand_is_client_zeros_and_has_no_reference() -> None:
    pit = Pit()
    wanted = terms("BUY", 10, "LMT", limit_price="149", order_ref="k7qav-1-entry", transmit=False)
    order = shown(pit.exchange.hand.place(wanted, now=pit.now))
    assert (order.client_id, order.terms.order_ref, order.is_manual) == (0, "", True)
    assert order.order_id < 0
    assert order.perm_id > 0
    assert order.terms.account == "SIM0000001"
    assert pit.exchange.orders.working(0) == pit.exchange.orders.working()
    assert pit.exchange.orders.working(1) == ()
    assert pit.exchange.orders.next_order_id(0) == 1
    other = shown(pit.exchange.hand.place(wanted, now=pit.now))
    assert other.key != order.key
    again = pit.restarted()
    assert [one.key for one in again.exchange.orders.working()] == [order.key, other.key]
    again.exchange.hand.place(wanted, now=again.now)
    assert len(again.exchange.orders.working()) == 3


def test_what_a_person_may_not_place_is_said_to_the_person_alone() -> None:
    pit = Pit()
    with pytest.raises(Refused, match="110") as caught:
        pit.exchange.hand.place(terms("BUY", 10, "LMT", limit_price="149.001"), now=pit.now)
    assert caught.value.refusal.code == 110
    assert pit.wait(0) == []
    found = pit.exchange.hand.place(terms("BUY", 50_000, "MKT"), now=pit.now)
    assert codes(found) == [201], "a rejected order has existed"


def test_what_happened_before_a_refused_act_is_not_lost() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149"))
    pit.exchange.market.set_quote(AAPL, bid=d("148.98"), ask=d("149.00"), last=d("148.99"))
    with pytest.raises(NotThere):
        pit.exchange.hand.cancel(12345, now=pit.now)
    assert "11:1" in said(pit.wait(0))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"stop_price": d(140)}, ("STP", "140", "-")),
        ({"quantity": d(20)}, ("STP", "145", "-")),
        ({"tif": "DAY"}, ("STP", "145", "-")),
    ],
)
def test_a_stop_is_changed_by_hand_and_its_client_hears(
    change: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    pit = Pit()
    pit.bracket()
    stop = pit.order(3)
    assert stop is not None
    found = pit.exchange.hand.modify(stop.perm_id, now=pit.now, **change)
    assert said(found) == ["5:3", "3:3:PreSubmitted"]
    assert pit.prices(3) == expected
    after = shown(found)
    assert (after.client_id, after.perm_id) == (1, stop.perm_id)
    assert after.quantity == change.get("quantity", d(10))
    assert after.terms.tif == change.get("tif", "GTC")


def test_a_limit_and_a_trail_are_changed_by_hand() -> None:
    pit = Pit()
    limit = pit.place(terms("BUY", 10, "LMT", limit_price="140"))
    trail = pit.place(terms("SELL", 10, "TRAIL", aux_price="3"))
    assert limit is not None
    assert trail is not None
    pit.exchange.hand.modify(limit.perm_id, limit_price=d(141), now=pit.now)
    assert pit.prices(1)[2] == "141"
    pit.exchange.hand.modify(trail.perm_id, stop_price=d(146), now=pit.now)
    assert pit.prices(2)[1] == "147.00", "it trails on from there at once"
    pit.exchange.hand.modify(trail.perm_id, trail_percent=d(1), now=pit.now)
    order = pit.order(2)
    assert order is not None
    assert (order.terms.aux_price, order.terms.trailing_percent) == (None, d(1))
    assert pit.prices(2)[1] == "148.50"
    pit.exchange.hand.modify(trail.perm_id, trail_amount=d(1), now=pit.now)
    order = pit.order(2)
    assert order is not None
    assert (order.terms.aux_price, order.terms.trailing_percent) == (d(1), None)


def test_a_change_by_hand_that_tws_refuses_changes_nothing() -> None:
    pit = Pit()
    order = pit.place(terms("BUY", 10, "LMT", limit_price="140"))
    assert order is not None
    with pytest.raises(Refused, match="110"):
        pit.exchange.hand.modify(order.perm_id, limit_price=d("140.001"), now=pit.now)
    assert pit.order(1) == order
    with pytest.raises(NotThere):
        pit.exchange.hand.modify(order.perm_id + 7, limit_price=d(141), now=pit.now)


def test_a_cancel_by_hand_comes_to_the_client_unasked() -> None:
    pit = Pit()
    pit.bracket()
    stop = pit.order(3)
    assert stop is not None
    found = pit.exchange.hand.cancel(stop.perm_id, now=pit.now)
    assert said(found) == ["3:3:Cancelled", "4:3:202"]
    done = pit.order(3)
    assert done is not None
    assert done.completed_status == "Cancelled by Trader"
    assert pit.stands(2) == "Submitted 0/10"


@pytest.mark.parametrize(("quantity", "left"), [(None, 0), (4, 6), (15, -5)])
def test_a_position_is_closed_by_hand_in_whole_in_part_or_beyond(
    quantity: int | None, left: int
) -> None:
    pit = Pit()
    pit.bracket()
    size = None if quantity is None else d(quantity)
    found = pit.exchange.hand.close(AAPL, quantity=size, now=pit.now)
    assert pit.position() == left
    assert pit.stands(3) == "PreSubmitted 0/10 trigger", "the stop works on: that is the danger"
    execution = next(e.execution for e in found if isinstance(e, sim.Executed))
    assert OrderKey(execution.client_id, execution.order_id).client_id == 0
    assert execution.order_ref == ""


def test_a_short_position_is_bought_back_and_nothing_cannot_be_closed() -> None:
    pit = Pit()
    with pytest.raises(NotThere, match="nothing is held"):
        pit.exchange.hand.close(AAPL, now=pit.now)
    pit.place(terms("SELL", 10, "MKT"))
    pit.exchange.hand.close(AAPL, now=pit.now)
    assert pit.position() == 0
    with pytest.raises(NotThere, match="nothing is held"):
        pit.exchange.hand.close(AAPL, now=pit.now)
