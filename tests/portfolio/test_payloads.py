"""Published messages: their names and versions, their streams, and what is in their text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest

from ibkr_trader.core.enums import OrderStatus, Outcome, SecType, Side
from ibkr_trader.portfolio.payloads import (
    TOPICS,
    AnyPayload,
    ExecutionFill,
    FillKind,
    LifecycleKind,
    OrderLifecycleEvent,
    PnLSnapshot,
    PositionSnapshot,
    SignalDecision,
    SignalKind,
    SymbolPnL,
    Topic,
    decode,
    encode,
    topic_of,
)
from tests.orders.samples import AT

D = Decimal
SAMPLES: tuple[AnyPayload, ...] = (
    OrderLifecycleEvent(
        event_id="memo-1-entry.accepted.0",
        at=AT,
        kind=LifecycleKind.ACCEPTED,
        order_id="memo-1-entry",
        side=Side.BUY,
        quantity=D(10),
        status=OrderStatus.SUBMITTED,
        denied_by=("armed",),
    ),
    ExecutionFill(
        event_id="e1.1",
        at=AT,
        kind=FillKind.EXECUTION,
        fill_id="e1",
        revision=1,
        executed_at=AT,
        order_id="memo-1-entry",
        account="SIM0000001",
        symbol="AAPL",
        con_id=265598,
        side=Side.BUY,
        quantity=D(10),
        price=D("150.01"),
    ),
    PositionSnapshot(
        event_id="position.265598",
        at=AT,
        account="SIM0000001",
        symbol="AAPL",
        con_id=265598,
        sec_type=SecType.STOCK,
        currency="USD",
        multiplier=D(1),
        quantity=D(-10),
        average_cost=D("150.01"),
        realized_pnl=D(0),
        covered=D(0),
    ),
    PnLSnapshot(
        event_id="pnl",
        at=AT,
        account="SIM0000001",
        currency="USD",
        since=AT,
        realized=D(1),
        unrealized=D(-2),
        commission=D(1),
        net=None,
        by_symbol=(
            SymbolPnL(symbol="AAPL", realized=D(1), unrealized=None, commission=D(1), net=None),
        ),
        notes=("AAPL: no price",),
    ),
    SignalDecision(
        event_id="d1",
        at=AT,
        kind=SignalKind.DECISION,
        facts={"confidence": "0.9"},
        outcome=Outcome.ACTED,
        issued_at=AT,
        confidence=D("0.9"),
    ),
)


def test_every_message_has_a_sample_and_a_stream() -> None:
    assert {type(one) for one in SAMPLES} == set(get_args(AnyPayload)) == set(TOPICS)
    assert {topic_of(one) for one in SAMPLES} == set(Topic)
    assert [topic_of(one).value for one in SAMPLES] == [
        "signals:distribution:pending",
        "positions:stream",
        "positions:stream",
        "pnl:stream",
        "signals:distribution:pending",
    ]


@pytest.mark.parametrize("payload", SAMPLES, ids=lambda one: type(one).__name__)
def test_what_is_written_is_read_back(payload: AnyPayload) -> None:
    text = encode(payload)
    assert decode(text) == payload
    assert b"\n" not in text
    document: dict[str, Any] = msgspec.json.decode(text)
    assert (document["type"], document["v"]) == (type(payload).__name__, 1)
    assert document["event_id"] == payload.event_id
    assert document["at"] == "2026-11-20T15:00:00Z"


def test_what_is_not_known_is_null_and_figures_are_text() -> None:
    document = msgspec.json.decode(encode(SAMPLES[1]))
    assert (document["commission"], document["corrects"]) == (None, None)
    assert (document["price"], document["quantity"]) == ("150.01", "10")


@pytest.mark.parametrize("text", ["{}", '{"type":"Fill"}', '{"type":"PnLSnapshot","v":1}', "["])
def test_what_is_no_message_is_an_error(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(text)


def test_another_version_is_not_taken_for_this_one() -> None:
    with pytest.raises(msgspec.ValidationError, match="v"):
        decode(encode(SAMPLES[1]).replace(b'"v":1', b'"v":2'))
