from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Any

import msgspec
import pytest

from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.rules.actions.open_position import OpenPosition
from ibkr_trader.rules.distance import Distance
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.rule import (
    DAYS,
    LONGEST_COOLDOWN,
    USUAL_PRIORITY,
    Schedule,
    Strategy,
)
from ibkr_trader.rules.strategy_text import (
    MOST_RULES,
    MOST_SYMBOLS,
    MOST_TEXT,
    Fault,
    StrategyError,
    checked,
    line_of_key,
    read_strategy,
    version_of,
)
from tests.rules.moments import ATR, D

FULL = """\
name = "prediction-entry"
description = "Follow predictions."
symbols = ["AAPL", "BRK B", "AAPL"]
bars = "5 mins"

[envelope]
capital = 20000
max_positions = 3
max_daily_loss = 500.50
max_entries_per_day = 6

[[rule]]
name = "Late"
when = "position.is_long and atr(14) > 1"
on = "price"
from = 15:50:00
until = "16:00"
days = ["fri"]
[rule.trail]
behind = "2atr"
[rule.notify]
message = "{symbol} trails"

[[rule]]
name = "PredictionEntry"
when = "signal.action == 'BUY' and signal.confidence > 0.85"
priority = 1
cooldown = "15 min"
symbols = "AAPL"
[rule.open]
side = "long"
stop_loss = "3%"
"""
HEAD = 'name = "s"\nsymbols = ["AAPL"]\n'
RULE = '[[rule]]\nname = "r"\nwhen = "price.last > 1"\n'
CLOSE = "[rule.close_all]\n"
SMALL = HEAD + RULE + CLOSE


def small(*lines: str, head: str = "") -> Strategy:
    """Return a strategy whose rule has more lines, and which has more itself."""
    return read_strategy(HEAD + head + "\n" + RULE + "\n".join(lines) + "\n" + CLOSE)


def faults(text: str) -> list[str]:
    with pytest.raises(StrategyError) as caught:
        read_strategy(text)
    found = list(caught.value.faults)
    assert str(caught.value) == "; ".join(map(str, found))
    return [str(one) for one in found]


def refused(*lines: str, head: str = "") -> str:
    """Return the only thing that is wrong with those lines."""
    with pytest.raises(StrategyError) as caught:
        small(*lines, head=head)
    (fault,) = caught.value.faults
    return f"{fault.key}: {fault.message}"


def test_a_file_is_read_in_full() -> None:
    found = read_strategy(FULL)
    assert (found.name, found.version) == ("prediction-entry", version_of(FULL))
    assert (found.symbols, found.bar_size) == (("AAPL", "BRK B"), timedelta(minutes=5))
    assert found.description == "Follow predictions."
    assert found.envelope == Envelope(
        capital=D(20000), max_positions=3, max_daily_loss=D("500.50"), max_entries_per_day=6
    )
    assert found.indicators == {ATR}
    entry, late = found.rules
    assert (entry.name, entry.priority) == ("PredictionEntry", 1)
    assert entry.cooldown == timedelta(minutes=15)
    assert entry.symbols == {"AAPL"}
    assert entry.then == (OpenPosition(side="long", stop_loss=Distance.of("3%")),)
    assert entry.schedule is None
    assert entry.triggers == {Trigger.SIGNAL}
    assert late.schedule == Schedule(begins=time(15, 50), ends=time(16), days=frozenset({"fri"}))
    assert late.triggers == {Trigger.PRICE}
    assert [type(one).__name__ for one in late.then] == ["TrailStop", "Notify"]


def test_what_is_left_out_is_as_usual() -> None:
    found = read_strategy(SMALL)
    (rule,) = found.rules
    assert (found.bar_size, found.envelope, found.description) == (
        timedelta(minutes=1),
        Envelope(),
        "",
    )
    assert (rule.priority, rule.cooldown, rule.schedule) == (USUAL_PRIORITY, timedelta(0), None)
    assert (rule.on, rule.symbols) == (frozenset(), frozenset())


