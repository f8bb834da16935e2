"""A signal that is taken, as the journal and the rules have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.signals import Claim, FlowClaim
from ibkr_trader.rules.moment import Trigger

if TYPE_CHECKING:
    from datetime import datetime

Taken = ev.PredictionSignalEvent | ev.FlowThresholdEvent


def taken(claim: Claim | FlowClaim, now: datetime) -> Taken:
    """Return the event of a claim that is taken now."""
    if isinstance(claim, Claim):
        return ev.PredictionSignalEvent(
            at=now,
            ticker=claim.ticker,
            source=claim.source,
            signal_id=claim.signal_id,
            issued_at=claim.issued_at,
            sequence=claim.sequence,
            signal=claim.action.value,
            confidence=claim.confidence,
            price=claim.price,
            is_standing=claim.is_standing,
        )
    return ev.FlowThresholdEvent(
        at=now,
        ticker=claim.ticker,
        source=claim.source,
        signal_id=claim.signal_id,
        issued_at=claim.issued_at,
        sequence=claim.sequence,
        measure=claim.measure,
        value=claim.value,
        threshold=claim.threshold,
    )


def trigger_of(event: Taken) -> Trigger:
    """Return what it sets off."""
    return Trigger.SIGNAL if isinstance(event, ev.PredictionSignalEvent) else Trigger.FLOW
