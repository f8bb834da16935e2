"""What an order has cost on its way, by figures worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core.enums import OrderRole, OrderType, SecType, Side
from ibkr_trader.core.models import Adjustment, Contract
from ibkr_trader.portfolio.forensics import UNKNOWN_ORIGIN, Latency, Shortfall
from tests.orders.samples import later, values
from tests.portfolio.way import charged, decision, ms, new, only, signal, stop, took, traded

CALL = Contract(
    symbol="AAPL", con_id=1, sec_type=SecType.OPTION, multiplier=Decimal(100), right="C"
)


def figures(one: Shortfall | None) -> tuple[object, ...]:
    assert one is not None
    return values(one.reference, one.value, one.money, one.bp, one.total, one.total_bp)


def test_a_purchase_that_follows_a_signal() -> None:
    """10 bought at 100.30, signalled at 100, decided at 100.10, for a commission of 1."""
    order = new()
    one = only(signal(), decision(), order, took(order), traded(order, 10, "100.30"), charged())
    assert figures(one.against_signal) == (100, 1000, 3, 30, 4, 40)
    assert one.against_decision is not None
    assert figures(one.against_decision)[:3] == (Decimal("100.10"), 1001, 2)
    assert one.against_decision.bp == Decimal(2) / 1001 * 10_000
    assert one.latencies == {
        Latency.SIGNAL: ms(500),
        Latency.DECISION: ms(250),
        Latency.SEND: ms(250),
        Latency.ACCEPT: ms(100),
        Latency.FILL: ms(400),
        Latency.FINISH: ms(0),
    }
    assert (one.rule, one.origin, one.correlation_id) == ("flow/buy", "flow/buy", "d1")
    assert (one.submits, one.changes, one.cancels) == (1, 0, 0)
    assert one.average_price == Decimal("100.30")
    assert one.shortfall == one.against_signal


def test_a_short_sale_has_lost_what_it_was_sold_below() -> None:
    """8 sold at 99.50 and 2 at 99, signalled at 100: 4 + 2 short of it, 6/1000."""
    order = new(side=Side.SELL)
    fills = traded(order, 8, "99.50"), traded(order, 2, "99", at=2.5, key="e2")
    one = only(signal(), decision(), order, *fills, charged(), charged("e2", "0.5"))
    assert figures(one.against_signal) == (100, 1000, 6, 60, Decimal("7.5"), 75)
    assert one.average_price == Decimal("99.4")
    assert one.latencies[Latency.FINISH] == ms(500)
    assert Latency.FILL not in one.latencies  # nobody has said that it was accepted


def test_a_better_price_is_negative() -> None:
    order = new()
    one = only(signal(), decision(), order, traded(order, 10, "99"))
    assert one.against_signal is not None
    assert values(one.against_signal.money, one.against_signal.bp) == (-10, -100)


def test_an_option_counts_a_hundred_times() -> None:
    order = new(contract=CALL, quantity=Decimal(2))
    one = only(signal("5"), decision("5.05"), order, traded(order, 2, "5.10"))
    assert one.against_signal is not None
    assert values(one.against_signal.value, one.against_signal.money) == (1000, 20)
    assert one.against_decision is not None
    assert one.against_decision.money == 10


def test_what_is_not_known_is_none() -> None:
    order = new(because="", origin="cli")
    one = only(order, traded(order, 10, "100"))
    assert (one.signal, one.decision, one.commission, one.shortfall) == (None,) * 4
    assert (one.against_signal, one.against_decision, one.slippage) == (None,) * 3
    assert one.latencies == {Latency.FINISH: ms(0)}
    assert one.rule == "cli"
    silent = only(new(because="", origin=""))
    assert silent.rule == UNKNOWN_ORIGIN
    assert (silent.average_price, silent.first_fill_at, silent.last_fill_at) == (None,) * 3
    assert silent.filled == 0
    assert silent.commission is None  # nothing has traded, and nothing was free


def test_a_signal_without_time_or_price_leaves_those_unknown() -> None:
    order = new()
    one = only(signal(None, issued=None), decision(None), order, traded(order, 10, "100"))
    assert one.signal is not None
    assert (one.against_signal, one.against_decision) == (None, None)
    assert Latency.SIGNAL not in one.latencies
    assert one.latencies[Latency.DECISION] == ms(250)


def test_what_a_bar_has_set_off_has_no_signal() -> None:
    order = new()
    one = only(signal(), decision(cause="bar"), order, traded(order, 10, "100.30"))
    assert (one.signal, one.against_signal) == (None, None)
    assert one.shortfall == one.against_decision
    assert set(one.latencies) == {Latency.SEND, Latency.FINISH}


@pytest.mark.parametrize("price", ["0", "-1"])
def test_a_price_that_is_none_is_no_reference(price: str) -> None:
    order = new()
    one = only(signal(price), decision(), order, traded(order, 10, "100.30"))
    assert one.against_signal is None
    assert one.shortfall == one.against_decision


def test_without_every_commission_there_is_no_total() -> None:
    order = new()
    fills = traded(order, 5, "101"), traded(order, 5, "101", key="e2")
    one = only(signal(), decision(), order, *fills, charged())
    assert one.against_signal is not None
    assert values(one.against_signal.money, one.against_signal.bp) == (10, 100)
    assert (one.commission, one.against_signal.total, one.against_signal.total_bp) == (None,) * 3


def test_a_stage_that_ends_before_it_began_says_nothing() -> None:
    order = new()
    one = only(order, took(order, at=3), traded(order, 10, "100", at=2))
    assert one.latencies == {Latency.ACCEPT: ms(1500), Latency.FINISH: ms(0)}


def test_a_stop_is_measured_by_its_trigger_and_by_nothing_else() -> None:
    """10 sold at 94.80, triggered at 95: 2 short of it. The decision was about the entry."""
    order = stop()
    one = only(signal(), decision(), order, took(order), traded(order, 10, "94.80"), charged())
    assert figures(one.slippage)[:3] == (95, 950, 2)
    assert figures(one.slippage)[4] == 3
    assert (one.against_signal, one.against_decision) == (None, None)
    assert one.shortfall == one.slippage
    assert one.waits


def test_the_trigger_is_what_the_broker_stated_last() -> None:
    order = stop()
    moved = took(order, at=5, stop_price=Decimal(97))
    events = (order, took(order), moved, traded(order, 10, "96.90", at=6))
    for told in (events, (events[0], *reversed(events[1:]))):
        one = only(*told)
        assert one.slippage is not None
        assert values(one.slippage.reference, one.slippage.money) == (97, 1)


@pytest.mark.parametrize(
    "terms",
    [
        {"order_type": OrderType.TRAIL, "trail_amount": Decimal(3)},
        {"adjustment": Adjustment(trigger=Decimal(105), order_type=OrderType.TRAIL)},
        {"order_type": OrderType.MARKET_IF_TOUCHED},
    ],
)
def test_where_the_broker_moves_a_stop_nobody_can_say_what_it_slipped(terms: Any) -> None:
    order = stop(**terms)
    assert only(order, traded(order, 10, "94")).slippage is None


def test_an_entry_at_a_stop_has_both_measures() -> None:
    kind = OrderType.STOP_LIMIT
    order = new(order_type=kind, limit_price=Decimal(102), stop_price=Decimal(101))
    one = only(signal(), decision(), order, traded(order, 10, "101.20"))
    assert one.slippage is not None
    assert one.slippage.money == 2
    assert one.shortfall == one.against_signal


@pytest.mark.parametrize(
    ("role", "kind", "waits"),
    [
        (OrderRole.ENTRY, OrderType.MARKET, False),
        (OrderRole.ENTRY, OrderType.LIMIT, False),
        (OrderRole.ENTRY, OrderType.STOP, True),
        (OrderRole.SINGLE, OrderType.MARKET_IF_TOUCHED, True),
        (OrderRole.CLOSE, OrderType.MARKET, False),
        (OrderRole.STOP, OrderType.MARKET, True),
        (OrderRole.TARGET, OrderType.LIMIT, True),
        (OrderRole.TIMED, OrderType.MARKET, True),
    ],
)
def test_what_waits_for_the_market_by_its_nature(
    role: OrderRole, kind: OrderType, *, waits: bool
) -> None:
    order = new(f"memo-1-{role.value}", order_type=kind)
    one = only(signal(), decision(), order, traded(order, 10, "100.30"))
    assert one.waits is waits
    is_at_rest = role in {OrderRole.STOP, OrderRole.TARGET, OrderRole.TIMED}
    assert (one.against_decision is None) is is_at_rest


def test_a_part_costs_by_its_side() -> None:
    one = only(new(), traded(new(), 10, "101"))
    assert one.cost(Decimal(4), Decimal(404), reference=Decimal(100)) == 4
    sold = msgspec.structs.replace(one, spec=new(side=Side.SELL).spec)
    assert sold.cost(Decimal(4), Decimal(404), reference=Decimal(100)) == -4


def test_times_are_those_of_our_clock() -> None:
    """The exchange's own time of an execution is whole seconds of another clock."""
    order = new()
    late = msgspec.structs.replace(traded(order, 10, "100", at=1), at=later(2.2))
    assert only(order, late).first_fill_at == later(2.2)