def test_a_version_names_exactly_a_text() -> None:
    assert version_of(SMALL) == read_strategy(SMALL).version
    assert version_of(SMALL + " ") != version_of(SMALL)
    assert re.fullmatch("[0-9a-f]{12}", version_of(""))


def test_every_fault_is_told_at_once_with_its_line_and_key() -> None:
    text = """\
name = "no/name"
symbols = ["aapl"]
bars = "1 fortnight"
colour = "red"
[envelope]
capital = -5
[[rule]]
name = "a"
when = "price.lats > 1"
cooldown = 5
[rule.open]
sdie = "long"
[[rule]]
when = "true"
[[rule]]
name = "a"
when = "true"
[rule.close_all]
only = "lnog"
"""
    found = faults(text)
    expected = [
        "line 1: name: must be a short name",
        "line 2: symbols: 'aapl' is no symbol",
        "line 3: bars: ",
        "line 4: colour: is unknown; known: ",
        "line 6: envelope.capital: must be above 0",
        "line 9: rule.when: column 1: ",
        "line 10: rule.cooldown: must be a time",
        "line 12: rule.open.sdie: is unknown; did you mean ",
        "line 13: rule: it does nothing: give it one of adjust_stop",
        "line 13: rule.name: is missing",
        "line 16: rule.name: the rule of line 7 is called that, too",
        "line 19: rule.close_all.only: 'lnog' is none of",
    ]
    assert [one[: len(start)] for one, start in zip(found, expected, strict=True)] == expected


def test_a_fault_without_a_place_is_told_without_one() -> None:
    assert str(Fault(0, "", "no")) == "no"
    assert str(Fault(0, "name", "no")) == "name: no"
    assert str(Fault(3, "", "no")) == "line 3: no"


def test_of_very_many_faults_the_first_are_told() -> None:
    error = StrategyError(tuple(Fault(n, "k", "no") for n in range(250)))
    assert len(error.faults) == 101
    assert str(error.faults[-1]) == "and 150 more"
    assert len(StrategyError(error.faults[:100]).faults) == 100


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", ["name: is missing", "rule: there is none: write [[rule]]", "symbols: is missing"]),
        (HEAD, ["rule: there is none: write [[rule]]"]),
        (HEAD + "rule = []", ["line 3: rule: there is none: write [[rule]]"]),
        (HEAD + '[rule]\nname = "r"', ["line 3: rule: there is none: write [[rule]]"]),
        (HEAD + "rule = [5]", ["line 3: rule: must be a table: [[rule]]"]),
        ("envelope = 5\n" + SMALL, ["line 1: envelope: must be a table: [envelope]"]),
        (HEAD + "[[rule]]\n" * (MOST_RULES + 1), ["rule: there are 201; 200 is the most"]),
        ("a = ", ["it is not valid TOML: "]),
        ("\n= 1", ["line 2: it is not valid TOML: "]),
        ("a = '\ud800'", ["it is not text"]),
        ("a" * (MOST_TEXT + 1), ["it is larger than 256 KiB"]),
        ("\na" + ".a" * 301 + " = 1", ["line 2: it has more than 300 dots"]),
    ],
)  # fmt: skip
def test_what_is_no_strategy_at_all_is_refused(text: str, why: list[str]) -> None:
    found = faults(text)
    assert [one[: len(start)] for one, start in zip(found, why, strict=True)] == why


def test_as_many_as_there_may_be_are_taken() -> None:
    rules = "".join(f'[[rule]]\nname = "r{n}"\nwhen = "true"\n{CLOSE}' for n in range(MOST_RULES))
    symbols = ", ".join(f'"A{n}"' for n in range(MOST_SYMBOLS))
    found = read_strategy(f'name = "s"\nsymbols = [{symbols}]\n{rules}')
    assert (len(found.rules), len(found.symbols)) == (MOST_RULES, MOST_SYMBOLS)
    padded = SMALL + "#" * (MOST_TEXT - len(SMALL))
    assert read_strategy(padded).name == "s"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0 s", 0),
        ("30s", 30),
        ("15 min", 900),
        ("2 Hours", 7_200),
        ("1 day", 86_400),
        ("7d", 604_800),
    ],
)
def test_a_cooldown_is_written_as_people_say_it(written: str, seconds: int) -> None:
    (rule,) = small(f'cooldown = "{written}"').rules
    assert rule.cooldown == timedelta(seconds=seconds)


