"""What groups have asked for and the router has not taken yet.

A change that waits is superseded by a newer one of the same order: only the newest counts,
and a market that moves fast must not fill the line. Nothing that takes back or places an
order is ever dropped; a cancel makes a waiting change of its order needless.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder

if TYPE_CHECKING:
    from ibkr_trader.core.models import GroupId

_TERMS = ("quantity", "limit_price", "stop_price", "trail_amount", "trail_percent")


class CommandQueue:
    """First in, first out, with at most one change of an order in it."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[GroupId, Command]] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits; what was taken last may still be under way."""
        return not self._waiting

    def put(self, group_id: GroupId, command: Command) -> None:
        """Let `command` of a group wait its turn, or take that of the change it supersedes."""
        self._idle.clear()
        self._wake.set()
        if isinstance(command, ModifyOrder):
            for at, (_, waiting) in enumerate(self._waiting):
                if isinstance(waiting, ModifyOrder) and waiting.order_id == command.order_id:
                    self._waiting[at] = group_id, _merged(waiting, command)
                    return
        elif isinstance(command, CancelOrder):
            kept = [one for one in self._waiting if not _is_change_of(one[1], command)]
            self._waiting = deque(kept)
        self._waiting.append((group_id, command))

    async def get(self) -> tuple[GroupId, Command]:
        """Wait for the next command and take it; `done()` must follow."""
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()

    def done(self) -> None:
        """Say that the command taken last is dealt with."""
        if not self._waiting:
            self._idle.set()

    async def join(self) -> None:
        """Wait until everything is dealt with."""
        await self._idle.wait()


def _merged(old: ModifyOrder, new: ModifyOrder) -> ModifyOrder:
    """The newer terms, and those of the older that the newer leaves as they are."""
    kept = {name: getattr(old, name) for name in _TERMS if getattr(new, name) is None}
    is_cosmetic = old.is_cosmetic and new.is_cosmetic
    return msgspec.structs.replace(new, is_cosmetic=is_cosmetic, **kept)


def _is_change_of(command: Command, cancel: CancelOrder) -> bool:
    return isinstance(command, ModifyOrder) and command.order_id == cancel.order_id
