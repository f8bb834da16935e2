from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.dashboard.summary import order_sentence, position_sentence, sentence
from tests.dashboard.garbled import NASTY
from tests.dashboard.scenes import GAUGES, decisions, feed, order, position


def test_an_order_in_words() -> None:
    row = order(2, filled=Decimal(5), is_last_stop=True, is_foreign=True, note="held")
    assert order_sentence(row) == (
        "2-stop (No. 102): SELL 20 NVDA STOP LIMIT 140.14 / 139.14 GTC, PART FILLED, 5 filled, "
        "the last stop, group 2, by person, foreign, held"
    )


def test_a_market_order_has_no_price_and_a_new_one_no_number() -> None:
    row = order(4, number=0, role="", group="", rule="")
    assert order_sentence(row) == "4-stop: SELL 40 AMZN MARKET GTC, CANCEL ASKED"


def test_a_position_in_words() -> None:
    row = position(3, surplus=Decimal(2), is_closing=True, remarks=("stop too far",))
    assert position_sentence(row) == (
        "TSLA: +30 at 150.33, last 151.83, P&L +45.00, stop –, target 155.33, "
        "stops cover 0 of 30, exits could trade 2 too many, on its way to flat, stop too far"
    )


def test_other_rows_in_words() -> None:
    assert sentence(GAUGES[4]) == "exposure: 52,000.00 of 50,000.00 was lowered"
    assert sentence(decisions(1)[0]) == "tighten, acted: stop of MSFT to 147.50: 1.0 R is reached"
    assert sentence(feed(1)[0]) == "1-stop SELL 10 MSFT at 145.00"
    assert sentence(None) == ""


@pytest.mark.parametrize("text", NASTY)
def test_no_sentence_steers_a_terminal(text: str) -> None:
    assert order_sentence(order(1, symbol=text, note=text)).isprintable()
    assert position_sentence(position(1, symbol=text, remarks=(text,))).isprintable()
