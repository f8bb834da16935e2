from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import PriceBand
from ibkr_trader.sim import matching
from ibkr_trader.sim.calendar import Phase
from ibkr_trader.sim.instruments import Tape
from ibkr_trader.sim.matching import Trade
from ibkr_trader.sim.orders import INACTIVE, SimOrder, SimStatus
from tests.sim.pit_desk import d, terms

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)
CENTS = (PriceBand(Decimal(0), Decimal("0.01")),)
SUBDOLLAR = (PriceBand(Decimal(0), Decimal("0.0001")), PriceBand(Decimal(1), Decimal("0.01")))


def order(action: str, quantity: int, order_type: str, **rest: Any) -> SimOrder:
    own = ("filled", "stop_price", "is_triggered", "touches", "limit_offset", "cap_price")
    state = {key: rest.pop(key) for key in own if key in rest}
    for key in ("filled", "stop_price", "limit_offset", "cap_price"):
        if state.get(key) is not None:
            state[key] = d(state[key])
    asked = terms(action, quantity, order_type, **rest)
    return SimOrder(
        client_id=1,
        order_id=1,
        terms=asked,
        side=Side(action),
        quantity=asked.quantity,
        status=SimStatus.SUBMITTED,
        **state,
    )


def tape(bid: str | None = "149.99", ask: str | None = "150.01", **rest: Any) -> Tape:
    fields: dict[str, Any] = {"last": d("150.00"), "bid_size": d(500), "ask_size": d(500)}
    fields |= rest
    return Tape(
        con_id=1,
        at=AT,
        bid=None if bid is None else d(bid),
        ask=None if ask is None else d(ask),
        **fields,
    )


@pytest.mark.parametrize(
    ("order_type", "limit"),
    [
        *(("LMT", "150"), ("STP LMT", "150"), ("LOC", "150"), ("LIT", "150")),
        *(("MKT", None), ("STP", None), ("MIT", None), ("TRAIL", None)),
    ],
)
def test_only_limit_types_have_a_limit(order_type: str, limit: str | None) -> None:
    found = matching.limit_of(order("BUY", 1, order_type, limit_price="150", aux_price="150"))
    assert found == (None if limit is None else d(limit))


@pytest.mark.parametrize(
    ("side", "stop", "offset", "expected"),
    [
        ("SELL", "147", "0.10", "146.90"),
        ("BUY", "153", "0.10", "153.10"),
        ("SELL", None, "0.10", None),
        ("SELL", "147", None, None),
    ],
)
def test_the_limit_of_a_trail_is_behind_its_stop(
    side: str, stop: str | None, offset: str | None, expected: str | None
) -> None:
    trail = order(side, 1, "TRAIL LIMIT", aux_price="3", stop_price=stop, limit_offset=offset)
    assert matching.limit_of(trail) == (None if expected is None else d(expected))


def test_the_brokers_own_bound_goes_before_the_orders_limit() -> None:
    assert matching.limit_of(order("BUY", 1, "MKT", cap_price="149")) == d(149)
    capped = order("BUY", 1, "LMT", limit_price="151", cap_price="149")
    assert (matching.limit_of(capped), matching.own_limit(capped)) == (d(149), d(151))


@pytest.mark.parametrize(
    ("action", "order_type", "rises"),
    [("BUY", "STP", True), ("SELL", "STP", False), ("BUY", "MIT", False), ("SELL", "LIT", True)],
)
def test_which_way_the_market_must_go(action: str, order_type: str, *, rises: bool) -> None:
    waiting = order(action, 1, order_type, aux_price="150")
    assert matching.is_set_off_by_a_rise(waiting) is rises


@pytest.mark.parametrize(
    ("side", "trigger", "last", "expected"),
    [
        ("SELL", "155", "155", True),
        ("SELL", "155", "154.99", False),
        ("BUY", "145", "145", True),
        ("BUY", "145", "145.01", False),
        ("SELL", "155", None, False),
        ("SELL", None, "155", False),
    ],
)
def test_when_a_stop_is_adjusted(
    side: str, trigger: str | None, last: str | None, *, expected: bool
) -> None:
    stop = order(side, 1, "STP", aux_price="150", trigger_price=trigger)
    now = tape(last=None if last is None else d(last))
    assert matching.is_adjusted_at(stop, now, "STK") is expected


