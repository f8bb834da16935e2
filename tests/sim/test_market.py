"""Prices: anchored, repeatable, correlated, and the same seen live and looked up later."""

import math
import statistics
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from ibkr_trader.sim import shapes
from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.instruments import SimBar, Tape
from ibkr_trader.sim.matching import is_on_tick
from ibkr_trader.sim.model import PriceModel
from tests.sim.pit_desk import (
    AAPL,
    EURUSD,
    OPENED,
    PENNY,
    Pit,
    d,
    ds,
    universe_of,
)

FRIDAY, THURSDAY = date(2026, 11, 20), date(2026, 11, 19)


def fresh(seed: int = 1) -> Exchange:
    return Exchange(ExchangeConfig(opened_at=OPENED, seed=seed), universe_of())


@pytest.mark.parametrize("seed", range(1, 6))
def test_aapl_opens_at_exactly_150_whatever_the_seed(seed: int) -> None:
    tape = fresh(seed).market.tape(AAPL)
    assert (str(tape.last), str(tape.bid), str(tape.ask)) == ("150.00", "149.99", "150.01")


def test_every_instrument_opens_at_its_price_on_its_grid() -> None:
    exchange = fresh()
    for listed in exchange.universe:
        tape = exchange.market.tape(listed.con_id)
        assert tape.bid is not None
        assert tape.ask is not None
        assert tape.bid < tape.ask
        assert is_on_tick(tape.bid, listed.bands)
        assert is_on_tick(tape.ask, listed.bands)
        assert tape.bid_size > 0 < tape.ask_size
        if listed.sec_type == "STK":
            assert tape.last == listed.opening_price


@pytest.mark.parametrize("seed", range(1, 21))
def test_the_readme_bracket_is_safe_for_the_first_hour(seed: int) -> None:
    exchange = fresh(seed)
    for minute in range(61):
        exchange.advance(OPENED + timedelta(minutes=minute))
        last = exchange.market.tape(AAPL).last
        assert last is not None
        assert 146 < last < 154


def test_bars_agree_with_the_quotes_seen_live() -> None:
    exchange = fresh()
    seen: list[Tape] = []
    for second in range(180):
        exchange.advance(OPENED + timedelta(seconds=second))
        seen.append(exchange.market.tape(AAPL))
    exchange.advance(OPENED + timedelta(seconds=180))
    bars = exchange.market.bars(
        AAPL, start=OPENED, end=OPENED + timedelta(hours=1), seconds=60, regular_only=True
    )
    assert len(bars) == 3
    for index, bar in enumerate(bars):
        minute = [tape.last for tape in seen[index * 60 : index * 60 + 60] if tape.last]
        assert bar.open == minute[0]
        assert bar.low <= min(minute) <= max(minute) <= bar.high
    assert seen[0].volume < seen[-1].volume


def test_bars_of_all_sizes_agree_with_each_other_and_with_the_day() -> None:
    exchange = fresh()
    span: dict[str, Any] = {
        "start": OPENED - timedelta(days=1, hours=5),
        "end": OPENED - timedelta(hours=15),
    }
    minutes = exchange.market.bars(AAPL, seconds=60, regular_only=True, **span)
    hours = exchange.market.bars(AAPL, seconds=3600, regular_only=True, **span)
    (day,) = exchange.market.daily_bars(AAPL, last=THURSDAY, count=1)
    assert len(minutes) == 390
    assert [bar.at.minute for bar in hours] == [30, 0, 0, 0, 0, 0, 0]
    for bars in (minutes, hours):
        assert bars[0].open == day.open
        assert bars[-1].close == day.close
        assert max(bar.high for bar in bars) == day.high
        assert min(bar.low for bar in bars) == day.low
        assert sum((bar.volume for bar in bars), Decimal(0)) == day.volume
    seconds = exchange.market.bars(
        AAPL,
        start=minutes[5].at,
        end=minutes[6].at,
        seconds=5,
        regular_only=True,
    )
    assert len(seconds) == 12
    assert max(bar.high for bar in seconds) == minutes[5].high
    assert seconds[-1].close == minutes[5].close


