"""Every kind of command, killed at every point of its way, with every fate of its orders.

The whole trader and its gateway on virtual time. What is killed comes up again, and every
invariant is judged: nothing twice, nothing lost, what is held protected. The suite gives each
point one fate, in turn; `python -m tests.invariants.test_crash_matrix` gives it every one.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.invariants.playing import Play
from tests.invariants.schedule import Act, Schedule

POINTS = ("CP1", "CP2", "CP4", "CP5", "CP6", "CP7", "CP8", "CP9", "CP11")
AROUND = {"CP4", "CP7"}  # the frames of new orders: a cancel and a change have CP2 and CP8 there
ACROSS = {"CP5", "CP6"}  # between the frames of a group: what is one frame has no such point
FATES = {  # what the market does while nobody is there: tenths of a percent, and how much it takes
    "rests": [],
    "fills in part": [(-6, 3)],
    "fills": [(-15, 10_000)],
    "turns": [(-15, 10_000), (45, 10_000)],
}
_PAUSE = Act("wait", {"seconds": 1.2})
_HELD = Act("bracket", {"symbol": "AAPL", "side": "BUY", "quantity": 10, "away": 3, "limit": None})


class Kind(NamedTuple):
    """A command, what must have been before it, and of what it is made.

    Attributes:
        commands: How many it takes.
        orders: How many of them place orders.
        is_group: Whether such a one has several frames.
    """

    deed: Act
    before: tuple[Act, ...] = ()
    commands: int = 1
    orders: int = 1
    is_group: bool = False

    def times(self, point: str) -> int:
        """Return how often it comes to a point."""
        if point in ACROSS:
            return int(self.is_group)
        return self.orders if point in AROUND else self.commands


KINDS = {
    "bracket": Kind(
        Act("bracket", {"symbol": "AAPL", "side": "BUY", "quantity": 10, "away": 3, "limit": 1}),
        is_group=True,
    ),
    "bracket at market": Kind(_HELD, is_group=True),
    "single": Kind(
        Act("trail", {"symbol": "AAPL", "percent": 2, "managed": False}),
        (Act("inject", {"words": "hand buy AAPL 10", "pick": 0}),),
    ),
    "managed trail": Kind(
        Act("trail", {"symbol": "AAPL", "percent": 2, "managed": True}),
        (Act("inject", {"words": "hand buy AAPL 10", "pick": 0}),),
    ),
    "oco entries": Kind(
        Act("oco_entries", {"symbol": "AAPL", "quantity": 10, "away": 1}), is_group=True
    ),
    "oco exits": Kind(
        Act("oco_exits", {"symbol": "AAPL", "away": 2}),
        (Act("inject", {"words": "hand buy AAPL 10", "pick": 0}),),
        is_group=True,
    ),
    "scale-in": Kind(Act("scale_in", {"symbol": "AAPL", "quantity": 5}), (_HELD, _PAUSE)),
    "close": Kind(Act("close", {"symbol": "AAPL"}), (_HELD, _PAUSE), commands=3),
    "cancel": Kind(
        Act("cancel", {"pick": 0}),
        (Act("bracket", {"symbol": "AAPL", "side": "BUY", "quantity": 10, "away": 3, "limit": 1}),),
        orders=0,
    ),
    "modify": Kind(Act("tighten", {"pick": 0}), (_HELD, _PAUSE), orders=0),
}


def cells() -> list[tuple[str, str, int]]:
    """Return each kind with each point that it comes to, and for the how manieth time."""
    return [
        (name, point, nth)
        for name, kind in KINDS.items()
        for point in POINTS
        for nth in range(1, kind.times(point) + 1)
    ]


def day(kind: Kind, point: str, nth: int, *, fate: str) -> Schedule:
    """Return the day of a cell: one trader dies, and the next one finds what became of it."""
    moves = [
        Act("move", {"symbol": "AAPL", "tenths": tenths, "size": size})
        for tenths, size in FATES[fate]
    ]
    acts = [
        *kind.before,
        _PAUSE,
        Act("die_at", {"checkpoint": point, "nth": nth}),
        kind.deed,
        Act("wait", {"seconds": 1.5}),
        *moves,
        Act("wait", {"seconds": 3.0}),
        Act("rise"),
        Act("wait", {"seconds": 6.5}),  # an absence is proven after five
    ]
    return Schedule(seed=len(fate), acts=tuple(acts))


def lived(name: str, point: str, nth: int, *, fate: str) -> list[str]:
    """Return what a cell breaks; also that nobody died there."""
    play = Play(day(KINDS[name], point, nth, fate=fate))
    reach, passed = play.world._reach, list[str]()

    def noted(name: str) -> None:
        was = play.world._deadly
        reach(name)
        if was is not None and play.world._deadly is None:
            passed.append(name)

    play.world._reach = noted  # type: ignore[method-assign]
    found = play.run()
    if passed != [point]:
        found.append(f"it did not die at {point}, but at {passed}")
    return [*play.record, *found] if found else []


TURNS = tuple(FATES)


@pytest.mark.parametrize(
    ("name", "point", "nth", "fate"),
    [(*cell, TURNS[turn % len(TURNS)]) for turn, cell in enumerate(cells())],
)
def test_killed_there_nothing_is_lost_and_nothing_is_twice(
    name: str, point: str, nth: int, fate: str
) -> None:
    found = lived(name, point, nth, fate=fate)
    assert not found, "\n".join(found)


def test_every_kind_meets_every_fate_in_the_suite() -> None:
    met = {(cell[0], TURNS[turn % len(TURNS)]) for turn, cell in enumerate(cells())}
    assert len(met) == len(KINDS) * len(FATES)


def test_a_point_that_is_not_reached_is_told() -> None:
    assert "it did not die at CP9, but at []" in lived("cancel", "CP9", 99, fate="rests")


def main() -> int:
    """Live every cell with every fate; print what breaks."""
    broken = 0
    every = [(*cell, fate) for cell in cells() for fate in FATES]
    for name, point, nth, fate in every:
        found = lived(name, point, nth, fate=fate)
        if found:
            broken += 1
            print(f"{name}, {point} for the {nth}. time, {fate}:", *found, sep="\n  ")  # noqa: T201 - it prints what it finds
    print(f"{len(every)} crashes; broken: {broken or 'none'}")  # noqa: T201 - as above
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
