"""How this project measures speed: ratios of things measured in one run, interleaved.

Machines are shared and drift by a factor of two within an hour, so a figure in seconds says
little and a ratio says much. Every round takes one sample of each row, in an order that turns
with the rounds; medians decide. A benchmark prints its table and writes it as JSON. It is not
a test: a goal that is missed is shown as missed, and nothing fails.

On a machine with more to do than cores, long samples are interrupted and short ones are not, so
even ratios suffer. Then the load, which is printed, is above the number of cores, and p10 is far
below the median: measure again.

An area is a file `bench_NAME.py` with a function `tables()`, a generator of `Table`. What
comes before a `yield` sets up, what comes after it tears down.
"""

from __future__ import annotations

import gc
import json
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

# Takes one sample and returns seconds an operation.
Sample = Callable[[], float]

UNITS = {"ns": 1e9, "µs": 1e6, "ms": 1e3, "s": 1.0}


def timed(work: Callable[[], object], *, per: int = 1) -> Sample:
    """Return a sample that times one call of `work`, which does `per` operations."""

    def sample() -> float:
        was_on = gc.isenabled()
        gc.disable()
        try:
            began = time.perf_counter()
            work()
            return (time.perf_counter() - began) / per
        finally:
            if was_on:
                gc.enable()

    return sample


def version(distribution: str) -> str:
    """Return the name and version of a peer, as installed: `eventkit 1.0.3`."""
    return f"{distribution} {metadata.version(distribution)}"


@dataclass(frozen=True)
class Goal:
    """What a row is to reach.

    `at_most` is a ratio to the row `of` (or to the sum of several), or, when `of` is empty, a
    figure in the table's unit. `percentile` is 50, the median, or as far as the samples go.
    """

    row: str
    at_most: float
    of: str | tuple[str, ...] = ()
    percentile: int = 50

    @property
    def bases(self) -> tuple[str, ...]:
        """The rows that the goal's row is compared with; none for a plain figure."""
        return (self.of,) if isinstance(self.of, str) else self.of


@dataclass
class Table:
    """Rows to be measured together. The first row is what the shown ratios refer to."""

    title: str
    rows: dict[str, Sample]
    unit: str = "µs"
    goals: tuple[Goal, ...] = ()
    peers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rounds: int = 30
    warm_up: int = 2
    taken: dict[str, list[float]] = field(default_factory=dict)


def measure(table: Table, *, rounds: int | None = None) -> None:
    """Fill `table.taken`: round by round, each row once, starting with another row each time."""
    names = list(table.rows)
    table.taken = {name: [] for name in names}
    gc.collect()
    warm_up = 0 if rounds == 1 else table.warm_up  # one round shows that it runs, not how fast
    for number in range(-warm_up, rounds or table.rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            seconds = table.rows[name]()
            if number >= 0:
                table.taken[name].append(seconds)


def percentile(samples: list[float], percent: int) -> float:
    """Return the sample below which `percent` of the samples lie; 50 is the median."""
    if percent == 50:
        return statistics.median(samples)
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def reached(table: Table, goal: Goal) -> float:
    """Return what a goal's row reached: a ratio, or a figure in the table's unit."""
    ours = percentile(table.taken[goal.row], goal.percentile)
    if not goal.bases:
        return ours * UNITS[table.unit]
    return ours / sum(percentile(table.taken[base], goal.percentile) for base in goal.bases)


def as_text(name: str, table: Table) -> str:
    """Return the table as people read it."""
    base = statistics.median(next(iter(table.taken.values())))
    width = max(len(row) for row in table.rows)
    lines = [
        f"{name}: {table.title}",
        f"  {'':{width}}  {table.unit:>10}  {'ratio':>8}  {'p10':>10}  {'p99':>10}",
    ]
    for row, samples in table.taken.items():
        median, best, worst = (percentile(samples, p) * UNITS[table.unit] for p in (50, 10, 99))
        ratio = percentile(samples, 50) / base if base else math.nan
        figures = f"{median:>10.4g}  {f'x{ratio:.2f}':>8}  {best:>10.4g}  {worst:>10.4g}"
        lines.append(f"  {row:{width}}  {figures}")
    for goal in table.goals:
        found = reached(table, goal)
        sign = "x" if goal.bases else ""
        unit = f" of {' + '.join(goal.bases)}" if goal.bases else f" {table.unit}"
        which = "" if goal.percentile == 50 else f" at p{goal.percentile}"
        verdict = "met" if found <= goal.at_most else "MISSED"
        wanted = f"<= {sign}{goal.at_most:g}{unit}{which}"
        lines.append(f"  goal: {goal.row} {wanted}: {sign}{found:.3g}, {verdict}")
    lines += [f"  peer: {peer}" for peer in table.peers]
    lines += [f"  note: {note}" for note in table.notes]
    return "\n".join(lines) + "\n"


def as_data(table: Table) -> dict[str, object]:
    """Return the table as a program reads it; seconds an operation, whatever the unit shown."""
    return {
        "title": table.title,
        "unit": table.unit,
        "rows": [
            {
                "row": row,
                "median_seconds": percentile(samples, 50),
                "p10_seconds": percentile(samples, 10),
                "p99_seconds": percentile(samples, 99),
                "samples": len(samples),
            }
            for row, samples in table.taken.items()
        ],
        "goals": [
            {
                "row": goal.row,
                "of": list(goal.bases),
                "percentile": goal.percentile,
                "at_most": goal.at_most,
                "reached": reached(table, goal),
                "met": reached(table, goal) <= goal.at_most,
            }
            for goal in table.goals
        ],
        "peers": list(table.peers),
        "notes": list(table.notes),
    }


def run(
    name: str, tables: Iterator[Table], *, folder: Path, rounds: int | None = None
) -> list[Table]:
    """Measure an area, print it table by table, and write `folder/NAME.json`.

    However it ends, the area tears down what it has set up.
    """
    done: list[Table] = []
    load = os.getloadavg()[0]
    print(f"{name}: load {load:.1f} on {os.cpu_count()} cores\n")
    with ExitStack() as stack:
        if isinstance(tables, Generator):
            stack.callback(tables.close)
        for table in tables:
            measure(table, rounds=rounds)
            print(as_text(name, table), flush=True)
            done.append(table)
    content = {
        "area": name,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load": load,
        "tables": [as_data(table) for table in done],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return done
