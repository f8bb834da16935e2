"""How far this machine's clock is from the broker's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.execution.skew_watch import SkewWatch

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_nobody_has_said_yet() -> None:
    watch = SkewWatch(ManualClock(AT))
    assert watch.skew() is None
    watch.measure(None)
    assert watch.skew() is None


def test_it_is_the_brokers_offset_the_other_way_round() -> None:
    clock = ManualClock(AT)
    watch = SkewWatch(clock)
    watch.measure(timedelta(seconds=-3))  # theirs is three seconds behind ours
    assert watch.skew() == timedelta(seconds=3)
    clock.advance(60)
    assert watch.skew() == timedelta(seconds=3)


def test_a_clock_that_is_set_between_two_looks_counts_at_once() -> None:
    clock = ManualClock(AT)
    watch = SkewWatch(clock)
    watch.measure(timedelta(0))
    clock.advance(2)
    clock.jump(clock.now() - HOUR)
    assert watch.skew() == -HOUR
    watch.measure(HOUR)  # the broker confirms it
    assert watch.skew() == -HOUR
    clock.jump(clock.now() + HOUR)
    assert watch.skew() == timedelta(0)
