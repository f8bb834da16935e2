"""What a running trader keeps for its screens, from its start on: news, worth, decisions.

It stands beside the order path, so hearing an event costs next to nothing: an event that is
worth a line is laid aside with the order as it was then, and is put into words when a screen
asks. Without a screen nobody pays for words, and what nobody will read is forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ibkr_trader.cli.decisions import HEARD, Decisions
from ibkr_trader.cli.event_words import EventWords
from ibkr_trader.cli.lights import LinkWatch
from ibkr_trader.cli.origins import Origins
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.text import SENTENCES, plain
from ibkr_trader.dashboard.scene import MOST_LINES, FeedKind, FeedLine
from ibkr_trader.portfolio.alarms import heard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from decimal import Decimal

    from ibkr_trader.core.models import Order
    from ibkr_trader.dashboard.scene import Decision
    from ibkr_trader.execution.trader import Trader

logger = logging.getLogger(__name__)
MOST_POINTS = 240  # of the account's worth
STEP = 5.0  # seconds between two of them, at the least
# What is worth a line, and how a screen shows it.
_KINDS: dict[type[ev.BaseEvent], FeedKind] = {
    ev.FillEvent: FeedKind.FILL,
    ev.NewOrderEvent: FeedKind.CHANGE,
    ev.AdoptEvent: FeedKind.CHANGE,
    ev.ModifyEvent: FeedKind.CHANGE,
    ev.CancelEvent: FeedKind.CHANGE,
    ev.ExpireEvent: FeedKind.CHANGE,
    ev.HoldEvent: FeedKind.CHANGE,
    ev.DenyEvent: FeedKind.REFUSAL,
    ev.RejectEvent: FeedKind.REFUSAL,
    ev.ModifyRejectEvent: FeedKind.REFUSAL,
    ev.CancelRejectEvent: FeedKind.REFUSAL,
    ev.NotSentEvent: FeedKind.REFUSAL,
    ev.OperatorEvent: FeedKind.KEY,
    ev.UnknownEvent: FeedKind.ALERT,
    ev.DisconnectEvent: FeedKind.ALERT,
    ev.DriftEvent: FeedKind.ALERT,
    ev.StateEvent: FeedKind.ALERT,
    ev.LossEvent: FeedKind.ALERT,
    ev.ConnectEvent: FeedKind.NOTE,
    ev.SyncEvent: FeedKind.NOTE,
    ev.ErrorEvent: FeedKind.NOTE,
    ev.ArmEvent: FeedKind.NOTE,
    ev.GroupEvent: FeedKind.NOTE,
    ev.TrailEvent: FeedKind.CHANGE,
    ev.CoverEvent: FeedKind.NOTE,
    ev.CloseRequestEvent: FeedKind.NOTE,
    ev.CloseEndEvent: FeedKind.NOTE,
    ev.PositionOpenEvent: FeedKind.NOTE,
    ev.PositionUpdateEvent: FeedKind.NOTE,
    ev.PositionCloseEvent: FeedKind.NOTE,
    ev.PredictionSignalEvent: FeedKind.NOTE,
    ev.FlowThresholdEvent: FeedKind.NOTE,
    ev.SignalRefusedEvent: FeedKind.REFUSAL,
    ev.SignalEndEvent: FeedKind.NOTE,
    ev.DecisionEvent: FeedKind.NOTE,
    ev.DecisionEndEvent: FeedKind.REFUSAL,
    ev.WouldFillEvent: FeedKind.NOTE,
    ev.FaultEvent: FeedKind.ALERT,
    ev.StageEvent: FeedKind.NOTE,
    ev.NoticeEvent: FeedKind.NOTE,
}


class Board:
    """What one trader keeps for those who watch it.

    Attributes:
        events: How many it has heard of.
        links: How the lines to the gateway and to IBKR stand.
        origins: Who placed the live orders.
    """

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self.events = 0
        self.links = LinkWatch()
        self.origins = Origins(trader)
        self._flags: list[asyncio.Event] = []
        self._words = EventWords(utc=False)
        self._unsaid: deque[tuple[ev.BaseEvent, Order | None]] = deque(maxlen=MOST_LINES)
        self._lines: deque[FeedLine] = deque(maxlen=MOST_LINES)
        self._number = 0
        self._decisions = Decisions()
        self._worth: deque[Decimal] = deque(maxlen=MOST_POINTS)
        self._worth_at = 0.0
        if (values := trader.portfolio.values) is not None:
            self._weigh(values.net_liquidation)
        trader.bus.subscribe(ev.BaseEvent, self._hear)

    @property
    def equity(self) -> tuple[Decimal, ...]:
        """What the account was worth lately, by the broker's word, oldest first."""
        return tuple(self._worth)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What rules and limits led to lately, oldest first."""
        return self._decisions.rows

    def lines(self, *, since: int = 0) -> tuple[FeedLine, ...]:
        """Return the lines after number `since` that are still kept, oldest first."""
        self._settle()
        if self._number <= since:
            return ()
        return tuple(line for line in self._lines if line.number > since)

    def printed(self, text: str) -> None:
        """Take a line that the program has printed, as a strategy may: nobody else shows it."""
        self._settle()
        self._tell(self._trader.clock.now(), FeedKind.NOTE, f"printed by the program: {text}")
        for flag in self._flags:
            flag.set()

    @property
    def watchers(self) -> int:
        """How many screens there are."""
        return len(self._flags)

    @contextmanager
    def watched(self) -> Iterator[asyncio.Event]:
        """Return a flag that is set by every event, until whoever watches it clears it."""
        flag = asyncio.Event()
        self._flags.append(flag)
        try:
            yield flag
        finally:
            self._flags.remove(flag)

    def _hear(self, event: ev.BaseEvent) -> None:
        """Take note of an event; whatever goes wrong with that is no reason to stop a trader."""
        try:
            self._keep(event)
        except Exception:
            logger.exception("an event could not be kept for the screens")

    def _keep(self, event: ev.BaseEvent) -> None:
        self.events += 1
        for flag in self._flags:
            flag.set()
        if type(event) in _KINDS:
            order = None
            if isinstance(event, ev.OrderEvent):
                order = self._trader.portfolio.order(event.order_id)
            if len(self._unsaid) == MOST_LINES:
                self._number += 1  # nobody has asked for so long: the oldest is never said
            self._unsaid.append((event, order))
        if type(event) in _NOTED:
            self._note(event)
        elif type(event) in HEARD:
            self._decisions.hear(event)

    def _note(self, event: ev.BaseEvent) -> None:
        """Take note of what is more than a line."""
        match event:
            case ev.AccountEvent(values=values):
                self._weigh(values.net_liquidation)
            case ev.NewOrderEvent():
                self.origins.hear(event)
            case ev.DisconnectEvent() | ev.ErrorEvent():
                self.links.hear(event)
            case _:
                pass

    def _weigh(self, worth: Decimal | None) -> None:
        """Keep what the account is worth; within a step the newest word counts."""
        if worth is None or (self._worth and self._worth[-1] == worth):
            return
        now = self._trader.clock.monotonic()
        if self._worth and now - self._worth_at < STEP:
            self._worth[-1] = worth
            return
        self._worth.append(worth)
        self._worth_at = now

    def _settle(self) -> None:
        """Put into words what was laid aside; a line that cannot be made stops nobody."""
        while self._unsaid:
            event, order = self._unsaid.popleft()
            try:
                text = self._words.news(event, order)
            except Exception:
                logger.exception("an event could not be told")
                continue
            if text is not None:
                self._tell(event.at, _kind_of(event), text)

    def _tell(self, at: datetime, kind: FeedKind, text: str) -> None:
        self._number += 1
        text = plain(text, limit=SENTENCES)
        self._lines.append(FeedLine(number=self._number, at=at, kind=kind, text=text))


_NOTED = frozenset({ev.AccountEvent, ev.NewOrderEvent, ev.DisconnectEvent, ev.ErrorEvent})


def _kind_of(event: ev.BaseEvent) -> FeedKind:
    """How a screen shows an event: what people must hear of, or leaves something bare, is an alert.

    What that is, the alarms say.
    """
    kind = _KINDS[type(event)]
    if isinstance(event, ev.DecisionEndEvent) and event.outcome is Outcome.NOTHING:
        return FeedKind.NOTE  # nobody has refused it
    if isinstance(event, ev.DisconnectEvent) and event.until is not None:
        return FeedKind.NOTE  # it was to be lost: the gateway restarts
    if isinstance(event, ev.CoverEvent):
        return kind if event.is_well else FeedKind.ALERT
    trouble = heard(event)
    return kind if trouble is None or trouble.is_over else FeedKind.ALERT
