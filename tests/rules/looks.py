"""AAPL at one moment, in the fewest words: for strategies that are asked what they wish."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import Position, Quote
from ibkr_trader.rules.moment import Holding, Moment, Trigger
from tests.orders.samples import AAPL, ACCOUNT, AT


def look(price: str = "100", *, held: int = 0, **more: Any) -> Moment:
    """Return AAPL at a price; what is held cost 100."""
    position = None
    if held:
        position = Position(
            account=ACCOUNT, contract=AAPL, quantity=Decimal(held), average_cost=Decimal(100)
        )
    usual: dict[str, Any] = {
        "now": AT,
        "symbol": "AAPL",
        "trigger": Trigger.PRICE,
        "zone": ZoneInfo("America/New_York"),
        "quote": Quote(contract=AAPL, at=AT, last=Decimal(price)),
        "holding": Holding(position=position),
    }
    return Moment(**{**usual, **more})


def told(action: str, confidence: str = "0.91", **more: Any) -> Moment:
    """Return AAPL at the moment of a signal."""
    signal = ev.PredictionSignalEvent(
        at=AT,
        ticker="AAPL",
        source="test",
        signal_id="s1",
        signal=action,
        confidence=Decimal(confidence),
    )
    return look(**{"trigger": Trigger.SIGNAL, "signal": signal, **more})
