"""The seeded price model: every instrument's price at any moment, a pure function of its seed.

A day's return is market, sector and own noise, weighted by the instrument's betas, so that
prices move together as sectors do. On the anchor's moment each instrument is exactly at its
opening price; days before and after are chained to that one. Floats live here; `market.py`
makes Decimal ticks of them.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from typing import TypeVar

import msgspec

from ibkr_trader.sim import shapes
from ibkr_trader.sim.calendar import Phase, TradingDay, current_day, next_day, previous_day
from ibkr_trader.sim.instruments import Instrument
from ibkr_trader.sim.shapes import DayDraw, Path, Segment

_YEAR_DAYS = 252.0
_MARKET_VOLATILITY, _SECTOR_VOLATILITY = 0.14, 0.11
_GAP_SHARE = 0.2  # of a day's variance, before the opening
_QUIET = 0.35  # of the session's volatility, outside it
_QUIET_VOLUME = 0.02
_VOLUME_SPREAD = 0.25
_SECOND = timedelta(seconds=1)

T = TypeVar("T")


class Moment(msgspec.Struct, frozen=True):
    """An instrument at one second: its price, the day so far, and the sizes quoted."""

    price: float
    phase: Phase  # closed: the latest there was
    open: float | None
    high: float | None
    low: float | None
    close: float  # of the previous day
    volume: int
    bid_luck: float  # in [0, 1): draws the quoted sizes
    ask_luck: float


class _Memo:
    """The latest results of a pure function, by key; bounded."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, object] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]  # type: ignore[return-value]  # each key belongs to one kind
        value = make()
        self._kept[key] = value
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)
        return value


