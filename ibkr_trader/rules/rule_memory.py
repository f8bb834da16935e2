"""When each rule acted last, and which decisions are open: a fold over the journal's events."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Stage
from ibkr_trader.rules.rule import LONGEST_COOLDOWN

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.rules.moment import Trigger
    from ibkr_trader.rules.rule import Rule


class Acted(NamedTuple):
    """Which rule acted, in which symbol, whether that was only written down, and what it wished.

    An empty wish is whatever it wished last.
    """

    strategy: str
    rule: str
    ticker: str
    is_shadow: bool = False
    wish: str = ""


class Fenced(NamedTuple):
    """Which rule raised: a strategy that trades and its shadow have rules of the same names."""

    strategy: str
    rule: str
    is_shadow: bool = False


class RuleMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What rules have decided. What a shadow does holds nothing back but itself.

    Attributes:
        last: The last decision of each rule in each symbol: of all, and of each kind of wish.
        open: Decisions of which nobody has said what came of them, by id. Of a shadow's
            nothing ever comes.
        faults: The rules that raised, and are not asked any more, with what they raised.
    """

    last: Mapping[Acted, ev.DecisionEvent] = MappingProxyType({})
    open: Mapping[str, ev.DecisionEvent] = MappingProxyType({})
    faults: Mapping[Fenced, str] = MappingProxyType({})

    def rests_until(
        self,
        strategy: str,
        rule: Rule,
        ticker: str,
        *,
        is_shadow: bool,
    ) -> datetime | None:
        """Return when the rule may act again in `ticker`; None if it never acted there."""
        acted = self.last.get(Acted(strategy, rule.name, ticker, is_shadow))
        return acted.at + rule.cooldown if acted is not None else None

    def repeats_at(
        self,
        strategy: str,
        rule: Rule,
        ticker: str,
        *,
        is_shadow: bool,
        wish: str,
        trigger: Trigger,
    ) -> datetime | None:
        """Return when the rule may wish the same kind of thing again; None if it never did."""
        acted = self.last.get(Acted(strategy, rule.name, ticker, is_shadow, wish))
        return acted.at + rule.rest(trigger) if acted is not None else None

    def decided_for(self, cause: str) -> tuple[str, ...]:
        """Return the decisions that `cause` led to, oldest first; those of shadows are not meant.

        Of a rule that has acted again since, only what is open is known any more.
        """
        known = (*self.last.values(), *self.open.values())
        found = {one.decision_id: one for one in known if one.cause == cause and not one.is_shadow}
        return tuple(sorted(found, key=lambda decision_id: found[decision_id].at))

    def after(self, event: BaseEvent) -> RuleMemory:
        """Return the memory after `event`; the same object if it is no news of a rule."""
        match event:
            case ev.DecisionEvent():
                return self._decided(event)
            case ev.DecisionEndEvent():
                rest = {key: one for key, one in self.open.items() if key != event.decision_id}
                return msgspec.structs.replace(self, open=rest)
            case ev.FaultEvent():
                fenced = Fenced(event.strategy, event.rule, event.is_shadow)
                faults = {**self.faults, fenced: event.message}
                return msgspec.structs.replace(self, faults=faults)
            case ev.StageEvent():  # it is loaded anew
                loaded = (event.strategy, event.stage is Stage.SHADOW)
                faults = {
                    one: text
                    for one, text in self.faults.items()
                    if (one.strategy, one.is_shadow) != loaded
                }
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
        kinds = (one for acted, one in self.last.items() if acted.wish)
        return tuple(  # told again in this order, the last of all comes last
            msgspec.structs.replace(one, facts={}, terms={})
            for one in sorted(kinds, key=lambda one: one.at)
            if now - one.at < LONGEST_COOLDOWN
        )

    def _decided(self, event: ev.DecisionEvent) -> RuleMemory:
        key = Acted(event.strategy, event.rule, event.ticker, event.is_shadow)
        last = {**self.last, key: event, key._replace(wish=event.wish): event}
        if event.is_shadow:  # it is carried out by nobody, so nobody would say that it has ended
            return msgspec.structs.replace(self, last=last)
        opened = {**self.open, event.decision_id: event}
        return msgspec.structs.replace(self, open=opened, last=last)
