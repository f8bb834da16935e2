"""What a restart reads: from the last checkpoint on, and before it the records of what is live.

Those are found by an index. It stands outside the chain, and a damaged page of it forgets records
in silence; so the session header before each checkpoint says how many there are, and which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters import journal_schema as schema
from ibkr_trader.adapters.journal_schema import Record, SessionHeader, damaged, fetch
from ibkr_trader.core.events import BaseEvent, CheckpointEvent

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ibkr_trader.core.commands import Command

_LAST_CHECKPOINT = """SELECT seq FROM records
    WHERE kind = 'CheckpointEvent' ORDER BY seq DESC LIMIT 1"""
_OF_ORDER = "SELECT * FROM records WHERE order_id = ? AND order_id <> '' AND seq < ? ORDER BY seq"


def resume(connection: sqlite3.Connection, path: Path) -> Iterator[Record]:
    """Yield what a restart needs; see the `Journal` port. Memory is bounded by the live orders.

    Of a journal of several files only the newest is read: it carries what is needed of the rest.

    Raises:
        JournalError: At the first record that is damaged or missing.
    """
    newest = fetch(connection, path, _LAST_CHECKPOINT)
    if not newest:
        yield from schema.carried(connection, path)
        yield from schema.stream(connection, path)
        return
    start = int(newest[0][0])
    found = next(schema.stream(connection, path, since=start - 1), None)
    checkpoint = schema.decode(found) if found is not None else None
    if not isinstance(checkpoint, CheckpointEvent):
        raise damaged(path, f"its index names record {start} as a checkpoint, and it is none")
    earlier = _of_live(connection, path, checkpoint.live, before=start)
    known = {record.order_id for record in earlier}
    if not known.issuperset(checkpoint.live):  # never written, for want of space; or lost
        schema.check_index(connection, path)
    for record in earlier:
        if record.hash != record.true_hash:
            raise damaged(path, f"record {record.seq} was changed")
    _compare(connection, path, earlier, before=start)
    yield from earlier
    yield from schema.stream(connection, path, since=start - 1)


def noted(
    header: SessionHeader,
    messages: Sequence[Command | BaseEvent],
    *,
    at: tuple[sqlite3.Connection, Path],
    before: int,
) -> SessionHeader:
    """Return `header` with the word of what a start needs from before record `before`.

    Args:
        header: The one that is written before `messages`.
        messages: They begin with a checkpoint, or else nothing is noted.
        at: The file that they are written to.
        before: The number that the header will have.

    Raises:
        JournalError: If the file is damaged.
    """
    first = messages[0]
    if not isinstance(first, CheckpointEvent):
        return header
    earlier = _of_live(*at, first.live, before=before)
    return msgspec.structs.replace(header, live=len(earlier), live_digest=schema.digest(earlier))


def _of_live(
    connection: sqlite3.Connection, path: Path, live: Iterable[str], *, before: int
) -> list[Record]:
    """Every record of the orders and groups in `live`, oldest first, as the index finds them."""
    wanted = frozenset(live)
    found = [one for one in schema.carried(connection, path) if one.order_id in wanted]
    for order_id in wanted:
        rows = fetch(connection, path, _OF_ORDER, order_id, before)
        found.extend(Record(*row) for row in rows)
    return sorted(found)


def _compare(
    connection: sqlite3.Connection, path: Path, earlier: Sequence[Record], *, before: int
) -> None:
    """Hold what the index has found against the header before the checkpoint, if that says it."""
    base = schema.base_of(connection, path)
    if before - 2 < base.seq:
        return
    said = next(schema.stream(connection, path, since=before - 2))  # the chain has it
    if said.kind != schema.SESSION_KIND:
        return
    header = schema.read_header(said)
    if header.live is not None and (len(earlier), schema.digest(earlier)) != (
        header.live,
        header.live_digest,
    ):
        missing = f"{header.live} records of live orders were written, and it finds {len(earlier)}"
        raise damaged(path, f"its index is not as it was: {missing}")