@pytest.mark.parametrize("written", ['"8 days"', '"169 hours"', '"604801 s"'])
def test_a_cooldown_that_would_be_forgotten_is_refused(written: str) -> None:
    days = LONGEST_COOLDOWN.days
    assert refused(f"cooldown = {written}") == f"rule.cooldown: must be at most {days} days"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('cooldown = "soon"', "rule.cooldown: must be a time such as"),
        ("cooldown = 900", "rule.cooldown: must be a time such as"),
        ('cooldown = "-1 min"', "rule.cooldown: must be a time such as"),
        ("priority = -1", "rule.priority: must be a whole number from 0"),
        ("priority = 1.5", "rule.priority: must be a whole number from 0"),
        ("priority = true", "rule.priority: must be a whole number from 0"),
        ("priority = 1000001", "rule.priority: must be a whole number from 0"),
        ('from = "9:45"', "rule.from: must be a time of the exchange's clock"),
        ('from = "24:00"', "rule.from: must be a time of the exchange's clock"),
        ('until = "٠٩:45"', "rule.until: must be a time of the exchange's clock"),
        ("until = 2026-11-20", "rule.until: must be a time of the exchange's clock"),
        ("until = 2026-11-20T09:45:00", "rule.until: must be a time of the exchange's clock"),
        ("days = []", "rule.days: must be a list of mon, tue"),
        ('days = ["fri", "Sat"]', "rule.days: must be a list of mon, tue"),
        ('days = "fri"', "rule.days: must be a list of mon, tue"),
        ("days = [[]]", "rule.days: must be a list of mon, tue"),
        ("on = []", "rule.on: must be one or a list of signal, flow"),
        ('on = "prices"', "rule.on: must be one or a list of signal, flow"),
        ("on = 5", "rule.on: must be one or a list of signal, flow"),
        ("on = [{}]", "rule.on: must be one or a list of signal, flow"),
        ('symbols = "MSFT"', "rule.symbols: the strategy does not trade MSFT"),
        ("symbols = []", "rule.symbols: must be a list of 1 to 100"),
        ('nmae = "x"', "rule.nmae: is unknown; did you mean name?"),
        ('opne = "x"', "rule.opne: is unknown; did you mean open?"),
    ],
)
def test_a_wrong_line_of_a_rule(line: str, why: str) -> None:
    assert refused(line).startswith(why)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('bars = "1 fortnight"', "bars: "),
        ("bars = 5", "bars: must be text in quotes"),
        ("description = 5", "description: must be text in quotes"),
        ("envelope = {capital = 0}", "envelope.capital: must be above 0"),
        ('envelope = {capital = "1"}', "envelope.capital: '1' is no number"),
        ("envelope = {capital = inf}", "envelope.capital: Infinity is no number"),
        ("envelope = {max_daily_loss = true}", "envelope.max_daily_loss: true is no number"),
        ("envelope = {max_positions = 0}", "envelope.max_positions: must be at least 1"),
        ("envelope = {max_positions = 1.0}", "envelope.max_positions: must be a whole number"),
        (
            "envelope = {max_loss = 1}",
            "envelope.max_loss: is unknown; did you mean max_daily_loss?",
        ),
    ],
)
def test_a_wrong_line_of_a_strategy(line: str, why: str) -> None:
    assert refused(head=line).startswith(why)


@pytest.mark.parametrize(
    "symbols",
    [
        "[]",
        "5",
        '["aapl"]',
        '["AAPL "]',
        '["A."]',
        '[" A"]',
        '["1A"]',
        "[5]",
        "[[]]",
        '["ABCDEFGHIJKLM"]',
        '[""]',
        str([f"A{n}" for n in range(MOST_SYMBOLS + 1)]),
    ],
)
def test_what_are_no_symbols_is_refused(symbols: str) -> None:
    (fault,) = faults(SMALL.replace('["AAPL"]', symbols))
    assert fault.startswith("line 2: symbols: ")


