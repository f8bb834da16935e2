"""Which answers are news: another prediction, a crossing, another mistake."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.adapters.signals.flow_feeds import (
    Answers,
    Crossing,
    MeasureFeed,
    PredictionFeed,
    new_york_today,
)
from ibkr_trader.adapters.signals.flow_payloads import MeasurePaths, PredictionPaths
from ibkr_trader.core.signals import Claim, FlowClaim, Incoming, Malformed
from tests.adapters.signals.source_parts import prediction


def answers(counts: Counter[str]) -> Answers:
    return Answers("api", id_path="prediction.id", most_bytes=16_384, depth=4, counts=counts)


def predictions(
    counts: Counter[str], *, today: Callable[[], date] = new_york_today
) -> PredictionFeed:
    return PredictionFeed(
        "AAPL",
        source="api",
        path="/p",
        paths=PredictionPaths(),
        floor=Decimal("0.75"),
        answers=answers(counts),
        today=today,
    )


def measure(crossing: Crossing, threshold: str = "10") -> MeasureFeed:
    return MeasureFeed(
        "AAPL",
        source="api",
        path="/t",
        paths=MeasurePaths(value="trades.premium"),
        measure="trades",
        threshold=Decimal(threshold),
        crossing=crossing,
        answers=answers(Counter()),
    )


def told(feed: PredictionFeed | MeasureFeed, payload: dict[str, Any] | bytes) -> Incoming | None:
    """What is news, once it is settled."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    found = feed.news(data)
    if found is not None:
        feed.settle(found)
    return found


def test_a_prediction_is_news_once() -> None:
    counts: Counter[str] = Counter()
    feed = predictions(counts)
    assert isinstance(told(feed, prediction()), Claim)
    assert [told(feed, prediction()) for _ in range(60)] == [None] * 60
    assert isinstance(told(feed, prediction("SELL")), Claim)
    assert isinstance(told(feed, prediction()), Claim)  # judged elsewhere: it may be seen before
    assert counts == {"repeated": 60}


def test_on_another_day_it_is_news_again() -> None:
    days = [date(2026, 11, 20)]
    feed = predictions(Counter(), today=lambda: days[-1])
    assert isinstance(told(feed, prediction()), Claim)
    assert told(feed, prediction()) is None
    days.append(date(2026, 11, 21))
    assert isinstance(told(feed, prediction()), Claim)
    assert told(feed, prediction()) is None


def test_below_the_floor_it_is_only_counted() -> None:
    counts: Counter[str] = Counter()
    feed = predictions(counts)
    assert told(feed, prediction(confidence="0.7499999999999999999")) is None
    assert counts == {"below_floor": 1}
    assert isinstance(told(feed, prediction(confidence="0.75")), Claim)


def test_what_is_not_settled_stays_news() -> None:
    feed = predictions(Counter())
    data = json.dumps(prediction()).encode()
    first = feed.news(data)
    assert feed.news(data) == first is not None
    broken = feed.news(b"{")
    assert feed.news(b"{") == broken is not None


def test_a_mistake_is_news_while_it_is_another() -> None:
    counts: Counter[str] = Counter()
    feed = predictions(counts)
    found = told(feed, b'{"prediction": {"id": 7}}')
    assert found == Malformed(
        source="api",
        message="prediction.signal: missing",
        excerpt='{"prediction": {"id": 7}}',
        signal_id="7",
    )
    assert told(feed, b'{"prediction": {"id": 7}}') is None
    assert isinstance(told(feed, b'{"prediction": {"id": 8}}'), Malformed)
    assert isinstance(told(feed, prediction()), Claim)
    assert isinstance(told(feed, b'{"prediction": {"id": 8}}'), Malformed)
    assert told(feed, prediction()) is None
    assert counts == {"malformed": 4, "repeated": 1}


@pytest.mark.parametrize(
    ("crossing", "expected"),
    [
        (Crossing.UP, [10, 11]),
        (Crossing.DOWN, [9, 3]),
        (Crossing.BOTH, [10, 9, 11, 3]),
    ],
)
def test_a_crossing_is_news_and_a_level_is_not(crossing: Crossing, expected: list[int]) -> None:
    feed = measure(crossing)
    values = [5, 9, 10, 12, 10, 9, 9, 11, 3]
    found = [told(feed, {"trades": {"premium": value}}) for value in values]
    crossed = [one for one in found if one is not None]
    assert all(isinstance(one, FlowClaim) for one in crossed)
    assert [int(one.value) for one in crossed if isinstance(one, FlowClaim)] == expected


@pytest.mark.parametrize("first", [5, 50])
def test_where_it_stood_before_the_first_answer_is_unknown(first: int) -> None:
    assert told(measure(Crossing.BOTH), {"trades": {"premium": first}}) is None


def test_a_mistake_between_two_answers_is_no_crossing_and_hides_none() -> None:
    feed = measure(Crossing.UP)
    assert told(feed, {"trades": {"premium": 5}}) is None
    assert isinstance(told(feed, {"trades": {"premium": "much"}}), Malformed)
    assert isinstance(told(feed, {"trades": {"premium": 50}}), FlowClaim)
    assert isinstance(told(feed, {"trades": {}}), Malformed)
    assert told(feed, {"trades": {"premium": 51}}) is None


def test_a_crossing_that_is_not_settled_stays_news() -> None:
    feed = measure(Crossing.UP)
    told(feed, {"trades": {"premium": 5}})
    data = json.dumps({"trades": {"premium": 50}}).encode()
    assert feed.news(data) == feed.news(data) is not None
    assert isinstance(told(feed, data), FlowClaim)
    assert told(feed, data) is None
