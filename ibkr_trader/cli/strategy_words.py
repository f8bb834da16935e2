"""What signals and strategies did, in words: one sentence for each event that is worth one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, Side, Stage
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.origins import strategy_of
from ibkr_trader.core.text import money, price, quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

_STAGES: Mapping[Stage, str] = {
    Stage.LIVE: "trades",
    Stage.SHADOW: "only writes down what it would do",
    Stage.RETIRED: "is not run any more",
}


def decided_words(event: ev.NoticeEvent | ev.OptionsFlowEvent | ev.StrategyEvent) -> str | None:
    """Return what happened; None if it is worth no line."""
    match event:
        case ev.NoticeEvent():
            return f"{strategy_of(event.origin) or event.origin}: {event.message}"
        case ev.OptionsFlowEvent():
            return _signal(event)
        case _:
            return _strategy(event)


def _signal(event: ev.OptionsFlowEvent) -> str | None:
    """Return what a signal was, or what came of it; None where its decisions say so."""
    match event:
        case ev.PredictionSignalEvent():
            at = f" at {price(event.price)}" if event.price is not None else ""
            return (
                f"signal {event.signal} {event.ticker}{at}, confidence "
                f"{quantity(event.confidence)}, from {event.source}"
            )
        case ev.FlowThresholdEvent():
            return (
                f"{event.measure} of {event.ticker} is {quantity(event.value)}, across "
                f"{quantity(event.threshold)}, from {event.source}"
            )
        case ev.SignalRefusedEvent():
            more = f" ({event.count - 1} more like it)" if event.count > 1 else ""
            subject = f" of {event.ticker}" if event.ticker else ""
            return f"signal{subject} from {event.source} not taken: {event.message}{more}"
        case ev.SignalEndEvent(decisions=(), outcome=Outcome.UNKNOWN):
            return f"signal of {event.ticker}: unknown{_because(event.reasons)}"
        case ev.SignalEndEvent(decisions=()):
            return f"signal of {event.ticker}: nothing is done{_because(event.reasons)}"
        case _:
            return None


def _strategy(event: ev.StrategyEvent) -> str | None:
    """Return what a strategy decided, and what came of it."""
    match event:
        case ev.DecisionEvent():
            would = "would: " if event.is_shadow else ""
            return f"{event.strategy}/{event.rule}: {would}{event.words}"
        case ev.DecisionEndEvent(outcome=Outcome.ACTED):
            return None  # what was done says so itself
        case ev.DecisionEndEvent():
            return f"{event.strategy}, {short_id(event.decision_id)}: {outcome_words(event)}"
        case ev.WouldFillEvent():
            done = "bought" if event.side is Side.BUY else "sold"
            gain = f", gain {money(event.gain, signed=True)}" if event.gain is not None else ""
            what = f"{done} {quantity(event.quantity)} {event.ticker} at {price(event.price)}"
            return f"{event.strategy}, shadow: would have {what} ({event.kind.lower()}){gain}"
        case ev.FaultEvent():
            return (
                f"{event.strategy}/{event.rule} raised and is asked no more until it is loaded "
                f"anew: {event.message}"
            )
        case ev.StageEvent():
            by = f", by {event.origin}" if event.origin else ""
            return f"{event.strategy} {event.version} {_STAGES[event.stage]}{by}"
        case _:
            return None


def outcome_words(event: ev.DecisionEndEvent) -> str:
    """Return how a decision ended, and why."""
    return f"{event.outcome.value.lower()}{_because(event.reasons)}"


def _because(reasons: tuple[str, ...]) -> str:
    return f": {'; '.join(one.rstrip('.') for one in reasons)}" if reasons else ""
