"""What a bracket tells a person reads as a sentence, whatever the broker gave as its reason."""

from __future__ import annotations

from ibkr_trader.core import events as ev
from tests.orders.bracket_play import ENTRY, STOP, Play, bought
from tests.orders.samples import AT, fill, filled


def test_a_broker_that_gives_no_reason_is_not_quoted() -> None:
    play = Play()
    play.hear(bought())
    play.hear(ev.RejectEvent(at=AT, order_id=STOP, code=201, reason="Order rejected - reason:"))
    assert play.said[0].message == (
        "10 AAPL are held without a stop: it is REJECTED; a new one is being placed"
    )


def test_an_entry_whose_only_fill_was_taken_back_is_not_called_filled() -> None:
    play = Play()
    play.hear(bought(), ev.DoneEvent(at=AT, order_id=ENTRY, filled=bought().fill.quantity))
    never = fill(0, key="b10", revision=2, order_id=ENTRY)
    play.hear(filled(never, replaces=bought().fill))
    assert [one.message for one in play.said] == [
        "what the entry of AAPL had traded was taken back: nothing is held of it"
    ]
    assert not play.said[0].is_serious, "the execution itself raises the alarm"
