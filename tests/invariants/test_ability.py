"""What a trader cannot do is not asked of it, and no more than that is let pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from ibkr_trader.orders import bracket_policy
from tests.invariants.playing import Play
from tests.invariants.schedule import read

DAY = Path(__file__).parent / "regressions" / "refused_as_it_came_late.json"


def broken() -> list[str]:
    return [one.partition(" ")[0] for one in Play(read(DAY.read_bytes())).run()]


def test_what_tws_is_set_to_refuse_is_left_to_a_person_who_was_told() -> None:
    assert broken() == []


def test_what_nobody_was_told_of_is_not_left_to_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bracket_policy, "words", lambda *_: iter(()))
    assert "S8" in broken()
