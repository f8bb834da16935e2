"""A burst of executions at a desk that runs strategies: each is counted once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import GroupId
from tests.portfolio.strategy_play import ALPHA, Play

TRIPS = 100


class Asked(Mapping[GroupId, str]):
    """Whose groups are, and how often somebody wanted to know."""

    def __init__(self, known: Mapping[GroupId, str]) -> None:
        self._known = known
        self.times = 0

    def __getitem__(self, key: GroupId) -> str:
        self.times += 1
        return self._known[key]

    def __iter__(self) -> Iterator[GroupId]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def test_one_execution_more_is_no_recount_of_the_day() -> None:
    play = Play()
    entry = play.enter(ALPHA, TRIPS)
    asked = Asked(play.book.groups)
    play.book = msgspec.structs.replace(play.book, groups=asked)
    for _ in range(TRIPS):
        play.fill(entry, 1)
        assert play.owner() == ALPHA
        play.strange_fill(1, Side.SELL)
    assert play.book.groups is asked
    assert asked.times <= 4 * TRIPS
