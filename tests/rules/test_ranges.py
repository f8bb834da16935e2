from __future__ import annotations

import pytest

from ibkr_trader.rules.expression import Expression
from ibkr_trader.rules.ranges import remarks
from ibkr_trader.rules.words import vocabulary

MINUS = "-signal.confidence is -1 to 0"
BOTH = "-signal.confidence > time.minutes_to_close"
CONFIDENCE = "signal.confidence is 0 to 1"


def said(text: str) -> tuple[str, ...]:
    return remarks(Expression.parse(text, vocabulary()).root)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("signal.confidence > 85", f"signal.confidence > 85 can never hold: {CONFIDENCE}"),
        ("signal.confidence > 1", f"signal.confidence > 1 can never hold: {CONFIDENCE}"),
        ("signal.confidence >= 1.5", f"signal.confidence >= 1.5 can never hold: {CONFIDENCE}"),
        ("signal.confidence <= 1", f"signal.confidence <= 1 always holds: {CONFIDENCE}"),
        ("signal.confidence < 2", f"signal.confidence < 2 always holds: {CONFIDENCE}"),
        ("signal.confidence < 0", f"signal.confidence < 0 can never hold: {CONFIDENCE}"),
        ("signal.confidence >= 0", f"signal.confidence >= 0 always holds: {CONFIDENCE}"),
        ("signal.confidence > -1", f"signal.confidence > -1 always holds: {CONFIDENCE}"),
        ("85 < signal.confidence", f"85 < signal.confidence can never hold: {CONFIDENCE}"),
        ("signal.confidence == 90", f"signal.confidence == 90 can never hold: {CONFIDENCE}"),
        ("signal.confidence != -1", f"signal.confidence != -1 always holds: {CONFIDENCE}"),
        ("rsi(14) > 100", "rsi(14) > 100 can never hold: rsi(14) is 0 to 100"),
        (
            "previous(rsi(14)) > 101",
            "previous(rsi(14)) > 101 can never hold: previous(rsi(14)) is 0 to 100",
        ),
        (
            "crosses_above(rsi(14), 120)",
            "crosses_above(rsi(14), 120) can never hold: rsi(14) is 0 to 100",
        ),
        (
            "crosses_below(rsi(14), 0)",
            "crosses_below(rsi(14), 0) can never hold: rsi(14) is 0 to 100",
        ),
        (
            "position.minutes < 0",
            "position.minutes < 0 can never hold: position.minutes is at least 0",
        ),
        (
            "-position.minutes > 5",
            "-position.minutes > 5 can never hold: -position.minutes is at most 0",
        ),
        (
            f"signal.confidence > rsi(14) + 0 or {BOTH}",
            f"{BOTH} can never hold: {MINUS} and time.minutes_to_close is 0 to 1,440",
        ),
        ("1 > 2", "1 > 2 can never hold"),
        ("not signal.confidence > 85", f"signal.confidence > 85 can never hold: {CONFIDENCE}"),
        ("0.5 < signal.confidence < 85", f"signal.confidence < 85 always holds: {CONFIDENCE}"),
    ],
)
def test_what_no_value_decides_is_remarked_with_the_range(text: str, words: str) -> None:
    assert said(text) == (words,)


@pytest.mark.parametrize(
    "text",
    [
        "signal.action == 'BUY' and signal.confidence > 0.85",
        "signal.confidence >= 1",
        "signal.confidence == 1",
        "signal.confidence != 0",
        "rsi(14) < 30 and crosses_above(rsi(14), 70)",
        "crosses_above(sma(10), sma(50))",
        "price.last > 150 and -price.last < 0",
        "time.now > '09:45' and time.weekday != 'fri'",
        "position.is_flat and not market.is_open",
        "position.minutes > 5",
        "-price.last >= sma(3)",
    ],
)
def test_what_depends_on_the_market_is_not(text: str) -> None:
    assert said(text) == ()


def test_the_same_is_remarked_once() -> None:
    assert len(said("signal.confidence > 85 or signal.confidence > 85")) == 1
