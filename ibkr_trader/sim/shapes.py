"""The path of a price through a day, drawn from coarse to fine, in relative log prices.

A day has an opening gap, a move, a high and a low; its minutes are a bridge bent to touch
exactly those; a minute's seconds are a bridge bent to touch the minute's. So a daily bar, the
minutes in it and the quotes seen live always agree, whatever was asked for first, and nothing
of it has to be kept: a path is a function of its seed.
"""

import math
from random import Random

import msgspec

Path = list[float]

MINUTE = 60
_VOLUME_SMILE = 2.0  # how much busier the ends of a session are than its middle


def seeded(*parts: object) -> Random:
    """Return a generator that is the same for the same parts, on every machine."""
    return Random("|".join(map(str, parts)))  # noqa: S311 - prices, not secrets


def bridge(dice: Random, steps: int, sigma: float) -> Path:
    """Return a random walk of `steps` steps from 0 back to 0; `sigma` is of the whole walk."""
    size = sigma / math.sqrt(steps)
    walk, at = [0.0], 0.0
    for _ in range(steps):
        at += dice.gauss(0.0, size)
        walk.append(at)
    drift = at / steps
    return [value - drift * index for index, value in enumerate(walk)]


def summit(ends: tuple[float, float], sigma: float, luck: float) -> float:
    """Return the highest point of a bridge between two ends, `luck` in (0, 1] drawing it."""
    a, b = ends
    return (a + b + math.sqrt((b - a) ** 2 - 2.0 * sigma * sigma * math.log(luck))) / 2.0


def bend(path: Path, *, high: float, low: float) -> Path:
    """Return `path` stretched so that its extremes are exactly `high` and `low`."""
    top, bottom = max(path[0], path[-1]), min(path[0], path[-1])
    above, below = max(path) - top, bottom - min(path)
    up = (high - top) / above if above > 0 else 0.0
    down = (bottom - low) / below if below > 0 else 0.0
    bent = []
    for value in path:
        if value > top:
            bent.append(top + (value - top) * up)
        elif value < bottom:
            bent.append(bottom - (bottom - value) * down)
        else:
            bent.append(value)
    middle = len(path) // 2  # a path that never left the span of its ends has to be made to
    if above <= 0 and high > top:
        bent[middle] = high
    if below <= 0 and low < bottom:
        bent[middle - 1] = low
    return bent


class DayDraw(msgspec.Struct, frozen=True):
    """One instrument's day: log moves relative to the regular opening, and its volume."""

    gap: float  # from the previous close to the opening
    move: float  # from the opening to the close
    high: float
    low: float
    sigma: float  # of the whole regular session
    volume: float


class Segment(msgspec.Struct, frozen=True):
    """One stretch of a day, minute by minute: `path` has one more point than minutes."""

    path: Path
    highs: Path
    lows: Path
    sigma: float  # of one minute
    volumes: list[int]  # cumulative, one more than minutes

    @property
    def minutes(self) -> int:
        """How long it is."""
        return len(self.highs)


def draw_segment(dice: Random, path: Path, *, span: tuple[float, float], sigma: float,
                 volume: float) -> Segment:  # fmt: skip
    """Return a path with the extremes of its minutes, none beyond `span` (low, high)."""
    low, high = span
    minutes = len(path) - 1
    size = sigma / math.sqrt(minutes)
    highs, lows = [], []
    for index in range(minutes):
        ends = (path[index], path[index + 1])
        highs.append(min(high, summit(ends, size, 1.0 - dice.random())))
        mirrored = summit((-ends[0], -ends[1]), size, 1.0 - dice.random())
        lows.append(max(low, -mirrored))
    return Segment(path, highs, lows, size, _volumes(dice, minutes, volume))


def _volumes(dice: Random, minutes: int, volume: float) -> list[int]:
    weights = []
    for index in range(minutes):
        side = 2.0 * (index + 0.5) / minutes - 1.0
        weights.append((1.0 + _VOLUME_SMILE * side**4) * (0.5 + dice.random()))
    scale = volume / sum(weights)
    total, cumulative = 0.0, [0]
    for weight in weights:
        total += weight * scale
        cumulative.append(round(total))
    return cumulative


def seconds_of(dice: Random, segment: Segment, minute: int) -> Path:
    """Return a minute's 61 points, from the first second to the first of the next minute."""
    start, end = segment.path[minute], segment.path[minute + 1]
    noise = bridge(dice, MINUTE, segment.sigma)
    line = [start + (end - start) * k / MINUTE + value for k, value in enumerate(noise)]
    line[-1] = end
    return bend(line, high=segment.highs[minute], low=segment.lows[minute])


def option_value(under: float, strike: float, *, years: float, sigma: float, right: str) -> float:
    """Return what Black and Scholes make of an option, at no interest."""
    intrinsic = under - strike if right == "C" else strike - under
    if years <= 0.0:
        return max(0.0, intrinsic)
    spread = sigma * math.sqrt(years)
    d1 = math.log(under / strike) / spread + spread / 2.0
    call = under * _normal(d1) - strike * _normal(d1 - spread)
    return call if right == "C" else call - under + strike


def _normal(value: float) -> float:
    return 0.5 * (1.0 + math.erf(value / math.sqrt(2.0)))
