"""Write before you act: the one way a message gets onto the bus.

A message is durable before any subscriber sees it. Prices are the exception: they are
too many, prove nothing, and are asked again after a restart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import AccountEvent, BaseEvent, MarketEvent, PositionReportEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ibkr_trader.core.commands import Command
    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.execution.ports import Journal

# Restated by the broker whenever asked: worth telling, not worth keeping.
_PASSING = (MarketEvent, AccountEvent, PositionReportEvent)
_MOST_OWED = 10_000  # messages kept for a disk that stays full


class Record:
    """The journal and the bus, in that order.

    What happened while the disk refused is owed: it is written with the next record, before
    it, and until then `on_failure` keeps anything from being opened.
    """

    def __init__(
        self,
        journal: Journal,
        bus: EventBus,
        *,
        on_failure: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._journal = journal
        self._bus = bus
        self._on_failure = on_failure
        self._owed: list[Command | BaseEvent] = []
        self._stopwatch: Callable[[], float] | None = None
        self._took: Callable[[float], None] = lambda _: None

    @property
    def is_complete(self) -> bool:
        """Whether everything that was told is on disk."""
        return not self._owed

    def timed(self, now: Callable[[], float], tell: Callable[[float], None]) -> None:
        """Tell from now on how many seconds each record took; `tell` must not raise."""
        self._stopwatch, self._took = now, tell

    def write(self, messages: Sequence[Command | BaseEvent]) -> None:
        """Make `messages` durable together, then publish the events among them, in order.

        Raises:
            JournalError: If they could not be written. Then none was published.
        """
        lasting = [message for message in messages if not isinstance(message, _PASSING)]
        if lasting:
            self._append([*self._owed, *lasting])
            if self._owed:
                self._owed.clear()
                self._on_failure("")
        self._publish(messages)

    def witness(self, events: Sequence[BaseEvent]) -> None:
        """Publish what happened, even when the disk refuses it.

        A fill that cannot be written down has still happened, and what protects the
        position must hear of it.
        """
        self.attempt(events, is_vital=True)

    def attempt(self, messages: Sequence[Command | BaseEvent], *, is_vital: bool) -> None:
        """Write `messages`; if the disk refuses, go on only with what lowers risk.

        Raises:
            JournalError: If they could not be written and `is_vital` is false.
        """
        try:
            self.write(messages)
        except JournalError as error:
            if not is_vital:
                raise
            owed = [message for message in messages if not isinstance(message, _PASSING)]
            self._owed = [*self._owed, *owed][-_MOST_OWED:]
            self._on_failure(f"the journal cannot be written: {error.message}")
            self._publish(messages)

    def _append(self, messages: Sequence[Command | BaseEvent]) -> None:
        if self._stopwatch is None:
            self._journal.append(messages)
            return
        began = self._stopwatch()
        self._journal.append(messages)
        self._took(self._stopwatch() - began)

    def _publish(self, messages: Sequence[Command | BaseEvent]) -> None:
        for message in messages:
            if isinstance(message, BaseEvent):
                self._bus.publish(message)
