"""The plots of a report's page, drawn as SVG: lines and boxes, and text that is escaped.

Coordinates are floats: they are pixels, and no amount is read back from them.
"""

from __future__ import annotations

from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING

from ibkr_trader.core.text import money, plain
from ibkr_trader.portfolio.forensics import Latency

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from ibkr_trader.portfolio.forensic_summary import Summary
    from ibkr_trader.portfolio.forensics import Execution

_WIDTH, _HEIGHT, _EDGE = 720, 180, 10
_ROW, _NAMES = 24, 240  # of the bars
_MOST_ROWS = 30
_POINTS = 1_000  # of a curve, at most: more than there are pixels
_BINS = tuple(timedelta(milliseconds=one) for one in (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000))
_NAMES_OF_BINS = ("<1 ms", "<3", "<10", "<30", "<100", "<300", "<1 s", "<3", "<10", "more")


def safe(text: str, *, limit: int = 200) -> str:
    """Return foreign text as a page may show it: no markup, and nothing invisible."""
    return escape(plain(text, limit=limit), quote=True)


def curve(values: Sequence[Decimal], title: str) -> str:
    """Return a sum as it grew, from zero on, with the line of zero."""
    shown = values
    if len(values) > _POINTS:  # of each stretch the last, as the whole ends with its last
        shown = [values[n * len(values) // _POINTS - 1] for n in range(1, _POINTS + 1)]
    points = [0.0, *map(float, shown)]
    low, high = min(points), max(points)
    tall = (high - low) or 1.0
    step = (_WIDTH - 2 * _EDGE) / (len(points) - 1)

    def y(value: float) -> float:
        return _EDGE + (high - value) / tall * (_HEIGHT - 2 * _EDGE)

    path = " ".join(f"{_EDGE + n * step:.1f},{y(one):.1f}" for n, one in enumerate(points))
    zero = f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{y(0):.1f}" y2="{y(0):.1f}"/>'
    return _drawing(title, f'{zero}<polyline class="curve" points="{path}"/>', _HEIGHT)


def histogram(orders: Iterable[Execution], stage: Latency, title: str) -> str:
    """Return how many orders took how long in a stage, each column three times the one before."""
    counts = [0] * (len(_BINS) + 1)
    for one in orders:
        length = one.latencies.get(stage)
        if length is not None and not (stage is Latency.FILL and one.waits):
            counts[sum(length >= edge for edge in _BINS)] += 1
    if not any(counts):
        return ""
    wide = (_WIDTH - 2 * _EDGE) / len(counts)
    tall = (_HEIGHT - 60) / max(counts)
    parts = []
    for n, count in enumerate(counts):
        x, bottom, high = _EDGE + n * wide, _HEIGHT - 30, count * tall
        middle, name = x + wide / 2, safe(_NAMES_OF_BINS[n])
        parts.append(
            f'<rect class="bar" x="{x + 2:.1f}" y="{bottom - high:.1f}" width="{wide - 4:.1f}" '
            f'height="{high:.1f}"/>'
            f'<text class="mid" x="{middle:.1f}" y="{_HEIGHT - 12}">{name}</text>'
        )
        if count:
            at = bottom - high - 5
            parts.append(f'<text class="mid" x="{middle:.1f}" y="{at:.1f}">{count}</text>')
    return _drawing(title, "".join(parts), _HEIGHT)


def shortfalls(groups: Sequence[Summary], title: str) -> str:
    """Return what execution cost each group: to the right is a cost, to the left a gain."""
    known = [(one, one.shortfall.money) for one in groups if one.shortfall is not None]
    rows = sorted(known, key=lambda row: row[1], reverse=True)[:_MOST_ROWS]
    if not rows:
        return ""
    most = max(abs(float(cost)) for _, cost in rows) or 1.0
    half = (_WIDTH - _NAMES - 2 * _EDGE) / 2 - 70
    middle = _NAMES + 70 + half
    parts = []
    for n, (one, cost) in enumerate(rows):
        y, long = n * _ROW, abs(float(cost)) / most * half
        x = middle if cost > 0 else middle - long
        kind, anchor = ("bar", "start") if cost > 0 else ("gain", "end")
        at = x + long + 5 if cost > 0 else x - 5
        parts.append(
            f'<text x="0" y="{y + 16}">{safe(one.key)}</text>'
            f'<rect class="{kind}" x="{x:.1f}" y="{y + 4}" width="{long:.1f}" height="{_ROW - 8}"/>'
            f'<text text-anchor="{anchor}" x="{at:.1f}" y="{y + 16}">'
            f"{safe(money(cost, one.currency, signed=True))}</text>"
        )
    tall = len(rows) * _ROW
    axis = f'<line class="axis" x1="{middle:.1f}" x2="{middle:.1f}" y1="0" y2="{tall}"/>'
    return _drawing(title, axis + "".join(parts), tall)


def _drawing(title: str, inside: str, height: int) -> str:
    return (
        f'<figure><figcaption>{safe(title)}</figcaption><svg viewBox="0 0 {_WIDTH} {height}" '
        f'role="img" aria-label="{safe(title)}">{inside}</svg></figure>'
    )
