"""Events and commands as JSON: one definition, exact in both directions."""

from __future__ import annotations

import inspect
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import codec, commands
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import Care, Outcome, Stage
from ibkr_trader.core.models import OrderId
from ibkr_trader.core.signals import SeenSignal
from tests.orders.samples import (
    AAPL,
    AT,
    GROUP,
    accepted,
    bracket_specs,
    fill,
    filled,
    spec,
    written,
)

PREDICTION = ev.PredictionSignalEvent(
    at=AT,
    ticker="AAPL",
    source="door",
    signal_id="s1",
    issued_at=AT,
    sequence=7,
    signal="SHORT",
    confidence=Decimal("0.910"),
    price=Decimal("150.00"),
)
FLOW = ev.FlowThresholdEvent(
    at=AT,
    ticker="AAPL",
    source="flow",
    signal_id="f1",
    measure="trades",
    value=Decimal(12),
    threshold=Decimal(10),
)
STAGE = ev.StageEvent(
    at=AT, strategy="s", stage=Stage.SHADOW, version="v1", content="x = 1", origin="anna"
)
DECISION = ev.DecisionEvent(
    at=AT,
    strategy="s",
    decision_id="d1",
    rule="r",
    version="v1",
    ticker="AAPL",
    cause="door/s1",
    wish="open",
    terms={"symbol": "AAPL"},
    words="long AAPL",
    facts={"signal.action": "BUY"},
    price=Decimal("150.10"),
    is_shadow=True,
)
STRATEGIES: list[ev.BaseEvent] = [
    PREDICTION,
    FLOW,
    ev.SignalRefusedEvent(
        at=AT, ticker="", source="door", signal_id="", code="stale", message="old", count=3
    ),
    ev.SignalEndEvent(
        at=AT,
        ticker="AAPL",
        source="door",
        signal_id="s1",
        outcome=Outcome.ACTED,
        decisions=("d1",),
        reasons=("why",),
    ),
    STAGE,
    DECISION,
    ev.DecisionEndEvent(
        at=AT,
        strategy="s",
        decision_id="d1",
        outcome=Outcome.UNKNOWN,
        order_ids=(OrderId("memo-1-entry"),),
    ),
    ev.FaultEvent(at=AT, strategy="s", rule="r", message="KeyError", is_shadow=True),
    ev.NoticeEvent(at=AT, origin="strategy/s/r", message="hello", is_serious=True),
]
EVENTS: list[ev.BaseEvent] = [
    written(spec(limit_price=Decimal("150.10")), kind="bracket"),
    accepted(spec(), warning="held"),
    filled(fill(4, "150.005", commission=Decimal("1.00"))),
    filled(fill(3, revision=2), replaces=fill(4)),
    ev.CareEvent(at=AT, contract=AAPL, care=Care.ADOPTED, held=Decimal(10), origin="cli"),
    ev.CheckpointEvent(at=AT, live=(OrderId("memo-1-stop"),), fills=(fill(),), positions=()),
    ev.CloseRequestEvent(
        at=AT, group_id=GROUP, contract=AAPL, account="SIM0000001", stop=bracket_specs()[2]
    ),
    ev.CloseEndEvent(at=AT, group_id=GROUP, message="the market is closed"),
    ev.OperatorEvent(at=AT, operator="anna", action="cancel 12-stop", command="revise.cancel"),
    *STRATEGIES,
    ev.CheckpointEvent(
        at=AT,
        signals=(SeenSignal(source="door", signal_id="s1", until=AT),),
        sequences={"door": 7},
        open_signals=(PREDICTION, FLOW),
        decisions=(DECISION,),
        open_decisions=(DECISION,),
        stages=(STAGE,),
    ),
    ev.ConnectEvent(at=AT, epoch=3, accounts=("SIM0000001",), is_simulator=True),
]
COMMANDS: list[Command] = [
    SubmitOrders(group_id=GROUP, orders=bracket_specs(), kind="bracket"),
    ModifyOrder(order_id=OrderId("memo-1-stop"), stop_price=Decimal("146.50")),
    CancelOrder(order_id=OrderId("memo-1-stop"), broker_order_id=3),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_the_round_trip(event: ev.BaseEvent) -> None:
    assert codec.decode_event(codec.encode(event)) == event


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_a_command_survives_the_round_trip(command: Command) -> None:
    assert codec.decode_command(codec.encode(command)) == command


def test_numbers_travel_as_text_and_times_with_their_zone() -> None:
    raw = msgspec.json.decode(codec.encode(filled(fill(4, "150.10"))))
    assert raw["type"] == "FillEvent"
    assert raw["fill"]["price"] == "150.10"
    assert datetime.fromisoformat(raw["at"]) == AT


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type": "NoEvent"}',
        b'{"type": "SyncEvent", "at": "2026-11-20T15:00:00Z", "epoch": "one"}',
        b'{"type": "SyncEvent", "at": "yesterday", "epoch": 1}',
        b'{"type": "CancelEvent", "at": "2026-11-20T15:00:00Z"}',
    ],
)
def test_what_does_not_fit_is_refused(raw: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        codec.decode_event(raw)
    with pytest.raises(msgspec.ValidationError):
        codec.decode_command(raw)


def leaves() -> list[type[ev.BaseEvent]]:
    return [
        kind
        for _, kind in inspect.getmembers(ev, inspect.isclass)
        if issubclass(kind, ev.BaseEvent) and not kind.__subclasses__()
    ]


def test_every_leaf_of_the_tree_is_known_and_final() -> None:
    assert set(codec.EVENT_TYPES) == set(leaves())
    assert all(getattr(kind, "__final__", False) for kind in leaves())


def test_the_tree_is_drawn_as_it_is() -> None:
    drawing = ev.__doc__ or ""
    assert [kind.__name__ for kind in leaves() if kind.__name__ not in drawing] == []


def test_the_schema_names_every_event_and_command() -> None:
    schema: dict[str, Any] = codec.schema()
    names = set(schema["$defs"])
    assert {kind.__name__ for kind in codec.EVENT_TYPES} <= names
    assert {"SubmitOrders", "ModifyOrder", "CancelOrder"} <= names
    assert commands.__doc__


def test_a_fill_knows_what_it_changes() -> None:
    first = filled(fill(4, "150"))
    assert (first.quantity_delta, first.value_delta) == (Decimal(4), Decimal(600))
    corrected = filled(fill(3, "151", revision=2), replaces=fill(4, "150"))
    assert (corrected.quantity_delta, corrected.value_delta) == (Decimal(-1), Decimal(-147))
