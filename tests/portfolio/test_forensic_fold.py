"""What the journal's events add up to, in whatever order the broker told them."""

from __future__ import annotations

import itertools
import sys
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole, Side
from ibkr_trader.core.models import GroupId, OrderId
from ibkr_trader.orders.wishes import BROKER
from ibkr_trader.portfolio import forensic_fold
from ibkr_trader.portfolio.forensic_fold import Forensics, forensics
from tests.orders.samples import AAPL, MSFT, later, values, working
from tests.portfolio.way import (
    ENTRY,
    EXIT,
    charged,
    decision,
    found,
    new,
    only,
    signal,
    stop,
    synced,
    took,
    traded,
)

BUY = new()
SELL = new(EXIT, side=Side.SELL, at=10, because="", origin="cli")


def corrected(event: ev.FillEvent, price: str, *, at: float, quantity: int = 10) -> ev.FillEvent:
    fill = msgspec.structs.replace(
        event.fill,
        revision=event.fill.revision + 1,
        price=Decimal(price),
        quantity=Decimal(quantity),
    )
    return msgspec.structs.replace(event, at=later(at), fill=fill, replaces=event.fill)


def test_the_first_word_of_the_broker_is_its_acceptance() -> None:
    one = only(BUY, working(ENTRY, at=later(4)), took(BUY, at=3), working(ENTRY, at=later(5)))
    assert one.accepted_at == later(3)


def test_the_brokers_terms_are_taken_and_our_own_part_is_kept() -> None:
    """What an order is for is not in the broker's words: a stop would become a bare sale."""
    way = stop("95")
    theirs = msgspec.structs.replace(
        way.spec, role=OrderRole.SINGLE, group_id=GroupId("other-1"), stop_price=Decimal(96)
    )
    one = only(way, msgspec.structs.replace(took(way), spec=theirs))
    assert (one.spec.role, one.spec.group_id) == (OrderRole.STOP, way.spec.group_id)
    assert one.spec.stop_price == 96


def test_a_correction_takes_the_place_of_what_it_corrects() -> None:
    first = traded(BUY, 10, "100.30")
    one = only(signal(), decision(), BUY, first, charged(), corrected(first, "100.20", at=60))
    assert values(one.filled, one.average_price, one.commission) == (10, Decimal("100.20"), 1)
    assert one.against_signal is not None
    assert one.against_signal.money == 2
    assert (one.first_fill_at, one.last_fill_at) == (later(2), later(2))


def test_an_execution_that_is_taken_back_is_none() -> None:
    first = traded(BUY, 10, "100.30")
    one = only(signal(), decision(), BUY, first, corrected(first, "100.30", at=60, quantity=0))
    assert values(one.filled, one.first_fill_at, one.against_signal) == (0, None, None)


def test_the_last_word_on_a_commission_counts_and_other_money_is_unknown() -> None:
    first = traded(BUY, 10, "100.30")
    assert only(BUY, first, charged(cost="1"), charged(cost="2", at=4)).commission == 2
    assert only(BUY, first, charged(cost="2", at=4), charged(cost="1")).commission == 2
    assert only(BUY, first, charged(currency="EUR")).commission is None
    stated = traded(BUY, 10, "100.30", commission=Decimal("0.7"))
    assert only(BUY, stated).commission == Decimal("0.7")
    assert only(BUY, first, stated).commission == Decimal("0.7")
    assert only(BUY, stated, charged(cost="2")).commission == 2


def test_a_word_on_the_cost_of_what_was_anothers_at_first_changes_nothing_of_ours() -> None:
    theirs = traded(BUY, 10, "100.30")
    theirs = msgspec.structs.replace(
        theirs, fill=msgspec.structs.replace(theirs.fill, order_id=OrderId("foreign-7-1"))
    )
    ours = corrected(traded(BUY, 10, "100.30"), "100.20", at=5)
    one = only(BUY, theirs, ours, traded(BUY, 1, "100.30", key="e2"), charged(), charged("e2", "3"))
    assert values(one.filled, one.commission) == (1, 3)