@pytest.mark.parametrize(
    ("kind", "why", "told"),
    [
        ("STP", "child", "child,trigger"),
        ("TRAIL", "child", "child,trigger"),
        ("LMT", "child", "child"),
        ("STP", "trigger", "trigger"),
        ("STP", INACTIVE, ""),
        ("LMT", "", ""),
    ],
)
def test_tws_says_all_that_keeps_an_order(kind: str, why: str, told: str) -> None:
    held = msgspec.structs.replace(order("SELL", 1, kind), why_held=why)
    assert matching.told_why(held) == told


def test_a_stop_sleeps_until_it_is_triggered() -> None:
    stop = order("SELL", 1, "STP", aux_price="145")
    assert matching.waits_for_trigger(stop)
    assert not matching.waits_for_trigger(msgspec.structs.replace(stop, is_triggered=True))
    assert not matching.waits_for_trigger(order("SELL", 1, "MKT"))
    assert matching.waits_for_trigger(order("SELL", 1, "LIT", aux_price="1", limit_price="1"))


@pytest.mark.parametrize(
    ("phase", "order_type", "outside", "tif", "expected"),
    [
        (Phase.REGULAR, "MKT", False, "DAY", True),
        (Phase.EXTENDED, "LMT", False, "DAY", False),
        (Phase.EXTENDED, "LMT", True, "DAY", True),
        (Phase.EXTENDED, "STP", True, "GTC", True),
        (Phase.EXTENDED, "MKT", True, "DAY", False),
        (Phase.EXTENDED, "LMT", True, "OPG", False),
        (Phase.CLOSED, "LMT", True, "DAY", False),
    ],
)
def test_hours(phase: Phase, order_type: str, outside: bool, tif: str, expected: bool) -> None:
    resting = order(
        "BUY", 1, order_type, limit_price="1", aux_price="1", outside_rth=outside, tif=tif
    )
    assert matching.may_trade(resting, phase) is expected


@pytest.mark.parametrize(
    ("method", "sec_type", "expected"),
    [(0, "STK", 2), (0, "OPT", 1), (0, "CASH", 4), (7, "STK", 7), (8, "CASH", 8)],
)
def test_the_default_trigger_method_is_the_instruments(
    method: int, sec_type: str, expected: int
) -> None:
    stop = order("SELL", 1, "STP", aux_price="145", trigger_method=method)
    assert matching.method_of(stop, sec_type) == expected


@pytest.mark.parametrize(
    ("method", "side", "quotes", "expected"),
    [
        (2, "BUY", tape(), "150.00"),
        (3, "SELL", tape(), "150.00"),
        (2, "SELL", tape(last=None), None),
        (1, "BUY", tape(), "149.99"),  # buys look at the bid, sells at the ask
        (4, "SELL", tape(), "150.01"),
        (4, "SELL", tape(ask=None), None),
        (7, "BUY", tape(last=d("151")), "151"),
        (7, "SELL", tape(last=d("149")), "149"),
        (7, "SELL", tape(last=None), "150.01"),
        (7, "BUY", tape(bid=None, last=None), None),
        (8, "BUY", tape(), "150.00"),
        (8, "BUY", tape(bid=None), None),
        (8, "BUY", tape(ask=None), None),
    ],
)
def test_what_a_trigger_is_compared_with(
    method: int, side: str, quotes: Tape, expected: str | None
) -> None:
    found = matching.trigger_price(Side(side), quotes, method)
    assert found == (None if expected is None else d(expected))


@pytest.mark.parametrize(
    ("side", "stop", "last", "before", "expected"),
    [
        ("SELL", "150.00", "150.00", 0, 1),
        ("SELL", "149.99", "150.00", 3, 0),
        ("SELL", "150.01", "150.00", 1, 2),
        ("BUY", "150.00", "150.00", 0, 1),
        ("BUY", "150.01", "150.00", 1, 0),
        ("BUY", "149", None, 1, 0),
        ("BUY", None, "150", 1, 0),
        ("BUY touched", "150.00", "149.99", 0, 1),
        ("SELL touched", "150.00", "149.99", 3, 0),
    ],
)
def test_touches_count_prices_in_a_row(
    side: str, stop: str | None, last: str | None, before: int, expected: int
) -> None:
    side, _, touched = side.partition(" ")
    kind = "MIT" if touched else "STP"
    waiting = order(side, 1, kind, aux_price="1", stop_price=stop, touches=before)
    now = tape(last=None if last is None else d(last))
    assert matching.touches(waiting, now, "STK") == expected


