"""Executions and trips added up, by figures worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import Contract
from ibkr_trader.core.trading_day import NEW_YORK
from ibkr_trader.portfolio.forensic_summary import By, Cost, Spread, Summary, summary
from ibkr_trader.portfolio.forensics import UNKNOWN_ORIGIN, Latency
from tests.orders.samples import MSFT, later, values
from tests.portfolio.way import (
    charged,
    decision,
    found,
    ms,
    new,
    signal,
    stop,
    synced,
    took,
    traded,
)

ZONE = ZoneInfo(NEW_YORK)


def summed(*events: ev.BaseEvent, by: By = By.RULE) -> dict[str, Summary]:
    known = found(*events)
    return {one.key: one for one in summary(known.executions, known.trips, by=by, zone=ZONE)}


def trip(
    sold: str, *, rule: str = "buy", cost: str = "1", number: int = 1, bought: str = "100.30"
) -> tuple[ev.BaseEvent, ...]:
    """Return ten bought for 100 by a rule, and sold when it (no price known) says so."""
    into = new(f"memo-{number}-entry", because=f"d{number}", at=number * 100 + 2)
    out = new(f"memo-{number}-close", because="", origin="eod", side=Side.SELL, at=number * 100 + 5)
    a, b = f"a{number}", f"b{number}"
    return (
        signal(at=number * 100, issued=None),
        decision(key=f"d{number}", rule=rule, at=number * 100 + 1),
        *(into, took(into, at=number * 100 + 3)),
        traded(into, 10, bought, key=a, at=number * 100 + 4),
        *(out, traded(out, 10, sold, key=b, at=number * 100 + 6)),
        *(charged(a, cost, at=number * 100 + 7), charged(b, cost, at=number * 100 + 7)),
    )


def test_the_middle_and_the_95th_are_exact() -> None:
    assert Spread.of([]) is None
    assert Spread.of([ms(5)]) == Spread(count=1, median=ms(5), p95=ms(5))
    assert Spread.of([ms(9), ms(1), ms(4)]) == Spread(count=3, median=ms(4), p95=ms(9))
    assert Spread.of([ms(4), ms(1)]) == Spread(count=2, median=ms(2.5), p95=ms(4))
    hundred = Spread.of(ms(one) for one in range(100, 0, -1))
    assert hundred == Spread(count=100, median=ms(50.5), p95=ms(95))
    assert Spread.of(ms(one) for one in range(1, 21)) == Spread(
        count=20, median=ms(10.5), p95=ms(19)
    )


@given(st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=60))
def test_at_least_95_of_100_take_no_longer(lengths: list[int]) -> None:
    found = Spread.of(ms(one) for one in lengths)
    assert found is not None
    within = sum(ms(one) <= found.p95 for one in lengths)
    below = sum(ms(one) < found.p95 for one in lengths)
    assert within * 100 >= 95 * len(lengths) > below * 100


def test_basis_points_weigh_by_value() -> None:
    """3 on 1,000 and 6 on 2,000 short of 200: 45 bp, on average 7.5."""
    small, large = new(), new("memo-2-entry", quantity=Decimal(20))
    known = found(
        *(signal(), decision(), small, large),
        *(traded(small, 10, "100.30"), traded(large, 20, "100.60", key="e2")),
    )
    cost = Cost.of(one.against_signal for one in known.executions)
    assert cost == Cost(count=2, money=Decimal(15), value=Decimal(3000))
    assert values(cost.mean, cost.bp) == (Decimal("7.5"), 50)
    assert Cost.of([None]) is None


def test_a_rule_is_told_with_its_orders_messages_and_trips() -> None:
    """100.30 for 100 sold at 102: 17 realised, 15 net, 20 without the shortfall of 3."""
    into = new("memo-7-entry", because="d1", at=150)
    change = ev.ModifyEvent(at=later(151), order_id=into.order_id, spec=into.spec, origin="cli")
    cancel = ev.CancelRequestEvent(at=later(152), order_id=into.order_id, origin="cli")
    rules = summed(synced(), *trip("102"), into, took(into, at=150.5), change, cancel)
    assert set(rules) == {"flow/buy", "eod"}
    one, out = rules["flow/buy"], rules["eod"]
    assert (one.count, one.filled, one.currency) == (2, 1, "USD")
    assert one.latencies[Latency.ACCEPT] == Spread(count=2, median=ms(750), p95=ms(1000))
    assert one.latencies[Latency.FILL] == Spread(count=1, median=ms(1000), p95=ms(1000))
    assert one.against_signal == Cost(count=1, money=Decimal(3), value=Decimal(1000))
    assert one.against_decision == Cost(count=1, money=Decimal(2), value=Decimal(1001))
    assert values(one.slippage, one.commission, one.uncharged) == (None, 1, 0)
    assert (one.submits, one.changes, one.cancels, one.messages) == (2, 1, 1, 4)
    assert one.messages_per_fill == 4
    assert values(one.trips, one.wins, one.realized, one.net, one.ideal) == (1, 1, 17, 15, 20)
    assert values(out.count, out.trips, out.net, out.against_signal) == (1, 0, 0, None)
    assert not one.edge_is_eaten


@pytest.mark.parametrize(
    ("sold", "cost", "eaten"),
    [
        ("102", "1", False),  # it gains anyway
        ("100.40", "1", True),  # +4 at 100, +1 as traded, -1 net
        ("100.40", "0.5", True),  # +4, +1, exactly nothing
        ("100.40", "0.4", False),
        ("100.20", "0", True),  # +2, -1: by the shortfall alone
        ("100", "0", False),  # there was no edge: exactly nothing
        ("99", "1", False),
    ],
)
def test_an_edge_is_eaten_if_all_that_it_had_is_gone(sold: str, cost: str, *, eaten: bool) -> None:
    assert summed(*trip(sold, cost=cost))["flow/buy"].edge_is_eaten is eaten


def test_what_brought_nothing_is_no_win_and_what_cost_nothing_is_known() -> None:
    one = summed(*trip("100.30", cost="0"))["flow/buy"]
    assert values(one.trips, one.wins, one.net) == (1, 0, 0)
    assert values(one.uncharged, one.commission) == (0, 0)


def test_trips_add_up_and_stops_count_with_their_slippage() -> None:
    """The second loses 10 x 5.50 and 2 paid; 3 and 2 of it by execution."""
    into, way = new("memo-5-entry", at=502, because="d1"), stop(at=502, because="d1")
    rules = summed(
        *trip("102"),
        *(into, way, traded(into, 10, "100.30", key="c", at=504)),
        *(traded(way, 10, "94.80", key="d", at=506), charged("c", at=507), charged("d", at=507)),
    )
    one = rules["flow/buy"]
    assert (one.trips, one.wins) == (2, 1)
    assert values(one.realized, one.net, one.ideal) == (17 - 55, 15 - 57, 20 - 50)
    assert one.slippage == Cost(count=1, money=Decimal(2), value=Decimal(950))
    assert one.shortfall == Cost(count=3, money=Decimal(8), value=Decimal(2950))
    assert one.against_signal == Cost(count=2, money=Decimal(6), value=Decimal(2000))


def test_the_wait_of_a_stop_is_no_latency() -> None:
    way = stop()
    one = summed(way, took(way), traded(way, 10, "95", at=9000))["flow/buy"]
    assert Latency.FILL not in one.latencies
    assert one.latencies[Latency.ACCEPT].count == 1
    assert (one.filled, one.uncharged) == (1, 1)
    assert one.messages_per_fill == 1


def test_what_never_traded_has_no_messages_for_each() -> None:
    assert summed(new())["flow/buy"].messages_per_fill is None


def test_by_symbol_and_by_the_hour_of_the_exchange() -> None:
    other = new("memo-8-entry", at=3600, contract=MSFT)
    events = (*trip("102"), other)
    symbols = summed(*events, by=By.SYMBOL)
    assert {key: (one.count, one.trips) for key, one in symbols.items()} == {
        "AAPL": (2, 1),
        "MSFT": (1, 0),
    }
    hours = summed(*events, by=By.HOUR)  # the tests begin at 15:00 UTC, 10:00 in New York
    assert {key: (one.count, one.trips) for key, one in hours.items()} == {
        "10:00": (2, 1),
        "11:00": (1, 0),
    }


def test_trips_that_nobody_here_opened_are_told_apart() -> None:
    into, out = new(), new("memo-2-close", side=Side.SELL, at=7200, because="", origin="cli")
    events = (traded(into, 10, "100"), out, traded(out, 10, "99", key="e2", at=7201))
    told = {by: summed(*events, by=by) for by in By}
    assert {key: one.trips for key, one in told[By.RULE].items()} == {"cli": 0, UNKNOWN_ORIGIN: 1}
    assert told[By.RULE][UNKNOWN_ORIGIN].count == 0
    assert told[By.SYMBOL]["AAPL"].trips == 1
    assert {key: one.trips for key, one in told[By.HOUR].items()} == {"10:00": 1, "12:00": 0}


def test_different_money_is_no_sum() -> None:
    euros = Contract(symbol="SAP", con_id=77, currency="EUR")
    known = found(new(), new("memo-2-entry", contract=euros))
    one, two = summary(known.executions, by=By.RULE, zone=ZONE)
    assert [(x.key, x.currency, x.count) for x in (one, two)] == [
        ("flow/buy", "EUR", 1),
        ("flow/buy", "USD", 1),
    ]
