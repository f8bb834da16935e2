"""What a trader must know again after a restart of what came in and what was decided.

Every trader keeps it, also one that runs no strategy: a command that only closes a position
marks a resting point of the journal, too, and nothing may be lost by that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibkr_trader.core import events as ev
from ibkr_trader.portfolio.alarms import Alarms
from ibkr_trader.rules.rule_memory import RuleMemory
from ibkr_trader.rules.signal_memory import SignalMemory
from ibkr_trader.rules.stages import Stages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ibkr_trader.execution.bus import EventBus


class Remembered:
    """Folds of what the journal has, kept up to date by the bus.

    Attributes:
        signals: Which signals were taken.
        rules: When each rule acted last, and which decisions are open.
        stages: How far each strategy may go, and which versions it had.
        alarms: What people have yet to take note of.
    """

    def __init__(self, bus: EventBus) -> None:
        self.signals = SignalMemory()
        self.rules = RuleMemory()
        self.stages = Stages()
        self.alarms = Alarms()
        bus.subscribe(ev.AlarmEvent, self._hear)
        bus.subscribe(ev.OptionsFlowEvent, self._hear)
        bus.subscribe(ev.StrategyEvent, self._hear)

    def restore(self, history: Iterable[ev.BaseEvent]) -> None:
        """Fold what the journal knows."""
        for event in history:
            self._hear(event)

    def kept(self, now: datetime) -> Mapping[str, Any]:
        """Return what a checkpoint keeps of it."""
        return {
            "signals": self.signals.kept(now),
            "sequences": dict(self.signals.sequences),
            "open_signals": tuple(self.signals.open.values()),
            "standing": tuple(self.signals.standing.values()),
            "decisions": self.rules.kept(now),
            "open_decisions": tuple(self.rules.open.values()),
            "stages": self.stages.kept,
            "alarms": self.alarms.kept,
        }

    def _hear(self, event: ev.BaseEvent) -> None:
        self.signals = self.signals.after(event)
        self.rules = self.rules.after(event)
        self.stages = self.stages.after(event)
        self.alarms = self.alarms.after(event)