def test_double_methods_need_two_touches() -> None:
    double = order("SELL", 1, "STP", aux_price="150", trigger_method=3)
    single = order("SELL", 1, "STP", aux_price="150")
    assert matching.is_reached(single, 1, "STK")
    assert not matching.is_reached(single, 0, "STK")
    assert not matching.is_reached(double, 1, "STK")
    assert matching.is_reached(double, 2, "STK")


@pytest.mark.parametrize(
    ("side", "amount", "percent", "before", "last", "expected"),
    [
        ("SELL", "3", None, None, "150.00", "147.00"),
        ("SELL", "3", None, "147.00", "151.00", "148.00"),
        ("SELL", "3", None, "148.00", "149.00", "148.00"),  # it never turns back
        ("BUY", "3", None, None, "150.00", "153.00"),
        ("BUY", "3", None, "153.00", "149.00", "152.00"),
        ("BUY", "3", None, "152.00", "151.00", "152.00"),
        ("SELL", None, "2", None, "150.33", "147.32"),  # 147.3234, away from the market
        ("BUY", None, "2", None, "150.33", "153.34"),
        ("SELL", "3", None, "148.00", None, "148.00"),
        ("SELL", "3", None, None, None, None),
    ],
)
def test_a_trail_follows(
    side: str,
    amount: str | None,
    percent: str | None,
    before: str | None,
    last: str | None,
    expected: str | None,
) -> None:
    trail = order(side, 1, "TRAIL", aux_price=amount, trailing_percent=percent, stop_price=before)
    now = tape(last=None if last is None else d(last))
    found = matching.trailed_stop(trail, now, sec_type="STK", bands=CENTS)
    assert found == (None if expected is None else d(expected))


def test_a_trail_without_an_amount_stands_at_the_price() -> None:
    trail = order("SELL", 1, "TRAIL")
    assert matching.trailed_stop(trail, tape(), sec_type="STK", bands=CENTS) == d("150.00")


@given(st.lists(st.integers(10_000, 20_000), min_size=1), st.sampled_from(["BUY", "SELL"]))
def test_a_trail_never_widens(prices: list[int], side: str) -> None:
    trail = order(side, 1, "TRAIL", aux_price="2")
    before = None
    for cents in prices:
        now = tape(last=Decimal(cents) / 100)
        stop = matching.trailed_stop(trail, now, sec_type="STK", bands=CENTS)
        assert stop is not None
        if before is not None:
            assert stop >= before if side == "SELL" else stop <= before
        before = stop
        trail = msgspec.structs.replace(trail, stop_price=stop)


@pytest.mark.parametrize(
    ("price", "bands", "tick", "is_good"),
    [
        ("150.01", CENTS, "0.01", True),
        ("150.015", CENTS, "0.01", False),
        ("0.4213", SUBDOLLAR, "0.0001", True),
        ("0.42135", SUBDOLLAR, "0.0001", False),
        ("1.0001", SUBDOLLAR, "0.01", False),
        ("1.01", SUBDOLLAR, "0.01", True),
    ],
)
def test_ticks(price: str, bands: tuple[PriceBand, ...], tick: str, is_good: bool) -> None:
    assert matching.increment_at(d(price), bands) == d(tick)
    assert matching.is_on_tick(d(price), bands) is is_good


def test_rounding_goes_the_way_it_is_told() -> None:
    assert matching.to_tick(d("147.3234"), CENTS, up=False) == d("147.32")
    assert matching.to_tick(d("147.3234"), CENTS, up=True) == d("147.33")


