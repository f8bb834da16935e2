"""Bars to judge indicators by: some by hand, and random walks with what markets do to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random

from talipp.ohlcv import OHLCV

from ibkr_trader.core.models import Bar, Contract, Session
from ibkr_trader.rules.indicator import ANY_FEED, Indicator, make
from ibkr_trader.rules.market_days import Feed

AAPL = Contract(symbol="AAPL", con_id=1)
OPEN = datetime(2026, 11, 16, 14, 30, tzinfo=UTC)  # a Monday, 9:30 in New York
MINUTE = timedelta(minutes=1)
FIVE = timedelta(minutes=5)
DAY = timedelta(days=1)
HOURS = timedelta(hours=6.5)
SESSIONS = tuple(Session(OPEN + n * DAY, OPEN + n * DAY + HOURS) for n in range(5))
SEEDS = range(6)


def bar(
    at: datetime = OPEN,
    close: str = "100",
    *,
    high: str | None = None,
    low: str | None = None,
    volume: int | None = 0,
) -> Bar:
    """Return a bar by hand; high and low are the close if they are not given."""
    price = Decimal(close)
    return Bar(
        contract=AAPL,
        at=at,
        open=price,
        high=price if high is None else Decimal(high),
        low=price if low is None else Decimal(low),
        close=price,
        volume=None if volume is None else Decimal(volume),
    )


def closing(*closes: str, size: timedelta = FIVE) -> list[Bar]:
    """Return bars of which only the closes matter."""
    return [bar(OPEN + n * size, close) for n, close in enumerate(closes)]


def walk(seed: int, count: int = 500, *, start: int = 10_000) -> list[Bar]:
    """Return a list of one's own of the same bars each time."""
    return list(_walked(seed, count, start))


@cache
def _walked(seed: int, count: int, start: int) -> tuple[Bar, ...]:
    """Return bars of five minutes, 78 a day: a random walk in cents.

    With flat stretches, stretches without volume, jumps, and nights that open with a gap.
    """
    random = Random(seed)  # noqa: S311 - a walk that can be walked again, no secret
    price, bars, mood, left = start, list[Bar](), "", 0
    for n in range(count):
        if left == 0:
            mood, left = random.choice(["", "", "", "flat", "dry"]), random.randint(5, 40)
        left -= 1
        jump = random.randint(-800, 800) if n % 78 == 0 or random.random() < 0.01 else 0
        opens = max(50, price + jump)
        path = [opens] + [max(50, opens + random.randint(-60, 60)) for _ in range(4)]
        if mood == "flat":
            path = [price] * 5
        price = path[-1]
        bars.append(
            Bar(
                contract=AAPL,
                at=OPEN + n // 78 * DAY + n % 78 * FIVE,
                open=cents(path[0]),
                high=cents(max(path)),
                low=cents(min(path)),
                close=cents(price),
                volume=Decimal(0 if mood == "dry" else random.randint(0, 5000)),
            )
        )
    return tuple(bars)


def cents(amount: int) -> Decimal:
    """Return an amount of cents as a price."""
    return Decimal(amount) / 100


def number(*texts: str | int) -> tuple[Decimal, ...]:
    """Return the numbers of an indicator."""
    return tuple(Decimal(text) for text in texts)


def fed(indicator: Indicator, bars: Iterable[Bar]) -> list[Decimal | None]:
    """Return what an indicator says after each bar."""
    values = []
    for one in bars:
        indicator = indicator.after(one)
        values.append(indicator.value)
    return values


def values(
    name: str, bars: Iterable[Bar], *numbers: str | int, feed: Feed = ANY_FEED
) -> list[Decimal | None]:
    """Return what a new indicator says after each bar."""
    return fed(make(name, number(*numbers), feed=feed), bars)


def closes(bars: Iterable[Bar]) -> list[float]:
    """Return the closes as the second implementation takes them."""
    return [float(one.close) for one in bars]


def candles(bars: Iterable[Bar]) -> list[OHLCV]:
    """Return the bars as the second implementation takes them."""
    return [
        OHLCV(
            open=float(one.open),
            high=float(one.high),
            low=float(one.low),
            close=float(one.close),
            volume=float(one.volume or 0),
        )
        for one in bars
    ]


def assert_agree(
    ours: Sequence[Decimal | None], theirs: Sequence[float | None], *, scale: float = 0.0
) -> None:
    """Hold two implementations against each other, bar by bar, to 1e-9.

    Args:
        ours: What our indicator said; None must be None with them.
        theirs: What the other said.
        scale: What a figure near zero is a difference of: then relative to that.
    """
    assert len(ours) == len(theirs)
    assert any(value is not None for value in ours), "nothing was compared"
    for place, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        assert (mine is None) == (other is None), f"bar {place}: {mine} and {other}"
        if mine is not None and other is not None:
            size = max(abs(other), scale)
            assert abs(float(mine) - other) <= 1e-9 * size, f"bar {place}: {mine} and {other}"
