"""What a trader cannot do is not asked of it, and no more than that is let pass."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from ibkr_trader.orders import bracket_policy, trailing_stops
from tests.invariants.playing import Play
from tests.invariants.schedule import read

DAYS = Path(__file__).parent / "regressions"
REFUSED = DAYS / "refused_as_it_came_late.json"
LOST = DAYS / "trail_lost_beside_what_came_late.json"


def broken(day: Path) -> set[str]:
    return {one.partition(" ")[0] for one in Play(read(day.read_bytes())).run()}


@pytest.mark.parametrize("day", [REFUSED, LOST], ids=lambda day: day.stem)
def test_what_cannot_be_done_again_is_left_to_a_person_who_was_told(day: Path) -> None:
    assert broken(day) == set()


@pytest.mark.parametrize(
    ("day", "words"),
    [(REFUSED, (bracket_policy, "words")), (LOST, (trailing_stops, "_words"))],
    ids=lambda one: getattr(one, "stem", ""),
)
def test_what_nobody_was_told_of_is_not_left_to_anybody(
    day: Path, words: tuple[ModuleType, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*words, lambda *_: iter(()))
    assert "S8" in broken(day)
