"""What is counted of a trader's events: once for each order, and nothing is kept of its past."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole, OrderType, Outcome, Side, TradingState
from ibkr_trader.core.models import OrderId, OrderSpec
from ibkr_trader.orders.wishes import BROKER
from ibkr_trader.portfolio.forensics import Latency
from ibkr_trader.portfolio.meters import HEARD, Meters
from ibkr_trader.portfolio.metric import Tally
from tests.orders.samples import AAPL, AT, later, working
from tests.portfolio.way import (
    ENTRY,
    EXIT,
    charged,
    decision,
    found,
    new,
    signal,
    stop,
    took,
    traded,
)

D = Decimal
BUY = new()
WAY: list[ev.BaseEvent] = [signal(), decision(), BUY, took(BUY)]


def counted(*events: ev.BaseEvent, start: Meters | None = None) -> Meters:
    meters = start or Meters()
    for event in events:
        meters = meters.after(event)
    return meters


def told(tally: Tally) -> dict[str, int]:
    return {"/".join(value for _, value in labels): int(n) for labels, n in tally.amounts.items()}


def took_seconds(meters: Meters) -> dict[Latency, Decimal]:
    return {name: one.total for name, one in meters.stages.items() if one.count}


def cancelled(order_id: str = ENTRY, *, at: float = 9) -> ev.CancelEvent:
    return ev.CancelEvent(at=later(at), order_id=OrderId(order_id))


# -- stages ------------------------------------------------------------------------------------


def test_each_stage_is_counted_once_it_is_known() -> None:
    one = counted(*WAY[:3])
    assert took_seconds(one) == {Latency.SIGNAL: D("0.5"), Latency.DECISION: D("0.25")}
    one = counted(WAY[3], start=one)
    sent = {Latency.SEND: D("0.25"), Latency.ACCEPT: D("0.1")}
    assert took_seconds(one).items() >= sent.items()
    one = counted(traded(BUY, 4, "100.30"), start=one)
    assert took_seconds(one)[Latency.FILL] == D("0.4")
    assert Latency.FINISH not in took_seconds(one)
    one = counted(traded(BUY, 6, "100.30", at=5, key="e2"), start=one)
    assert took_seconds(one)[Latency.FINISH] == 3
    assert {one.count for one in one.stages.values()} == {1}


def test_they_are_those_of_the_report() -> None:
    events = [*WAY, traded(BUY, 4, "100.30"), traded(BUY, 6, "100.31", at=5, key="e2")]
    meters, (reported,) = counted(*events), found(*events).executions
    assert took_seconds(meters) == {
        name: D(length // timedelta(microseconds=1)) / 1_000_000
        for name, length in reported.latencies.items()
    }
    assert reported.shortfall is not None
    assert meters.shortfalls.total == reported.shortfall.bp
    assert meters.costs.amounts == {(("currency", "USD"),): reported.shortfall.money}


def test_what_the_broker_repeats_is_counted_once() -> None:
    one = counted(*WAY, took(BUY, at=3), *(working(ENTRY, at=later(n)) for n in (4, 5, 6)))
    assert {one.stages[name].count for name in took_seconds(one)} == {1}


def test_what_was_never_sent_took_no_time_to_send() -> None:
    lost = ev.NotSentEvent(at=later(3), order_id=ENTRY, reason="the line was down")
    one = counted(*WAY[:3], lost)
    assert Latency.SEND not in took_seconds(one)
    assert told(one.orders) == {"not_sent": 1}


def test_what_was_refused_at_once_was_sent() -> None:
    no = ev.RejectEvent(at=later(3), order_id=ENTRY, code=201, reason="margin")
    one = counted(*WAY[:3], no)
    assert took_seconds(one)[Latency.SEND] == D("0.25")
    assert Latency.ACCEPT not in took_seconds(one)
    assert told(one.orders) == {"rejected": 1}


def test_the_wait_of_what_waits_by_its_nature_is_no_latency() -> None:
    way = stop()
    one = counted(way, took(way), traded(way, 10, "94.90", at=500))
    assert Latency.FILL not in took_seconds(one)
    assert one.shortfalls.count == 1  # against its trigger


# -- orders ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (cancelled(), "cancelled"),
        (ev.ExpireEvent(at=later(9), order_id=ENTRY), "expired"),
        (ev.RejectEvent(at=later(9), order_id=ENTRY, code=201, reason="no"), "rejected"),
        (ev.NotSentEvent(at=later(9), order_id=ENTRY, reason="no"), "not_sent"),
        (traded(BUY, 10, "100.30"), "filled"),
    ],
)
def test_an_order_ends_once_and_is_forgotten(end: ev.OrderEvent, outcome: str) -> None:
    one = counted(*WAY, end, end, working(ENTRY), charged())
    assert told(one.orders) == {outcome: 1}
    for number in range(64):
        way = new(f"memo-{number + 5}-single", because="")
        one = counted(way, cancelled(way.order_id), start=one)
    assert ENTRY not in one.ways.orders
    assert len(one.ways.ledger.fills) == 0
    assert told(counted(end, start=one).orders) == told(one.orders)


def test_part_of_it_that_traded_before_its_end_is_measured() -> None:
    one = counted(*WAY, traded(BUY, 4, "100.30"), cancelled())
    assert told(one.orders) == {"cancelled": 1}
    assert one.shortfalls.count == 1
    assert one.costs.amounts == {(("currency", "USD"),): D("1.20")}


def test_a_better_price_is_a_gain() -> None:
    one = counted(*WAY, traded(BUY, 10, "99"))
    assert one.costs.amounts == {(("currency", "USD"),): D(-10)}
    assert one.shortfalls.total == -100


def test_an_order_that_nobody_had_a_price_of_is_not_measured() -> None:
    way = new(because="")
    one = counted(way, traded(way, 10, "99"))
    assert told(one.orders) == {"filled": 1}
    assert (one.shortfalls.count, one.costs.amounts) == (0, {})


def test_an_execution_of_one_leaves_what_is_known_of_another() -> None:
    sell = new(EXIT, side=Side.SELL, because="")
    part = traded(BUY, 4, "100.30")
    one = counted(*WAY, part, sell, traded(sell, 10, "101", key="x"))
    for number in range(64):
        way = new(f"memo-{number + 5}-single", because="")
        one = counted(way, cancelled(way.order_id), start=one)
    assert set(one.ways.ledger.fills) == {"e1"}
    one = counted(traded(BUY, 6, "100.30", at=5, key="e2"), start=one)
    assert one.costs.amounts == {(("currency", "USD"),): D(3)}
    assert told(one.orders) == {"filled": 2, "cancelled": 64}


def test_a_correction_is_no_second_execution() -> None:
    first = traded(BUY, 4, "100.30")
    fixed = msgspec.structs.replace(
        first, fill=msgspec.structs.replace(first.fill, revision=2), replaces=first.fill
    )
    assert told(counted(*WAY, first, fixed).happened) == {"order_written": 1, "execution": 1}


def test_orders_of_others_are_not_counted() -> None:
    one = counted(took(BUY), traded(BUY, 10, "1"), cancelled())
    assert one == Meters()


def test_nothing_grows_with_the_day() -> None:
    one = Meters()
    for number in range(300):
        way = new(f"memo-{number}-single", because="")
        one = counted(
            way, took(way), traded(way, 10, "1", key=f"e{number}"), charged(f"e{number}"), start=one
        )
    assert told(one.orders) == {"filled": 300}
    assert len(one.ways.orders) == len(one.over) < 64
    assert len(one.ways.ledger.fills) < 64
    assert (len(one.ways.ledger.costs), len(one.ways.ledger.held)) == (0, 1)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 10), st.booleans()), max_size=30))
def test_every_order_is_alive_or_has_ended_once(steps: list[tuple[int, int, bool]]) -> None:
    ways = [new(f"memo-{n}-single", because="") for n in range(5)]
    one = counted(*ways)
    for number, (which, quantity, is_end) in enumerate(steps):
        way = ways[which]
        news = traded(way, quantity, "100", key=f"e{number}")
        one = counted(cancelled(way.order_id) if is_end else news, start=one)
    assert sum(told(one.orders).values()) == len(one.over)
    assert set(one.ways.orders) == {way.order_id for way in ways}


# -- what else is counted ------------------------------------------------------------------------


def denial(*names: str, spec: OrderSpec | None = None, warns: str = "") -> ev.DenyEvent:
    breaches = [ev.Breach(check=name, message="no") for name in names]
    breaches += [ev.Breach(check=warns, message="hm", is_warning=True)] if warns else []
    return ev.DenyEvent(at=AT, order_id=ENTRY, breaches=tuple(breaches), spec=spec)


def test_denials_are_counted_by_check_and_orders_alone_end() -> None:
    one = counted(
        denial("heat", "armed", "heat", spec=BUY.spec), denial("heat", warns="armed"), *WAY
    )
    assert told(one.denials) == {"heat": 2, "armed": 1}
    assert told(one.orders) == {"denied": 1}
    assert ENTRY in one.ways.orders


def test_signals_are_counted_by_what_came_of_them() -> None:
    more: dict[str, Any] = {"at": AT, "ticker": "AAPL"}
    one = counted(
        ev.SignalEndEvent(source="api", signal_id="1", outcome=Outcome.ACTED, **more),
        ev.SignalEndEvent(source="redis", signal_id="1", outcome=Outcome.NOTHING, **more),
        ev.SignalRefusedEvent(source="redis", code="stale", message="old", count=3, **more),
    )
    assert told(one.signals) == {"api/acted": 1, "redis/nothing": 1, "redis/stale": 3}


def test_decisions_and_halts_are_counted() -> None:
    end = ev.DecisionEndEvent(at=AT, strategy="flow", decision_id="d", outcome=Outcome.REFUSED)
    halt = ev.StateEvent(at=AT, state=TradingState.HALTED, reason="enough", flattens=True)
    one = counted(
        end,
        halt,
        msgspec.structs.replace(halt, flattens=False),  # the promise is kept: no second halt
        ev.StateEvent(at=later(1), state=TradingState.ACTIVE, reason="again"),
        ev.StateEvent(at=later(2), state=TradingState.REDUCING, reason="less"),
        ev.StateEvent(at=later(2), state=TradingState.HALTED, reason="less", symbol="AAPL"),
    )
    assert told(one.decisions) == {"refused": 1}
    assert told(one.halts) == {"halted": 2, "reducing": 1}


@pytest.mark.parametrize(
    ("event", "what"),
    [
        (ev.DisconnectEvent(at=AT, epoch=2, reason="gone"), "disconnected"),
        (ev.ErrorEvent(at=AT, code=0, message="x"), "error"),
        (ev.DriftEvent(at=AT, subject="AAPL", ours="1", theirs="2"), "drift"),
        (ev.FaultEvent(at=AT, strategy="flow", rule="buy", message="x"), "rule_fault"),
        (ev.ModifyEvent(at=AT, order_id=ENTRY, spec=BUY.spec), "change"),
        (ev.ModifyRejectEvent(at=AT, order_id=ENTRY, code=1, reason="x"), "change_rejected"),
        (ev.CancelRejectEvent(at=AT, order_id=ENTRY, code=1, reason="x"), "cancel_rejected"),
        (ev.UnknownEvent(at=AT, order_id=ENTRY, reason="x"), "order_unknown"),
        (ev.CancelRequestEvent(at=AT, order_id=ENTRY, origin="cli"), "cancel"),
    ],
)
def test_what_happens_is_counted(event: ev.BaseEvent, what: str) -> None:
    one = counted(BUY, event)
    assert told(one.happened) == {"order_written": 1, what: 1}
    assert isinstance(event, HEARD)


def test_a_link_that_comes_back_is_counted_and_the_first_one_is_none() -> None:
    up, down = (kind(at=AT, epoch=2) for kind in (ev.ConnectEvent, lost))
    one = counted(up, down, down, up, up)
    assert told(one.happened) == {"disconnected": 2, "reconnected": 1}


def lost(at: datetime, epoch: int) -> ev.DisconnectEvent:
    return ev.DisconnectEvent(at=at, epoch=epoch, reason="gone")


@pytest.mark.parametrize("origin", ["", BROKER])
def test_a_cancel_of_the_brokers_is_none_of_ours(origin: str) -> None:
    one = counted(BUY, ev.CancelRequestEvent(at=AT, order_id=ENTRY, origin=origin))
    assert told(one.happened) == {"order_written": 1}


def test_what_tells_nothing_changes_nothing() -> None:
    one = counted(*WAY)
    assert one.after(ev.TimeEvent(at=AT)) is one
    assert one.after(working(ENTRY, at=later(8))) is one


def test_the_journal_is_timed() -> None:
    one = Meters().appended(D("0.0004")).appended(D(2))
    assert (one.appends.count, one.appends.counts[2], one.appends.counts[-1]) == (2, 1, 1)


def test_what_a_restart_finds_alive_is_followed_from_there() -> None:
    done = new(EXIT, because="")
    past = [*WAY, CancelOrder(order_id=ENTRY), traded(BUY, 4, "100.30"), done, cancelled(EXIT)]
    begun = Meters.begun(past)
    assert msgspec.structs.replace(begun, ways=Meters().ways) == Meters()
    one = counted(traded(BUY, 6, "100.30", at=5, key="e2"), start=begun)
    assert told(one.orders) == {"filled": 1}
    assert took_seconds(one) == {Latency.FINISH: 3}
    assert one.costs.amounts == {(("currency", "USD"),): D(3)}


def test_whatever_is_sold_is_measured_the_other_way_round() -> None:
    way = new(EXIT, side=Side.SELL, order_type=OrderType.LIMIT, limit_price=D(99))
    one = counted(signal(), decision(), way, traded(way, 10, "99"))
    assert one.costs.amounts == {(("currency", "USD"),): D(10)}
    assert way.spec.role is OrderRole.CLOSE
    assert way.spec.contract == AAPL
