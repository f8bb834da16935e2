"""What a report's tests write into a journal: two rules, a loser, and a hostile name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.core.enums import Side
from tests.orders.samples import AT
from tests.portfolio.way import (
    charged,
    decision,
    new,
    signal,
    stop,
    synced,
    took,
    traded,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.core.events import BaseEvent

EVIL = "<script>alert(1)</script>\u202e\x1b[31m\"'&"


def trip(number: int, sold: str, *, rule: str = "buy") -> tuple[BaseEvent, ...]:
    """Return ten bought at 100.30 for a signal at 100, and sold, with 2 paid."""
    start = 100 * number
    into = new(f"memo-{number}-entry", because=f"d{number}", at=start + 0.5)
    out = new(f"memo-{number}-close", because="", origin="eod", side=Side.SELL, at=start + 5)
    a, b = f"a{number}", f"b{number}"
    return (
        signal(at=start, issued=start - 2),
        decision(key=f"d{number}", rule=rule, at=start + 0.25),
        *(into, took(into, at=start + 0.512), traded(into, 10, "100.30", key=a, at=start + 0.75)),
        *(out, took(out, at=start + 5.1), traded(out, 10, sold, key=b, at=start + 5.2)),
        *(charged(a, at=start + 9), charged(b, at=start + 9)),
    )


def stopped(number: int) -> tuple[BaseEvent, ...]:
    """Return ten bought by hand at 100.30, and stopped at 94.80 for 95; its costs are unknown."""
    start = 100 * number
    into = new(f"memo-{number}-entry", because="", origin="cli", at=start)
    way = stop(at=start, because="", origin="cli", order_id=f"memo-{number}-stop")
    return (
        *(into, way, took(into, at=start + 0.02), took(way, at=start + 0.02)),
        traded(into, 10, "100.30", key=f"c{number}", at=start + 0.03),
        traded(way, 10, "94.80", key=f"d{number}", at=start + 50),
    )


DAY = (synced(), *trip(1, "102"), *trip(2, "100.40", rule="late"), *stopped(3))


def write(folder: Path, events: Iterable[BaseEvent] = DAY, profile: str = "sim") -> Path:
    """Write a journal as a trader would have, and return its path."""
    place = folder / profile
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    with SqliteJournal(place / "journal.db", clock=ManualClock(AT)) as journal:
        journal.append(list(events))
    return place / "journal.db"
