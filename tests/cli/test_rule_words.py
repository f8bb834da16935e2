from __future__ import annotations

from datetime import time, timedelta

import pytest

from ibkr_trader.cli.rule_words import (
    action_words,
    hours_words,
    pause_words,
    rule_remarks,
    rule_words,
)
from ibkr_trader.rules.actions.close_all import CloseAll
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.rule import Rule, Schedule
from ibkr_trader.rules.strategy_text import read_strategy
from tests.execution.strategy_stage import ENTRY
from tests.rules.moments import asking

WEEK = frozenset({"fri", "mon"})


@pytest.mark.parametrize(
    ("pause", "words"),
    [
        (timedelta(0), ""),
        (timedelta(days=1), "1 day"),
        (timedelta(minutes=90), "90 min"),
        (timedelta(seconds=1.5), "1.5 s"),
    ],
)
def test_a_pause_is_told_in_its_largest_unit(pause: timedelta, words: str) -> None:
    assert pause_words(pause) == words


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (None, ""),
        (Schedule(ends=time(12)), "until 12:00"),
        (Schedule(begins=time(9, 45), ends=time(15, 30)), "from 09:45 until 15:30"),
        (Schedule(begins=time(9, 45), days=WEEK), "from 09:45 on mon, fri"),
    ],
)
def test_hours_are_told_as_they_were_understood(schedule: Schedule | None, words: str) -> None:
    assert hours_words(schedule) == words


def test_an_action_tells_its_figures_the_usual_ones_too() -> None:
    (rule, *_) = read_strategy(ENTRY).rules
    (told,) = [action_words(one) for one in rule.then]
    assert told.startswith("open: side long, size ")
    assert "stop_loss" in told
    assert action_words(CloseAll()) == "close_all: only both"


def test_a_rule_is_told_in_a_line() -> None:
    text = ENTRY.replace("[[rule]]", '[[rule]]\nuntil = "12:00"\nsymbols = ["AAPL"]', 1)
    (rule, *_) = read_strategy(text).rules
    assert rule_words(rule).startswith("until 12:00; for AAPL; open: side long, size ")


def test_of_a_function_there_is_nothing_to_tell() -> None:
    class Own:
        pass

    rule = Rule(name="r", when=asking(on=Trigger.BAR), then=(Own(),))  # type: ignore[arg-type] # as little as can be
    assert rule_words(rule) == ""
    assert list(rule_remarks(rule)) == []
    assert action_words(Own()) == "whatever it says"  # type: ignore[arg-type] # as above


def test_what_can_never_hold_is_remarked_with_its_rule() -> None:
    rule = read_strategy(ENTRY.replace("0.85", "85")).rules[0]
    (told,) = rule_remarks(rule)
    assert told.startswith(f"{rule.name}: signal.confidence > 85 can never hold")
