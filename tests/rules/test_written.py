from __future__ import annotations

import pytest

from ibkr_trader.rules.expression_wording import ExpressionError
from ibkr_trader.rules.written import Written
from tests.rules.moments import ATR, D, moment, ranging, signal

ENTRY = "signal.action == 'BUY' and signal.confidence > 0.85"


@pytest.mark.parametrize(
    ("seen", "holds"),
    [(signal(), True), (signal("SELL"), False), (signal(confidence="0.85"), False), (None, None)],
)
def test_it_holds_does_not_or_cannot_be_told(seen: object, holds: bool | None) -> None:
    assert Written.of(ENTRY).holds(moment(signal=seen)) is holds


def test_it_tells_what_it_looks_at_and_what_is_missing() -> None:
    one = Written.of(ENTRY)
    here = moment(signal=signal(confidence="0.5"))
    assert one.facts(here) == {"signal.action": "BUY", "signal.confidence": "0.5"}
    assert one.against(here) == ("signal.confidence > 0.85 is false (0.5)",)
    assert one.against(moment(signal=signal())) == ()
    assert one.against(moment()) == (
        "signal.action == 'BUY' is unknown",
        "signal.confidence > 0.85 is unknown",
    )


def test_it_is_written_in_one_way_and_knows_its_indicators() -> None:
    one = Written.of("( atr() >0 )and true")
    assert one.text == "atr() > 0 and true"
    assert one.indicators == {ATR}
    assert one.holds(moment(study=ranging())) is True
    assert Written.of("sma(5) > sma(20) and sma(5) > 1").indicators == {
        ("sma", (D(5),)),
        ("sma", (D(20),)),
    }


def test_what_cannot_be_read_says_where() -> None:
    with pytest.raises(ExpressionError, match="column 1"):
        Written.of("price.lats > 1")