@pytest.mark.parametrize("symbol", ["A", "BRK B", "BRK.B", "M6E", "ABCDEFGHIJKL"])
def test_what_are_symbols_is_taken(symbol: str) -> None:
    assert read_strategy(SMALL.replace("AAPL", symbol)).symbols == (symbol,)
    assert read_strategy(SMALL.replace('["AAPL"]', f'"{symbol}"')).symbols == (symbol,)


@pytest.mark.parametrize("when", ["5", "true", "2026-11-20", "[]", '"1"', '"("', '""'])
def test_a_condition_must_be_one(when: str) -> None:
    (fault,) = faults(SMALL.replace('"price.last > 1"', when))
    assert fault.startswith("line 5: rule.when: ")


def test_a_condition_that_could_never_hold_is_a_fault() -> None:
    text = SMALL.replace("price.last > 1", "crosses_above(price.last, sma(20))")
    (fault,) = faults(text)
    assert fault.startswith("line 5: rule.when: it could never hold: ")


@pytest.mark.parametrize(
    ("when", "on", "why"),
    [
        ("signal.confidence > 0.5", "price", "its condition is known at a signal alone"),
        ("flow.value > 3", "signal", "its condition is known at a flow alone"),
        (
            "signal.confidence > 0.5 or flow.value > 3",
            "time",
            "its condition is known at a flow or signal alone",
        ),
        ("signal.confidence > 0.5", "signal", ""),
        ("signal.confidence > 0.5 or price.last > 1", "price", ""),
        ("price.last > 1", "signal", ""),
    ],
)
def test_a_rule_is_not_asked_when_its_condition_cannot_be_known(
    when: str, on: str, why: str
) -> None:
    text = SMALL.replace("price.last > 1", when).replace(CLOSE, f'on = "{on}"\n{CLOSE}')
    if not why:
        assert read_strategy(text).rules[0].on == {Trigger(on)}
        return
    assert faults(text) == [f"line 6: rule.on: {why}: leave it out"]


def test_of_a_wrong_list_of_symbols_no_rule_is_told_that_it_does_not_fit() -> None:
    text = SMALL.replace('["AAPL"]', "5").replace(CLOSE, f'symbols = "AAPL"\n{CLOSE}')
    assert len(faults(text)) == 1


def test_rules_of_one_name_are_told_though_more_is_wrong_with_them() -> None:
    text = SMALL + RULE.replace("price.last > 1", "(") + CLOSE
    assert len(faults(text)) == 2


def test_a_name_that_is_no_text_is_told_once() -> None:
    text = SMALL.replace('name = "r"', "name = {a = 1}")
    assert [one[:19] for one in faults(text)] == ["line 4: rule.name: "]


def test_a_key_that_would_steer_a_terminal_does_not() -> None:
    (fault,) = faults('"\\u001b[31m' + "k" * 200 + '" = 1\n' + SMALL)
    assert "\x1b" not in fault
    assert len(fault) < 200


def test_every_day_has_a_name() -> None:
    days: Any = list(DAYS)
    (rule,) = small(f"days = {days}").rules
    assert rule.schedule == Schedule()


def test_what_was_not_made_of_a_file_must_be_such_that_a_file_could_say_it() -> None:
    good = read_strategy(SMALL)
    assert checked(good) is good
    for symbols in (("aapl",), (), "aapl"):
        with pytest.raises(StrategyError) as caught:
            checked(msgspec.structs.replace(good, symbols=symbols))
        assert [fault.key for fault in caught.value.faults] == ["symbols"]


def test_a_key_at_the_top_has_its_line_and_one_that_is_left_out_has_none() -> None:
    text = 'name = "one"\n\nbars = "5 min"\n[[rule]]\nwhen = "bars"\n'
    assert [line_of_key(text, key) for key in ("name", "bars", "when")] == [1, 3, 0]
