"""Cuts a schedule that breaks something down to the acts that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tests.invariants.playing import Play
from tests.invariants.schedule import Act, Schedule

MOST_RUNS = 300
Breaks = Callable[[Sequence[Act]], bool]


def broken_by(found: Sequence[str]) -> frozenset[str]:
    """Return the names of the invariants that lines of a verdict are about."""
    return frozenset(line.split(maxsplit=1)[0] for line in found)


def shrink(schedule: Schedule, broken: frozenset[str]) -> Schedule:
    """Return the schedule with no act that is not needed to break one of `broken`."""

    def breaks(acts: Sequence[Act]) -> bool:
        return bool(broken & broken_by(Play(_with(schedule, acts)).run()))

    return _with(schedule, smallest(schedule.acts, breaks))


def smallest(acts: Sequence[Act], breaks: Breaks) -> tuple[Act, ...]:
    """Return as few of `acts`, in their order, as still break something (delta debugging).

    `breaks` says whether a list of acts does; it is asked `MOST_RUNS` times at the most.
    """
    left, parts, runs = list(acts), 2, 0
    while len(left) > 1 and runs < MOST_RUNS:
        size = max(1, len(left) // parts)
        for start in range(0, len(left), size):
            fewer = left[:start] + left[start + size :]
            runs += 1
            if fewer and breaks(fewer):
                left, parts = fewer, max(2, parts - 1)
                break
        else:
            if size == 1:
                break
            parts = min(len(left), parts * 2)
    return tuple(left)


def _with(schedule: Schedule, acts: Sequence[Act]) -> Schedule:
    return msgspec.structs.replace(schedule, acts=tuple(acts))
