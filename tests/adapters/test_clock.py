from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ibkr_trader.adapters.clock import ManualClock, OffsetClock, SystemClock

START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def test_the_system_clock_is_aware_and_never_runs_back() -> None:
    clock = SystemClock()
    before, ticks = clock.now(), clock.monotonic()
    assert before.tzinfo is UTC
    assert clock.monotonic() >= ticks


def test_the_offset_clock_keeps_the_gateways_time() -> None:
    machine = ManualClock(START)
    clock = OffsetClock(machine)
    assert clock.now() == START
    clock.set_time(START + timedelta(days=3))
    machine.advance(2.5)
    assert clock.now() == START + timedelta(days=3, seconds=2.5)
    assert clock.monotonic() == 2.5


def test_an_offset_leaves_ages_alone() -> None:
    machine = ManualClock(START)
    clock = OffsetClock(machine)
    clock.set_time(START - timedelta(hours=1))
    assert clock.monotonic() == machine.monotonic() == 0


def test_the_offset_clock_follows_the_machine_by_default() -> None:
    clock = OffsetClock()
    assert abs(clock.now() - SystemClock().now()) < timedelta(seconds=1)


def test_the_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(START.astimezone(timezone(timedelta(hours=-5))))
    assert clock.now() == START
    assert clock.now().tzinfo is UTC
    clock.advance(0.25)
    clock.jump(START - timedelta(days=1))
    assert clock.now() == START - timedelta(days=1)
    assert clock.monotonic() == 0.25
    with pytest.raises(ValueError, match="one way"):
        clock.advance(-1)