class PriceModel:
    """Prices of stocks and currencies for one seed, anchored at one moment."""

    def __init__(self, seed: int, anchor: datetime) -> None:
        self._seed = seed
        self._anchor = anchor
        self._factors = _Memo(4096)
        self._draws = _Memo(65536)
        self._segments = _Memo(256)
        self._seconds = _Memo(512)
        self._opens: dict[tuple[int, date], float] = {}

    def moment(self, instrument: Instrument, now: datetime) -> Moment:
        """Return the instrument at `now`; while its market is closed, as it was left."""
        day = current_day(instrument.sec_type, now)
        part = part_at(day, now)
        is_open = part is not None
        if part is None:
            day = previous_day(instrument.sec_type, day.date)
            now = day.trading.closes - _SECOND
            part = part_at(day, now)
        name, opens = part or ("regular", day.regular.opens)
        drawn = self.draw(instrument, day.date)
        segment = self.segment(instrument, day, name)
        elapsed = int((now - opens).total_seconds())
        minute, second = divmod(elapsed, shapes.MINUTE)
        path = self.seconds(instrument, day, part=name, minute=minute)
        base = self.open_log(instrument, day.date)
        lucky = shapes.seeded(self._seed, day.date, instrument.con_id, name, elapsed)
        before, after = segment.volumes[minute], segment.volumes[minute + 1]
        traded = before + (after - before) * second // shapes.MINUTE
        is_regular = name == "regular"
        phase = Phase.REGULAR if is_regular else Phase.EXTENDED
        so_far = path[: second + 1]
        high = max(*so_far, *segment.highs[:minute], so_far[0])
        low = min(*so_far, *segment.lows[:minute], so_far[0])
        if name == "after":  # the day's extremes are those of regular trading
            high, low = drawn.high, drawn.low
        return Moment(
            price=math.exp(base + path[second]),
            phase=phase if is_open else Phase.CLOSED,
            open=math.exp(base) if name != "before" else None,
            high=math.exp(base + high) if name != "before" else None,
            low=math.exp(base + low) if name != "before" else None,
            close=math.exp(base - drawn.gap),
            volume=traded,
            bid_luck=lucky.random(),
            ask_luck=lucky.random(),
        )

    def open_log(self, instrument: Instrument, day: date) -> float:
        """Return the log of the regular opening price of `day`, chained from the anchor."""
        known = self._opens
        key = (instrument.con_id, day)
        if key in known:
            return known[key]
        start = current_day(instrument.sec_type, self._anchor)
        at = start.date
        if (instrument.con_id, at) not in known:
            known[instrument.con_id, at] = self._anchored(instrument, start)
        # Walk from the nearest side of the anchor, filling in every day on the way.
        step = next_day if day > at else previous_day
        while at != day:
            level, here = known[instrument.con_id, at], at
            at = step(instrument.sec_type, at).date
            if (instrument.con_id, at) not in known:
                known[instrument.con_id, at] = self._chained(instrument, level, here=here, to=at)
        return known[key]

    def _chained(self, instrument: Instrument, level: float, *, here: date, to: date) -> float:
        if to > here:
            return level + self.draw(instrument, here).move + self.draw(instrument, to).gap
        return level - self.draw(instrument, here).gap - self.draw(instrument, to).move

    def _anchored(self, instrument: Instrument, day: TradingDay) -> float:
        moment = max(self._anchor, day.trading.opens)
        name, opens = part_at(day, moment) or ("regular", day.regular.opens)
        minute, second = divmod(int((moment - opens).total_seconds()), shapes.MINUTE)
        path = self.seconds(instrument, day, part=name, minute=minute)
        return math.log(float(instrument.opening_price)) - path[second]

    def draw(self, instrument: Instrument, day: date) -> DayDraw:
        """Return an instrument's day."""
        key = (instrument.con_id, day)
        return self._draws.get(key, lambda: self._draw(instrument, day))

    def _draw(self, instrument: Instrument, day: date) -> DayDraw:
        dice = shapes.seeded(self._seed, day, instrument.con_id)
        market, sector = self._factor("market", day), self._factor(instrument.sector, day)
        own = instrument.volatility / math.sqrt(_YEAR_DAYS)
        quiet, busy = math.sqrt(_GAP_SHARE), math.sqrt(1.0 - _GAP_SHARE)
        gap = self._mix(instrument, (market[0], sector[0], dice.gauss(0.0, own) * quiet))
        move = self._mix(instrument, (market[1], sector[1], dice.gauss(0.0, own) * busy))
        sigma = self._sigma(instrument) * busy
        return DayDraw(
            gap=gap,
            move=move,
            high=shapes.summit((0.0, move), sigma, 1.0 - dice.random()),
            low=-shapes.summit((0.0, -move), sigma, 1.0 - dice.random()),
            sigma=sigma,
            volume=instrument.daily_volume * math.exp(dice.gauss(0.0, _VOLUME_SPREAD)),
        )

    def _factor(self, name: str, day: date) -> tuple[float, float]:
        """The gap and the move of the market, or of a sector, on one day."""

        def make() -> tuple[float, float]:
            dice = shapes.seeded(self._seed, day, "factor", name)
            year = _MARKET_VOLATILITY if name == "market" else _SECTOR_VOLATILITY
            size = year / math.sqrt(_YEAR_DAYS)
            gap = dice.gauss(0.0, size) * math.sqrt(_GAP_SHARE)
            return gap, dice.gauss(0.0, size) * math.sqrt(1.0 - _GAP_SHARE)

        return self._factors.get((name, day), make)

    @staticmethod
    def _mix(instrument: Instrument, parts: tuple[float, float, float]) -> float:
        market, sector, own = parts
        return instrument.beta * market + instrument.sector_beta * sector + own

    @staticmethod
    def _sigma(instrument: Instrument) -> float:
        parts = (
            instrument.beta * _MARKET_VOLATILITY,
            instrument.sector_beta * _SECTOR_VOLATILITY,
            instrument.volatility,
        )
        return math.sqrt(sum(part * part for part in parts) / _YEAR_DAYS)

    def segment(self, instrument: Instrument, day: TradingDay, part: str) -> Segment:
        """Return a part of the day (`before`, `regular`, `after`), minute by minute."""
        key = (instrument.con_id, day.date, part)
        return self._segments.get(
            key, lambda: _segment_of(self._seed, instrument, day=day, part=part)
        )

    def draw_segment(self, instrument: Instrument, day: TradingDay, part: str) -> Segment:
        """Return a part of the day as it is drawn; `segment` remembers it."""
        drawn = self.draw(instrument, day.date)
        dice = shapes.seeded(self._seed, day.date, instrument.con_id, part)
        opens, closes = bounds(day, part)
        minutes = int((closes - opens).total_seconds()) // shapes.MINUTE
        if part == "regular":
            path = self._regular_path(instrument, day, minutes)
            path = shapes.bend(path, high=drawn.high, low=drawn.low)
            return shapes.draw_segment(
                dice, path, span=(drawn.low, drawn.high), sigma=drawn.sigma, volume=drawn.volume
            )
        start, end = (-drawn.gap, 0.0) if part == "before" else (drawn.move, drawn.move)
        sigma = drawn.sigma * _QUIET
        noise = shapes.bridge(dice, minutes, sigma)
        path = [start + (end - start) * k / minutes + value for k, value in enumerate(noise)]
        path[-1] = end
        return shapes.draw_segment(
            dice,
            path,
            span=(min(path), max(path)),
            sigma=sigma,
            volume=drawn.volume * _QUIET_VOLUME,
        )

    def _regular_path(self, instrument: Instrument, day: TradingDay, minutes: int) -> Path:
        drawn = self.draw(instrument, day.date)
        busy = math.sqrt((1.0 - _GAP_SHARE) / _YEAR_DAYS)
        shared = partial(_common, self._seed, day=day.date, minutes=minutes)
        market = shared(name="market", sigma=_MARKET_VOLATILITY * busy)
        sector = shared(name=instrument.sector, sigma=_SECTOR_VOLATILITY * busy)
        dice = shapes.seeded(self._seed, day.date, instrument.con_id, "own")
        own = shapes.bridge(dice, minutes, instrument.volatility * busy)
        slope = drawn.move / minutes
        noises = zip(market, sector, own, strict=True)
        path = [slope * k + self._mix(instrument, noise) for k, noise in enumerate(noises)]
        path[0], path[-1] = 0.0, drawn.move
        return path

    def seconds(self, instrument: Instrument, day: TradingDay, *, part: str, minute: int) -> Path:
        """Return the points of one minute, second by second."""
        key = (instrument.con_id, day.date, part, minute)

        def make() -> Path:
            dice = shapes.seeded(self._seed, day.date, instrument.con_id, part, "m", minute)
            return shapes.seconds_of(dice, self.segment(instrument, day, part), minute)

        return self._seconds.get(key, make)


