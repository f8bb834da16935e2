"""Changes of open orders: what is kept, what is refused."""

import pytest

from ibkr_trader.sim.orders import OrderTerms
from tests.sim.pit_desk import (
    MSFT,
    Pit,
    codes,
    d,
    said,
    terms,
)


def test_a_change_keeps_what_has_filled() -> None:
    pit = Pit()
    pit.quote("149.99", "150.01", sizes=(4, 4))
    first = pit.place(terms("BUY", 10, "LMT", limit_price="150.01"))
    changed = pit.place(terms("BUY", 20, "LMT", limit_price="149"), number=1)
    assert first is not None
    assert changed is not None
    assert pit.stands(1) == "Submitted 4/20"
    assert changed.perm_id == first.perm_id
    assert said(pit.events) == ["5:1", "3:1:Submitted"]


def test_a_change_can_make_an_order_marketable() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149"))
    pit.place(terms("BUY", 10, "LMT", limit_price="151"), number=1)
    assert pit.stands(1) == "Filled 10/10"


def test_a_changed_stop_waits_at_its_new_price() -> None:
    pit = Pit()
    pit.place(terms("SELL", 10, "STP", aux_price="145"))
    pit.place(terms("SELL", 10, "STP", aux_price="147"), number=1)
    pit.quote("146", "146.1", last="146.05")
    assert pit.stands(1) == "Filled 10/10"


def test_a_changed_trail_keeps_the_stop_it_has_reached() -> None:
    pit = Pit()
    pit.place(terms("SELL", 10, "TRAIL", aux_price="3"))
    kept = pit.place(terms("SELL", 10, "TRAIL", aux_price="5"), number=1)
    assert kept is not None
    assert kept.stop_price == d("147")
    named = pit.place(terms("SELL", 10, "TRAIL", aux_price="5", trail_stop_price="146"), number=1)
    assert named is not None
    assert named.stop_price == d("146")


def test_an_untransmitted_change_has_no_effect() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149"))
    order = pit.place(terms("BUY", 10, "LMT", limit_price="148", transmit=False), number=1)
    assert order is not None
    assert order.terms.limit_price == d("149")
    assert not pit.events


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (terms("SELL", 10, "LMT", limit_price="149"), 105),
        (terms("BUY", 10, "LMT", limit_price="149", con_id=MSFT), 105),
        (terms("BUY", 10, "LMT", limit_price="149", parent_id=7), 105),
        (terms("BUY", 10, "MKT"), 329),
        (terms("BUY", 10, "LMT", limit_price="149.001"), 110),
        (terms("BUY", 10, "LMT", limit_price="149", oca_group="x"), 10326),
        (terms("BUY", 4, "LMT", limit_price="149"), 134),
        (terms("BUY", 90_000, "LMT", limit_price="149"), 201),
    ],
)
def test_a_refused_change_leaves_the_order_working(wanted: OrderTerms, code: int) -> None:
    pit = Pit()
    pit.quote("149.99", "150.00", sizes=(4, 4))
    pit.place(terms("BUY", 10, "LMT", limit_price="150"))
    before = pit.order(1)
    pit.place(wanted, number=1)
    assert codes(pit.events) == [code]
    assert said(pit.events) == [f"4:1:{code}"]
    assert pit.order(1) == before


def test_a_change_without_tif_keeps_the_old_one() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149", tif="GTC"))
    order = pit.place(terms("BUY", 10, "LMT", limit_price="148", tif=""), number=1)
    assert order is not None
    assert order.terms.tif == "GTC"
