"""S17: whatever order the callbacks come in, and whichever comes twice, the ledger is the same."""

from __future__ import annotations

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.portfolio import order_fold
from ibkr_trader.portfolio.growing import GrowingMap
from ibkr_trader.portfolio.state import PortfolioState
from tests.orders.test_lifecycle_permutations import STORIES, Scene, ends, ledger


class Books(Scene):
    """The ledger alone, so that paths which differ in what the group asked for are one."""

    def after(self, event: ev.BaseEvent) -> Books:
        """Deliver one event."""
        return Books(self.portfolio.apply(event), self.group)


def s17_commutes(scene: Scene, events: tuple[ev.BaseEvent, ...]) -> list[str]:
    """Judge that every order of `events`, with one of them repeated, ends in one ledger."""
    found: list[object] = []
    for end in ends(Books(scene.portfolio, scene.group), events):
        if (book := ledger(end)) not in found:
            found.append(book)
    return [f"S17 {len(found)} ledgers of {len(events)} callbacks"] if len(found) > 1 else []


@pytest.mark.parametrize("story", STORIES)
def test_the_ledger_does_not_depend_on_the_order_of_the_news(story: str) -> None:
    assert s17_commutes(*STORIES[story]) == []


def counted_as_often_as_told(patch: pytest.MonkeyPatch) -> None:
    """An execution counts as often as it is told."""
    fill = order_fold.fill

    def forget_and_fill(state: PortfolioState, event: ev.FillEvent) -> PortfolioState:
        return fill(msgspec.structs.replace(state, fills=GrowingMap()), event)

    patch.setattr(order_fold, "fill", forget_and_fill)


def test_the_judge_catches_an_execution_that_counts_as_often_as_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted_as_often_as_told(monkeypatch)
    assert s17_commutes(*STORIES["a single order fills"])
