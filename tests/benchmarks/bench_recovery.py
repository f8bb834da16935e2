"""What a start, and what looks back, take with a journal of 100,000 records."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.journal_audit import audit
from ibkr_trader.adapters.journal_file import files
from ibkr_trader.cli.past_orders import beginning
from ibkr_trader.core.events import (
    AcceptEvent,
    BaseEvent,
    CancelEvent,
    CheckpointEvent,
    NewOrderEvent,
)
from ibkr_trader.portfolio.state import fold
from tests.adapters.journal_parts import NOW, note, order
from tests.benchmarks.harness import Goal, Table, timed

RECORDS = 100_000
EACH = 1_000  # records between two checkpoints, as a running trader marks them
LIVE = 50
PARTS = 5


def written(path: Path, *, parts: int = 1) -> Path:
    """Write a journal of so many records: orders, the broker's words, and 50 that live on."""
    with SqliteJournal(path, clock=ManualClock(NOW)) as journal:
        install = journal.state.install
        live = tuple(order(install, number, number).order_id for number in range(1, LIVE + 1))
        number, done = 0, 0
        while done < RECORDS:
            batch: list[BaseEvent] = []
            while len(batch) < EACH - 1:
                number += 1
                spec = order(install, number, number)
                at = NOW - timedelta(seconds=(RECORDS - done - len(batch)) * 10)
                batch += [
                    NewOrderEvent(at=at, order_id=spec.order_id, spec=spec),
                    AcceptEvent(at=at, order_id=spec.order_id, spec=spec, perm_id=number),
                    msgspec.structs.replace(note("x" * 80), at=at)
                    if number <= LIVE
                    else CancelEvent(at=at, order_id=spec.order_id),
                ]
            done += len(batch) + 1
            journal.append(batch)
            is_end = parts > 1 and done * parts // RECORDS != (done - EACH) * parts // RECORDS
            journal.segment_bytes = 0 if is_end and done < RECORDS else None
            journal.append([CheckpointEvent(at=NOW, live=live)])
    return path


def start(path: Path) -> int:
    """Open a journal as a trader does, and fold what it gives."""
    with SqliteJournal(path, clock=ManualClock(NOW)) as journal:
        messages = list(journal.resume())
    fold(one for one in messages if isinstance(one, BaseEvent))
    return len(messages)


def look_back(path: Path) -> int:
    """Find where the last three hours begin, and read on from there."""
    with SqliteJournal(path, clock=ManualClock(NOW), read_only=True) as journal:
        since = beginning(journal, NOW - timedelta(hours=3))
        return sum(1 for _ in journal.messages(since=since))


def read_all(path: Path) -> int:
    """Read every message, as `report` does."""
    with SqliteJournal(path, clock=ManualClock(NOW), read_only=True) as journal:
        return sum(1 for _ in journal.messages())


def peak(work: Callable[[], object]) -> str:
    """Return the most memory that Python had allocated meanwhile."""
    tracemalloc.start()
    try:
        work()
        return f"{tracemalloc.get_traced_memory()[1] / 1e6:.1f} MB"
    finally:
        tracemalloc.stop()


def tables() -> Iterator[Table]:
    """Measure starts from two journals of one length, and what reads all of one."""
    with tempfile.TemporaryDirectory() as folder:
        marked = written(Path(folder) / "marked" / "journal.db")
        parts = written(Path(folder) / "parts" / "journal.db", parts=PARTS)
        sizes = ", ".join(f"{one.stat().st_size / 1e6:.0f}" for one in files(parts))
        several = f"start, {len(files(parts))} files"
        whole = f"{marked.stat().st_size / 1e6:.0f} MB in one file, {sizes} MB in several"
        yield Table(
            title=f"a journal of {RECORDS:,} records, {LIVE} of its first orders still live",
            unit="ms",
            rows={
                "start": timed(lambda: start(marked)),
                several: timed(lambda: start(parts)),
                "orders --all": timed(lambda: look_back(marked)),
                "report": timed(lambda: read_all(marked)),
                "audit verify": timed(lambda: audit(marked)),
            },
            goals=(
                Goal(row="start", at_most=3_000),
                Goal(row=several, at_most=2, of="start"),
            ),
            notes=(whole, f"a start had at most {peak(lambda: start(marked))} allocated"),
            rounds=5,
            warm_up=0,
        )