def test_what_we_asked_for_is_counted_and_what_the_broker_did_is_not() -> None:
    def cancel(origin: str) -> ev.CancelRequestEvent:
        return ev.CancelRequestEvent(at=later(5), order_id=ENTRY, origin=origin)

    change = ev.ModifyEvent(at=later(4), order_id=ENTRY, spec=BUY.spec, origin="cli")
    asked = cancel("cli"), cancel(""), cancel(BROKER)
    one = only(BUY, change, change, *asked)
    assert (one.submits, one.changes, one.cancels) == (1, 2, 1)


def test_what_is_proven_never_to_have_left_was_not_sent() -> None:
    never = ev.NotSentEvent(at=later(9), order_id=ENTRY, reason="the link was down")
    one = only(BUY, never)
    assert (one.sent_at, one.submits, one.written_at) == (None, 0, later(1.5))
    assert one.latencies == {}
    for proof in (took(BUY), traded(BUY, 10, "100")):  # it had left after all
        assert only(BUY, never, proof).sent_at == later(1.5)


def test_orders_of_others_and_their_news_are_not_ours() -> None:
    known = found(took(BUY), traded(BUY, 10, "100"), working(ENTRY))
    assert known.executions == ()
    assert known.execution(ENTRY) is None


def test_an_order_is_written_down_once() -> None:
    again = msgspec.structs.replace(BUY, at=later(50), origin="later")
    assert only(BUY, again).written_at == later(1.5)


def test_commands_and_other_events_say_nothing() -> None:
    quiet = (
        ev.TimeEvent(at=later(1)),
        ev.WarningEvent(at=later(2), order_id=ENTRY, code=1, reason=""),
    )
    known = found(BUY)
    assert forensics([BUY, CancelOrder(order_id=ENTRY), *quiet]) == known
    assert all(known.after(one) is known for one in quiet)


# -- trips ----------------------------------------------------------------------------------


def test_a_trip_belongs_to_the_order_that_opened_it_and_has_its_shortfalls() -> None:
    """Bought at 100.30 for 100, stopped at 94.80 for 95: 3 + 2 short, and -57 with two paid."""
    way = stop()
    known = found(
        synced(),
        *(signal(), decision(), BUY, way, traded(BUY, 10, "100.30"), charged()),
        *(traded(way, 10, "94.80", at=70, key="e2"), charged("e2", at=71)),
    )
    (trip,) = known.trips
    assert trip.opener == known.execution(ENTRY)
    assert values(trip.realized, trip.net, trip.shortfall, trip.ideal) == (-55, -57, 5, -50)
    assert trip.contract == AAPL
    assert known.strays == ()


def test_what_a_hand_has_opened_is_a_trip_of_nobody() -> None:
    (trip,) = found(traded(BUY, 10, "100"), SELL, traded(SELL, 10, "101", key="e2", at=12)).trips
    assert values(trip.opener, trip.net, trip.shortfall) == (None, 10, 0)


def test_trips_of_what_was_held_before_are_left_out() -> None:
    known = found(
        synced(5), BUY, traded(BUY, 10, "100"), SELL, traded(SELL, 10, "101", key="e2", at=12)
    )
    assert (known.trips, known.strays) == ((), (AAPL,))


# -- since ----------------------------------------------------------------------------------


def two_trips() -> tuple[ev.BaseEvent, ...]:
    """Return one trip until 12, and another until 40."""
    again = new("memo-3-entry", at=30, because="", origin="cli")
    out = new("memo-4-close", at=39, side=Side.SELL, because="", origin="cli")
    return (
        *(BUY, traded(BUY, 10, "100"), charged(), SELL, traded(SELL, 10, "101", key="e2", at=12)),
        *(again, traded(again, 10, "100", key="e3", at=31)),
        *(out, traded(out, 10, "103", key="e4", at=40)),
    )


