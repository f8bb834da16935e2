from __future__ import annotations

from typing import Any

from ibkr_trader.core.enums import SignalAction
from ibkr_trader.core.events import FlowThresholdEvent, PredictionSignalEvent
from ibkr_trader.core.signals import Claim, FlowClaim
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.taken import taken, trigger_of
from tests.rules.shadow_samples import NOON, D


def test_a_claim_becomes_an_event_with_all_that_it_says() -> None:
    claim = Claim(
        source="s", signal_id="1", ticker="AAPL", action=SignalAction.SHORT,
        confidence=D("0.9"), price=D(5), issued_at=NOON, sequence=3,
    )  # fmt: skip
    assert trigger_of(taken(claim, NOON)) is Trigger.SIGNAL
    assert taken(claim, NOON) == PredictionSignalEvent(
        at=NOON, source="s", signal_id="1", ticker="AAPL", signal="SHORT",
        confidence=D("0.9"), price=D(5), issued_at=NOON, sequence=3,
    )  # fmt: skip


def test_a_measure_does_so_too() -> None:
    fields: dict[str, Any] = {
        "source": "s",
        "signal_id": "1",
        "ticker": "AAPL",
        "measure": "trades",
    }
    claim = FlowClaim(**fields, value=D(5), threshold=D(4), issued_at=NOON, sequence=3)
    assert trigger_of(taken(claim, NOON)) is Trigger.FLOW
    assert taken(claim, NOON) == FlowThresholdEvent(
        at=NOON, **fields, value=D(5), threshold=D(4), issued_at=NOON, sequence=3
    )
