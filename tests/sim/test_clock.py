from datetime import UTC, datetime, timedelta

import pytest

from ibkr_trader.sim.clock import ClockState, ExchangeClock, default_start

START = datetime(2026, 11, 20, 15, tzinfo=UTC)


class Wall:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.mark.parametrize("speed", [1.0, 60.0, 0.5])
def test_time_runs_at_its_speed(speed: float) -> None:
    wall = Wall()
    clock = ExchangeClock(wall, ClockState(at=START, speed=speed))
    assert clock.now() == START
    wall.tick(10)
    assert clock.now() == START + timedelta(seconds=10 * speed)


def test_a_pause_and_a_new_speed() -> None:
    wall = Wall()
    clock = ExchangeClock(wall, ClockState(at=START))
    wall.tick(10)
    clock.pause()
    wall.tick(10)
    assert clock.now() == START + timedelta(seconds=10)
    clock.resume(speed=2)
    wall.tick(10)
    assert clock.now() == START + timedelta(seconds=30)
    clock.resume()
    wall.tick(1)
    assert clock.now() == START + timedelta(seconds=32)


def test_a_jump_goes_forward_only() -> None:
    wall = Wall()
    clock = ExchangeClock(wall, ClockState(at=START))
    clock.advance_to(START + timedelta(hours=1))
    clock.advance_to(START)
    wall.tick(1)
    assert clock.now() == START + timedelta(hours=1, seconds=1)


def test_a_machine_clock_set_back_does_not_take_the_exchange_with_it() -> None:
    wall = Wall()
    clock = ExchangeClock(wall, ClockState(at=START))
    wall.tick(10)
    assert clock.now() == START + timedelta(seconds=10)
    wall.tick(-5)
    assert clock.now() == START + timedelta(seconds=10)
    wall.tick(6)
    assert clock.now() == START + timedelta(seconds=11)


def test_a_restart_goes_on_where_it_stood() -> None:
    wall = Wall()
    clock = ExchangeClock(wall, ClockState(at=START, speed=3, is_paused=True))
    assert clock.state() == ClockState(at=START, speed=3, is_paused=True)


@pytest.mark.parametrize(
    ("wall", "start"),
    [
        (datetime(2026, 11, 22, 3, tzinfo=UTC), datetime(2026, 11, 20, 15, tzinfo=UTC)),  # Sat
        (datetime(2026, 11, 23, 14, 59, tzinfo=UTC), datetime(2026, 11, 20, 15, tzinfo=UTC)),
        (datetime(2026, 11, 23, 15, 0, tzinfo=UTC), datetime(2026, 11, 23, 15, tzinfo=UTC)),
        (datetime(2026, 11, 26, 18, 0, tzinfo=UTC), datetime(2026, 11, 25, 15, tzinfo=UTC)),
        (datetime(2026, 7, 1, 18, 0, tzinfo=UTC), datetime(2026, 7, 1, 14, tzinfo=UTC)),  # summer
    ],
)
def test_it_starts_at_ten_of_the_latest_trading_day(wall: datetime, start: datetime) -> None:
    assert default_start(wall) == start