def test_what_was_over_before_is_not_reported_and_forgotten() -> None:
    everything, some = found(*two_trips()), found(*two_trips(), since=20)
    assert [trip.net for trip in everything.trips] == [9, 30]
    assert [trip.net for trip in some.trips] == [30]
    assert [one.order_id for one in some.executions] == ["memo-3-entry", "memo-4-close"]
    assert some.executions == everything.executions[2:]
    assert (len(some.orders), len(some.ledger.fills), len(some.ledger.costs)) == (2, 2, 0)


def test_what_was_begun_before_and_ended_since_is_told_whole() -> None:
    known = found(*two_trips(), since=35)
    (trip,) = known.trips
    assert trip.net == 30
    assert trip.opener is not None
    assert trip.opener.order_id == "memo-3-entry"
    assert [one.order_id for one in known.executions] == ["memo-4-close"]


def test_an_old_stop_that_trades_today_is_reported() -> None:
    way = stop()
    known = found(
        BUY, way, traded(BUY, 10, "100"), traded(way, 10, "95", at=70, key="e2"), since=50
    )
    assert [one.order_id for one in known.executions] == [way.order_id]


def test_orders_that_ended_before_without_a_trade_are_forgotten() -> None:
    ends = (
        ev.CancelEvent(at=later(5), order_id=ENTRY),
        ev.ExpireEvent(at=later(5), order_id=ENTRY),
        ev.RejectEvent(at=later(5), order_id=ENTRY, code=201, reason="no"),
    )
    for end in ends:
        assert len(found(BUY, end).orders) == 1
        assert len(found(BUY, end, since=3).orders) == 1
        assert len(found(BUY, end, since=6).orders) == 0
        assert len(found(BUY, traded(BUY, 1, "100"), end, since=6).orders) == 1
    assert len(found(BUY, took(BUY), since=6).orders) == 1


def test_other_contracts_are_not_forgotten_with_one() -> None:
    other = new("memo-9-entry", contract=MSFT, at=3)
    events = two_trips()[:5]
    before = (other, traded(other, 3, "50", key="m1", at=4), charged("m1", at=5))
    known = found(*before, *events, since=20)
    assert [told.fill.fill_id for told in known.ledger.fills.values()] == ["m1"]
    assert (list(known.orders), list(known.ledger.costs)) == ([other.order_id], ["m1"])


def test_a_late_word_on_what_is_forgotten_is_no_news() -> None:
    first = traded(BUY, 10, "100")
    events = (BUY, first, SELL, traded(SELL, 10, "101", key="e2", at=12))
    known = found(*events, since=20)
    assert known.after(charged()) == known
    assert known.after(corrected(first, "90", at=30)) is known


def test_signals_beyond_the_last_thousands_are_forgotten() -> None:
    assert Forensics().signals.most == Forensics().decisions.most == forensic_fold._REMEMBERED


# -- properties -----------------------------------------------------------------------------

WAY = stop("95", at=1.6)
FIRST = traded(BUY, 6, "100.30", key="e1", at=2)
NEWS: tuple[ev.BaseEvent, ...] = (
    took(BUY, at=1.7),
    working(ENTRY, at=later(1.8)),
    took(WAY, at=1.9),
    took(WAY, at=3.5, stop_price=Decimal(96)),
    FIRST,
    msgspec.structs.replace(corrected(FIRST, "100.25", at=9, quantity=6), replaces=None),
    traded(BUY, 4, "100.40", key="e2", at=3),
    traded(WAY, 10, "95.90", key="e3", at=20),
    charged("e1", "1", at=4),
    charged("e1", "0.9", at=8),
    charged("e3", "2", at=21),
)


@given(st.permutations(NEWS), st.lists(st.sampled_from(NEWS), max_size=5))
def test_order_and_repeats_of_the_brokers_news_change_nothing(
    news: list[ev.BaseEvent], repeats: list[ev.BaseEvent]
) -> None:
    causes = (synced(), signal(), decision(), BUY, WAY)
    straight, shuffled = found(*causes, *NEWS), found(*causes, *news, *repeats)
    assert shuffled.executions == straight.executions
    assert shuffled.trips == straight.trips
    (entry, way) = straight.executions
    assert (entry.filled_value, entry.commission) == (
        6 * Decimal("100.25") + 4 * Decimal("100.40"),
        None,
    )
    assert way.slippage is not None
    assert values(way.slippage.money, way.slippage.total) == (1, 3)


