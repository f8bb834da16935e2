"""What a verdict puts on record: a decision of each rule that acts, a fault of each that raised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.events import DecisionEvent, FaultEvent
from ibkr_trader.rules.wish_text import kind_of, line_of

if TYPE_CHECKING:
    from ibkr_trader.rules.engine import Decided, Verdict
    from ibkr_trader.rules.moment import Moment
    from ibkr_trader.rules.rule import Strategy


class Occasion(NamedTuple):
    """Whose rules are asked about which moment, and what set them off, as the record says it."""

    strategy: Strategy
    moment: Moment
    cause: str
    is_shadow: bool = False

    def decision(self, one: Decided, *, name: str, terms: Mapping[str, str]) -> DecisionEvent:
        """Return what a rule has decided, under a name of its own."""
        return DecisionEvent(
            at=self.moment.now,
            strategy=self.strategy.name,
            decision_id=name,
            rule=one.rule,
            version=self.strategy.version,
            ticker=self.moment.symbol,
            cause=self.cause,
            wish=kind_of(one.wish),
            terms=terms,
            words=line_of(one.wish),
            facts=one.facts,
            price=self.moment.mark,
            is_shadow=self.is_shadow,
        )

    def faults(self, verdict: Verdict) -> tuple[FaultEvent, ...]:
        """Return what its rules have raised."""
        return tuple(
            FaultEvent(
                at=self.moment.now,
                strategy=self.strategy.name,
                rule=rule,
                message=message,
                is_shadow=self.is_shadow,
            )
            for rule, message in verdict.faults.items()
        )
