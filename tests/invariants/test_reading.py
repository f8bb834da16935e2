"""What could be known at a moment, as the judges read it."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.invariants.reading import told_at
from tests.invariants.world import START


def after(*seconds: float) -> list[datetime]:
    return [START + timedelta(seconds=one) for one in seconds]


def test_what_happens_while_messages_are_kept_back_is_told_at_the_end_of_that() -> None:
    assert told_at(after(0.25, 0.5, 0.75, 1), START) == START + timedelta(seconds=1)


def test_what_was_told_before_is_not_unheard_by_later_weather() -> None:
    assert told_at(after(3, 3.25, 3.5), START) == START
    assert told_at(after(-3, -2.75, 0.25, 3), START) == START + timedelta(seconds=0.25)
