from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from ibkr_trader.rules.actions.trail import TrailStop
from ibkr_trader.rules.distance import Distance
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.rule import (
    ACTIONS,
    DAYS,
    LEAST_REST,
    LONGEST_COOLDOWN,
    Schedule,
)
from tests.rules.moments import ATR, NEW_YORK, asking, rule, strategy

RSI = ("rsi", ())


def local(day: int, clock: str) -> datetime:
    """Return a moment of New York in November 2026, whose 20th is a Friday."""
    return datetime.combine(datetime(2026, 11, day).date(), time.fromisoformat(clock), NEW_YORK)  # noqa: DTZ001 - only its date is taken


@pytest.mark.parametrize(
    ("clock", "holds"),
    [("09:44:59", False), ("09:45", True), ("12:00", True), ("15:50", True), ("15:50:01", False)],
)
def test_hours_begin_and_end_by_the_exchanges_clock(clock: str, holds: bool) -> None:
    hours = Schedule(begins=time(9, 45), ends=time(15, 50))
    assert hours.holds(local(20, clock)) is holds


def test_hours_that_end_where_they_begin_are_a_moment_and_not_the_whole_day() -> None:
    hours = Schedule(begins=time(12), ends=time(12))
    assert [hours.holds(local(20, clock)) for clock in ("11:59", "12:00", "12:01")] == [
        False, True, False,
    ]  # fmt: skip


def test_days_are_the_exchanges_days() -> None:
    assert Schedule(days=frozenset({"fri"})).holds(local(20, "12:00"))
    assert not Schedule(days=frozenset({"mon"})).holds(local(20, "12:00"))
    # In New York it is still Friday evening when the day of UTC is Saturday's.
    late = datetime(2026, 11, 21, 2, 0, tzinfo=UTC).astimezone(NEW_YORK)
    assert Schedule(days=frozenset({"fri"})).holds(late)


@pytest.mark.parametrize(
    ("day", "clock", "holds"),
    [
        (20, "21:59", False),
        (20, "22:00", True),
        (21, "01:00", True),
        (21, "02:00", True),
        (21, "02:01", False),
        (20, "01:00", False),
        (21, "22:00", False),
    ],
)
def test_hours_past_midnight_belong_to_the_day_on_which_they_began(
    day: int, clock: str, holds: bool
) -> None:
    hours = Schedule(begins=time(22), ends=time(2), days=frozenset({"fri"}))
    assert hours.holds(local(day, clock)) is holds


def test_the_hours_before_a_monday_are_sundays() -> None:
    hours = Schedule(begins=time(22), ends=time(2), days=frozenset({"sun"}))
    assert hours.holds(local(23, "01:00"))  # a Monday


def test_any_time_is_any_time() -> None:
    assert all(Schedule().holds(local(16 + n, "23:59:59.999999")) for n in range(len(DAYS)))


def test_what_sets_a_rule_off_is_what_it_says_or_else_what_its_condition_says() -> None:
    assert rule(when=asking(on=Trigger.BAR)).triggers == {Trigger.BAR}
    on = frozenset({Trigger.PRICE})
    assert rule(when=asking(on=Trigger.BAR), on=on).triggers == on


def test_a_rule_needs_the_indicators_of_its_condition_and_of_its_actions() -> None:
    both = rule("r", TrailStop(behind=Distance.of("2atr")), when=asking(needs=frozenset({RSI})))
    assert both.indicators == {RSI, ATR}
    assert strategy(both, rule("x")).indicators == {RSI, ATR}
    assert strategy().indicators == frozenset()


def test_a_strategy_asks_in_the_order_of_priority_and_then_as_written() -> None:
    late, first = rule("late"), rule("first", priority=1)
    also, other = rule("also"), rule("bar", when=asking(on=Trigger.BAR))
    found = strategy(late, first, also, other)
    assert [one.name for one in found.at(Trigger.PRICE)] == ["first", "late", "also"]
    assert [one.name for one in found.at(Trigger.BAR)] == ["bar"]


@pytest.mark.parametrize("trigger", [Trigger.PRICE, Trigger.POSITION, Trigger.TIME])
def test_without_a_cooldown_it_rests_where_it_is_asked_all_the_time(trigger: Trigger) -> None:
    assert rule().rest(trigger) == LEAST_REST
    assert rule(cooldown=timedelta(seconds=1)).rest(trigger) == timedelta(seconds=1)


@pytest.mark.parametrize("trigger", [Trigger.SIGNAL, Trigger.FLOW, Trigger.BAR])
def test_to_what_comes_once_it_answers_at_any_time(trigger: Trigger) -> None:
    assert rule().rest(trigger) == timedelta(0)
    assert rule(cooldown=timedelta(hours=1)).rest(trigger) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"cooldown": timedelta(seconds=-1)}, "cooldown"),
        ({"cooldown": LONGEST_COOLDOWN + timedelta(seconds=1)}, "cooldown"),
    ],
)
def test_a_rule_that_could_not_be_kept_is_refused(fields: dict[str, Any], why: str) -> None:
    assert rule(cooldown=LONGEST_COOLDOWN).cooldown == LONGEST_COOLDOWN
    with pytest.raises(ValueError, match=why):
        rule(**fields)


def test_a_strategy_that_does_not_say_has_bars_of_a_minute() -> None:
    assert strategy().bar_size == timedelta(minutes=1)


def test_a_strategy_needs_a_name_for_itself_and_one_for_each_rule() -> None:
    with pytest.raises(ValueError, match="strategy's name"):
        strategy(name="a/b")
    with pytest.raises(ValueError, match="same name"):
        strategy(rule("a"), rule("b"), rule("a"))


def test_the_actions_there_are() -> None:
    assert list(ACTIONS) == [
        "adjust_stop", "close_all", "halt", "notify", "open", "scale_in", "trail",
    ]  # fmt: skip
