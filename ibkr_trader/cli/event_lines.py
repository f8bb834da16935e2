"""What a running trader says: one line for each thing that happens, for people or for scripts.

It is written by a thread of its own, from a queue with a limit: a reader that stands still
must not stop the trader. What does not fit is left out, and said so.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.secret_text import without_secrets
from ibkr_trader.cli import output
from ibkr_trader.cli.event_words import EventWords
from ibkr_trader.cli.wording import when
from ibkr_trader.core import events as ev
from ibkr_trader.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.execution.ports import Clock
    from ibkr_trader.portfolio.state import PortfolioState

logger = logging.getLogger(__name__)
MOST_WAITING = 1_000  # lines
_FAREWELL = 0.5  # seconds to write what still waits
SCHEMA = "event/1"


class LineWriter:
    """Writes lines to standard output without ever making anybody wait."""

    def __init__(self) -> None:
        self._lines: queue.Queue[str | threading.Event | None] = queue.Queue(maxsize=MOST_WAITING)
        self._left_out = 0
        self._thread = threading.Thread(target=self._write, name="event-lines", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Have `line` written, or left out if too many wait."""
        if self._left_out:
            notice = f"… {self._left_out} lines left out: nobody read them"
            try:
                self._lines.put_nowait(notice)
            except queue.Full:
                self._left_out += 1
                return
            self._left_out = 0
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._left_out += 1

    def settle(self) -> None:
        """Wait until what was put is written, for a moment."""
        written = threading.Event()
        try:
            self._lines.put_nowait(written)
        except queue.Full:
            return
        written.wait(_FAREWELL)

    def close(self) -> None:
        """Write what waits, for a moment."""
        try:
            self._lines.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(_FAREWELL)

    def _write(self) -> None:
        try:
            descriptor = sys.stdout.fileno()
        except (OSError, ValueError):
            descriptor = -1  # a stream of a test, or none
        while (line := self._lines.get()) is not None:
            if isinstance(line, threading.Event):
                line.set()
                continue
            try:
                if descriptor < 0:
                    sys.stdout.write(line + "\n")
                else:
                    _write_all(descriptor, (line + "\n").encode(errors="replace"))
            except (OSError, ValueError):
                return  # the reader has gone: the log has it all, and the trader goes on


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


class EventLines:
    """Says what happens on the bus.

    While it `is_silent` only the log is told: a screen has the terminal.
    """

    is_silent = False

    def __init__(
        self, *, clock: Clock, portfolio: Callable[[], PortfolioState], json: bool, utc: bool
    ) -> None:
        self._clock = clock
        self._portfolio = portfolio
        self._json, self._utc = json, utc
        self._words = EventWords(utc=utc)
        self._writer = LineWriter()

    def attach(self, bus: EventBus) -> None:
        """Listen to everything but prices; a line that cannot be made is no reason to stop."""
        bus.subscribe(ev.BaseEvent, self.hear)

    def say(self, kind: str, text: str, **more: Any) -> None:
        """Say something of the trader itself."""
        self._put(kind, text, at=self._clock.now(), more=more)

    def settle(self) -> None:
        """Wait for a moment until all is written: from then on somebody else has the terminal."""
        self._writer.settle()

    def close(self) -> None:
        """Write what waits, and stop."""
        self._writer.close()

    def hear(self, event: ev.BaseEvent) -> None:
        """Say what happened, if it is worth a line."""
        if isinstance(event, ev.MarketEvent):
            return
        try:
            order = None
            if isinstance(event, ev.OrderEvent):
                order = self._portfolio().order(event.order_id)
            text = self._words.news(event, order)
            if text is not None:
                self._put(type(event).__name__, text, at=event.at, more=_more(event))
        except Exception:
            logger.exception("an event could not be told")

    def _put(self, kind: str, text: str, *, at: datetime, more: dict[str, Any]) -> None:
        logger.info("%s: %s", kind, text)
        if self.is_silent:
            return
        if self._json:
            document = {"at": at, "event": kind, "text": text, **more}
            self._writer.put(output.document(SCHEMA, document))
        else:
            shown = plain(without_secrets(text), limit=2_000)
            self._writer.put(f"{when(at, utc=self._utc)}  {shown}")


def _more(event: ev.BaseEvent) -> dict[str, Any]:
    """The fields of an event for scripts, without those that are told already."""
    fields = msgspec.structs.asdict(event)
    if isinstance(event, ev.PositionEvent):
        fields["unrealized_pnl"] = event.position.unrealized_pnl
    return {name: value for name, value in fields.items() if name not in {"at", "text"}}
