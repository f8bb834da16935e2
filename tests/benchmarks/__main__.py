"""Run every benchmark, or those that are named: `python -m tests.benchmarks bus objects`."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from tests.benchmarks import harness

HERE = Path(__file__).parent
OUT = Path("benchmarks-out")


def areas() -> list[str]:
    """Return the names of the areas: one file each."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def main(argv: list[str] | None = None) -> int:
    """Measure; return 0 whatever the goals, 2 for a name that is no area."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(areas()))
    parser.add_argument("--rounds", type=int, help="samples of each row (default: the area's own)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the JSON")
    options = parser.parse_args(argv)
    if unknown := sorted(set(options.names) - set(areas())):
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(areas())}")
        return 2
    for name in options.names or areas():
        module = importlib.import_module(f"tests.benchmarks.bench_{name}")
        harness.run(name, module.tables(), folder=options.out, rounds=options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
