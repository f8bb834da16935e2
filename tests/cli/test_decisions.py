"""What came of a thing is what its event states, and the reason is told before the rule's name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.cli.decisions import Decisions
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, TradingState
from ibkr_trader.core.models import GroupId, OrderId
from ibkr_trader.dashboard.scene import Came
from ibkr_trader.risk.loss_levels import LossLevel
from tests.execution.parts import START

FLOW: dict[str, Any] = {"at": START, "ticker": "AAPL", "source": "api", "signal_id": "7"}
OURS: dict[str, Any] = {"at": START, "strategy": "mine"}
DECIDED: dict[str, Any] = {
    **OURS,
    "decision_id": "k7qav-3",
    "rule": "Entry",
    "version": "v",
    "ticker": "AAPL",
    "cause": "api/7",
    "wish": "enter",
    "words": "long AAPL",
}
PASSED = ("mine/Entry: confidence 0.5 < 0.85.", "mine/Exit: flat; and closed")


def ended(outcome: Outcome, *reasons: str) -> list[ev.BaseEvent]:
    end = ev.DecisionEndEvent(**OURS, decision_id="k7qav-3", outcome=outcome, reasons=reasons)
    return [ev.DecisionEvent(**DECIDED), end]


def shown(*events: ev.BaseEvent) -> list[tuple[str, Came, str]]:
    decisions = Decisions()
    for event in events:
        decisions.hear(event)
    return [(one.source, one.came, one.text) for one in decisions.rows]


@pytest.mark.parametrize(
    ("outcome", "reasons", "came", "text"),
    [
        (Outcome.ACTED, ("size 10: all",), Came.ACTED, "long AAPL (Entry)"),
        (Outcome.NOTHING, ("held.",), Came.NOTHING, "held: long AAPL (Entry)"),
        (Outcome.REFUSED, ("a", "b."), Came.REFUSED, "a; b: long AAPL (Entry)"),
        (Outcome.FAILED, ("no link",), Came.FAILED, "no link: long AAPL (Entry)"),
        (Outcome.UNKNOWN, (), Came.UNKNOWN, "long AAPL (Entry)"),
    ],
)
def test_a_decision_has_the_outcome_of_its_end(
    outcome: Outcome, reasons: tuple[str, ...], came: Came, text: str
) -> None:
    assert shown(*ended(outcome, *reasons)) == [("mine", came, text)]


def test_an_end_whose_decision_nobody_heard_names_it() -> None:
    (_, end) = ended(Outcome.UNKNOWN, "it was interrupted")
    assert shown(end) == [("mine", Came.UNKNOWN, "it was interrupted: 3")]


def test_a_shadow_is_marked_as_one_and_has_not_acted() -> None:
    event = ev.DecisionEvent(**DECIDED, is_shadow=True)
    assert shown(event) == [("mine", Came.WOULD, "shadow: long AAPL (Entry)")]


@pytest.mark.parametrize(
    ("event", "came", "text"),
    [
        (
            ev.SignalEndEvent(**FLOW, outcome=Outcome.NOTHING, reasons=PASSED),
            Came.NOTHING,
            "AAPL: confidence 0.5 < 0.85 (mine/Entry); flat; and closed (mine/Exit)",
        ),
        (
            ev.SignalEndEvent(**FLOW, outcome=Outcome.NOTHING),
            Came.NOTHING,
            "AAPL: no rule is for it",
        ),
        (
            ev.SignalEndEvent(**FLOW, outcome=Outcome.UNKNOWN, reasons=("at 10: it ended.",)),
            Came.UNKNOWN,
            "AAPL: at 10: it ended",
        ),
        (
            ev.SignalRefusedEvent(**FLOW, code="stale", message="it is old.", count=3),
            Came.REFUSED,
            "AAPL: it is old (2 more like it)",
        ),
        (
            ev.SignalRefusedEvent(
                at=START, ticker="", source="api", code="malformed", message="no JSON"
            ),
            Came.REFUSED,
            "no JSON",
        ),
    ],
)
def test_a_signal_that_led_to_nothing_says_why_first(
    event: ev.BaseEvent, came: Came, text: str
) -> None:
    assert shown(event) == [("api", came, text)]


def test_a_signal_with_decisions_is_told_by_them() -> None:
    decided = ev.SignalEndEvent(**FLOW, outcome=Outcome.ACTED, decisions=("k7qav-3",))
    taken = ev.PredictionSignalEvent(**FLOW, signal="BUY", confidence=Decimal("0.9"))
    assert shown(taken, decided) == []


def test_a_denied_command_is_denied_once() -> None:
    breaches = (ev.Breach(check="heat", message="too hot."), ev.Breach(check="rate", message="b"))
    one, two = (
        ev.DenyEvent(at=START, order_id=OrderId(f"k7qav-9-{role}"), breaches=breaches)
        for role in ("entry", "stop")
    )
    assert shown(one, two) == [("heat, rate", Came.DENIED, "too hot; b (9-entry)")]


def test_what_a_group_or_a_loss_tells_is_no_act() -> None:
    def group(message: str, *, is_serious: bool) -> ev.GroupEvent:
        group_id = GroupId("k7qav-32")
        return ev.GroupEvent(at=START, group_id=group_id, message=message, is_serious=is_serious)

    loss = ev.LossEvent(
        at=START, level=LossLevel.WARNING, loss=Decimal(1), limit=Decimal(2), message="half of it"
    )
    assert shown(
        group("it is over", is_serious=False),
        group("the entry of AAPL is DENIED", is_serious=True),
        loss,
    ) == [
        ("32", Came.NOTE, "it is over"),
        ("32", Came.ALERT, "the entry of AAPL is DENIED"),
        ("daily_loss", Came.NOTE, "half of it"),
    ]


def test_a_limit_that_halts_has_acted_and_a_person_decides_nothing_here() -> None:
    halted: dict[str, Any] = {"at": START, "state": TradingState.HALTED, "reason": "enough"}
    events = [ev.StateEvent(**halted, origin=origin) for origin in ("daily_loss", "cli", "")]
    sources = [(source, came) for source, came, _ in shown(*events)]
    assert ("daily_loss", Came.ACTED) in sources
    assert "cli" not in [source for source, _ in sources]
