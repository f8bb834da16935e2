"""What is malformed is refused in TWS's words."""

from decimal import Decimal

import pytest

from ibkr_trader.sim.orders import OrderTerms
from tests.sim.pit_desk import (
    AAPL,
    PENNY,
    Pit,
    said,
    terms,
)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (terms("BUY", 10, "MKT", con_id=1), 200),
        (terms("HOLD", 10, "MKT"), 321),
        (terms("BUY", 10, "MKT", account="DU0000000"), 321),
        (terms("BUY", 10, "NONSENSE"), 321),
        (terms("BUY", 10, "MIT"), 463),
        (terms("BUY", 10, "LIT", aux_price="149"), 463),
        (terms("BUY", 10, "LIT", aux_price="149.001", limit_price="149"), 110),
        (terms("BUY", 10, "MIT", aux_price="149", tif="FOK"), 111),
        (terms("BUY", 10, "TRAIL LIMIT", limit_price="149"), 321),
        (terms("BUY", 10, "TRAIL LIMIT", aux_price="1"), 321),
        (terms("BUY", 10, "TRAIL LIMIT", aux_price="1", limit_price="149.001"), 110),
        (terms("BUY", 10, "TRAIL LIMIT", aux_price="1", limit_price_offset="0.001"), 110),
        (terms("BUY", 10, "REL"), 387),
        (terms("BUY", 10, "MKT", unsupported=("algoStrategy",)), 387),
        (terms("BUY", 1, "MOC", con_id=12087792), 387),
        (terms("BUY", 1, "LMT", limit_price="1", tif="OPG", con_id=12087792), 387),
        (terms("BUY", 10, "STP", aux_price="155", trigger_method=5), 146),
        (terms("BUY", 0, "MKT"), 434),
        (terms("BUY", -5, "MKT"), 321),
        (OrderTerms(con_id=AAPL, action="BUY", quantity=Decimal("1.5"), order_type="MKT"), 10318),
        (OrderTerms(con_id=AAPL, action="BUY", quantity=Decimal("NaN"), order_type="MKT"), 321),
        (terms("BUY", 10_000_001, "MKT"), 383),
        (terms("BUY", 10, "LMT"), 463),
        (terms("BUY", 10, "LMT", limit_price="0"), 463),
        (terms("BUY", 10, "STP"), 463),
        (terms("BUY", 10, "STP LMT", aux_price="155"), 463),
        (terms("BUY", 10, "LMT", limit_price="149.005"), 110),
        (terms("BUY", 10, "STP", aux_price="155.005"), 110),
        (terms("BUY", 10, "TRAIL"), 321),
        (terms("BUY", 10, "TRAIL", aux_price="1", trailing_percent="1"), 321),
        (terms("BUY", 10, "TRAIL", trailing_percent="100"), 159),
        (terms("BUY", 10, "TRAIL", aux_price="0.005"), 110),
        (terms("BUY", 10, "TRAIL", aux_price="1", trail_stop_price="151.001"), 110),
        (terms("BUY", 10, "LMT", limit_price="0.42105", con_id=PENNY), 110),
        (terms("BUY", 10, "MKT", tif="FOREVER"), 10052),
        (terms("BUY", 10, "MKT", tif="OVT"), 111),
        (terms("BUY", 10, "STP", aux_price="155", tif="IOC"), 111),
        (terms("BUY", 10, "MOC", tif="GTC"), 113),
        (terms("BUY", 10, "LMT", limit_price="149", tif="GTD"), 391),
        (terms("BUY", 10, "LMT", limit_price="149", tif="GTD", good_till_date="soon"), 391),
        (terms("BUY", 10, "MKT", good_after_time="later"), 391),
        (terms("BUY", 10, "MKT", good_after_time="20261120"), 391),
        (terms("BUY", 10, "MKT", parent_id=77), 10006),
    ],
)
def test_what_is_malformed_is_refused_and_leaves_nothing(wanted: OrderTerms, code: int) -> None:
    pit = Pit()
    assert pit.place(wanted) is None
    assert said(pit.events) == [f"4:1:{code}"]
    assert not pit.exchange.orders.working()
    assert not pit.exchange.orders.completed()
    pit.place(terms("BUY", 10, "MKT"), number=1)
    assert pit.stands(1) == "Filled 10/10", "the id is still free"
