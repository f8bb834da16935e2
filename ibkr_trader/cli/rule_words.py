"""A rule of a strategy in words: its hours, its pause, and what it does with which figures.

What a table has no room for is often what was mistyped.
"""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

from ibkr_trader.rules.ranges import remarks
from ibkr_trader.rules.rule import ACTIONS, DAYS
from ibkr_trader.rules.strategy_toml import field_text
from ibkr_trader.rules.written import Written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.rules.rule import Action, Rule, Schedule

_SECOND = timedelta(seconds=1)


def name_of(action: Action) -> str:
    """Return what an action is called in a strategy file."""
    names = (name for name, kind in ACTIONS.items() if isinstance(action, kind))
    return next(names, "whatever it says")


def action_words(action: Action) -> str:
    """Return an action with every figure that it has, those that are usual included."""
    kind: Any = type(action)
    given = [(name, getattr(action, name)) for name in getattr(kind, "__struct_fields__", ())]
    told = [f"{name} {_field(value)}" for name, value in given if value not in (None, "", ())]
    return f"{name_of(action)}: {', '.join(told)}" if told else name_of(action)


def pause_words(pause: timedelta) -> str:
    """Return a pause in its largest unit: `1 day`; empty for none."""
    if not pause:
        return ""
    return f"{pause.total_seconds():g} s" if pause % _SECOND else field_text(pause)


def hours_words(schedule: Schedule | None) -> str:
    """Return when a rule may act, by the exchange's clock; empty for at any time."""
    if schedule is None:
        return ""
    parts = [f"from {field_text(schedule.begins)}"] if schedule.begins != time.min else []
    if schedule.ends != time.max:
        parts.append(f"until {field_text(schedule.ends)}")
    if schedule.days != frozenset(DAYS):
        parts.append(f"on {', '.join(day for day in DAYS if day in schedule.days)}")
    return " ".join(parts)


def rule_words(rule: Rule) -> str:
    """Return what stands in a rule beside its condition; empty where nobody can know."""
    does = [action_words(one) for one in rule.then if name_of(one) in ACTIONS]
    symbols = f"for {', '.join(sorted(rule.symbols))}" if rule.symbols else ""
    return "; ".join(part for part in (hours_words(rule.schedule), symbols, *does) if part)


def rule_remarks(rule: Rule) -> Iterator[str]:
    """Yield what is legal in a rule, and hardly meant."""
    if isinstance(rule.when, Written):
        for one in remarks(rule.when.expression.root):
            yield f"{rule.name}: {one}"


def _field(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    many = value if isinstance(value, tuple) else (value,)
    return " and ".join(field_text(one) for one in many)
