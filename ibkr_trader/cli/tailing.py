"""`audit tail`: the journal's last records in words, and those that follow.

Records are read beside their writer. Times are when they were written, by the machine's clock.
"""

from __future__ import annotations

import select
import sys
import threading
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ibkr_trader.adapters import journal_schema as schema
from ibkr_trader.adapters.journal_file import beside, newest
from ibkr_trader.adapters.journal_rotation import last_record, records
from ibkr_trader.cli import output
from ibkr_trader.cli.auditing import named
from ibkr_trader.cli.event_words import EventWords
from ibkr_trader.cli.exits import Exit, Verdict
from ibkr_trader.cli.record_words import naming, words_of
from ibkr_trader.cli.wording import when
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import SENTENCES, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ibkr_trader.cli.face import Face

LOOK = 0.25  # seconds between two looks at whether anything was written
_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL
SCHEMA = "record/1"


class Wish(NamedTuple):
    """What was typed: how many, of what order, of which journal, and whether to go on."""

    most: int
    order: str = ""
    journal: str = ""
    follows: bool = False


def tail(face: Face, wish: Wish, *, wait: Callable[[], bool] | None = None) -> None:
    """Print the last records, and go on with each that is written if that is wished.

    Args:
        face: Where it is typed.
        wish: What was typed.
        wait: Waits a moment and says whether anybody still listens.

    Raises:
        JournalError: If there is no journal, or at a record that is damaged.
        BrokenPipeError: If nobody reads any more.
        Verdict: If what it is written to takes no more, as a full disk behind `>`.
    """
    path = named(face.place(), wish.journal)
    words = EventWords(utc=face.utc)
    done = last = last_record(path)
    since = 0 if wish.order else max(0, last - wish.most)
    kept = deque(_wanted(path, since, wish.order), maxlen=wish.most)
    for record in kept:
        _show(face, record, words)
        done = max(done, record.seq)
    if not kept and wish.order:
        text = f"none of {last} records is about {plain(wish.order)}"
        output.note(f"{text}; ibkr-trader orders --all")
    wait = wait or _listener()
    before: tuple[int, ...] = ()
    while wish.follows and wait():
        now = _touched(path)
        if now == before:
            continue
        before = now
        for record in records(path, since=done):
            done = record.seq
            if _is_about(record, wish.order):
                _show(face, record, words)


def _wanted(path: Path, since: int, order: str) -> Iterator[schema.Record]:
    return (one for one in records(path, since=since) if _is_about(one, order))


def _is_about(record: schema.Record, order: str) -> bool:
    """Whether a record is about an order: by its whole id, its short one, or its group's."""
    if not order:
        return True
    name = record.order_id
    return bool(name) and (
        order in (name, short_id(name))
        or name.startswith(f"{order}-")
        or short_id(name).startswith(f"{order}-")
    )


def _show(face: Face, record: schema.Record, words: EventWords) -> None:
    try:
        _print(face, record, words)
    except BrokenPipeError:
        raise
    except OSError as error:
        output.give_up(f"from record {record.seq} on nothing could be shown: {error.strerror}")
        raise Verdict(Exit.INCOMPLETE) from error


def _print(face: Face, record: schema.Record, words: EventWords) -> None:
    text = plain(_text(record, words), limit=SENTENCES)
    if face.json:
        sys.stdout.write(output.document(SCHEMA, _document(record, text)) + "\n")
        sys.stdout.flush()
        return
    at = when(datetime.fromisoformat(record.wall_utc), utc=face.utc)
    output.print_block(f"{record.seq}  {at}  {text}")


def _text(record: schema.Record, words: EventWords) -> str:
    if record.kind == schema.SESSION_KIND:
        header = schema.read_header(record)
        return (
            f"session {record.session} of {header.command or 'a program'} by {header.user or '?'}"
        )
    try:
        text = words_of(schema.decode(record), words)
    except JournalError as error:
        return error.message  # of a newer version: it is a record all the same
    return naming(record.order_id, text or record.kind)


def _document(record: schema.Record, text: str) -> dict[str, Any]:
    return {
        "seq": record.seq,
        "session": record.session,
        "at": record.wall_utc,
        "kind": record.kind,
        "order_id": record.order_id or None,
        "text": text,
        "payload": record.payload,
        "hash": record.hash.hex(),
    }


def _touched(path: Path) -> tuple[int, ...]:
    """When the journal's files were last written, as far as they are there."""
    last = newest(path)
    found = (last, beside(last, "-wal"), beside(path, "-head"))
    return tuple(one.stat().st_mtime_ns for one in found if one.exists())


def _listener() -> Callable[[], bool]:
    """Return what waits a moment, and notices at once when the reader of our output leaves."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        never = threading.Event()
        return lambda: not never.wait(LOOK)
    poll = select.poll()
    poll.register(descriptor, 0)
    return lambda: not any(events & _GONE for _, events in poll.poll(LOOK * 1000))
