from __future__ import annotations

from datetime import time

import pytest

from ibkr_trader.rules.expression import Expression
from ibkr_trader.rules.expression_kinds import UNKNOWN, Kind, Value
from ibkr_trader.rules.expression_nodes import Call
from ibkr_trader.rules.expression_wording import ExpressionError
from tests.rules.expression_world import VALUES, D, Moment, ask, moment, read

EXAMPLES = [
    "signal.action == 'BUY' and signal.confidence > 0.85 and position.is_flat",
    "crosses_above(sma(10), sma(50)) and time.now >= '09:45' and market.is_open",
    "bar.close > previous(highest(20)) + 0.5 * atr(14)",
    "position.profit_pct > 5 and symbol in ('AAPL', 'MSFT')",
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_what_is_well_written_is_written_again_as_it_was(text: str) -> None:
    assert str(read(text)) == read(text).text == text


def test_the_examples_hold_when_they_should() -> None:
    before = moment(changes={"sma(10)": D(99), "highest(20)": D(100)})
    now = moment(before)
    assert [ask(text, now) for text in EXAMPLES] == [True, True, True, True]
    assert ask(EXAMPLES[0], moment(changes={"signal.confidence": D("0.85")})) is False
    assert ask(EXAMPLES[1], moment(moment())) is False
    assert ask(EXAMPLES[1], moment()) is UNKNOWN
    assert ask(EXAMPLES[2], moment(moment(changes={"highest(20)": D("100.5")}))) is False
    assert ask(EXAMPLES[3], moment(changes={"symbol": "TSLA"})) is False


@pytest.mark.parametrize(
    ("text", "wants", "value"),
    [
        ("2 * bar.close", Kind.NUMBER, D(203)),
        ("symbol", Kind.TEXT, "AAPL"),
        ("'MSFT'", Kind.TEXT, "MSFT"),
        ("'15:45'", Kind.TIME, time(15, 45)),
        ("time.now", Kind.TIME, time(10, 30)),
        ("true", Kind.TRUTH, True),
    ],
)
def test_every_kind_can_be_wanted(text: str, wants: Kind, value: Value) -> None:
    assert read(text, wants).kind is wants
    assert ask(text, wants=wants) == value
    assert read(read(text, wants).text, wants) == read(text, wants)


def test_another_kind_than_the_one_wanted_is_refused() -> None:
    with pytest.raises(ExpressionError, match="column 3: this gives a number; a truth is wanted"):
        read("  bar.close")
    with pytest.raises(ExpressionError, match=r"this gives a truth; a number is wanted$"):
        read("true", Kind.NUMBER)
    with pytest.raises(ExpressionError, match="'25:00' is no time"):
        read("'25:00'", Kind.TIME)


def test_it_is_equal_by_meaning_and_not_by_writing() -> None:
    one = read("bar.close>1 and(symbol in('A',)and true)")
    other = read('bar.close > 1.00 and symbol in ("A",) and True')
    assert one == other
    assert hash(one) == hash(other)
    assert one != read("bar.close > 1 or symbol in ('A',) and true")
    assert read("true") != read("1 == 1")
    assert read("1", Kind.NUMBER) != read("true")  # though 1 == True


def test_it_says_what_it_needs_and_how_far_back() -> None:
    text = (
        "bar.close > previous(bar.close) and crosses_below(sma(10), previous(sma(50))) "
        "and previous(previous(bar.open)) > abs(bands(20, 2.5) - vwap()) and sma(10.0) > 1"
    )
    needs = read(text)
    assert needs.names == {"bar.close": 1, "bar.open": 2}
    bands = Call("bands", (D(20), D("2.5")), (D(20), D("2.5")))
    assert needs.calls == {
        Call("sma", (D(10),), (D(10),)): 1,
        Call("sma", (D(50),), (D(50),)): 2,
        bands: 0,
        Call("vwap", (), ()): 0,
    }
    assert str(bands) == "bands(20, 2.5)"


def test_arguments_that_are_left_out_are_filled_once_and_not_written() -> None:
    one = read("bands(20) > 1")
    assert one.text == "bands(20) > 1"
    assert list(one.calls) == [Call("bands", (D(20),), (D(20), D(2)))]
    here = moment(changes={"bands(20, 2)": D(3)})
    assert one.value(here) is True
    assert here.asked == ["bands(20, 2)"]


def test_it_asks_for_nothing_that_it_did_not_say() -> None:
    for text in EXAMPLES:
        past, now = moment(), moment(moment())
        wanted = read(text)
        wanted.value(now)
        allowed = {*wanted.names, *map(str, wanted.calls)}
        assert set(now.asked) <= allowed
        assert set(past.asked) <= allowed


def test_a_part_that_cannot_matter_any_more_is_not_asked() -> None:
    scope = Moment({"position.is_flat": False})  # asked for anything else, it raises
    assert read("position.is_flat and bar.close > 1").value(scope) is False
    assert read("not position.is_flat or bar.close > 1").value(scope) is True


def test_a_bug_of_the_scope_comes_out() -> None:
    with pytest.raises(KeyError):
        read("bar.close > 1").value(Moment({}))


def test_an_expression_is_made_of_a_tree_alone() -> None:
    one = read("bar.close > 1")
    assert Expression(one.root) == one
    assert set(VALUES) >= set(one.names)
