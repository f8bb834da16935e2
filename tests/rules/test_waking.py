from __future__ import annotations

import pytest

from ibkr_trader.rules import waking
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.words import WORDS
from ibkr_trader.rules.written import Written


def triggers(text: str) -> str:
    return " ".join(sorted(Written.of(text).triggers))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("signal.action == 'BUY'", "signal"),
        ("signal.action == 'BUY' and price.last > 10 and rsi(14) > 50", "signal"),
        ("signal.price > price.last", "signal"),
        ("flow.value > 3 and position.is_flat", "flow"),
        ("price.last > 10", "price"),
        ("price.last > 10 and time.now > '09:45'", "price time"),
        ("position.profit_pct > 5", "position price"),
        ("position.minutes > 60", "position time"),
        ("position.is_long and rsi(14) > 70", "bar"),
        ("bar.close > 10", "bar"),
        ("rsi(14) < price.last", "bar"),
        ("crosses_above(bar.close, sma(20))", "bar"),
        ("time.minutes_to_close < 5", "time"),
        ("market.is_open", "time"),
        ("account.equity > 1", "position time"),
        ("symbol == 'AAPL'", "time"),
        ("true", "time"),
        # Each side of an `or` by itself.
        ("signal.action == 'SELL' or position.profit_pct < -3", "position price signal"),
        ("position.profit_pct < -3 or rsi(14) > 70", "bar position price"),
        ("signal.confidence > 0.5 or flow.value > 3", "flow signal"),
        ("price.last > 3 and (signal.confidence > 0.5 or flow.value > 3)", "flow signal"),
        ("signal.confidence > 0.5 and (price.last > 3 or flow.value > 3)", "signal"),
        ("position.is_long and (rsi(14) > 70 or price.last > 3)", "bar position price"),
        # And the other way round under a `not`.
        ("not signal.confidence > 0.5", "signal"),
        ("not (signal.confidence > 0.5 or price.last > 3)", "signal"),
        ("not (signal.confidence > 0.5 and price.last > 3)", "price signal"),
        ("not (signal.confidence > 0.5 and flow.value > 3)", "flow signal"),
        ("not not (signal.confidence > 0.5 and price.last > 3)", "signal"),
    ],
)
def test_what_news_a_condition_waits_for(text: str, expected: str) -> None:
    assert triggers(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("signal.confidence > 0.5 and flow.value > 3", "do not come together"),
        ("signal.price > flow.value", "do not come together"),
        ("price.last > 3 and not (signal.price > 1 or flow.value > 3)", "do not come together"),
        (
            "not not (signal.price > 1 and flow.value > 3) and price.last > 1",
            "do not come together",
        ),
        ("crosses_above(price.last, sma(20))", "of price.last no past is kept; write bar.close"),
        ("previous(position.is_long)", "of position.is_long no past is kept"),
        ("previous(previous(bar.close)) > 3", "bar.close is kept of one bar before"),
        ("crosses_below(previous(sma(20)), 5)", r"sma\(20\) is kept of one bar before"),
    ],
)
def test_what_could_never_hold_is_refused_when_it_is_read(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"it could never hold: .*{why}"):
        Written.of(text)


@pytest.mark.parametrize(
    "text",
    [
        "previous(bar.close) < bar.close",
        "previous(symbol) == symbol",
        "crosses_above(sma(5), sma(20)) and price.last > 1",
        "signal.confidence > 0.5 and flow.value > 3 or price.last > 1",
    ],
)
def test_what_might_hold_is_taken(text: str) -> None:
    assert Written.of(text).text


def test_it_is_known_of_every_word_what_wakes_it() -> None:
    assert all(waking._woken_by(name) for name in WORDS)
    assert set(waking._WORDS) <= set(WORDS)
    woken = frozenset[Trigger]().union(*(waking._woken_by(name) for name in WORDS))
    assert woken == frozenset(Trigger)
