"""A strategy file: TOML in, a strategy or every fault with its line and key out.

    name = "prediction-entry"
    symbols = ["AAPL", "MSFT"]
    bars = "1 min"

    [envelope]
    capital = 20000

    [[rule]]
    name = "PredictionEntry"
    when = "signal.action == 'BUY' and signal.confidence > 0.85"
    priority = 1
    cooldown = "15 min"

    [rule.open]
    side = "long"
    size = "risk:1%"
    stop_loss = "3%"
    take_profit = "9%"

Each table below a rule is one of its actions, by its registered name, in the order in which
they are written.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from ibkr_trader.core.text import plain
from ibkr_trader.core.toml_lines import Keys, line_of, lines_of
from ibkr_trader.core.trading_day import clock_of
from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.rules.action_text import read_action
from ibkr_trader.rules.bar_sizes import parse_bar_size
from ibkr_trader.rules.moment import NEWS, Trigger
from ibkr_trader.rules.rule import (
    ACTIONS,
    DAYS,
    LONGEST_COOLDOWN,
    NAME,
    NAME_FORM,
    USUAL_PRIORITY,
    Action,
    Rule,
    Schedule,
    Strategy,
)
from ibkr_trader.rules.toml_values import number, shown, strangers
from ibkr_trader.rules.written import Written

MOST_TEXT = 256 * 1024  # bytes
MOST_RULES = 200
MOST_SYMBOLS = 100
_MOST_DOTS = 300  # in a line
_MOST_FAULTS = 100
_LONGEST_KEY = 80
_SYMBOL = re.compile(r"[A-Z](?:[A-Z0-9. ]{0,10}[A-Z0-9])?")
_SPAN = re.compile(r"([0-9]{1,6}) *(s|sec|seconds?|min|mins|minutes?|h|hours?|d|days?)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_KEYS = ("name", "description", "symbols", "bars", "envelope", "rule")
_RULE_KEYS = ("name", "when", "priority", "cooldown", "from", "until", "days", "on", "symbols")


class Fault(NamedTuple):
    """One thing that is wrong with a strategy file."""

    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.key}: {self.message}" if self.key else f"{where}{self.message}"


class StrategyError(ValueError):
    """A strategy file that cannot be used: every fault of it, in the order of their lines."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        if rest := len(faults[_MOST_FAULTS:]):
            faults = (*faults[:_MOST_FAULTS], Fault(0, "", f"and {rest} more"))
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


def version_of(text: str) -> str:
    """Return a short name for exactly this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def line_of_key(text: str, key: str) -> int:
    """Return the line of a key at the top of a strategy's text; 0 if it is left out."""
    return line_of(lines_of(text), (key,))


def read_strategy(text: str) -> Strategy:
    """Return the strategy that a TOML text describes.

    Raises:
        StrategyError: With every fault at once.
    """
    table = _parsed(text)
    reader = _Reader(text)
    strategy = reader.strategy(table)
    if reader.faults or strategy is None:
        raise StrategyError(tuple(sorted(reader.faults)))
    return strategy


def checked(strategy: Strategy) -> Strategy:
    """Return a strategy that was not made of a file, if a file could say the same.

    Raises:
        StrategyError: With every fault of its name and symbols.
    """
    faults: list[Fault] = []
    for key, read in (("name", _name), ("symbols", _symbols)):
        value = getattr(strategy, key)
        try:
            read(list(value) if isinstance(value, tuple) else value)
        except ValueError as error:
            faults.append(Fault(0, key, str(error)))
    if faults:
        raise StrategyError(tuple(faults))
    return strategy


