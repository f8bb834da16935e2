"""Strategies in Python: whatever the user's file does wrong, it says so with its line."""

from __future__ import annotations

import pytest

from ibkr_trader.adapters.strategy_program import read_program
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.rule import Strategy
from ibkr_trader.rules.strategy_text import Fault, StrategyError, version_of

WHERE = "/strategies/mine.py"
HEAD = "from ibkr_trader import StrategyProgram, condition\n"
BODY = """
class Mine(StrategyProgram):
    name, symbols = "mine", ("AAPL",)
    up = condition("sma(3) > sma(9)")
    def on_bar(self, moment):
        return []
"""
MINE = HEAD + BODY


def read(text: str) -> Strategy:
    return read_program(text, where=WHERE)


def fault(text: str) -> Fault:
    with pytest.raises(StrategyError) as caught:
        read(text)
    (only,) = caught.value.faults
    return only


def test_the_one_program_of_a_file_is_its_strategy() -> None:
    strategy = read(MINE)
    assert (strategy.name, strategy.version) == ("mine", version_of(MINE))
    assert [rule.triggers for rule in strategy.rules] == [{Trigger.BAR}]
    assert len(strategy.indicators) == 2


def test_read_twice_it_is_made_twice() -> None:
    text = MINE.replace("class Mine", "count = []\nclass Mine").replace(
        "return []", "count.append(1); assert len(count) == 1; return []"
    )
    for strategy in (read(text), read(text)):
        (action,) = strategy.rules[0].then
        assert action.wishes(None) == ()  # type: ignore[arg-type]  # it does not look at it


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = (\n", 1, "it is no Python: "),
        ("x = 1\ndef f(:\n", 2, "it is no Python: "),
        ("x = 1\n\nraise LookupError('not today')\n", 3, "LookupError: not today"),
        ("def f():\n    return 1 / 0\n\nf()\n", 2, "ZeroDivisionError: division by zero"),
        ("import math\nimport nowhere_at_all\n", 2, "ModuleNotFoundError: No module named"),
        ("def f():\n    f()\nf()\n", 2, "RecursionError: maximum recursion depth"),
        ("import sys\nsys.exit(3)\n", 2, "it wants to end the process"),
        ("raise SystemExit\n", 1, "it wants to end the process"),
        ("raise GeneratorExit('gone')\n", 1, "GeneratorExit: gone"),
        ("import json\njson.loads('{')\n", 2, "JSONDecodeError: "),
        (MINE.replace("sma(3)", "smma(3)"), 5, "ExpressionError: "),
        (MINE + "    def __init__(self):\n        raise ValueError('no')\n", 9, "ValueError: no"),
        ("x = 'a\0b'", None, "null bytes"),
    ],
)
def test_what_it_raises_is_told_with_the_line_of_the_file(
    text: str, line: int | None, message: str
) -> None:
    found = fault(text)
    assert message in found.message
    if line is not None:
        assert found.line == line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there are: none"),
        (HEAD, "there are: none"),
        (MINE + BODY.replace("Mine", "Other"), "there are: Mine, Other"),
        (HEAD + "from examples.strategies.sma_cross import SmaCross\n", "there are: none"),
    ],
)
def test_there_must_be_one_program_and_no_more(text: str, message: str) -> None:
    assert fault(text).message == f"it must define one subclass of StrategyProgram; {message}"


def test_a_second_name_or_what_it_derives_from_is_no_second_program() -> None:
    assert read(MINE + "Alias = Mine\n").name == "mine"
    child = "class Child(Mine):\n    name = 'child'\n    def on_time(self, m): return []\n"
    strategy = read(MINE + child)
    assert (strategy.name, len(strategy.rules)) == ("child", 2)


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ('("AAPL",)', '("AAPL", "aapl")', "symbols", "'aapl' is no symbol"),
        ('("AAPL",)', "(1,)", "symbols", "1 is no symbol"),
        ('"mine"', '"my own"', "", "name must be a short name"),
    ],
)
def test_a_name_or_a_symbol_that_is_none_is_refused(
    old: str, new: str, key: str, message: str
) -> None:
    found = fault(MINE.replace(old, new))
    assert (found.key, message in found.message) == (key, True)


def test_a_class_that_says_too_little_is_refused() -> None:
    assert (
        "Mine does not say its name" in fault(MINE.replace("name, symbols", "nom, symbols")).message
    )
    assert "Mine does nothing" in fault(MINE.replace("on_bar", "on_bars")).message


def test_it_is_compiled_as_python_compiles_it_and_can_have_dataclasses() -> None:
    more = (
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\nimport msgspec\n"
        "@dataclass\nclass Level:\n    price: int = 3\n"
        "class Row(msgspec.Struct):\n    level: int\n"
        "assert msgspec.convert({'level': 1}, Row) == Row(1)\n"
        "assert Level().price == 3\n"
    )
    assert read(more + MINE).name == "mine"
    # Without the import annotations are values, as in every other module of the user's Python.
    plain = "class A:\n    x: int = 1\nimport sys\nif sys.version_info < (3, 14):\n"
    plain += "    assert A.__annotations__['x'] is int\n"
    assert read(plain + MINE).name == "mine"
