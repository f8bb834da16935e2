"""Many days, by seed: `make soak N=10000`, or `python -m tests.invariants.soak N [FROM] [JOBS]`.

Prints how far it is, each seed that broke something with the fewest acts that do it, and what
came about in all of them: a soak in which nothing happens shows it.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tests.invariants.playing import Play
from tests.invariants.schedule import draw
from tests.invariants.shrinking import broken_by, shrink

_TELL_EVERY = 10.0  # seconds
_WIDTH = 40


class Result(NamedTuple):
    """What became of one seed; `told` is empty if it broke nothing."""

    seed: int
    counts: Counter[str]
    told: str = ""


def live(seed: int) -> Result:
    """Live the day of a seed; cut it down if it breaks something."""
    play = Play(draw(seed))
    found = play.run()
    if not found:
        return Result(seed, play.counts)
    small = Play(shrink(play.schedule, broken_by(found)))
    lines = small.run()
    again = f"python -m tests.invariants.replay --seed {seed} --shrink"
    return Result(seed, play.counts, "\n".join([f"== seed {seed}", *small.record, *lines, again]))


def results(seeds: range, jobs: int) -> Iterator[Result]:
    """Yield what becomes of each seed, in this process or in so many others (0: one a core)."""
    jobs = jobs or os.cpu_count() or 1
    if jobs == 1:
        yield from map(live, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(live, seeds, chunksize=4)


def main(count: int, first: int = 0, jobs: int = 1) -> int:
    """Live so many days; return how many broke something."""
    counts: Counter[str] = Counter()
    began = told_at = time.monotonic()
    broken: list[int] = []
    for done, result in enumerate(results(range(first, first + count), jobs), 1):
        counts += result.counts
        if result.told:
            broken.append(result.seed)
            sys.stdout.write(f"{result.told}\n")
        now = time.monotonic()
        if now - told_at >= _TELL_EVERY:
            told_at = now
            rate = done / (now - began)
            sys.stdout.write(f"{done} of {count}, {rate:.1f} a second, {len(broken)} broken\n")
            sys.stdout.flush()
    took = time.monotonic() - began
    for name, number in sorted(counts.items()):
        sys.stdout.write(f"{name:{_WIDTH}} {number:8}\n")
    sys.stdout.write(
        f"{count} schedules in {took:.0f} s, {count / took:.1f} a second;"
        f" broken: {', '.join(map(str, sorted(broken))) or 'none'}\n"
    )
    return len(broken)


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