# What is a function of its seed is drawn once for all exchanges of a process.


@lru_cache(maxsize=64)
def _segment_of(seed: int, instrument: Instrument, *, day: TradingDay, part: str) -> Segment:
    return PriceModel(seed, day.trading.opens).draw_segment(instrument, day, part)


@lru_cache(maxsize=256)
def _common(seed: int, name: str, *, day: date, minutes: int, sigma: float) -> Path:
    """A day's noise that a whole market or sector shares."""
    return shapes.bridge(shapes.seeded(seed, day, "path", name), minutes, sigma)


def bounds(day: TradingDay, part: str) -> tuple[datetime, datetime]:
    """Return when a part of a day begins and ends."""
    if part == "regular":
        return day.regular.opens, day.regular.closes
    if part == "before":
        return day.trading.opens, day.regular.opens
    return day.regular.closes, day.trading.closes


def parts_of(day: TradingDay) -> tuple[str, ...]:
    """Return the parts a day has, in order."""
    found = ("before", "regular", "after")
    return tuple(part for part in found if bounds(day, part)[0] < bounds(day, part)[1])


def part_at(day: TradingDay, now: datetime) -> tuple[str, datetime] | None:
    """Return the part of a day that `now` is in, and when it began; None outside."""
    for part in parts_of(day):
        opens, closes = bounds(day, part)
        if opens <= now < closes:
            return part, opens
    return None
