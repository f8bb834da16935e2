"""Lives one day again, and tells it: `python -m tests.invariants.replay FILE` or `--seed N`.

`--shrink` looks for fewer acts that break the same, and prints them as a file to check in.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from tests.invariants.playing import Play
from tests.invariants.schedule import Schedule, draw, read
from tests.invariants.shrinking import broken_by, shrink


def tell(schedule: Schedule) -> list[str]:
    """Live a day, print its record, and return what it broke."""
    play = Play(schedule)
    found = play.run()
    sys.stdout.write("\n".join([f"seed {schedule.seed}, {schedule.mode}, {schedule.hour}", ""]))
    sys.stdout.write("\n".join([*play.record, *found, ""]))
    return found


def main(arguments: list[str]) -> int:
    """Do what the command line says; 1 if the day broke something."""
    parser = argparse.ArgumentParser(prog="python -m tests.invariants.replay")
    parser.add_argument("file", nargs="?", type=Path, help="a schedule that was checked in")
    parser.add_argument("--seed", type=int, help="draw the schedule of this seed")
    parser.add_argument("--shrink", action="store_true", help="print the fewest acts that do it")
    given = parser.parse_args(arguments)
    if (given.file is None) is (given.seed is None):
        parser.error("give a file, or --seed")
    schedule = draw(given.seed) if given.file is None else read(given.file.read_bytes())
    if not given.shrink:
        return int(bool(tell(schedule)))
    found = Play(schedule).run()
    if not found:
        sys.stderr.write("nothing is broken\n")
        return 0
    small = shrink(schedule, broken_by(found))
    small = msgspec.structs.replace(small, why="; ".join(Play(small).run()))
    sys.stdout.write(small.to_json().decode())
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
