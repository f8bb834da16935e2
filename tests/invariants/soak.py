"""Many schedules, one after the other: `python -m tests.invariants.soak N [FROM] [JOBS]`."""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests.invariants.playing import Play
from tests.invariants.schedule import draw


def main(count: int, first: int = 0) -> int:
    counts: Counter[str] = Counter()
    began = time.monotonic()
    bad = 0
    for seed in range(first, first + count):
        play = Play(draw(seed))
        found = play.run()
        counts += play.counts
        if found:
            bad += 1
            print(f"== seed {seed} {play.schedule.mode} {play.schedule.hour}")
            print(*play.record, *found[:4], sep="\n", flush=True)
    took = time.monotonic() - began
    print(bad, "bad of", count, f"{count / took:.1f}/s")
    for name, n in sorted(counts.items()):
        print(f"{n:6} {name}")
    return bad


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
