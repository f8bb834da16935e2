from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.cli.strategy_words import decided_words
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, Stage

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
FLOW: dict[str, Any] = {"at": AT, "ticker": "AAPL", "source": "api", "signal_id": "1"}
OURS: dict[str, Any] = {"at": AT, "strategy": "s"}
DECIDED: dict[str, Any] = {
    **OURS, "decision_id": "k7qav-3", "rule": "R", "version": "v", "ticker": "AAPL",
    "cause": "bar", "wish": "close", "words": "close AAPL",
}  # fmt: skip


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            ev.PredictionSignalEvent(
                **FLOW, signal="BUY", confidence=Decimal("0.91"), price=Decimal(150)
            ),
            "signal BUY AAPL at 150.00, confidence 0.91, from api",
        ),
        (
            ev.FlowThresholdEvent(
                **FLOW, measure="premium", value=Decimal(1200), threshold=Decimal(1000)
            ),
            "premium of AAPL is 1,200, across 1,000, from api",
        ),
        (
            ev.SignalRefusedEvent(**FLOW, code="stale", message="it is old", count=3),
            "signal of AAPL from api not taken: it is old (2 more like it)",
        ),
        (
            ev.SignalEndEvent(**FLOW, outcome=Outcome.NOTHING, reasons=("R: no.",)),
            "signal of AAPL: nothing is done: R: no",
        ),
        (
            ev.SignalEndEvent(**FLOW, outcome=Outcome.UNKNOWN, reasons=("it ended.",)),
            "signal of AAPL: unknown: it ended",
        ),
        (ev.SignalEndEvent(**FLOW, outcome=Outcome.ACTED, decisions=("k7qav-3",)), None),
        (ev.DecisionEvent(**DECIDED), "s/R: close AAPL"),
        (ev.DecisionEvent(**DECIDED, is_shadow=True), "s/R: would: close AAPL"),
        (ev.DecisionEndEvent(**OURS, decision_id="k7qav-3", outcome=Outcome.ACTED), None),
        (
            ev.DecisionEndEvent(
                **OURS, decision_id="k7qav-3", outcome=Outcome.UNKNOWN, reasons=("no answer",)
            ),
            "s, 3: unknown: no answer",
        ),
        (
            ev.FaultEvent(**OURS, rule="R", message="ValueError: oh"),
            "s/R raised and is asked no more until it is loaded anew: ValueError: oh",
        ),
        (
            ev.StageEvent(**OURS, stage=Stage.SHADOW, version="v", origin="run"),
            "s v only writes down what it would do, by run",
        ),
        (ev.NoticeEvent(at=AT, origin="strategy/s/R", message="look"), "s: look"),
    ],
)
def test_each_is_told_in_one_line(event: Any, words: str | None) -> None:
    assert decided_words(event) == words
