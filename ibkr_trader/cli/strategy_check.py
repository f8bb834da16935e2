"""`strategy check`: a strategy file as it was understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibkr_trader.adapters.strategy_file import StrategyFile, StrategyRefused
from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.rehearsing import rehearse
from ibkr_trader.cli.rule_words import (
    action_words,
    hours_words,
    name_of,
    pause_words,
    rule_remarks,
    rule_words,
)
from ibkr_trader.cli.wording import counted
from ibkr_trader.core.text import money
from ibkr_trader.rules.bar_sizes import bar_size_words
from ibkr_trader.rules.market_days import Feed
from ibkr_trader.rules.study import Study

if TYPE_CHECKING:
    from pathlib import Path

    from ibkr_trader.cli.face import Face
    from ibkr_trader.cli.rehearsing import Material
    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.rule import Rule, Strategy
    from ibkr_trader.rules.strategy_text import Fault

_SPARE = ("Rests", "On")
_LINE = frozenset({"Line"})


def check(path: Path) -> output.Reply:
    """Return what a strategy file says; or every fault of it, with its line and its key.

    Raises:
        ConfigError: If the file cannot be read.
    """
    strategy = _read(path)
    if isinstance(strategy, output.Reply):
        return strategy
    return output.Reply(
        schema="strategy/1",
        data=document(strategy),
        blocks=[
            f"{strategy.name} {strategy.version}: {path} is a strategy",
            *_head(strategy),
            _rules(strategy),
            *_more(strategy),
        ],
    )


def run(face: Face, path: Path, material: Material) -> output.Reply:
    """Return what a strategy would have done on what was recorded; or every fault of its file.

    Raises:
        UsageFault: If an option says nothing that can be understood.
        ConfigError: If a file cannot be read.
    """
    strategy = _read(path)
    return strategy if isinstance(strategy, output.Reply) else rehearse(face, strategy, material)


def _read(path: Path) -> Strategy | output.Reply:
    """The strategy of a file, or the reply that tells every fault of it.

    Raises:
        ConfigError: If the file cannot be read.
    """
    try:
        return StrategyFile(path).load().strategy
    except StrategyRefused as error:
        return _refused(path, error.faults)


def _refused(path: Path, faults: tuple[Fault, ...]) -> output.Reply:
    rows = tuple((str(one.line or ""), one.key, one.message) for one in faults)
    what = f"{path} is no strategy yet: {counted(len(faults), 'fault')}"
    return output.Reply(
        schema="strategy/1",
        data={"faults": [one._asdict() for one in faults]},
        blocks=[what, output.Table(("Line", "Key", "What is wrong"), rows, right=_LINE)],
        exit=Exit.CONFIG,
    )


def document(strategy: Strategy) -> dict[str, Any]:
    """Return a strategy for scripts."""
    study = Study.of(strategy.indicators, feed=Feed(size=strategy.bar_size))
    return {
        "name": strategy.name,
        "version": strategy.version,
        "description": strategy.description,
        "symbols": list(strategy.symbols),
        "bars": bar_size_words(strategy.bar_size),
        "indicators": sorted(key_words(key) for key in strategy.indicators),
        "warm_up_bars": study.warm_up,
        "remarks": _remarks(strategy),
        "rules": [
            {
                "name": rule.name,
                "when": rule.when.text,
                "on": sorted(rule.triggers),
                "then": [name_of(action) for action in rule.then],
                "does": [action_words(action) for action in rule.then],
                "hours": hours_words(rule.schedule),
                "priority": rule.priority,
                "cooldown_seconds": rule.cooldown.total_seconds(),
            }
            for rule in strategy.rules
        ],
    }


def key_words(key: Key) -> str:
    """Return an indicator as a rule writes it: `sma(10)`."""
    name, numbers = key
    return f"{name}({', '.join(f'{one:f}' for one in numbers)})"


def _head(strategy: Strategy) -> list[str | output.Table]:
    study = Study.of(strategy.indicators, feed=Feed(size=strategy.bar_size))
    rows = [("symbols", ", ".join(strategy.symbols))]
    if strategy.indicators:
        keys = ", ".join(sorted(key_words(key) for key in strategy.indicators))
        rows.append(("indicators", f"{keys}, on bars of {bar_size_words(strategy.bar_size)}"))
        rows.append(("warm-up", f"{study.warm_up} bars"))
    limits = strategy.envelope
    if limits.capital is not None:
        rows.append(("capital", money(limits.capital)))
    if limits.max_daily_loss is not None:
        rows.append(("day's loss", f"at most {money(limits.max_daily_loss)}"))
    if limits.max_positions is not None:
        rows.append(("positions", f"at most {limits.max_positions}"))
    if limits.max_entries_per_day is not None:
        rows.append(("entries", f"at most {limits.max_entries_per_day} a day"))
    about: list[str | output.Table] = [strategy.description] if strategy.description else []
    return [*about, output.Table(("", ""), tuple(rows))]


def _rules(strategy: Strategy) -> output.Table:
    return output.Table(
        ("Rule", "Prio", "On", "Then", "Rests", "When"),
        tuple(_row(rule) for rule in strategy.rules),
        right=frozenset({"Prio"}),
        spare=_SPARE,
    )


def _more(strategy: Strategy) -> list[str]:
    """What the table has no room for, a line for each rule; and what is hardly meant."""
    words = [(rule.name, rule_words(rule)) for rule in strategy.rules]
    lines = [f"  {name}: {text}" for name, text in words if text]
    return [*lines, *(f"remark: {one}" for one in _remarks(strategy))]


def _remarks(strategy: Strategy) -> list[str]:
    return [remark for rule in strategy.rules for remark in rule_remarks(rule)]


def _row(rule: Rule) -> tuple[str, ...]:
    then = ", ".join(name_of(action) for action in rule.then)
    on = ", ".join(sorted(rule.triggers))
    return rule.name, str(rule.priority), on, then, pause_words(rule.cooldown), rule.when.text
