"""Trails with a limit, and stops that turn into something else."""

from typing import Any

import msgspec
import pytest

from ibkr_trader.sim.orders import OrderTerms
from tests.sim.pit_desk import PENNY, Pit, codes, d, said, terms


def holding(quantity: int = 10) -> Pit:
    """A long position at 150; the next order is number 2."""
    pit = Pit()
    pit.place(terms("BUY", quantity, "MKT"))
    return pit


# -- TRAIL LIMIT --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"limit_price_offset": "0.10"}, ("147.00", "146.90")),
        ({"limit_price_offset": "0.10", "trail_stop_price": "146.50"}, ("147.00", "146.90")),
        ({"limit_price": "146.40", "trail_stop_price": "146.50"}, ("147.00", "146.90")),
        ({"limit_price": "146.90"}, ("147.00", "146.90")),
        ({"limit_price_offset": "0"}, ("147.00", "147.00")),
    ],
)
def test_where_a_trail_limit_begins(stated: dict[str, str], expected: tuple[str, str]) -> None:
    """Its stop trails at once, and its limit keeps the distance that was stated."""
    pit = holding()
    pit.place(terms("SELL", 10, "TRAIL LIMIT", aux_price="3", **stated))
    kind, stop, limit = pit.prices(2)
    assert kind == "TRAIL LIMIT"
    assert (d(stop), d(limit)) == (d(expected[0]), d(expected[1]))


def test_a_trail_limit_follows_and_stops_at_its_limit() -> None:
    pit = holding()
    pit.place(terms("SELL", 10, "TRAIL LIMIT", aux_price="3", limit_price_offset="0.10"))
    pit.quote("159.99", "160.01", last="160.00")
    assert pit.prices(2)[1:] == ("157.00", "156.90")
    pit.quote("156.92", "157.00", last="156.95")
    assert pit.stands(2) == "Filled 10/10"


def test_a_trail_limit_can_be_left_behind_by_a_gap() -> None:
    pit = holding()
    pit.place(terms("SELL", 10, "TRAIL LIMIT", aux_price="3", limit_price_offset="0.10"))
    pit.quote("139.99", "140.01", last="140.00")
    assert pit.stands(2) == "Submitted 0/10"
    pit.quote("146.90", "146.92", last="146.91")
    assert pit.stands(2) == "Filled 10/10", "the limit stays where the stop was triggered"


def test_a_buying_trail_limit_keeps_its_limit_above() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "TRAIL LIMIT", trailing_percent="2", limit_price_offset="0.20"))
    assert pit.prices(1)[1:] == ("153.00", "153.20")
    pit.quote("139.99", "140.01", last="140.00")
    assert pit.prices(1)[1:] == ("142.80", "143.00")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"limit_price": "146.90"}, ("157.00", "156.90")),  # as it was stated at first
        ({"limit_price": "156.90"}, ("157.00", "156.90")),  # as it was told back
        ({"limit_price": "156.50"}, ("157.00", "156.50")),
        ({"limit_price_offset": "0.30"}, ("157.00", "156.70")),
        ({"limit_price_offset": "0.30", "trail_stop_price": "158"}, ("158", "157.70")),
    ],
)
def test_a_changed_trail_limit(change: dict[str, str], expected: tuple[str, str]) -> None:
    pit = holding()
    pit.place(terms("SELL", 10, "TRAIL LIMIT", aux_price="3", limit_price="146.90"))
    pit.quote("159.99", "160.01", last="160.00")
    pit.place(terms("SELL", 10, "TRAIL LIMIT", aux_price="3", **change), number=2)
    assert pit.prices(2)[1:] == expected


def test_a_trail_limit_that_waits_for_its_entry_begins_at_its_fill() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149", transmit=False))
    trail = terms("SELL", 10, "TRAIL LIMIT", aux_price="3", limit_price="145.90", parent_id=1)
    pit.place(trail)
    pit.place(msgspec.structs.replace(trail, limit_price=d("145.80")), number=2)
    assert pit.prices(2)[1:] == ("-", "-")
    pit.quote("148.98", "149.00", last="149.00")
    assert pit.prices(2)[1:] == ("146.00", "145.80")


# -- touched ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "trigger", "last", "filled"),
    [
        ("BUY", "148", "148.00", True),
        ("BUY", "148", "148.01", False),
        ("SELL", "152", "152.00", True),
        ("SELL", "152", "151.99", False),
    ],
)
def test_a_touched_order_waits_for_a_better_price(
    action: str, trigger: str, last: str, *, filled: bool
) -> None:
    pit = Pit()
    pit.place(terms(action, 10, "MIT", aux_price=trigger))
    assert pit.stands(1) == "PreSubmitted 0/10 trigger"
    price = d(last)
    pit.quote(f"{price - d('0.01')}", f"{price + d('0.01')}", last=last)
    assert pit.stands(1) == ("Filled 10/10" if filled else "PreSubmitted 0/10 trigger")