@pytest.mark.parametrize(
    ("side", "limit", "available", "resting", "expected"),
    [
        ("BUY", None, 500, False, Trade(d("150.01"), d(10), matching.REMOVED)),
        ("SELL", None, 500, False, Trade(d("149.99"), d(10), matching.REMOVED)),
        ("BUY", "151", 500, False, Trade(d("150.01"), d(10), matching.REMOVED)),  # improved
        ("BUY", "151", 500, True, Trade(d("151"), d(10), matching.ADDED)),
        ("BUY", "150", 500, False, None),
        ("SELL", "150", 500, False, None),
        ("SELL", "149", 500, True, Trade(d("149"), d(10), matching.ADDED)),
        ("BUY", None, 4, False, Trade(d("150.01"), d(4), matching.REMOVED)),
        ("BUY", None, 0, False, None),
    ],
)
def test_crossing_the_quote(
    side: str, limit: str | None, available: int, resting: bool, expected: Trade | None
) -> None:
    kind = "MKT" if limit is None else "LMT"
    wanted = order(side, 10, kind, limit_price=limit)
    bound = None if limit is None else d(limit)
    found = matching.cross(wanted, tape(), d(available), limit=bound, was_resting=resting)
    assert found == expected


def test_a_halt_or_a_missing_side_trades_nothing() -> None:
    buy = order("BUY", 10, "MKT")
    ask: dict[str, Any] = {"limit": None, "was_resting": False}
    assert matching.cross(buy, tape(halted=True), d(500), **ask) is None
    assert matching.cross(buy, tape(ask=None), d(500), **ask) is None


@pytest.mark.parametrize(
    ("rest", "expected"), [({"tif": "FOK"}, None), ({"all_or_none": True}, None), ({}, d(4))]
)
def test_all_or_nothing(rest: dict[str, Any], expected: Decimal | None) -> None:
    wanted = order("BUY", 10, "LMT", limit_price="151", **rest)
    found = matching.cross(wanted, tape(), d(4), limit=d(151), was_resting=False)
    assert (found and found.quantity) == expected
    printed = matching.at_print(wanted, price=d(150), available=d(4), limit=d(151))
    assert (printed and printed.quantity) == expected


@pytest.mark.parametrize(
    ("price", "available", "expected"),
    [
        ("150", 500, Trade(d("150.00"), d(10), matching.ADDED)),
        ("149", 500, Trade(d("150.00"), d(10), matching.ADDED)),
        ("150.01", 500, None),
        ("149", 3, Trade(d("150.00"), d(3), matching.ADDED)),
        ("149", 0, None),
    ],
)
def test_taking_part_in_others_trades(price: str, available: int, expected: Trade | None) -> None:
    resting = order("BUY", 10, "LMT", limit_price="150.00")
    found = matching.at_print(resting, price=d(price), available=d(available), limit=d("150.00"))
    assert found == expected


@pytest.mark.parametrize(
    ("order_type", "side", "limit", "price", "halted", "expected"),
    [
        ("MOC", "BUY", None, "150", False, True),
        ("LOC", "BUY", "150", "150", False, True),
        ("LOC", "BUY", "149.99", "150", False, False),
        ("LOC", "SELL", "150.01", "150", False, False),
        ("MOC", "BUY", None, None, False, False),
        ("MOC", "BUY", None, "150", True, False),
    ],
)
def test_auctions(
    order_type: str, side: str, limit: str | None, price: str | None, halted: bool, expected: bool
) -> None:
    wanted = order(side, 10, order_type, limit_price=limit, filled=4)
    found = matching.in_auction(wanted, None if price is None else d(price), halted=halted)
    assert found == (Trade(d(price or 0), d(6), matching.REMOVED) if expected else None)


@given(
    side=st.sampled_from(["BUY", "SELL"]),
    limit=st.integers(1, 300),
    bid=st.integers(1, 300),
    width=st.integers(1, 20),
    available=st.integers(0, 50),
    quantity=st.integers(1, 50),
    resting=st.booleans(),
)
def test_nothing_trades_beyond_its_limit_or_the_quoted_size(
    *, side: str, limit: int, bid: int, width: int, available: int, quantity: int, resting: bool
) -> None:
    wanted = order(side, quantity, "LMT", limit_price=limit)
    quotes = tape(str(bid), str(bid + width))
    trade = matching.cross(wanted, quotes, d(available), limit=d(limit), was_resting=resting)
    if trade is not None:
        assert matching.is_better(Side(side), trade.price, d(limit))
        assert 0 < trade.quantity <= min(available, quantity)
