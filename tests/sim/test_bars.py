"""Bar files as a market."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ibkr_trader.sim.bars import BarSeries, read_bars
from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from tests.sim.pit_desk import (
    ENB_CAD,
    MSFT,
    OPENED,
    Pit,
    d,
    ds,
    terms,
    universe_of,
)

FRIDAY = date(2026, 11, 20)

HEADER = "time,open,high,low,close,volume"
ROWS = [
    "2026-11-19T15:59:00,99,100,98,99.50,500",
    "2026-11-20T10:00:00,100,104,99,103,1000",
    "2026-11-20T10:01:00,103,105,101,102,2000",
]


def from_file(at: datetime = OPENED) -> Exchange:
    bars = read_bars([HEADER, *ROWS], name="MSFT.csv")
    return Exchange(ExchangeConfig(opened_at=at), universe_of(), bars={MSFT: BarSeries(bars)})


def test_a_bar_file_is_a_market() -> None:
    exchange = from_file()
    seen = []
    for second in range(120):
        exchange.advance(OPENED + timedelta(seconds=second))
        seen.append(exchange.market.tape(MSFT).last or d(0))
    first, second_minute = seen[:60], seen[60:]
    assert (first[0], min(first), max(first)) == ds(100, 99, 104)
    assert second_minute[0] == 103
    assert seen.index(d(99)) < seen.index(d(104)), "a rising bar dips first"
    tape = exchange.market.tape(MSFT)
    assert (tape.open, tape.high, tape.low, tape.close) == ds(100, 105, 99, "99.50")
    assert tape.volume == 1000
    exchange.advance(OPENED + timedelta(seconds=120))
    closed = exchange.market.tape(MSFT)
    assert (closed.last, closed.bid) == ds(102, None), "after the last bar there is no market"


def test_the_bars_of_a_file_are_its_history() -> None:
    exchange = from_file()
    exchange.advance(OPENED + timedelta(minutes=5))
    span: dict[str, Any] = {"start": OPENED - timedelta(days=2), "end": OPENED + timedelta(days=1)}
    minutes = exchange.market.bars(MSFT, seconds=60, regular_only=True, **span)
    assert [bar.close for bar in minutes] == [d("99.50"), 103, 102]
    merged = exchange.market.bars(MSFT, seconds=300, regular_only=True, **span)
    assert [(bar.open, bar.high, bar.low, bar.close) for bar in merged][1] == ds(100, 105, 99, 102)
    days = exchange.market.daily_bars(MSFT, last=FRIDAY, count=3)
    assert [bar.close for bar in days] == [d("99.50"), 102]


def test_orders_trade_against_a_bar_file() -> None:
    exchange = from_file()
    pit = Pit.__new__(Pit)
    pit.exchange, pit.now, pit.last_id, pit.events = exchange, OPENED, 0, []

    pit.place(terms("BUY", 10, "LMT", limit_price="99.10", con_id=MSFT))
    pit.until(OPENED + timedelta(seconds=59))
    assert pit.stands(1) == "Filled 10/10"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["2026-11-20T10:00:00,1,2,3"], "line 2"),
        (["2026-11-20T10:00:00,1,2,0.5,x,1"], "line 2"),
        (["2026-11-20T10:00:00,5,2,1,1.5,1"], "not between"),
        (["2026-11-20T10:00:00,1,2,-1,1.5,1"], "not positive"),
        (["soon,1,2,1,1.5,1"], "line 2"),
        ([ROWS[1], ROWS[0]], "line 3"),
        ([], "no bar"),
    ],
)
def test_a_bad_line_is_named(rows: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_bars([HEADER, *rows], name="X.csv")


def test_a_falling_bar_rises_first_and_a_lone_bar_is_a_minute() -> None:
    bars = read_bars([HEADER, "2026-11-20T10:00:00+00:00,10,12,8,9,100"], name="X.csv")
    series = BarSeries(bars)
    listed = universe_of()[ENB_CAD]
    at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    prices = [series.moment(listed, at + timedelta(seconds=s)).price for s in range(60)]
    assert prices.index(12.0) < prices.index(8.0)
    before = series.moment(listed, at - timedelta(days=1))
    assert before.close == float(listed.opening_price)
