"""`python -m tests.torture KILLS [SEED]`: kill traders by the hundred, and judge what is left.

Each life is a fresh gateway and journal at which some dozens of traders are killed; every few
kills everything is brought to rest and judged. A violation ends it, prints what broke, and leaves
the folder with journal, books and wire log behind.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.torture.bench import EACH, Bench

LIFE = 50  # kills at one gateway: its wire log stays in one file


def main(kills: int, seed: int = 1) -> int:
    """Kill so many traders; return how many violations there were."""
    began, done, orders, executions = time.monotonic(), 0, 0, 0
    told: Counter[str] = Counter()
    while done < kills:
        folder = Path(tempfile.mkdtemp(prefix="torture-"))
        bench = Bench(folder, seed)
        with bench.serving():
            for _ in range(min(LIFE, kills - done)):
                bench.kill_one()
                done += 1
                if done % EACH and done < kills:
                    continue
                if found := bench.judge():
                    lines = [f"seed {seed}, kill {len(bench.kills)} of it: {folder}", *found]
                    sys.stdout.write("\n".join([*lines, ""]))
                    return len(found)
                pace = done / (time.monotonic() - began)
                sys.stdout.write(f"{done} of {kills} kills, {pace:.2f}/s\n")
                sys.stdout.flush()
        told += bench.told()
        orders += len(bench.wire.sent)
        executions += bench.executions
        shutil.rmtree(folder)
        seed += 1
    lines = [f"  {count:5}  {where}" for where, count in told.most_common()]
    sys.stdout.write(
        f"{done} kills, {orders} orders, {executions} executions: nothing lost, nothing twice\n"
    )
    sys.stdout.write("\n".join([*lines, ""]))
    return 0


if __name__ == "__main__":
    sys.exit(bool(main(*(int(word) for word in sys.argv[1:]))))
