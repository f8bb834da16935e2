"""`audit replay`: what was held and what worked at a moment, as the journal knew it then.

The same fold as a desk's own, over the same events, from a journal or from an exported archive. The
moment is the machine's, when a record was written, as `audit tail` shows it; what was written after
the first later one does not count, though a clock that was set back may say so.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from ibkr_trader.adapters import journal_schema as schema
from ibkr_trader.adapters.journal_rotation import records
from ibkr_trader.cli.auditing import named
from ibkr_trader.cli.bundle_check import bundled_records, is_bundle
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.order_view import order_document, orders_table
from ibkr_trader.cli.output import Reply, Table
from ibkr_trader.cli.position_view import positions_table
from ibkr_trader.cli.wording import when
from ibkr_trader.core.accounts import masked
from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.events import BaseEvent
from ibkr_trader.core.trading_day import NEW_YORK
from ibkr_trader.portfolio.state import PortfolioState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date, tzinfo

    from ibkr_trader.cli.face import Face

_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?")


class _Seen(NamedTuple):
    """The picture at a moment, the record that it ends with, and what it could not take."""

    state: PortfolioState
    last: schema.Record | None
    left_out: int


def replay(face: Face, source: str, *, to: str) -> Reply:
    """Reply with positions and open orders as they were known at a moment.

    Raises:
        UsageFault: If the moment cannot be understood, or the source is neither of both.
        JournalError: If the journal is damaged before that moment.
    """
    path = named(face.place(), source)
    read = _reader(path)
    until = _moment(to, read, utc=face.utc) if to else None
    seen = _fold(takewhile(lambda one: until is None or _at(one) <= until, read()))
    state = seen.state
    orders, held = list(state.orders.values()), list(state.positions.values())
    told = when(_at(seen.last), utc=face.utc) if seen.last is not None else "the beginning"
    number = seen.last.seq if seen.last is not None else 0
    blocks: list[str | Table] = [f"{path.name}  as known at {told}, record {number:,}"]
    blocks.append(positions_table(held, orders) if held else "No positions.")
    blocks.append(orders_table(orders, utc=face.utc) if orders else "No open orders.")
    if seen.left_out:
        blocks.append(
            f"{seen.left_out} records are about orders from before the first one here: left out."
        )
    data = {
        "source": str(path),
        "record": number,
        "at": _at(seen.last) if seen.last is not None else None,
        "positions": [
            {
                "account": masked(one.account),
                "symbol": ticker(one.contract),
                "quantity": one.quantity,
                "average_cost": one.average_cost,
            }
            for one in held
        ],
        "orders": [order_document(one) for one in orders],
        "left_out": seen.left_out,
    }
    return Reply(schema="replay/1", data=data, blocks=blocks)


def _reader(path: Path) -> Callable[[], Iterator[schema.Record]]:
    """Return what reads the source from its beginning, as often as it is asked."""
    if is_bundle(path):
        return lambda: bundled_records(path)
    return lambda: records(path)


def _fold(read: Iterable[schema.Record]) -> _Seen:
    state, last, left_out = PortfolioState(), None, 0
    for record in read:
        last = record
        if record.kind == schema.SESSION_KIND:
            continue
        message = schema.decode(record)
        try:
            state = state.apply(message) if isinstance(message, BaseEvent) else state
        except InvariantBroken:
            left_out += 1
    return _Seen(state, last, left_out)


def _at(record: schema.Record) -> datetime:
    return datetime.fromisoformat(record.wall_utc)


def _moment(text: str, read: Callable[[], Iterator[schema.Record]], *, utc: bool) -> datetime:
    """The moment that was typed: a time of the last record's day, or a date with a time."""
    zone = UTC if utc else ZoneInfo(NEW_YORK)
    try:
        if _CLOCK.fullmatch(text):
            return datetime.combine(_last_day(read, zone), time.fromisoformat(text), tzinfo=zone)
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"--to {text!r} is neither a time such as 09:31:02 nor 2026-11-20T09:31:02"
        raise UsageFault(message, option="--to", typed=text, better="09:31:02") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def _last_day(read: Callable[[], Iterator[schema.Record]], zone: tzinfo) -> date:
    at = max(map(_at, read()), default=datetime.max.replace(tzinfo=UTC))
    return at.astimezone(zone).date()
