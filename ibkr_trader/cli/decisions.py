"""What rules, signals, groups and limits led to, for the screens: what came of it, and why.

A panel has room for a few words, so the reason stands before the name of the rule. What came
of a thing is what its event states: nothing is called done because nobody said otherwise.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import SENTENCES, plain
from ibkr_trader.dashboard.scene import Came, Decision
from ibkr_trader.orders.wishes import PERSONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_DECISIONS = 50
HEARD = frozenset(
    {
        ev.DenyEvent, ev.GroupEvent, ev.LossEvent, ev.StateEvent, ev.DecisionEvent,
        ev.DecisionEndEvent, ev.SignalRefusedEvent, ev.SignalEndEvent,
    }
)  # fmt: skip
_CAME: Mapping[Outcome, Came] = {
    Outcome.ACTED: Came.ACTED,
    Outcome.NOTHING: Came.NOTHING,
    Outcome.REFUSED: Came.REFUSED,
    Outcome.FAILED: Came.FAILED,
    Outcome.UNKNOWN: Came.UNKNOWN,
}


class Decisions:
    """Keeps what was decided lately, oldest first."""

    def __init__(self) -> None:
        self._rows: deque[Decision] = deque(maxlen=MOST_DECISIONS)
        self._decided: dict[str, str] = {}  # what waits for its end, in words
        self._denied: tuple[ev.Breach, ...] = ()

    @property
    def rows(self) -> tuple[Decision, ...]:
        """What there is to see."""
        return tuple(self._rows)

    def hear(self, event: ev.BaseEvent) -> None:
        """Keep a decision, or what came of one."""
        match event:
            case ev.DenyEvent(breaches=breaches) if breaches is not self._denied:
                self._denied = breaches  # every order of a command is denied for the same
                source = ", ".join(dict.fromkeys(one.check for one in breaches))
                why = _joined(one.message for one in breaches)
                self._keep(event, source, f"{why} ({short_id(event.order_id)})", came=Came.DENIED)
            case ev.GroupEvent(group_id=group, message=message):
                self._keep(event, short_id(group), message, came=_told(event))
            case ev.LossEvent(message=message):
                self._keep(event, "daily_loss", message, came=_told(event))
            case ev.StateEvent(origin=origin, reason=reason) if origin not in PERSONS:
                words = f"{event.symbol or 'trading'} is {event.state}: {reason}"
                self._keep(event, origin or "desk", words, came=Came.ACTED)
            case ev.StrategyEvent():
                self._reckon(event)
            case ev.OptionsFlowEvent():
                self._hear_signal(event)
            case _:
                pass

    def _reckon(self, event: ev.StrategyEvent) -> None:
        """Keep what a strategy decided together with what came of it."""
        match event:
            case ev.DecisionEvent(is_shadow=True):
                text = f"shadow: {event.words} ({event.rule})"
                self._keep(event, event.strategy, text, came=Came.WOULD)
            case ev.DecisionEvent():
                # What comes of it is told with it.
                self._decided[event.decision_id] = f"{event.words} ({event.rule})"
            case ev.DecisionEndEvent():
                wish = self._decided.pop(event.decision_id, short_id(event.decision_id))
                why = "" if event.outcome is Outcome.ACTED else _joined(event.reasons)
                text = f"{why}: {wish}" if why else wish
                self._keep(event, event.strategy, text, came=_CAME[event.outcome])
            case _:
                pass

    def _hear_signal(self, event: ev.OptionsFlowEvent) -> None:
        """Keep why a signal led to nothing; where it led to decisions, they say what came."""
        match event:
            case ev.SignalRefusedEvent(message=message, count=count):
                more = f" ({count - 1} more like it)" if count > 1 else ""
                subject = f"{event.ticker}: " if event.ticker else ""
                text = f"{subject}{message.rstrip('.')}{more}"
                self._keep(event, event.source, text, came=Came.REFUSED)
            case ev.SignalEndEvent(decisions=(), reasons=reasons, outcome=outcome):
                why = "; ".join(_turned(one) for one in reasons) or "no rule is for it"
                self._keep(event, event.source, f"{event.ticker}: {why}", came=_CAME[outcome])
            case _:
                pass

    def _keep(self, event: ev.BaseEvent, source: str, text: str, *, came: Came) -> None:
        source, text = plain(source, limit=SENTENCES), plain(text, limit=SENTENCES)
        self._rows.append(Decision(at=event.at, source=source, text=text, came=came))


def _told(event: ev.GroupEvent | ev.LossEvent) -> Came:
    """What states no outcome is only told."""
    return Came.ALERT if event.is_serious else Came.NOTE


def _joined(reasons: Iterable[str]) -> str:
    return "; ".join(one.rstrip(".") for one in reasons)


def _turned(reason: str) -> str:
    """Return a rule's reason with its name behind: on a narrow screen the end is not seen."""
    name, colon, why = reason.partition(": ")
    return f"{why.rstrip('.')} ({name})" if colon and "/" in name else reason.rstrip(".")
