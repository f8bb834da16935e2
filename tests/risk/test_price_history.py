from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from ibkr_trader.core.models import Bar
from ibkr_trader.risk.price_history import DayBar, PriceHistory, average_range, history_of
from tests.risk.world import AAPL, D

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)


def bar(day: int, close: str, *, high: str = "", low: str = "", hour: int = 0) -> Bar:
    at = MONDAY + timedelta(days=day, hours=hour)
    prices = {"open": D(close), "high": D(high or close), "low": D(low or close)}
    return Bar(contract=AAPL, at=at, close=D(close), **prices)


def test_only_completed_sessions_count_each_once_and_in_order() -> None:
    bars = [bar(1, "11"), bar(0, "10"), bar(1, "12", hour=14), bar(4, "14")]
    found = history_of("AAPL", bars, through=date(2026, 11, 19), asked=61, industry="Technology")
    assert [(one.day.day, one.close) for one in found.bars] == [(16, D(10)), (17, D(12))]
    assert (found.asked, found.industry) == (61, "Technology")


def test_what_is_no_price_is_no_bar() -> None:
    odd = ("NaN", "0", "-1", "Infinity")
    bars = [bar(n, text) for n, text in enumerate(odd)]
    bars += [bar(5, "10", high="9"), bar(6, "10", low="11", high="9"), bar(7, "10")]
    found = history_of("AAPL", bars, through=date(2026, 12, 31), asked=1)
    assert [(one.day, one.close) for one in found.bars] == [(date(2026, 11, 23), D(10))]


def history(*rows: tuple[str, str, str]) -> PriceHistory:
    days = (date(2026, 11, 1) + timedelta(days=n) for n in range(len(rows)))
    bars = tuple(
        DayBar(day, D(high), D(low), D(close))
        for day, (high, low, close) in zip(days, rows, strict=True)
    )
    return PriceHistory(symbol="AAPL", through=date(2026, 12, 1), bars=bars)


def test_the_average_range_spans_gaps() -> None:
    assert average_range(history(("102", "98", "100"))) is None
    assert average_range(history(("1", "1", "100"), ("102", "98", "100"))) == D("0.04")
    assert average_range(history(("1", "1", "80"), ("102", "98", "100"))) == D("0.22")
    flat = [("100", "100", "100")] * 20
    assert average_range(history(*flat, ("114", "100", "100"))) == D("0.01")  # of fourteen