@given(st.permutations((*NEWS, charged("e2", "0.5", at=5))))
def test_what_executions_cost_adds_up_in_whatever_order_it_is_said(
    news: list[ev.BaseEvent],
) -> None:
    entry, _ = found(synced(), BUY, WAY, *news).executions
    assert entry.commission == Decimal("1.4")


def test_one_execution_more_is_no_recount_of_its_order() -> None:
    known = found(new())

    def steps() -> int:
        """How many functions are called for one execution more, its cost, and a look at all."""
        nonlocal known
        number, calls = len(known.ledger.fills), 0

        def count(_: object, what: str, __: object) -> None:
            nonlocal calls
            calls += what == "call"

        sys.setprofile(count)
        try:
            known = known.after(traded(BUY, 1, "100", key=f"e{number}", at=number))
            known = known.after(charged(f"e{number}", "1", at=number))
            one = known.execution(ENTRY)
        finally:
            sys.setprofile(None)
        assert one is not None
        assert values(one.filled, one.commission) == (number + 1, number + 1)
        return calls

    first, *_, last = [steps() for _ in range(300)]
    assert last < 2 * first


prices = st.decimals(min_value=1, max_value=1000, places=2)
sizes = st.integers(min_value=1, max_value=500)


@given(prices, st.lists(sizes, min_size=1, max_size=6), st.sampled_from(Side))
def test_fills_at_the_reference_have_no_shortfall(
    at: Decimal, quantities: list[int], side: Side
) -> None:
    order = new(side=side)
    way = stop(str(at), side=side)
    fills = [traded(order, one, str(at), key=f"e{n}") for n, one in enumerate(quantities)]
    stops = [traded(way, one, str(at), key=f"s{n}") for n, one in enumerate(quantities)]
    entry, exit_ = found(signal(str(at)), decision(str(at)), order, way, *fills, *stops).executions
    for one in (entry.against_signal, entry.against_decision, exit_.slippage):
        assert one is not None
        assert values(one.money, one.bp) == (0, 0)


@given(st.lists(st.tuples(st.sampled_from(Side), sizes, prices), max_size=12), prices)
def test_trips_cost_what_their_orders_cost(
    trades: list[tuple[Side, int, Decimal]], seen: Decimal
) -> None:
    """Once flat, every part of every order is in a trip: nothing is counted twice or lost."""
    left = sum(size * side.sign for side, size, _ in trades)
    if left:
        trades = [*trades, (Side.SELL if left > 0 else Side.BUY, abs(left), seen)]
    events: list[ev.BaseEvent] = [signal(str(seen)), decision()]
    for number, (side, size, price) in enumerate(trades):
        order = new(f"memo-{number + 1}-entry", side=side, quantity=Decimal(size))
        events += [order, traded(order, size, str(price), key=f"e{number}", at=number + 2)]
    known = found(*events)
    short = [one.against_signal.money for one in known.executions if one.against_signal]
    assert sum(trip.shortfall for trip in known.trips) == sum(short)
    assert sum(trip.ideal for trip in known.trips) == 0  # in and out at the same price


def test_forgetting_tells_the_same_of_what_is_reported() -> None:
    events = two_trips()
    for since in itertools.chain(range(41), [50]):
        some, everything = found(*events, since=since), found(*events)
        ids = {one.order_id for one in some.executions}
        assert ids == {
            one.order_id
            for one in everything.executions
            if (one.last_fill_at or one.written_at) >= later(since)
        }
        assert all(one == everything.execution(OrderId(one.order_id)) for one in some.executions)
        ended = [trip.net for trip in everything.trips if trip.trip.closed_at >= later(since)]
        assert [trip.net for trip in some.trips] == ended
