"""What a bracket tells a person reads as a sentence, whatever the broker gave as its reason."""

from __future__ import annotations

from ibkr_trader.core import events as ev
from tests.orders.bracket_play import STOP, Play, bought
from tests.orders.samples import AT


def test_a_broker_that_gives_no_reason_is_not_quoted() -> None:
    play = Play()
    play.hear(bought())
    play.hear(ev.RejectEvent(at=AT, order_id=STOP, code=201, reason="Order rejected - reason:"))
    assert play.said[0].message == (
        "10 AAPL are held without a stop: it is REJECTED; a new one is being placed"
    )
