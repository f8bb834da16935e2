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

from ibkr_trader.cli import output
from ibkr_trader.cli.halts import by, how_to_resume
from ibkr_trader.cli.order_view import sentence
from ibkr_trader.cli.wording import broker_words, counted, when
from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import average, money, plain, price, quantity

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ibkr_trader.core.models import OrderId
    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.execution.ports import Clock
    from ibkr_trader.portfolio.state import PortfolioState

logger = logging.getLogger(__name__)
MOST_WAITING = 1_000  # lines
_MOST_KNOWN = 1_000  # orders
_FAREWELL = 0.5  # seconds to write what still waits
SCHEMA = "event/1"


class LineWriter:
    """Writes lines to standard output without ever making anybody wait."""

    def __init__(self) -> None:
        self._lines: queue.Queue[str | None] = queue.Queue(maxsize=MOST_WAITING)
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
    """Says what happens on the bus."""

    def __init__(
        self, *, clock: Clock, portfolio: Callable[[], PortfolioState], json: bool, utc: bool
    ) -> None:
        self._clock = clock
        self._portfolio = portfolio
        self._json, self._utc = json, utc
        self._writer = LineWriter()
        self._said: dict[str, str] = {}  # what was said last, of each order and of the rest

    def attach(self, bus: EventBus) -> None:
        """Listen to everything but prices; a line that cannot be made is no reason to stop."""
        bus.subscribe(ev.BaseEvent, self.hear)

    def say(self, kind: str, text: str, **more: Any) -> None:
        """Say something of the trader itself."""
        self._put(kind, text, at=self._clock.now(), more=more)

    def close(self) -> None:
        """Write what waits, and stop."""
        self._writer.close()

    def hear(self, event: ev.BaseEvent) -> None:
        """Say what happened, if it is worth a line."""
        if isinstance(event, ev.MarketEvent):
            return
        try:
            text = self._words(event)
            if text is not None and not self._is_repeat(event, text):
                self._put(type(event).__name__, text, at=event.at, more=_more(event))
        except Exception:
            logger.exception("an event could not be told")

    def _is_repeat(self, event: ev.BaseEvent, text: str) -> bool:
        """Whether it was the last thing said of this: the broker says some things twice.

        Two executions may well be alike, and come to us once each; and an alert that comes
        again is meant to be heard again.
        """
        subject = event.order_id if isinstance(event, ev.OrderEvent) else ""
        if len(self._said) > _MOST_KNOWN:
            self._said.clear()
        before, self._said[subject] = self._said.get(subject), text
        return before == text and not isinstance(event, ev.FillEvent | ev.CoverEvent)

    def _put(self, kind: str, text: str, *, at: datetime, more: dict[str, Any]) -> None:
        logger.info("%s: %s", kind, text)
        if self._json:
            document = {"at": at, "event": kind, "text": text, **more}
            self._writer.put(output.document(SCHEMA, document))
        else:
            self._writer.put(f"{when(at, utc=self._utc)}  {plain(text, limit=2_000)}")

    def _words(self, event: ev.BaseEvent) -> str | None:
        match event:
            case ev.OrderEvent():
                return self._of_an_order(event) or self._of_its_end(event)
            case ev.PositionEvent():
                return _position(event)
            case ev.CoverEvent(message=message, since=since) if since is not None:
                # The rules know no zone: what they write as UTC is shown as all other times.
                return message.replace(f"{since:%H:%M:%S} UTC", when(since, utc=self._utc))
            case ev.SystemEvent():
                return _system(event)
            case _:
                return None

    def _of_an_order(self, event: ev.OrderEvent) -> str | None:
        name = short_id(event.order_id)
        match event:
            case ev.NewOrderEvent(spec=spec):
                return f"sent {name} {sentence(spec)}"
            case ev.DenyEvent(breaches=breaches):
                return f"denied {name}: {'; '.join(one.message.rstrip('.') for one in breaches)}"
            case ev.FillEvent(fill=fill):
                what = f"{fill.side} {quantity(fill.quantity)} {label(fill.contract)}"
                return f"filled {name} {what} @ {price(fill.price)}"
            case ev.ModifyEvent(spec=spec):
                return f"changing {name} to {sentence(spec)}"
            case ev.ModifyRejectEvent(reason=reason):
                return f"the change of {name} was refused: {broker_words(reason)}"
            case ev.CancelRejectEvent(reason=reason):
                return f"the cancel of {name} was refused: {broker_words(reason)}"
            case _:
                return None

    def _of_its_end(self, event: ev.OrderEvent) -> str | None:
        named = self._named(event.order_id)
        match event:
            case ev.CancelEvent():
                return f"cancelled {named}"
            case ev.ExpireEvent():
                return f"expired {named}"
            case ev.RejectEvent(reason=reason):
                return f"rejected {named}: {broker_words(reason)}"
            case ev.HoldEvent(reason=reason):
                return f"held by the broker {named}: {broker_words(reason)}"
            case ev.UnknownEvent(reason=reason):
                return f"UNKNOWN {named}: {reason}. Never repeat it"
            case ev.NotSentEvent(reason=reason):
                return f"not sent {named}: {reason}"
            case _:
                return None

    def _named(self, order_id: OrderId) -> str:
        order = self._portfolio().order(order_id)
        words = f" {sentence(order.spec)}" if order is not None else ""
        return f"{short_id(order_id)}{words}"


