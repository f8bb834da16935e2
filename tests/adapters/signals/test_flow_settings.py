"""Settings of the options flow that cannot work are refused before anything is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.adapters.settings import read_settings
from ibkr_trader.adapters.signals.flow_feeds import Crossing
from ibkr_trader.adapters.signals.flow_settings import ApiSettings, path_for

LEAST: dict[str, Any] = {"url": "https://api.example.com", "tickers": ["AAPL", "BRK.B"]}


def read(**more: Any) -> ApiSettings:
    return read_settings({**LEAST, **more}, ApiSettings, path="signals.api")


def test_the_defaults_are_the_first_plan_s() -> None:
    found = read()
    assert found.poll_seconds == 60
    assert found.prediction_confidence_min == Decimal("0.75")
    assert found.fields.confidence == "prediction.confidence"
    assert found.fields.signal == "prediction.signal"
    assert found.fields.price == "prediction.stock_price"
    assert found.predictions == "/predictions/{ticker}/latest"
    assert (found.trades, found.divergence) == (None, None)
    assert found.max_body_bytes == 16_384
    assert found.asked() == [("AAPL", "AAPL"), ("BRK.B", "BRK B")]


def test_measures_have_paths_of_their_own() -> None:
    found = read(
        trades={"threshold": 1_000_000}, divergence={"threshold": "0.3", "crossing": "both"}
    )
    assert found.trades is not None
    assert found.trades.path == "/trades/{ticker}/latest"
    assert found.trades.paths().value == "trades.premium"
    assert found.trades.threshold == 1_000_000
    assert found.trades.crossing is Crossing.UP
    assert found.divergence is not None
    assert found.divergence.path == "/divergence/{ticker}/latest"
    assert found.divergence.paths().value == "divergence.delta_divergence"
    assert (found.divergence.threshold, found.divergence.crossing) == (
        Decimal("0.3"),
        Crossing.BOTH,
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"url": "http://api.example.com"}, "url: api.example.com would be talked to in the clear"),
        ({"tickers": []}, "tickers: expected `array` of length >= 1"),
        ({"tickers": ["../x"]}, 'tickers: "../x" is no ticker'),
        ({"tickers": ["BRK.B", "AAPL", "brk b"]}, "tickers: BRK B stands there twice"),
        ({"name": "A B"}, "name: expected `str` matching regex"),
        ({"predictions": "/latest"}, "predictions: want a path with one {ticker} in it"),
        ({"predictions": "{ticker}"}, "predictions: want a path"),
        ({"predictions": "/{ticker}/{ticker}"}, "predictions: want a path"),
        ({"predictions": "/{ticker}/{day}"}, "predictions: want a path"),
        ({"predictions": "/{ticker}#x"}, "predictions: want a path"),
        ({"predictions": "/{ticker} x"}, "predictions: want a path"),
        ({"predictions": "/\u00e9/{ticker}"}, "predictions: want a path"),
        ({"fields": {"signal": ""}}, "fields.signal: '' is no dotted path"),
        ({"fields": {"sinal": "x"}}, "fields.sinal: there is no such key"),
        ({"prediction_confidence_min": 75}, "prediction_confidence_min: 75 is not from 0 to 1"),
        ({"prediction_confidence_min": "NaN"}, "prediction_confidence_min: NaN is not from"),
        ({"prediction_confidence_min": -1}, "prediction_confidence_min: -1 is not from 0 to 1"),
        ({"poll_seconds": 0}, "poll_seconds: expected `float` >= 0.1"),
        ({"timeout_seconds": "10"}, "timeout_seconds: expected `float`"),
        ({"max_depth": 17}, "max_depth: expected `int` <= 16"),
        ({"max_body_bytes": 0}, "max_body_bytes: expected `int` >= 1"),
        ({"trades": {}}, "trades.threshold: it is missing"),
        ({"trades": {"threshold": "Infinity"}}, "trades.threshold: Infinity is no number"),
        ({"trades": {"threshold": 1, "path": "/x"}}, "trades.path: want a path with one {ticker}"),
        ({"trades": {"threshold": 1, "value": ""}}, "trades.value: '' is no dotted path"),
        ({"trades": {"threshold": 1, "crossing": "over"}}, "trades.crossing: invalid enum value"),
        ({"divergence": 0.3}, "divergence: expected `object | null`, got `float`"),
        ({"token": "abc"}, "token: there is no such key; did you mean token_env?"),
    ],
)
def test_a_mistake_is_named_by_its_key(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"^signals\.api\.") as caught:
        read(**more)
    assert str(caught.value).startswith(f"signals.api.{message}")


@pytest.mark.parametrize(
    ("ticker", "path"),
    [("AAPL", "/p/AAPL?x=1"), ("BRK B", "/p/BRK%20B?x=1"), ("a/?#%", "/p/a%2F%3F%23%25?x=1")],
)
def test_a_ticker_is_one_piece_of_a_path(ticker: str, path: str) -> None:
    assert path_for("/p/{ticker}?x=1", ticker) == path