def test_a_touched_limit_works_at_its_limit() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LIT", aux_price="148", limit_price="147.50"))
    pit.quote("147.98", "148.00", last="147.99")
    assert pit.stands(1) == "Submitted 0/10"
    pit.quote("147.40", "147.45", last="147.42")
    order = pit.order(1)
    assert order is not None
    assert (pit.stands(1), order.average_price) == ("Filled 10/10", d("147.50"))


def test_touched_orders_and_stops_of_one_side_wait_on_different_sides() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "STP", aux_price="152"))
    pit.place(terms("BUY", 10, "MIT", aux_price="148"))
    pit.place(terms("BUY", 10, "MIT", aux_price="147", trigger_method=8))
    pit.quote("151.99", "152.01", last="152.00")
    assert [pit.stands(n).split()[0] for n in (1, 2, 3)] == [
        "Filled", "PreSubmitted", "PreSubmitted",
    ]  # fmt: skip
    pit.quote("146.98", "147.00", last="148.00")
    assert [pit.stands(n).split()[0] for n in (2, 3)] == ["Filled", "Filled"]


# -- adjustable stops ---------------------------------------------------------------------

TO_STOP: dict[str, Any] = {
    "adjusted_order_type": "STP",
    "trigger_price": "155",
    "adjusted_stop_price": "150",
}
TO_LIMIT = TO_STOP | {"adjusted_order_type": "STP LMT", "adjusted_stop_limit_price": "149.50"}
TO_TRAIL = TO_STOP | {"adjusted_order_type": "TRAIL", "adjusted_trailing_amount": "4"}
TO_TRAIL_LIMIT = TO_LIMIT | {
    "adjusted_order_type": "TRAIL LIMIT",
    "adjusted_trailing_amount": "4",
}


def adjustable(**adjustment: Any) -> Pit:
    """A long position with a stop at 145 that is adjusted at 155."""
    pit = holding()
    pit.place(terms("SELL", 10, "STP", aux_price="145", tif="GTC", **adjustment))
    return pit


