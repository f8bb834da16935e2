"""Bars of the past: from the model's paths, or from a bar file, cut at the present."""

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby

import msgspec

from ibkr_trader.core.models import PriceBand
from ibkr_trader.sim import shapes
from ibkr_trader.sim.calendar import TradingDay, current_day
from ibkr_trader.sim.instruments import Instrument, SimBar
from ibkr_trader.sim.model import PriceModel, bounds, parts_of
from ibkr_trader.sim.quotes import in_ticks

ZERO = Decimal(0)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
_SHARES_A_TRADE = 100


def model_bars(
    model: PriceModel,
    instrument: Instrument,
    *,
    span: tuple[datetime, datetime],
    seconds: int,
    regular_only: bool,
) -> Iterator[SimBar]:
    """Yield the bars that start within `span`, which must end at the present or before."""
    start, end = span
    day = current_day(instrument.sec_type, start)
    fine = seconds % shapes.MINUTE != 0
    while day.trading.opens < end:
        for part in parts_of(day):
            if regular_only and part != "regular":
                continue
            atoms = _atoms(model, instrument, day, part=part, span=span, fine=fine)
            for bar in grouped(atoms, seconds, since=bounds(day, part)[0]):
                if bar.at >= start:
                    yield bar
        day = _following(instrument.sec_type, day)


def _following(sec_type: str, day: TradingDay) -> TradingDay:
    return current_day(sec_type, day.trading.closes)


def _atoms(
    model: PriceModel,
    instrument: Instrument,
    day: TradingDay,
    *,
    part: str,
    span: tuple[datetime, datetime],
    fine: bool,
) -> Iterator[SimBar]:
    """The smallest bars needed for `span`: minutes, or seconds where minutes are too coarse."""
    start, end = span
    opens, closes = bounds(day, part)
    first = max(0, (start - opens) // _MINUTE)  # of a bar that began before it nothing is wanted
    whole, rest = divmod(int((min(end, closes) - opens).total_seconds()), shapes.MINUTE)
    if whole < 0:
        return
    segment = model.segment(instrument, day, part)
    base = model.open_log(instrument, day.date)
    for minute in range(first, whole + (rest > 0)):
        at = opens + minute * _MINUTE
        volumes = segment.volumes[minute], segment.volumes[minute + 1]
        if minute < whole and not fine:
            ends = (segment.path[minute], segment.path[minute + 1])
            points = (ends[0], segment.highs[minute], segment.lows[minute], ends[1])
            yield _bar(
                instrument, day, at=at, base=base, points=points, volume=volumes[1] - volumes[0]
            )
            continue
        path = model.seconds(instrument, day, part=part, minute=minute)
        until = rest if minute == whole else shapes.MINUTE
        for second in range(until):
            before, after = (
                (volumes[1] - volumes[0]) * (second + k) // shapes.MINUTE for k in (0, 1)
            )
            yield _bar(
                instrument,
                day,
                at=at + second * _SECOND,
                base=base,
                points=(path[second], path[second + 1]),
                volume=after - before,
            )


def _bar(
    instrument: Instrument,
    day: TradingDay,
    *,
    at: datetime,
    base: float,
    points: tuple[float, ...],
    volume: int,
) -> SimBar:
    bands = instrument.bands
    first, last = _price(base + points[0], bands), _price(base + points[-1], bands)
    high, low = _price(base + max(points), bands), _price(base + min(points), bands)
    return SimBar(
        at=at,
        session=day.date,
        open=first,
        high=high,
        low=low,
        close=last,
        volume=Decimal(volume),
        average=(high + low + last) / 3,
        count=max(1, volume // _SHARES_A_TRADE),
    )


def _price(log: float, bands: tuple[PriceBand, ...]) -> Decimal:
    return in_ticks(math.exp(log), bands)


def grouped(bars: Iterable[SimBar], seconds: int, *, since: datetime) -> Iterator[SimBar]:
    """Merge bars into longer ones on the clock's grid; the first may start late, at `since`."""

    def slot(bar: SimBar) -> int:
        return int(bar.at.timestamp()) // seconds

    for number, members in groupby(bars, key=slot):
        starts = datetime.fromtimestamp(number * seconds, tz=UTC)
        yield merged(tuple(members), at=max(starts, since))


def merged(bars: tuple[SimBar, ...], *, at: datetime) -> SimBar:
    """Return one bar for a run of them."""
    volume = sum((bar.volume for bar in bars), ZERO)
    if volume:
        average = sum((bar.average * bar.volume for bar in bars), ZERO) / volume
    else:
        average = sum((bar.average for bar in bars), ZERO) / len(bars)
    return SimBar(
        at=at,
        session=bars[0].session,
        open=bars[0].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=bars[-1].close,
        volume=volume,
        average=average.quantize(Decimal("0.000001")),
        count=sum(bar.count for bar in bars),
    )


def model_day(
    model: PriceModel, instrument: Instrument, day: TradingDay, *, now: datetime
) -> SimBar | None:
    """Return a day's regular bar: whole, under way, or None if it has not begun."""
    if now <= day.regular.opens:
        return None
    if now >= day.regular.closes:
        drawn = model.draw(instrument, day.date)
        base = model.open_log(instrument, day.date)
        points = (0.0, drawn.high, drawn.low, drawn.move)
        return _bar(
            instrument,
            day,
            at=day.regular.opens,
            base=base,
            points=points,
            volume=round(drawn.volume),
        )
    span = (day.regular.opens, now)
    minutes = tuple(
        model_bars(model, instrument, span=span, seconds=shapes.MINUTE, regular_only=True)
    )
    return merged(minutes, at=day.regular.opens)


def file_bars(
    bars: tuple[SimBar, ...], *, span: tuple[datetime, datetime], seconds: int
) -> Iterator[SimBar]:
    """Yield a file's bars within `span`, merged where longer ones are asked for."""
    start, end = span
    inside = (bar for bar in bars if start <= bar.at < end)
    for _, members in groupby(inside, key=lambda bar: bar.session):
        day = tuple(members)
        yield from grouped(day, seconds, since=day[0].at)


def file_day(bars: tuple[SimBar, ...], day: TradingDay, now: datetime) -> SimBar | None:
    """Return a file's bar of one day, as far as it has got."""
    found = tuple(bar for bar in bars if bar.session == day.date and bar.at < now)
    return merged(found, at=found[0].at) if found else None


def option_bar(bar: SimBar, values: tuple[Decimal, Decimal, Decimal, Decimal]) -> SimBar:
    """Return an option's bar: its underlying's with the option's prices for it."""
    return msgspec.structs.replace(
        bar,
        open=values[0],
        high=max(values),
        low=min(values),
        close=values[3],
        volume=ZERO,
        average=sum(values, ZERO) / len(values),
    )
