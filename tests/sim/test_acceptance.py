"""How orders come in: their ids, their notes, their locates."""

from ibkr_trader.sim.floor_rules import FloorRules
from ibkr_trader.sim.orders import SimStatus
from tests.sim.pit_desk import (
    LOCATE,
    MSFT,
    Pit,
    codes,
    terms,
)


def test_a_short_sale_waits_for_its_locate() -> None:
    pit = Pit(locate_seconds=30)
    pit.place(terms("SELL", 10, "MKT", con_id=LOCATE))
    assert pit.stands(1) == "PreSubmitted 0/10 locate"
    assert codes(pit.events) == [404]
    pit.wait(29)
    assert pit.stands(1) == "PreSubmitted 0/10 locate"
    pit.wait(2)
    assert pit.stands(1) == "Filled 10/10"


def test_used_ids_are_refused() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT"), number=5)
    pit.place(terms("BUY", 10, "MKT"), number=4)
    assert codes(pit.events) == [103]
    pit.place(terms("BUY", 10, "MKT"), number=5)
    assert codes(pit.events) == [104]
    pit.place(terms("BUY", 10, "LMT", limit_price="149"), number=6)
    pit.cancel(6)
    pit.place(terms("BUY", 10, "MKT"), number=6)
    assert codes(pit.events) == [103]
    pit.place(terms("BUY", 10, "MKT"), number=4, client=2)
    assert pit.order(4, client=2) is not None, "ids are a client's own"
    assert pit.exchange.orders.next_order_id(1) == 7
    assert pit.exchange.orders.next_order_id(2) == 5
    assert pit.exchange.orders.next_order_id(3) == 1


def test_a_lower_id_is_refused_though_nobody_ever_used_it() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149"), number=7)
    pit.place(terms("BUY", 10, "LMT", limit_price="149"), number=6)
    assert codes(pit.events) == [103]
    assert pit.order(6) is None
    pit.place(terms("BUY", 10, "LMT", limit_price="148"), number=7)
    assert codes(pit.events) == [], "a change goes by the number that it has"


def test_what_waits_to_be_transmitted_has_used_its_id() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT", transmit=False), number=5)
    pit.place(terms("SELL", 10, "MKT"), number=4)
    assert codes(pit.events) == [103]
    pit.place(terms("SELL", 10, "STP", aux_price="145", parent_id=5), number=6)
    assert pit.stands(5) == "Filled 10/10", "its family comes under higher ones"


def test_an_order_between_an_entry_and_its_exit_costs_the_exit_its_id() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT", transmit=False), number=5)
    pit.place(terms("SELL", 10, "LMT", limit_price="155"), number=7)
    pit.place(terms("SELL", 10, "STP", aux_price="145", parent_id=5), number=6)
    assert codes(pit.events) == [103]
    assert pit.stands(5) == "Untransmitted 0/10", "and the entry never leaves TWS"


def test_one_side_of_a_contract_takes_so_many_orders_and_no_more() -> None:
    pit = Pit(rules=FloorRules(most_a_side=2))
    for number, limit in enumerate(("149", "148"), start=1):
        pit.place(terms("BUY", 10, "LMT", limit_price=limit), number=number)
    pit.place(terms("BUY", 10, "LMT", limit_price="147"), number=1, client=2)
    assert codes(pit.events) == [201]
    refused = pit.order(1, client=2)
    assert refused is not None
    assert refused.status is SimStatus.INACTIVE
    pit.place(terms("SELL", 10, "LMT", limit_price="152"), number=3)
    pit.place(terms("BUY", 10, "LMT", limit_price="400", con_id=MSFT), number=4)
    pit.cancel(1)
    pit.place(terms("BUY", 10, "LMT", limit_price="147"), number=5)
    assert {order.order_id for order in pit.exchange.orders.working()} == {2, 3, 4, 5}
