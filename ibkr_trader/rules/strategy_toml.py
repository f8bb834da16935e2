"""A strategy written as a TOML file: read again, it is the same strategy."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ibkr_trader.risk.size_text import size_text
from ibkr_trader.risk.sizing import AtrRisk, FixedQuantity, FixedRisk, Kelly
from ibkr_trader.rules.bar_sizes import bar_size_words
from ibkr_trader.rules.rule import ACTIONS, DAYS, USUAL_PRIORITY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.risk.envelope import Envelope
    from ibkr_trader.rules.rule import Action, Rule, Schedule, Strategy

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "min"), (1, "s"))


def write_strategy(strategy: Strategy) -> str:
    """Return the file that describes a strategy.

    Raises:
        ValueError: If it has what no file can hold: a condition that is a function, an action
            that has no name, two of one kind in a rule, or a pause of part of a second.
    """
    lines = [f"name = {_value(strategy.name)}"]
    if strategy.description:
        lines.append(f"description = {_value(strategy.description)}")
    lines.append(f"symbols = {_value(strategy.symbols)}")
    lines.append(f"bars = {_value(bar_size_words(strategy.bar_size))}")
    lines += _envelope(strategy.envelope)
    for rule in strategy.rules:
        lines += _rule(rule)
    return "\n".join(lines) + "\n"


def _envelope(envelope: Envelope) -> Iterator[str]:
    given = [
        (name, value)
        for name in envelope.__struct_fields__
        if (value := getattr(envelope, name)) is not None
    ]
    if given:
        yield from ("", "[envelope]")
        yield from (f"{name} = {_value(value)}" for name, value in given)


def _rule(rule: Rule) -> Iterator[str]:
    if not hasattr(rule.when, "expression"):
        raise ValueError(f"the rule {rule.name} asks a function: a file cannot hold that")
    yield from ("", "[[rule]]", f"name = {_value(rule.name)}", f"when = {_value(rule.when.text)}")
    if rule.priority != USUAL_PRIORITY:
        yield f"priority = {rule.priority}"
    if rule.cooldown:
        yield f"cooldown = {_value(rule.cooldown)}"
    if rule.on:
        yield f"on = {_value(sorted(rule.on))}"
    if rule.symbols:
        yield f"symbols = {_value(sorted(rule.symbols))}"
    if rule.schedule is not None:
        yield from _schedule(rule.schedule)
    kinds = [type(action) for action in rule.then]
    if len(set(kinds)) < len(kinds):
        raise ValueError(f"the rule {rule.name} does the same twice: a file cannot hold that")
    for action in rule.then:
        yield from _action(rule, action)


def _schedule(schedule: Schedule) -> Iterator[str]:
    yield f"from = {_value(schedule.begins)}"
    if schedule.ends != time.max:
        yield f"until = {_value(schedule.ends)}"
    if schedule.days != frozenset(DAYS):
        yield f"days = {_value([day for day in DAYS if day in schedule.days])}"


def _action(rule: Rule, action: Action) -> Iterator[str]:
    kind: Any = type(action)
    name = next((name for name, known in ACTIONS.items() if known is kind), "")
    if not name:
        does = f"the rule {rule.name} does what has no name ({kind.__name__})"
        raise ValueError(f"{does}: a file cannot hold that")
    yield f"[rule.{name}]"
    for field, usual in zip(kind.__struct_fields__, _defaults(kind), strict=True):
        value = getattr(action, field)
        if value != usual:
            yield f"{field} = {_value(value)}"


def _defaults(kind: Any) -> Iterable[object]:
    missing = len(kind.__struct_fields__) - len(kind.__struct_defaults__)
    return (*([object()] * missing), *kind.__struct_defaults__)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, time) and (value.second or value.microsecond):
        return value.isoformat()  # as TOML has times: without quotes
    return _quoted(field_text(value))


def field_text(value: object) -> str:
    """Return what a field says, as a file writes it but for the quotes.

    Raises:
        ValueError: If it is a pause of part of a second.
    """
    match value:
        case timedelta():
            return _span(value)
        case time():
            return f"{value:%H:%M}"
        case FixedQuantity() | FixedRisk() | AtrRisk() | Kelly():
            return size_text(value)
        case _:
            return str(value)


def _quoted(text: str) -> str:
    """Text as TOML has it, which lets no control character stand as it is."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = (c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped)
    return f'"{"".join(shown)}"'


def _span(span: timedelta) -> str:
    seconds, rest = divmod(span, timedelta(seconds=1))
    if rest:
        raise ValueError(f"a pause of {span} cannot be written: it has whole seconds")
    size, unit = next((size, unit) for size, unit in _UNITS if not seconds % size)
    return f"{seconds // size} {unit}"
