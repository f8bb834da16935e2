"""How orders come in: their ids, their notes, their locates."""

from tests.sim.pit_desk import (
    LOCATE,
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