def _position(event: ev.PositionEvent) -> str:
    held = event.position
    name = label(held.contract)
    if isinstance(event, ev.PositionCloseEvent):
        return f"flat in {name}; realised {money(event.realized_pnl, signed=True)}"
    return f"position {quantity(held.quantity, signed=True)} {name} at {average(held.average_cost)}"


def _system(event: ev.SystemEvent) -> str | None:
    match event:
        case ev.DisconnectEvent() | ev.ConnectEvent() | ev.SyncEvent():
            return _link(event)
        case ev.ErrorEvent(code=code, message=message):
            return f"{message} (code {code})" if code else message
        case ev.DriftEvent(subject=subject, ours=ours, theirs=theirs):
            return f"drift of {subject}: ours {ours}, the broker's {theirs}"
        case ev.StateEvent() | ev.ArmEvent():
            return _state(event)
        case ev.GroupEvent(group_id=group, message=message):
            return f"{short_id(group)}: {message}"
        case ev.CoverEvent(message=message) | ev.LossEvent(message=message):
            return message
        case ev.CloseRequestEvent() | ev.CloseEndEvent():
            return _closing(event)
        case _:
            return None


def _state(event: ev.StateEvent | ev.ArmEvent) -> str:
    if isinstance(event, ev.ArmEvent):
        return event.reason if event.until is not None else f"disarmed: {event.reason}"
    what = f"{event.symbol} is" if event.symbol else "trading state"
    who = by(event.origin)
    text = f"{what} {event.state}{f', {who}' if who else ''}: {event.reason}"
    if event.state is TradingState.ACTIVE:
        return text
    if event.flattens:
        text += "; what is held is closed"
    return f"{text}. It ends with: {how_to_resume(event.symbol)}"


def _closing(event: ev.CloseRequestEvent | ev.CloseEndEvent) -> str | None:
    name = short_id(event.group_id)
    if isinstance(event, ev.CloseEndEvent):
        return f"{name}: {event.message or 'closed'}"
    # It is told again once its stop is known: nothing new for people.
    return None if event.stop is not None else f"{name}: closing {label(event.contract)}"


def _link(event: ev.DisconnectEvent | ev.ConnectEvent | ev.SyncEvent) -> str:
    match event:
        case ev.DisconnectEvent(reason=reason):
            return f"gateway lost: {reason}. Stops at the broker stay; trying again"
        case ev.ConnectEvent():
            return "gateway connected; asking it for everything"
        case ev.SyncEvent(positions=positions):
            return f"in sync: {counted(len(positions), 'position')}"


def _more(event: ev.BaseEvent) -> dict[str, Any]:
    """The fields of an event for scripts, without those that are told already."""
    fields = msgspec.structs.asdict(event)
    if isinstance(event, ev.PositionEvent):
        fields["unrealized_pnl"] = event.position.unrealized_pnl
    return {name: value for name, value in fields.items() if name not in {"at", "text"}}
