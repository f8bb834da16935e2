"""What is left of a schedule is what it takes, and no more."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ibkr_trader.execution.group_runner import GroupRunner
from tests.invariants.playing import Play
from tests.invariants.schedule import Act, Schedule, draw, read
from tests.invariants.shrinking import broken_by, shrink, smallest


def test_only_what_is_needed_stays_and_in_its_order() -> None:
    acts = [Act(f"{number}") for number in range(23)]

    def breaks(some: Sequence[Act]) -> bool:
        names = [act.name for act in some]
        return all(name in names for name in ("3", "11", "20"))

    assert [act.name for act in smallest(acts, breaks)] == ["3", "11", "20"]


def test_a_schedule_is_the_same_when_it_was_written_down() -> None:
    schedule = draw(77)
    assert draw(77) == schedule
    assert read(schedule.to_json()) == schedule


def test_a_planted_bug_is_found_and_cut_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a group wants is told to a person instead of kept, until its position is explained."""
    monkeypatch.setattr(GroupRunner, "_hold", lambda *_: None)
    noise = [Act("wait", {"seconds": 0.1}), Act("move", {"symbol": "MSFT", "tenths": 3, "size": 3})]
    acts = (
        Act("bracket", {"symbol": "AAPL", "side": "SELL", "quantity": 4, "away": 1, "limit": None}),
        Act("wait", {"seconds": 1.2}),
        *noise,
        Act("scale_in", {"symbol": "AAPL", "quantity": 7}),
        Act("inject", {"words": "drop execDetails", "pick": 1}),
        *noise,
        Act("wait", {"seconds": 8.0}),
    )
    schedule = Schedule(seed=42, acts=acts)
    broken = broken_by(Play(schedule).run())
    assert broken == {"S8"}
    small = shrink(schedule, broken)
    assert len(small.acts) < len(acts)
    assert not [act for act in small.acts if act.name == "move"]
