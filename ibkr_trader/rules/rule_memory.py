"""When each rule acted last, and which decisions are open: a fold over the journal's events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core import events as ev

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.rules.rule import Rule

LONGEST_COOLDOWN = timedelta(days=7)  # what is older than that is let go


class Acted(NamedTuple):
    """Which rule acted, and in which symbol."""

    strategy: str
    rule: str
    ticker: str


class RuleMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What rules have decided.

    Attributes:
        last: The last decision of each rule in each symbol that is no shadow's.
        open: Decisions of which nobody has said what came of them, by id.
        faults: The rules that raised, and are not asked any more, with what they raised.
    """

    last: Mapping[Acted, ev.DecisionEvent] = MappingProxyType({})
    open: Mapping[str, ev.DecisionEvent] = MappingProxyType({})
    faults: Mapping[tuple[str, str], str] = MappingProxyType({})

    def rests_until(self, strategy: str, rule: Rule, ticker: str) -> datetime | None:
        """Return when the rule may act again in `ticker`; None if it never acted there."""
        acted = self.last.get(Acted(strategy, rule.name, ticker))
        return acted.at + rule.cooldown if acted is not None else None

    def after(self, event: BaseEvent) -> RuleMemory:
        """Return the memory after `event`; the same object if it is no news of a rule."""
        match event:
            case ev.DecisionEvent():
                return self._decided(event)
            case ev.DecisionEndEvent():
                rest = {key: one for key, one in self.open.items() if key != event.decision_id}
                return msgspec.structs.replace(self, open=rest)
            case ev.FaultEvent():
                faults = {**self.faults, (event.strategy, event.rule): event.message}
                return msgspec.structs.replace(self, faults=faults)
            case ev.StageEvent():  # it is loaded anew
                faults = {k: text for k, text in self.faults.items() if k[0] != event.strategy}
                return msgspec.structs.replace(self, faults=faults)
            case ev.CheckpointEvent():
                memory = RuleMemory()
                for one in event.decisions:
                    memory = memory.after(one)
                return msgspec.structs.replace(
                    memory, open={one.decision_id: one for one in event.open_decisions}
                )
            case _:
                return self

    def kept(self, now: datetime) -> tuple[ev.DecisionEvent, ...]:
        """Return what a checkpoint keeps of the last decisions, without what they looked at."""
        return tuple(
            msgspec.structs.replace(one, facts={}, terms={})
            for one in self.last.values()
            if now - one.at < LONGEST_COOLDOWN
        )

    def _decided(self, event: ev.DecisionEvent) -> RuleMemory:
        opened = {**self.open, event.decision_id: event}
        if event.is_shadow:  # what is only written down must not hold back what is live
            return msgspec.structs.replace(self, open=opened)
        key = Acted(event.strategy, event.rule, event.ticker)
        return msgspec.structs.replace(self, open=opened, last={**self.last, key: event})
