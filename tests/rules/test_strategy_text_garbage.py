"""Whatever a file holds, it is a strategy or a StrategyError, and soon."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibkr_trader.rules.rule import ACTIONS, Strategy
from ibkr_trader.rules.strategy_text import StrategyError, read_strategy
from tests.rules.test_strategy_text import CLOSE, FULL, HEAD, RULE

BASE = HEAD + RULE
K = 1024
KEYS = [
    "name", "description", "symbols", "bars", "envelope", "rule", "when", "priority", "cooldown",
    "from", "until", "days", "on", "capital", "max_positions", "side", "size", "stop_loss",
    "take_profit", "limit", "exit_tif", "reversal", "quantity", "fraction", "up_to", "only",
    "behind", "to", "message", "serious", "reason", "everything", "hedge", "opne", *ACTIONS,
]  # fmt: skip
WORDS = [
    '"r"', '"AAPL"', '["AAPL"]', '"price.last > 1"', '"signal.confidence > 0.5"', '"1 min"', '"3%"',
    '"long"', '"risk:1%"', '"2atr"', '"09:45"', '["mon"]', '"kelly"', '"3R"', '"cost"',
    "nan", "-inf", "1e999999999", "1e-999999999", "0x" + "f" * 50, "9" * 4_000, "9" * 5_000,
    "1e99999999999999999999", "2026-11-20", "09:45:00", "2026-11-20T09:45:00Z", "true", "0", "-1",
    "0.0", "[]", "{}", "[[]]", "[{}]", "{a = {b = 1}}", '""', "'''\n\n'''", '"\\u0000"', "5", "0.5",
]  # fmt: skip


def read(text: str) -> Strategy | StrategyError:
    try:
        return read_strategy(text)
    except StrategyError as error:
        return error


def survives(text: str) -> None:
    found = read(text)
    if isinstance(found, StrategyError):
        assert found.faults
        assert all(fault.message and len(str(fault)) < 2_000 for fault in found.faults)
        assert str(found).isprintable()
    else:
        assert found.rules


LINE = st.one_of(
    st.tuples(st.sampled_from(KEYS), st.sampled_from(WORDS)).map(" = ".join),
    st.sampled_from(["[[rule]]", "[rule]", "[envelope]", "[rule.x]", "rule = 5", "[[envelope]]"]),
    st.sampled_from(KEYS).map(lambda key: f"[rule.{key}]"),
    st.sampled_from(KEYS).map(lambda key: f"[[rule.{key}]]"),
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(st.lists(LINE, max_size=25), st.booleans())
def test_a_file_of_any_shape(lines: list[str], begins_well: bool) -> None:
    survives((BASE if begins_well else "") + "\n".join(lines))


VALUE = st.recursive(
    st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda many: f"[{', '.join(many)}]")
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {one}" for key, one in table.items()) + "}"
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(KEYS), st.sampled_from([*ACTIONS, ""]), VALUE)
def test_any_value_under_any_key(key: str, action: str, value: str) -> None:
    survives(BASE + (f"[rule.{action}]\n" if action else "") + f"{key} = {value}\n")
    survives(f"{key} = {value}\n" + BASE + CLOSE)


@given(st.integers(min_value=0, max_value=len(FULL)), st.integers(0, 40), st.text(max_size=5))
def test_a_real_file_with_a_part_cut_out_or_put_in(place: int, length: int, more: str) -> None:
    survives(FULL[:place])
    survives(FULL[:place] + more + FULL[place + length :])


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text(text: str) -> None:
    survives(text)
    survives(BASE + text)


def many(line: str, count: int = 250) -> str:
    return "\n".join(line.format(n) for n in range(count))


HARD: dict[str, Any] = {
    "one key of very many parts": "a" + ".a" * 120 * K + " = 1",
    "many keys of many parts": many("k{}" + ".a" * 299 + " = 1", 80),
    "many tables of many parts": many("[t{}" + ".a" * 299 + "]", 80),
    "many keys": many("k{} = 1", 20_000),
    "many keys of a rule": BASE + many("k{} = 1", 20_000),
    "many rules": HEAD + "[[rule]]\n" * 20_000,
    "a line of blanks in a text": BASE
    + '[rule.notify]\nmessage = """\n['
    + " " * 200 * K
    + '\n"""',
    "deep lists": "a = " + "[" * 1_000 + "]" * 1_000,
    "very deep lists": "a = " + "[" * 100_000 + "]" * 100_000,
    "deep tables": "a = " + "{a = " * 1_000 + "1" + "}" * 1_000,
    "a deep table for a size": BASE + "[rule.open.size" + ".a" * 290 + "]\nx = 1",
    "a list of lists for a size": BASE
    + '[rule.open]\nside = "long"\nsize = '
    + "[" * 90
    + "]" * 90,
    "ten megabytes": "a = 1\n" * 1_700_000,
    "a whole number without end": BASE + "[rule.scale_in]\nquantity = 0x" + "f" * 200_000,
    "a long condition": BASE.replace("price.last > 1", "(" * 100_000),
    "a long chain": BASE.replace("price.last > 1", " and ".join(["true"] * 20_000)),
    "nothing": "\0",
    "half a pair": "name = '\ud800'",
}


@pytest.mark.parametrize("what", HARD)
def test_what_is_hard_to_read_is_refused_soon(what: str) -> None:
    with pytest.raises(StrategyError) as caught:
        read_strategy(HARD[what])
    assert len(str(caught.value)) < 20_000
