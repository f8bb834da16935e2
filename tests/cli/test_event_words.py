"""What happened, in words: of the order as it then was, and nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.cli.event_words import EventWords
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side
from ibkr_trader.core.models import Contract, Fill, FillId, GroupId, Order, OrderId, OrderSpec

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
NAME = OrderId("k7qav-1-entry")
AAPL = Contract(symbol="AAPL", con_id=265598)
SPEC = OrderSpec(
    order_id=NAME,
    group_id=GroupId("k7qav-1"),
    role=OrderRole.ENTRY,
    contract=AAPL,
    account="SIM0000001",
    side=Side.BUY,
    quantity=Decimal(10),
    order_type=OrderType.LIMIT,
    limit_price=Decimal(149),
)
ORDER = Order(spec=SPEC, status=OrderStatus.CANCELLED)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (ev.CancelEvent(at=AT, order_id=NAME), "cancelled 1-entry BUY 10 AAPL LIMIT 149.00"),
        (ev.ExpireEvent(at=AT, order_id=NAME), "expired 1-entry BUY 10 AAPL LIMIT 149.00"),
        (
            ev.UnknownEvent(at=AT, order_id=NAME, reason="no answer"),
            "UNKNOWN 1-entry BUY 10 AAPL LIMIT 149.00: no answer. Never repeat it",
        ),
        (
            ev.NewOrderEvent(at=AT, order_id=NAME, spec=SPEC),
            "sent 1-entry BUY 10 AAPL LIMIT 149.00",
        ),
        (
            ev.OperatorEvent(
                at=AT, operator="ann", action="cancel 1-entry", command="revise.cancel"
            ),
            "ann: cancel 1-entry",
        ),
        (
            ev.DisconnectEvent(at=AT, epoch=1, reason="EOF"),
            "gateway lost: EOF. Stops at the broker stay; trying again",
        ),
        (
            ev.DisconnectEvent(at=AT, epoch=1, reason="1100 It has been lost."),
            (
                "IBKR is away (1100 It has been lost); the gateway is up. "
                "Stops at the broker stay; waiting for it"
            ),
        ),
        (
            ev.DisconnectEvent(
                at=AT, epoch=1, reason="1100 It has been lost.", until=AT + timedelta(minutes=20)
            ),
            (
                "IBKR is away (1100 It has been lost); the gateway is up: it restarts, and is to "
                "be back by 2026-11-20 15:20:00 UTC. Stops at the broker stay"
            ),
        ),
        (
            ev.DisconnectEvent(at=AT, epoch=1, reason="EOF", until=AT + timedelta(minutes=20)),
            (
                "gateway gone (EOF): it restarts, and is to be back by 2026-11-20 15:20:00 UTC. "
                "Stops at the broker stay"
            ),
        ),
        (ev.TimeEvent(at=AT), None),
        (ev.StatusEvent(at=AT, order_id=NAME, is_working=True), None),
    ],
)
def test_each_fact_has_its_words(event: ev.BaseEvent, words: str | None) -> None:
    assert EventWords(utc=True).news(event, ORDER) == words


def test_an_end_is_told_with_the_terms_that_held_then() -> None:
    words = EventWords(utc=True)
    later = Order(
        spec=msgspec.structs.replace(SPEC, limit_price=Decimal(151)), status=OrderStatus.CANCELLED
    )
    assert "149.00" in str(words.of(ev.CancelEvent(at=AT, order_id=NAME), ORDER))
    assert "151.00" in str(words.of(ev.CancelEvent(at=AT, order_id=NAME), later))
    assert words.of(ev.CancelEvent(at=AT, order_id=NAME)) == "cancelled 1-entry"


def test_a_denial_names_every_reason() -> None:
    breaches = tuple(ev.Breach(check=f"c{n}", message=f"Reason {n}.") for n in range(3))
    event = ev.DenyEvent(at=AT, order_id=NAME, breaches=breaches)
    assert EventWords(utc=True).news(event) == "denied 1-entry: Reason 0; Reason 1; Reason 2"


def test_the_brokers_echo_is_no_news_whatever_comes_between() -> None:
    words = EventWords(utc=True)
    event, other = ev.CancelEvent(at=AT, order_id=NAME), ev.SyncEvent(at=AT, epoch=2)
    assert [words.news(one, ORDER) is None for one in (event, other, event)] == [
        False,
        False,
        True,
    ]


def test_a_key_that_is_pressed_again_is_news_again() -> None:
    words = EventWords(utc=True)
    event = ev.OperatorEvent(at=AT, operator="ann", action="halt", command="kill.halt-here")
    assert [words.news(event), words.news(event)] == ["ann: halt", "ann: halt"]


def test_what_was_said_is_not_remembered_for_ever() -> None:
    words = EventWords(utc=True)
    for number in range(1, 3_000):
        words.news(ev.CancelEvent(at=AT, order_id=OrderId(f"k7qav-{number}-entry")))
    assert len(words._said) <= 1_001


@pytest.mark.parametrize(("utc", "since"), [(True, "15:00:00 UTC"), (False, "10:00:00 EST")])
def test_times_in_words_are_in_the_zone_that_is_shown(utc: bool, since: str) -> None:
    event = ev.CoverEvent(
        at=AT,
        contract=AAPL,
        held=Decimal(3),
        covered=Decimal(0),
        since=AT,
        message="3 AAPL are naked since 15:00:00 UTC",
    )
    assert str(EventWords(utc=utc).news(event)).endswith(since)


def execution(quantity: int, price: str, *, is_liquidation: bool = False) -> Fill:
    return Fill(
        fill_id=FillId("e1.01"),
        revision=1,
        order_id=NAME,
        contract=AAPL,
        account="SIM0000001",
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=AT,
        is_liquidation=is_liquidation,
    )


@pytest.mark.parametrize(
    ("told", "before", "words"),
    [
        (execution(10, "150.26"), None, "filled 1-entry BUY 10 AAPL @ 150.26"),
        (
            execution(10, "150.26", is_liquidation=True),
            None,
            "filled 1-entry BUY 10 AAPL @ 150.26, liquidated by the broker",
        ),
        (
            execution(6, "150.26"),
            execution(10, "150.25"),
            "corrected 1-entry BUY 6 AAPL @ 150.26: it was BUY 10 @ 150.25",
        ),
        (
            execution(0, "150.26"),
            execution(10, "150.26"),
            "AAPL: execution e1.01 of BUY 10 @ 150.26 was taken back (bust); it was of 1-entry",
        ),
    ],
)
def test_an_execution_is_told_by_what_it_did(told: Fill, before: Fill | None, words: str) -> None:
    event = ev.FillEvent(at=AT, order_id=NAME, fill=told, replaces=before)
    assert EventWords(utc=True).of(event) == words
