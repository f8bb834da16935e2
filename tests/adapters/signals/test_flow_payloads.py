"""An API's answer becomes a claim, or says which of its values is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.adapters.signals.flow_payloads import (
    MeasurePaths,
    PredictionPaths,
    id_in,
    read_measure,
    read_prediction,
)
from ibkr_trader.adapters.signals.json_reading import Unreadable, read_object
from ibkr_trader.core.enums import SignalAction
from ibkr_trader.core.signals import Claim, FlowClaim
from tests.adapters.signals.source_parts import prediction

PREDICTIONS = PredictionPaths()
PREMIUM = MeasurePaths(value="trades.premium", id="trades.id", timestamp="trades.timestamp")


def claim(payload: dict[str, Any], paths: PredictionPaths = PREDICTIONS) -> Claim:
    found = read_object(json.dumps(payload).encode())
    return read_prediction(found, paths, ticker="AAPL", source="api")


def flow(payload: dict[str, Any], threshold: str = "1000", ticker: str = "AAPL") -> FlowClaim:
    return read_measure(
        read_object(json.dumps(payload).encode()),
        PREMIUM,
        ticker=ticker,
        source="api",
        measure="trades",
        threshold=Decimal(threshold),
    )


def test_the_first_plan_s_payload_is_a_claim() -> None:
    found = claim(prediction())
    assert found == Claim(
        source="api",
        signal_id="",
        ticker="AAPL",
        action=SignalAction.BUY,
        confidence=Decimal("0.82"),
        price=Decimal("187.32"),
        is_standing=True,
    )
    assert not found.is_signed


def test_a_producer_s_own_id_and_time_are_taken() -> None:
    found = claim(prediction(id=991, timestamp="2026-11-23T14:30:00Z"))
    assert found.signal_id == "991"
    assert found.issued_at == datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    assert not found.is_standing


def test_what_else_an_api_says_is_not_our_business() -> None:
    more = {**prediction(model={"name": "x"}, explanation=None), "ticker": "aapl", "meta": [1, 2]}
    assert claim(more) == claim(prediction())


def test_a_dated_prediction_is_named_by_what_it_says_and_when() -> None:
    noon: dict[str, Any] = {"timestamp": "2026-11-23T12:00:00Z"}
    same = [
        prediction(**noon), prediction("buy", **noon), prediction(price=187.33, **noon),
        prediction(confidence="0.83", **noon), prediction(timestamp="2026-11-23T07:00:00-05:00"),
    ]  # fmt: skip
    other = [prediction("SELL", **noon), prediction(timestamp="2026-11-23T12:00:01Z")]
    names = {claim(one).signal_id for one in same}
    assert len(names) == 1
    assert all(name.startswith("sha256:") for name in names)
    names |= {claim(one).signal_id for one in other}
    found = read_object(json.dumps(prediction(**noon)).encode())
    names.add(read_prediction(found, PREDICTIONS, ticker="MSFT", source="api").signal_id)
    assert len(names) == 4


def test_zeros_behind_the_point_are_no_other_number() -> None:
    hundred = [flow({"trades": {"premium": one}}).signal_id for one in (100, 100.0, 10, 1)]
    assert len(set(hundred)) == 3


def test_values_stand_where_the_settings_say() -> None:
    paths = PredictionPaths(
        confidence="score", signal="a.b.c", price="", id="a.id", timestamp="", ticker=""
    )
    payload = {"score": "0.9", "a": {"b": {"c": "sell"}, "id": "x"}, "ticker": "MSFT"}
    assert claim(payload, paths) == Claim(
        source="api",
        signal_id="x",
        ticker="AAPL",
        action=SignalAction.SELL,
        confidence=Decimal("0.9"),
    )


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({}, "prediction.signal: missing"),
        ({"prediction": {}}, "prediction.signal: missing"),
        ({"prediction": None}, "prediction.signal: missing"),
        ({"prediction": "BUY"}, "prediction: it is no object"),
        ({"prediction": [1]}, "prediction: it is no object"),
        (prediction("HOLD"), 'prediction.signal: "HOLD" is none of BUY, SELL, SHORT'),
        (prediction(confidence=1.2), "prediction.confidence: 1.2 is not from 0 to 1"),
        (prediction(confidence="\u0660.8"), 'prediction.confidence: "\u0660.8" is no number'),
        ({"prediction": {"signal": "BUY"}}, "prediction.confidence: missing"),
        (
            {"prediction": {"signal": "BUY", "confidence": True}},
            "prediction.confidence: true is no number",
        ),
        ({"prediction": {"signal": "BUY", "confidence": 0.8}}, "prediction.stock_price: missing"),
        (prediction(price=0), "prediction.stock_price: 0 is not above 0"),
        (prediction(id=" "), 'prediction.id: "'),
        (prediction(timestamp="2026-11-23 14:30"), "prediction.timestamp: "),
        ({**prediction(), "ticker": "MSFT"}, "ticker: it is about MSFT, and AAPL was asked for"),
        ({**prediction(), "ticker": 1}, "ticker: 1 is no ticker"),
    ],
)  # fmt: skip
def test_what_is_no_prediction_says_which_value(payload: dict[str, Any], message: str) -> None:
    with pytest.raises(Unreadable) as caught:
        claim(payload)
    assert caught.value.message.startswith(message)


def test_a_measure_is_a_claim_about_the_flow() -> None:
    found = flow({"trades": {"premium": -12.5, "id": 7, "timestamp": 1795444200}})
    assert found == FlowClaim(
        source="api",
        signal_id="trades:7",
        ticker="AAPL",
        measure="trades",
        value=Decimal("-12.5"),
        threshold=Decimal(1000),
        issued_at=datetime(2026, 11, 23, 14, 30, tzinfo=UTC),
    )


def test_a_measure_is_named_by_its_content_too() -> None:
    name = flow({"trades": {"premium": 1.50}}).signal_id
    assert name == flow({"trades": {"premium": "1.5"}}).signal_id
    others = {
        flow({"trades": {"premium": 1.51}}).signal_id,
        flow({"trades": {"premium": 1.5}}, ticker="MSFT").signal_id,
        flow({"trades": {"premium": 1.5}}, threshold="1").signal_id,
        flow({"trades": {"premium": 1.5, "timestamp": 1795444200}}).signal_id,
    }
    assert len(others | {name}) == 5


@pytest.mark.parametrize("value", ["NaN", True, None, "1e9", [], "٣"])
def test_a_measure_is_a_number(value: object) -> None:
    with pytest.raises(Unreadable, match=r"^trades\.premium: "):
        flow({"trades": {"premium": value}})


def test_a_measure_of_another_ticker_is_none_of_this_one() -> None:
    with pytest.raises(Unreadable, match="it is about MSFT"):
        flow({"trades": {"premium": 1}, "ticker": "MSFT"})


@pytest.mark.parametrize(
    "paths",
    [{"signal": ""}, {"confidence": ""}, {"signal": "a..b"}, {"signal": ".a"}, {"id": "a b"},
     {"price": "a."}],
)  # fmt: skip
def test_what_is_no_path_is_refused(paths: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=rf"^{next(iter(paths))}: .* is no dotted path"):
        PredictionPaths(**paths)
    with pytest.raises(ValueError, match=r"^value: "):
        MeasurePaths(value="")


def test_an_id_is_found_where_the_rest_is_no_prediction() -> None:
    assert id_in({"prediction": {"id": "x"}}, "prediction.id") == "x"
    assert id_in({"prediction": {"id": []}}, "prediction.id") == ""
    assert id_in({"prediction": "x"}, "prediction.id") == ""
    assert id_in({}, "prediction.id") == ""
    assert id_in({}, "") == ""