def _parsed(text: str) -> dict[str, Any]:
    """The text as TOML.

    Raises:
        StrategyError: If it is none, or would take the parser long: its time grows with the
            square of the parts of a key.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise StrategyError((Fault(0, "", "it is not text"),)) from None
    if size > MOST_TEXT:
        raise StrategyError((Fault(0, "", f"it is larger than {MOST_TEXT // 1024} KiB"),))
    for line, written in enumerate(text.split("\n"), start=1):
        if written.count(".") > _MOST_DOTS:
            raise StrategyError((Fault(line, "", f"it has more than {_MOST_DOTS} dots"),))
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (RecursionError, ArithmeticError, ValueError) as error:
        found = re.search(r"at line (\d+)", str(error))
        message = f"it is not valid TOML: {plain(str(error))}"
        raise StrategyError((Fault(int(found[1]) if found else 0, "", message),)) from None


class _Reader:
    """Reads one file, and goes on after each fault."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = lines_of(text)
        self.faults: list[Fault] = []

    def strategy(self, table: dict[str, Any]) -> Strategy | None:
        self._only((), table, _KEYS)
        name = self._value((), table, key="name", read=_name)
        symbols = self._value((), table, key="symbols", read=_symbols)
        size = self._value((), table, key="bars", read=_bars, usual=timedelta(minutes=1))
        described = self._value((), table, key="description", read=_string, usual="")
        envelope = self._envelope(table.get("envelope", {}))
        rules = self._rules(table.get("rule"), symbols)
        if self.faults:
            return None
        return Strategy(
            name=name,
            version=version_of(self._text),
            symbols=symbols,
            rules=tuple(rules),
            bar_size=size,
            envelope=envelope,
            description=described,
        )

    def _envelope(self, table: object) -> Envelope:
        if not isinstance(table, dict):
            self._fault(("envelope",), "must be a table: [envelope]")
            return Envelope()
        path: Keys = ("envelope",)
        self._only(path, table, tuple(_ENVELOPE))
        figures = {
            key: self._value(path, table, key=key, read=read, usual=None)
            for key, read in _ENVELOPE.items()
        }
        return Envelope(**figures)

    def _rules(self, tables: object, symbols: tuple[str, ...] | None) -> list[Rule]:
        if not isinstance(tables, list) or not tables:
            self._fault(("rule",), "there is none: write [[rule]]")
            return []
        if len(tables) > MOST_RULES:
            self._fault(("rule",), f"there are {len(tables)}; {MOST_RULES} is the most")
            return []
        found: list[Rule] = []
        names: dict[str, int] = {}
        for place, table in enumerate(tables):
            path: Keys = ("rule", place)
            if not isinstance(table, dict):
                self._fault(path, "must be a table: [[rule]]")
                continue
            name = table.get("name")
            if isinstance(name, str) and names.setdefault(name, place) != place:
                first = line_of(self._lines, ("rule", names[name]))
                self._fault((*path, "name"), f"the rule of line {first} is called that, too")
            rule = self._rule(path, table)
            if rule is None:
                continue
            if symbols and (never := sorted(rule.symbols.difference(symbols))):
                message = f"the strategy does not trade {', '.join(never)}"
                self._fault((*path, "symbols"), message)
            found.append(rule)
        return found

    def _rule(self, path: Keys, table: dict[str, Any]) -> Rule | None:
        before = len(self.faults)
        self._only(path, table, (*_RULE_KEYS, *ACTIONS))
        name = self._value(path, table, key="name", read=_name)
        when = self._value(path, table, key="when", read=_condition)
        priority = self._value(path, table, key="priority", read=_whole, usual=USUAL_PRIORITY)
        cooldown = self._value(path, table, key="cooldown", read=_cooldown, usual=timedelta(0))
        on = self._value(path, table, key="on", read=_triggers, usual=frozenset())
        symbols = self._value(path, table, key="symbols", read=_symbols, usual=())
        actions = self._actions(path, table)
        schedule = self._schedule(path, table)
        if on and when is not None and when.triggers <= NEWS and not on & when.triggers:
            waits = " or ".join(sorted(when.triggers))
            self._fault((*path, "on"), f"its condition is known at a {waits} alone: leave it out")
        if len(self.faults) > before:
            return None
        return Rule(
            name=name,
            when=when,
            then=actions,
            priority=priority,
            cooldown=cooldown,
            schedule=schedule,
            on=on,
            symbols=frozenset(symbols),
        )

    def _actions(self, path: Keys, table: dict[str, Any]) -> tuple[Action, ...]:
        found: list[Action] = []
        for key in (key for key in table if key in ACTIONS):
            action, faults = read_action(key, table[key])
            for field, message in faults:
                self._fault((*path, key, field) if field else (*path, key), message)
            if action is not None:
                found.append(action)
        if not any(key in ACTIONS for key in table):
            self._fault(path, f"it does nothing: give it one of {', '.join(ACTIONS)}")
        return tuple(found)

    def _schedule(self, path: Keys, table: dict[str, Any]) -> Schedule | None:
        if not any(key in table for key in ("from", "until", "days")):
            return None
        return Schedule(
            begins=self._value(path, table, key="from", read=_clock, usual=time.min),
            ends=self._value(path, table, key="until", read=_clock, usual=time.max),
            days=self._value(path, table, key="days", read=_days, usual=frozenset(DAYS)),
        )

    def _value(
        self,
        path: Keys,
        table: Mapping[str, Any],
        *,
        key: str,
        read: Callable[[Any], Any],
        **usual: Any,
    ) -> Any:
        """A key's value; of one that is wrong or missing, a fault is kept instead."""
        if key not in table:
            if "usual" not in usual:
                self._fault((*path, key) if path else (key,), "is missing")
            return usual.get("usual")
        try:
            return read(table[key])
        except ValueError as error:
            self._fault((*path, key), str(error))
        return usual.get("usual")

    def _only(self, path: Keys, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key, message in strangers(table, known):
            self._fault((*path, key) if key else path, message)

    def _fault(self, path: Keys, message: str) -> None:
        key = plain(".".join(part for part in path if isinstance(part, str)), limit=_LONGEST_KEY)
        self.faults.append(Fault(line_of(self._lines, path), key, message))


def _name(value: object) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError(f"must be {NAME_FORM}")
    return value


def _condition(value: object) -> Written:
    return Written.of(_string(value))


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")  # noqa: TRY004 - what a file says
    return value


def _symbols(value: object) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not 0 < len(given) <= MOST_SYMBOLS:
        raise ValueError(f'must be a list of 1 to {MOST_SYMBOLS} symbols, such as ["AAPL"]')
    for one in given:
        if not isinstance(one, str) or not _SYMBOL.fullmatch(one):
            raise ValueError(f'{shown(one)} is no symbol; write it as "AAPL"')
    return tuple(dict.fromkeys(given))


def _bars(value: object) -> timedelta:
    return parse_bar_size(_string(value))


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000_000:  # noqa: PLR2004 - a bound, in place
        raise ValueError("must be a whole number from 0 to 1000000")
    return value


def _count(value: object) -> int:
    count = _whole(value)
    if not count:
        raise ValueError("must be at least 1")
    return count


def _money(value: object) -> Decimal:
    amount = number(value)
    if amount <= 0:
        raise ValueError("must be above 0")
    return amount


def _cooldown(value: object) -> timedelta:
    found = _SPAN.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be a time such as "30 s", "15 min", "2 hours" or "1 day"')
    span = timedelta(seconds=int(found[1]) * _UNITS[found[2][0]])
    if span > LONGEST_COOLDOWN:  # it would be forgotten before it is over
        raise ValueError(f"must be at most {LONGEST_COOLDOWN.days} days")
    return span


def _clock(value: object) -> time:
    if isinstance(value, time):
        return value
    found = clock_of(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be a time of the exchange\'s clock, such as "09:45"')
    return found


def _days(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not value or any(one not in DAYS for one in value):
        raise ValueError(f"must be a list of {', '.join(DAYS)}")
    return frozenset(value)


def _triggers(value: object) -> frozenset[Trigger]:
    given = [value] if isinstance(value, str) else value
    legal = [trigger.value for trigger in Trigger]
    if not isinstance(given, list) or not given or any(one not in legal for one in given):
        raise ValueError(f"must be one or a list of {', '.join(legal)}")
    return frozenset(Trigger(one) for one in given)


_ENVELOPE: Mapping[str, Callable[[object], object]] = {
    "capital": _money,
    "max_positions": _count,
    "max_daily_loss": _money,
    "max_entries_per_day": _count,
}
