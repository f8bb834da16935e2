"""A journal that lasts as long as the process: for backtests and in-process simulation.

A real small `Journal`, not a mock: the same numbering, the same order, no disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters import journal_schema as schema
from ibkr_trader.core.events import CheckpointEvent
from ibkr_trader.execution.ports import JournalState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.events import BaseEvent


class MemoryJournal:
    """Keeps messages in a list."""

    def __init__(self, install: str = "memo") -> None:
        self._install = install
        self._messages: list[Command | BaseEvent] = []
        self._last_group = 0
        self._last_order_id = 0

    @property
    def state(self) -> JournalState:
        """What is known of ids, as of now."""
        return JournalState(
            install=self._install,
            last_group=self._last_group,
            last_order_id=self._last_order_id,
            last_record=len(self._messages),
            session=1,
        )

    def append(self, messages: Sequence[Command | BaseEvent]) -> int:
        """Keep `messages` and return the last one's number."""
        for message in messages:
            ids = schema.ids_of(message, self._install)
            self.observe(group=ids.group_number, order_id=ids.broker_order_id)
        self._messages.extend(messages)
        return len(self._messages)

    def messages(self, *, since: int = 0) -> Iterator[tuple[int, Command | BaseEvent]]:
        """Yield what was kept after number `since`, oldest first."""
        yield from enumerate(self._messages[since:], start=since + 1)

    def resume(self) -> Iterator[Command | BaseEvent]:
        """Yield what a restart needs, as a journal on disk does: see the `Journal` port."""
        marks = [n for n, one in enumerate(self._messages) if isinstance(one, CheckpointEvent)]
        start = marks[-1] if marks else 0
        checkpoint = self._messages[start] if marks else None
        live = checkpoint.live if isinstance(checkpoint, CheckpointEvent) else ()
        for message in self._messages[:start]:
            if schema.ids_of(message, self._install).order_id in live:
                yield message
        yield from self._messages[start:]

    def observe(self, *, group: int = 0, order_id: int = 0) -> None:
        """Take note of numbers seen at the broker."""
        self._last_group = max(self._last_group, group)
        self._last_order_id = max(self._last_order_id, order_id)

    def next_group(self) -> int:
        """Return a group number that was never used, and count it as used."""
        self._last_group += 1
        return self._last_group
