"""L6: the judge catches the bugs planted for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.execution.alarming import Alarming, AlarmRules, Told
from ibkr_trader.portfolio.alarms import Trouble
from tests.execution.parts import Floor
from tests.invariants.alarm_judges import l6_told_again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Patch = pytest.MonkeyPatch

ONE = Trouble("day-end", "the day is NOT ended flat: AAPL")
RULES = AlarmRules(repeat=300, longest=900)
SEEN, UNTIL, STEP = 7_200.0, 14_400.0, 60.0


class Listener:
    """A messenger that notes when it was given something."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self.told: list[float] = []

    async def notify(self, title: str, body: str) -> None:
        """Take a message."""
        assert ONE.message in body, title
        self.told.append(self._floor.clock.monotonic())


async def heard() -> list[str]:
    """Let four hours pass under an alarm of which somebody takes note after two; judge them."""
    floor = Floor()
    async with floor.trader() as trader:
        listener, alarming = Listener(floor), trader.alarming
        began = floor.clock.monotonic()
        alarming.notifier, alarming.rules = listener, RULES
        alarming.raise_alarm(ONE)
        passed = 0.0
        while passed <= UNTIL:
            alarming._look()
            await alarming._send()
            if passed == SEEN:
                alarming.acknowledge([ONE.key], by="me")
            floor.clock.advance(STEP)
            passed += STEP
        told = [at - began for at in listener.told]
    return l6_told_again(told, seen=SEEN, until=UNTIL, longest=RULES.longest)


def told_once(patch: Patch) -> None:
    """An alarm is told once, and never again."""

    def is_due(self: Told, _now: float, *, is_over: bool) -> bool:
        return not is_over and not self.times

    patch.setattr(Told, "is_due", is_due)


def told_for_ever(patch: Patch) -> None:
    """Who takes note is thanked, and told again."""

    def acknowledge(_: Alarming, keys: Iterable[str], **_words: str) -> tuple[str, ...]:
        return tuple(keys)

    patch.setattr(Alarming, "acknowledge", acknowledge)


async def test_l6_an_alarm_is_told_until_somebody_takes_note() -> None:
    assert await heard() == []


@pytest.mark.parametrize("bug", [told_once, told_for_ever])
async def test_l6_catches_an_alarm_that_is_told_otherwise(
    bug: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    bug(monkeypatch)
    assert await heard()