def test_todays_bar_is_under_way_and_the_day_before_closed_where_today_began() -> None:
    exchange = fresh()
    exchange.advance(OPENED + timedelta(seconds=30))
    before, today = exchange.market.daily_bars(AAPL, last=FRIDAY, count=2)
    tape = exchange.market.tape(AAPL)
    assert today.close == tape.last
    assert (today.high, today.low, today.volume) == (tape.high, tape.low, tape.volume)
    assert before.close == tape.close
    early = Exchange(ExchangeConfig(opened_at=OPENED - timedelta(hours=3)), universe_of())
    assert len(early.market.daily_bars(AAPL, last=FRIDAY, count=2)) == 1, "today has not begun"


def test_extended_hours_are_there_when_asked_for() -> None:
    exchange = fresh()
    span: dict[str, Any] = {"start": OPENED - timedelta(hours=6), "end": OPENED, "seconds": 1800}
    assert len(exchange.market.bars(AAPL, regular_only=False, **span)) == 12
    assert len(exchange.market.bars(AAPL, regular_only=True, **span)) == 1


def returns(bars: tuple[SimBar, ...]) -> list[float]:
    closes = [float(bar.close) for bar in bars]
    return [math.log(b / a) for a, b in pairwise(closes)]


def test_sectors_move_together_and_the_rest_less_so() -> None:
    exchange = fresh()
    year = {
        name: returns(exchange.market.daily_bars(con_id, last=FRIDAY, count=500))
        for name, con_id in {"XOM": 13977, "CVX": 5684, "KO": 8894, "SPY": 756733}.items()
    }
    together = statistics.correlation(year["XOM"], year["CVX"])
    apart = statistics.correlation(year["XOM"], year["KO"])
    assert together > 0.5
    assert 0.05 < apart < together - 0.15
    assert statistics.correlation(year["SPY"], year["XOM"]) > 0.2
    yearly = statistics.stdev(year["SPY"]) * math.sqrt(252)
    assert 0.11 < yearly < 0.17


def test_a_closed_market_keeps_its_last_price_and_quotes_nothing() -> None:
    pit = Pit(frozen=False)
    pit.until(datetime(2026, 11, 21, 0, 59, 59, tzinfo=UTC))
    last = pit.exchange.market.tape(AAPL).last
    pit.until(datetime(2026, 11, 22, 12, tzinfo=UTC))
    tape = pit.exchange.market.tape(AAPL)
    assert (tape.bid, tape.ask, tape.bid_size) == ds(None, None, 0)
    assert tape.last == last
    assert tape.mark == last


def test_before_the_opening_there_is_no_open() -> None:
    pit = Pit(at=OPENED - timedelta(hours=3), frozen=False)
    tape = pit.exchange.market.tape(AAPL)
    assert (tape.open, tape.high, tape.low) == (None, None, None)
    assert tape.bid is not None


def test_options_follow_their_underlying() -> None:
    exchange = fresh()
    options = exchange.universe.options_of(AAPL)
    calls = [o for o in options if o.right == "C" and o.expiry == options[0].expiry]
    prices = [exchange.market.tape(call.con_id).last or d(0) for call in calls]
    assert prices == sorted(prices, reverse=True)
    deep = exchange.market.tape(calls[0].con_id)
    assert deep.bid is not None
    assert deep.bid >= 19
    put = next(o for o in options if o.right == "P" and o.strike == 150)
    bars = exchange.market.bars(
        put.con_id, start=OPENED - timedelta(hours=1), end=OPENED, seconds=300, regular_only=False
    )
    assert len(bars) == 6
    assert all(bar.low <= bar.close <= bar.high for bar in bars)
    assert len(exchange.market.daily_bars(put.con_id, last=FRIDAY, count=3)) == 3
    early = Exchange(ExchangeConfig(opened_at=OPENED - timedelta(hours=3)), universe_of())
    assert not early.market.daily_bars(put.con_id, last=FRIDAY, count=1)


