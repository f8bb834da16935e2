"""What the desk notes for itself is told in words, too."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ibkr_trader.cli.event_words import EventWords
from ibkr_trader.cli.record_words import words_of
from ibkr_trader.core import events as ev

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            ev.EquityEvent(at=AT, net_liquidation=Decimal("999991.51"), peak=Decimal(1_000_000)),
            "the account is worth 999,991.51; at its peak 1,000,000.00",
        ),
        (ev.CheckpointEvent(at=AT), "resting point: a restart reads from here"),
        (ev.TimeEvent(at=AT), None),
    ],
)
def test_what_the_desk_keeps_has_its_words(event: ev.BaseEvent, words: str | None) -> None:
    assert words_of(event, EventWords(utc=True)) == words
