"""What a group asks for and tells, remembered: asked again with patience, told once.

A rule looks at how things stand, so it wants the same thing as long as it is not done.
Asking for it on every event would flood the broker, and asking once might be lost. So what
was asked for is asked again only after `PATIENCE`, at most `TRIES` times: then a person has
to look. A cancel goes on `SLOWLY` for as long as it is wanted: it can only reduce what may
trade, asked twice it is asked once, and a person who lets TWS take orders again tells us nothing.
A link that is lost ends every wait: what was under way has either reached the broker, and is
stated on the next link, or is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import msgspec

from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.events import GroupEvent
from ibkr_trader.core.models import GroupId

S = TypeVar("S", bound=msgspec.Struct)

PATIENCE = timedelta(seconds=5)  # until something asked for is asked for again
TRIES = 3
SLOWLY = timedelta(minutes=1)  # between two cancels from then on, where they go on at all
_UNHEARD = "unheard "


class Want(NamedTuple):
    """Something to ask for; `key` tells it from other things."""

    key: str
    command: Command


class Word(NamedTuple):
    """Something to tell, once."""

    key: str
    message: str
    is_serious: bool = True


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, when last, and how many times so far."""

    command: SubmitOrders | ModifyOrder | CancelOrder
    at: datetime
    times: int


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What a group has asked for and what it has told."""

    asked: Mapping[str, Asked] = MappingProxyType({})
    said: frozenset[str] = frozenset()

    def after(
        self, wants: Iterable[Want], words: Iterable[Word], *, at: datetime, group_id: GroupId
    ) -> Outcome:
        """Return what of `wants` and `words` is due at `at`, and the memory of it."""
        wanted = {want.key: want.command for want in wants}
        due = {key: command for key, command in wanted.items() if self._is_due(key, at)}
        told = [word for word in (*words, *self._unheard(wanted, at)) if word.key not in self.said]
        if not due and not told:
            return Outcome(self)
        asked = {
            key: Asked(command=command, at=at, times=self._times(key) + 1)
            for key, command in due.items()
        }
        memory = Memory(asked={**self.asked, **asked}, said=self.said | {word.key for word in told})
        events = tuple(
            GroupEvent(at=at, group_id=group_id, message=word.message, is_serious=word.is_serious)
            for word in told
        )
        return Outcome(memory, tuple(due.values()), events)

    def without(self, command: Command) -> Memory:
        """Return the memory as if `command` had not been asked for: it never left."""
        asked = {key: one for key, one in self.asked.items() if one.command != command}
        return self if len(asked) == len(self.asked) else Memory(asked=asked, said=self.said)

    def is_unheard(self, beginning: str) -> bool:
        """Whether anything whose key begins so was asked for as often as it may be, in vain."""
        return any(key.startswith(f"{_UNHEARD}{beginning}") for key in self.said)

    def _is_due(self, key: str, at: datetime) -> bool:
        before = self.asked.get(key)
        if before is None:
            return True
        if before.times < TRIES:
            return at - before.at >= PATIENCE
        return isinstance(before.command, CancelOrder) and at - before.at >= SLOWLY

    def _times(self, key: str) -> int:
        before = self.asked.get(key)
        return 0 if before is None else before.times

    def _unheard(self, wanted: Mapping[str, Command], at: datetime) -> Iterable[Word]:
        for key in wanted:
            before = self.asked.get(key)
            if before is not None and before.times >= TRIES and at - before.at >= PATIENCE:
                yield Word(f"{_UNHEARD}{key}", f"asked {TRIES} times in vain: {key}; look at it")


def parted(group: S, memory: Memory) -> S:
    """Return the group with its memory of what was told alone: the link is lost.

    What was asked for is lost with it, or has arrived: how things stand on the next link says so,
    and the rest is due there at once.
    """
    if not memory.asked:
        return group
    return msgspec.structs.replace(group, memory=Memory(said=memory.said))


class Outcome(NamedTuple):
    """What is due now, and the memory that has it."""

    memory: Memory
    commands: tuple[Command, ...] = ()
    events: tuple[GroupEvent, ...] = ()