def test_an_expired_option_is_worth_what_it_is_in_the_money() -> None:
    value = shapes.option_value
    assert value(155.0, 150.0, years=0.0, sigma=0.3, right="C") == 5.0
    assert value(155.0, 150.0, years=0.0, sigma=0.3, right="P") == 0.0


def test_currencies_have_no_last_price() -> None:
    tape = fresh().market.tape(EURUSD)
    assert tape.last is None
    assert tape.mark is not None
    assert abs(tape.mark - d("1.085")) < d("0.0001")


def test_rates_go_both_ways() -> None:
    pit = Pit()
    pit.quote("1.0999", "1.1001", con_id=EURUSD)
    totals = pit.exchange.account
    assert totals._rate("EUR") == d("1.1")
    assert totals._rate("CAD") < 1
    assert totals._rate("XXX") == 1


def test_what_is_set_by_hand_stays() -> None:
    pit = Pit()
    pit.wait(3600)
    tape = pit.exchange.market.tape(AAPL)
    assert (tape.bid, tape.last) == (d("149.99"), d("150.00"))
    pit.print_trade("151", 100)
    after = pit.exchange.market.tape(AAPL)
    assert (after.last, after.last_size) == ds(151, 100)
    assert after.volume == tape.volume + 100
    assert after.high == 151
    pit.quote(None, "150.01")
    one_sided = pit.exchange.market.tape(AAPL)
    assert (one_sided.bid, one_sided.bid_size) == ds(None, 0)


@pytest.mark.parametrize(
    ("bid", "ask", "last", "mark"),
    [("1", "2", "3", "2"), ("1", "2", "0.5", "1"), ("1", "2", None, "1.5"), (None, "2", "3", "3"),
     ("2", "1", None, "9"), ("1", "2", "1.2", "1.2")],
)  # fmt: skip
def test_the_mark(bid: str | None, ask: str | None, last: str | None, mark: str) -> None:
    bid_, ask_, last_ = (None if text is None else d(text) for text in (bid, ask, last))
    tape = Tape(con_id=1, at=OPENED, bid=bid_, ask=ask_, last=last_, close=d(9))
    assert tape.mark == d(mark)


def test_penny_stocks_move_in_small_ticks() -> None:
    pit = Pit(frozen=False)
    seen = set()
    for _ in range(60):
        pit.wait(1)
        seen.add(pit.exchange.market.tape(PENNY).last)
    assert any(price is not None and price % d("0.01") for price in seen)


def test_a_bridge_that_never_leaves_its_span_is_made_to() -> None:
    path = shapes.bend([0.0, 0.5, 0.6, 1.0], high=1.5, low=-0.5)
    assert (max(path), min(path)) == (1.5, -0.5)
    assert (path[0], path[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("seconds", [5, 60, 3600])
def test_a_late_stretch_is_the_end_of_a_long_one(seconds: int) -> None:
    exchange = fresh()
    now = OPENED + timedelta(hours=1)
    exchange.advance(now)
    span: dict[str, Any] = {"end": now, "seconds": seconds, "regular_only": False}
    long = exchange.market.bars(AAPL, start=OPENED - timedelta(hours=2), **span)
    for back in (10, 67, 119, 120, 3600):
        start = now - timedelta(seconds=back)
        late = exchange.market.bars(AAPL, start=start, **span)
        assert late == tuple(bar for bar in long if bar.at >= start)


def test_a_late_stretch_costs_no_more_than_an_early_one(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = fresh()
    now = OPENED + timedelta(hours=1)
    exchange.advance(now)
    drawn: list[int] = []
    seconds_of = PriceModel.seconds

    def counted(self: PriceModel, *what: Any, **which: Any) -> list[float]:
        drawn.append(which["minute"])
        return seconds_of(self, *what, **which)

    monkeypatch.setattr(PriceModel, "seconds", counted)
    for instrument in (AAPL, EURUSD):
        drawn.clear()
        start = now - timedelta(seconds=10)
        bars = exchange.market.bars(instrument, start=start, end=now, seconds=5, regular_only=False)
        assert len(bars) == 2
        assert len(set(drawn)) <= 2, "of the minutes before nobody has asked"