@pytest.mark.parametrize(
    ("adjustment", "expected"),
    [
        (TO_STOP, ("STP", "150", "-")),
        (TO_LIMIT, ("STP LMT", "150", "149.50")),
        (TO_TRAIL, ("TRAIL", "151.00", "-")),
        (TO_TRAIL | {"adjusted_stop_price": "152"}, ("TRAIL", "152", "-")),
        (TO_TRAIL | {"adjusted_stop_price": None}, ("TRAIL", "151.00", "-")),
        (TO_TRAIL_LIMIT, ("TRAIL LIMIT", "151.00", "150.50")),
        (
            TO_TRAIL | {"adjusted_trailing_amount": "2", "adjustable_trailing_unit": 100},
            ("TRAIL", "151.90", "-"),
        ),
        (
            TO_TRAIL | {"adjusted_trailing_amount": "2", "adjustable_trailing_unit": 1},
            ("TRAIL", "151.90", "-"),
        ),
    ],
)
def test_a_stop_turns_into_another_order(
    adjustment: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    pit = adjustable(**adjustment)
    before = pit.order(2)
    pit.quote("154.98", "155.00", last="154.99")
    assert pit.prices(2) == ("STP", "145", "-")
    pit.quote("154.99", "155.01", last="155.00")
    assert pit.prices(2) == expected
    after = pit.order(2)
    assert before is not None
    assert after is not None
    assert (after.perm_id, after.status, after.why_held) == (
        before.perm_id, "PreSubmitted", "trigger",
    )  # fmt: skip
    assert after.terms.adjusted_order_type == ""
    assert said(pit.events)[:2] == ["5:2", "3:2:PreSubmitted"]


def test_an_adjusted_trail_goes_on_and_never_back() -> None:
    pit = adjustable(**TO_TRAIL)
    for last, stop in (("155", "151"), ("154", "151"), ("160", "156"), ("157", "156")):
        pit.quote(f"{d(last) - d('0.01')}", f"{d(last) + d('0.01')}", last=last)
        assert d(pit.prices(2)[1]) == d(stop)
    pit.quote("155.98", "156.00", last="155.99")
    assert pit.stands(2) == "Filled 10/10"


def test_an_adjusted_stop_triggers_at_its_new_price_only() -> None:
    pit = adjustable(**TO_STOP)
    pit.quote("154.99", "155.01", last="155.00")
    pit.quote("150.00", "150.02", last="150.01")
    assert pit.stands(2) == "PreSubmitted 0/10 trigger"
    pit.quote("149.98", "150.00", last="149.99")
    assert pit.stands(2) == "Filled 10/10"


def test_a_stop_that_is_not_adjusted_yet_still_protects() -> None:
    pit = adjustable(**TO_TRAIL)
    pit.quote("144.90", "145.00", last="144.95")
    assert pit.stands(2) == "Filled 10/10"


def test_the_stop_of_a_short_position_is_adjusted_below_the_market() -> None:
    pit = Pit()
    pit.place(terms("SELL", 10, "MKT"))
    adjustment = TO_TRAIL | {"trigger_price": "145", "adjusted_stop_price": "150"}
    pit.place(terms("BUY", 10, "STP", aux_price="155", **adjustment))
    pit.quote("145.00", "145.02", last="145.01")
    assert pit.prices(2)[0] == "STP"
    pit.quote("144.98", "145.00", last="145.00")
    assert pit.prices(2) == ("TRAIL", "149.00", "-")


def test_an_adjustment_outlives_a_restart_and_needs_no_client() -> None:
    again = adjustable(**TO_TRAIL).restarted()
    again.quote("154.99", "155.01", last="155.00")
    assert again.prices(2) == ("TRAIL", "151.00", "-")
    assert again.restarted().prices(2) == ("TRAIL", "151.00", "-")


def test_an_adjustable_stop_can_be_a_brackets_child() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149", transmit=False))
    pit.place(terms("SELL", 10, "STP", aux_price="145", parent_id=1, **TO_TRAIL))
    pit.quote("154.99", "155.01", last="155.00")
    assert pit.prices(2)[0] == "STP", "nothing of it works before its entry"
    pit.quote("148.98", "149.00", last="148.99")
    pit.quote("154.99", "155.01", last="155.00")
    assert pit.prices(2) == ("TRAIL", "151.00", "-")


def test_the_old_type_cannot_be_asked_for_again() -> None:
    pit = adjustable(**TO_TRAIL)
    pit.quote("154.99", "155.01", last="155.00")
    pit.place(terms("SELL", 10, "STP", aux_price="147", tif="GTC"), number=2)
    assert codes(pit.events) == [329]
    pit.place(terms("SELL", 10, "TRAIL", aux_price="3", tif="GTC"), number=2)
    assert not codes(pit.events)
    assert pit.prices(2) == ("TRAIL", "152.00", "-")


def test_an_adjustment_can_be_changed_before_it_happens() -> None:
    pit = adjustable(**TO_TRAIL)
    later = TO_TRAIL | {"trigger_price": "158"}
    pit.place(terms("SELL", 10, "STP", aux_price="145", tif="GTC", **later), number=2)
    pit.quote("154.99", "155.01", last="155.00")
    assert pit.prices(2)[0] == "STP"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"order_type": "LMT", "limit_price": d(149)}, 387),
        ({"order_type": "MIT"}, 387),
        ({"adjusted_order_type": "LMT"}, 387),
        ({"adjusted_order_type": ""}, 321),
        ({"trigger_price": None}, 361),
        ({"trigger_price": d("155.001")}, 361),
        ({"trigger_price": d(0)}, 361),
        ({"adjusted_stop_price": None, "adjusted_order_type": "STP"}, 362),
        ({"adjusted_stop_price": d("150.001")}, 362),
        ({"adjusted_stop_limit_price": None, "adjusted_order_type": "STP LMT"}, 363),
        ({"adjusted_stop_limit_price": d("NaN"), "adjusted_order_type": "TRAIL LIMIT"}, 363),
        ({"adjusted_trailing_amount": None}, 364),
        ({"adjusted_trailing_amount": d(0)}, 364),
        ({"adjusted_trailing_amount": d(100), "adjustable_trailing_unit": 100}, 364),
        ({"adjustable_trailing_unit": 7}, 364),
    ],
)
def test_what_cannot_be_adjusted(change: dict[str, Any], code: int) -> None:
    pit = Pit()
    good = terms("BUY", 10, "STP", aux_price="160", **TO_TRAIL)
    pit.place(msgspec.structs.replace(good, **change))
    assert codes(pit.events) == [code]
    assert pit.order(1) is None


def test_adjusted_prices_count_in_the_instruments_ticks() -> None:
    pit = Pit()
    wanted = OrderTerms(
        con_id=PENNY,
        action="SELL",
        quantity=d(10),
        order_type="STP",
        aux_price=d("0.3"),
        adjusted_order_type="STP",
        trigger_price=d("0.5001"),
        adjusted_stop_price=d("0.4001"),
    )
    pit.place(wanted)
    assert codes(pit.events) == []
