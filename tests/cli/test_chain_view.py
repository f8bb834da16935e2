"""What set an order off and what its way cost, in words, and each only where it is known."""

from __future__ import annotations

from decimal import Decimal

from ibkr_trader.cli.chain_view import Chain
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.models import OrderId
from tests.orders.samples import later
from tests.portfolio.way import (
    ENTRY,
    charged,
    decision,
    new,
    signal,
    stop,
    took,
    traded,
)


def told(order_id: OrderId, *events: ev.BaseEvent) -> list[str]:
    chain = Chain(order_id)
    for event in events:
        chain.hear(event)
    return chain.lines(utc=True)


WORDS = """its way:
  signal desk/s1: BUY, confidence 0.8, at 100.00, issued 2026-11-20 15:00:00 UTC, here 500 ms later
  decided by flow/buy, version v1, because of desk/s1, 250 ms after the signal, the market was at \
100.10, confidence 0.8
  sent 2026-11-20 15:00:01 UTC, 250 ms after the decision, accepted after 100 ms, first execution \
400 ms later, last one 12s later
  cost against the signal's 100.00: +3.00, +30.0 bp; with commission +5.00, +50.0 bp
  cost against the decision's 100.10: +2.00, +20.0 bp; with commission +4.00, +40.0 bp\
""".splitlines()


def test_a_chain_is_told_from_the_signal_to_the_last_execution() -> None:
    order, other = new(), new("memo-2-entry")
    fills = traded(order, 4, "100.30"), traded(order, 6, "100.30", at=14.5, key="e2")
    costs = charged(), charged("e2")
    events = (signal(), decision(), order, other, took(order), *fills, *costs)
    lines = told(ENTRY, *events, traded(other, 5, "90", key="e9"))
    for line, words in zip(lines, WORDS, strict=True):
        assert line == words


def test_what_is_not_known_is_not_told() -> None:
    order = new(because="", origin="cli")
    assert told(ENTRY, order) == ["its way:", "  sent 2026-11-20 15:00:01 UTC"]
    bare = ev.DecisionEvent(
        at=later(1), decision_id="d1", strategy="s", rule="r", version="v", ticker="AAPL",
        cause="bar", wish="open",
    )  # fmt: skip
    assert told(ENTRY, bare, new()) == [
        "its way:",
        "  decided by s/r, version v, because of bar",
        "  sent 2026-11-20 15:00:01 UTC, 500 ms after the decision",
    ]
    quiet = told(ENTRY, signal(None, issued=None), decision(None), new())
    assert quiet[1] == "  signal desk/s1: BUY, confidence 0.8"


def test_a_stop_is_told_with_its_slippage() -> None:
    way = stop()
    lines = told(way.order_id, way, traded(way, 10, "94.80"))
    assert lines[-1] == (
        "  cost against its trigger 95.00: +2.00, +21.1 bp; the commission is not known"
    )


def test_what_never_left_was_never_sent() -> None:
    never = ev.NotSentEvent(at=later(3), order_id=ENTRY, reason="no link")
    assert told(ENTRY, new(because=""), never) == ["its way:", "  never sent"]


def test_without_its_beginning_there_is_nothing_to_tell() -> None:
    chain = Chain(ENTRY)
    chain.hear(took(new()))
    chain.hear(CancelOrder(order_id=ENTRY))
    assert chain.lines(utc=True) == []


def test_words_from_outside_steer_no_terminal() -> None:
    evil = ev.PredictionSignalEvent(
        at=later(1), ticker="AAPL", source="\x1b[31m\u202edesk", signal_id="s1", signal="BUY",
        confidence=Decimal(1),
    )  # fmt: skip
    made = decision(cause="\x1b[31m\u202edesk/s1")
    text = "\n".join(told(ENTRY, evil, made, new()))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[31mdesk/s1" in text
