"""How far each strategy may go, and which versions it had before: a fold over what was told.

The text of each version is in the journal, so a strategy can be brought back though its file has
been edited since.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.enums import Stage
from ibkr_trader.core.events import CheckpointEvent, StageEvent

if TYPE_CHECKING:
    from ibkr_trader.core.events import BaseEvent

MOST_BEFORE = 5  # versions of a strategy that can be brought back


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """The last word on each strategy.

    Attributes:
        live: What trades, or traded when its trader ended, by name.
        before: What traded before that, the newest last.
        shadow: What only writes down what it would do.
    """

    live: Mapping[str, StageEvent] = MappingProxyType({})
    before: Mapping[str, tuple[StageEvent, ...]] = MappingProxyType({})
    shadow: Mapping[str, StageEvent] = MappingProxyType({})

    def after(self, event: BaseEvent) -> Stages:
        """Return the stages after `event`; the same object if it says nothing of them."""
        if isinstance(event, CheckpointEvent):
            stages = Stages()
            for one in event.stages:
                stages = stages.after(one)
            return stages
        if not isinstance(event, StageEvent):
            return self
        if event.stage is Stage.LIVE:
            return self._with_live(event)
        if event.stage is Stage.SHADOW:
            return msgspec.structs.replace(self, shadow={**self.shadow, event.strategy: event})
        was = self.live.get(event.strategy)
        if was is not None and was.version == event.version:
            return self._without_live(was)
        gone = (event.strategy, event.version)
        rest = {name: one for name, one in self.shadow.items() if (name, one.version) != gone}
        return msgspec.structs.replace(self, shadow=rest)

    @property
    def kept(self) -> tuple[StageEvent, ...]:
        """What a checkpoint keeps: told again in this order, it comes to the same."""
        earlier = (one for versions in self.before.values() for one in versions)
        retired = (
            msgspec.structs.replace(versions[-1], stage=Stage.RETIRED)
            for name, versions in self.before.items()
            if versions and name not in self.live
        )
        return (*earlier, *retired, *self.live.values(), *self.shadow.values())

    def earlier(self, name: str) -> StageEvent | None:
        """Return the version that traded before the one that does now; None if there was none."""
        return next(iter(self.before.get(name, ())[-1:]), None)

    def unlike(self, name: str, version: str) -> StageEvent | None:
        """Return what traded when its trader ended, if it was another version than this one."""
        was = self.live.get(name)
        return was if was is not None and was.version != version else None

    def _without_live(self, was: StageEvent) -> Stages:
        """A later start did not name it: it trades no more, and can be brought back."""
        versions = (*self.before.get(was.strategy, ()), was)
        return Stages(
            live={name: one for name, one in self.live.items() if one is not was},
            before={**self.before, was.strategy: versions[-MOST_BEFORE:]},
            shadow=self.shadow,
        )

    def _with_live(self, event: StageEvent) -> Stages:
        name, was = event.strategy, self.live.get(event.strategy)
        versions = [one for one in self.before.get(name, ()) if one.version != event.version]
        if was is not None and was.version != event.version:
            versions = [one for one in versions if one.version != was.version]
            versions.append(was)
        shadow = {
            key: one
            for key, one in self.shadow.items()
            if key != name or one.version != event.version
        }
        return Stages(
            live={**self.live, name: event},
            before={**self.before, name: tuple(versions[-MOST_BEFORE:])},
            shadow=shadow,
        )
