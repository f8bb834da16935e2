"""Bar files as a market: `data/bars/AAPL.csv` in, the same quotes and bars as the model out.

A file has a header and the columns `time,open,high,low,close,volume`, oldest first. Times are
ISO 8601; without a zone they are New York's. Within a bar the price goes from the open over
the nearer extreme and the farther one to the close, so that both are touched.
"""

import csv
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from ibkr_trader.sim.calendar import NEW_YORK, Phase, local_date, previous_trading_day
from ibkr_trader.sim.instruments import Instrument, SimBar
from ibkr_trader.sim.model import Moment

_COLUMNS = ("time", "open", "high", "low", "close", "volume")
_HALF = 0.5  # without a file's own word on it, sizes are the middling ones


def read_bars(lines: Iterable[str], *, name: str) -> tuple[SimBar, ...]:
    """Read one file's bars.

    Raises:
        ValueError: With `name` and the line, if a line cannot be read or goes back in time,
            and if there is none.
    """
    bars: list[SimBar] = []
    for number, row in enumerate(csv.DictReader(lines), start=2):
        try:
            bar = _bar(row)
        except (KeyError, TypeError, ValueError, InvalidOperation) as error:
            message = f"{name}, line {number}: not a bar of {','.join(_COLUMNS)} ({error})"
            raise ValueError(message) from None
        if bars and bar.at <= bars[-1].at:
            message = f"{name}, line {number}: {row['time']} is not after the line before"
            raise ValueError(message)
        bars.append(bar)
    if not bars:
        message = f"{name}: there is no bar in it"
        raise ValueError(message)
    return tuple(bars)


def _bar(row: dict[str, str]) -> SimBar:
    at = datetime.fromisoformat(row["time"])
    if at.tzinfo is None:
        at = at.replace(tzinfo=NEW_YORK)
    prices = [Decimal(row[column]) for column in ("open", "high", "low", "close")]
    first, high, low, last = prices
    if not all(price.is_finite() and price > 0 for price in prices):
        raise ValueError("a price is not positive")
    if not low <= min(first, last) <= max(first, last) <= high:
        raise ValueError("open and close are not between low and high")
    volume = Decimal(row["volume"])
    return SimBar(
        at=at.astimezone(UTC),
        session=local_date(at),
        open=first,
        high=high,
        low=low,
        close=last,
        volume=volume,
        average=(high + low + last) / 3,
        count=max(1, int(volume) // 100),
    )


class BarSeries:
    """One instrument's bars, as a price that moves within them."""

    def __init__(self, bars: tuple[SimBar, ...]) -> None:
        """Take at least one bar."""
        self.bars = bars
        self._starts = [bar.at for bar in bars]
        gaps = (b - a for a, b in zip(self._starts, self._starts[1:], strict=False))
        self.step = min(gaps, default=timedelta(minutes=1))

    def moment(self, instrument: Instrument, now: datetime) -> Moment:
        """Return the price at `now`; outside any bar, as the last one left it."""
        index = max(0, bisect_right(self._starts, now) - 1)
        bar = self.bars[index]
        share = (now - bar.at) / self.step
        is_open = 0 <= share < 1
        today = [b for b in self._day_until(index) if b.session == bar.session]
        passed = _within(bar, min(max(share, 0.0), 1.0))
        previous = self._previous_close(bar, today[0])
        done = today[:-1]
        return Moment(
            price=float(passed[-1]),
            phase=Phase.REGULAR if is_open else Phase.CLOSED,
            open=float(today[0].open),
            high=float(max(*passed, *(b.high for b in done))),
            low=float(min(*passed, *(b.low for b in done))),
            close=float(previous if previous is not None else instrument.opening_price),
            volume=int(sum((b.volume for b in done), Decimal(0))),
            bid_luck=_HALF,
            ask_luck=_HALF,
        )

    def _day_until(self, index: int) -> tuple[SimBar, ...]:
        first = index
        while first > 0 and self.bars[first - 1].session == self.bars[index].session:
            first -= 1
        return self.bars[first : index + 1]

    def _previous_close(self, bar: SimBar, first: SimBar) -> Decimal | None:
        index = bisect_right(self._starts, first.at) - 2
        if index < 0 or self.bars[index].session < previous_trading_day(bar.session):
            return None
        return self.bars[index].close


def _within(bar: SimBar, share: float) -> tuple[Decimal, ...]:
    """The prices passed a share of the way through a bar: open, one extreme, the other, close."""
    rises = bar.close >= bar.open
    stops = (bar.open, bar.low if rises else bar.high, bar.high if rises else bar.low, bar.close)
    leg = min(int(share * 3), 2)
    part = min(Decimal(str(round(share * 3 - leg, 6))), Decimal(1))
    return (*stops[: leg + 1], stops[leg] + (stops[leg + 1] - stops[leg]) * part)
