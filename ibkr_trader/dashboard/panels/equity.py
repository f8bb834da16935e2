"""What the account was worth lately, as a curve: on one line of the head, or in a panel."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ibkr_trader.core.text import money
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.frame import Frame, nothing, sized, title_line
from ibkr_trader.dashboard.spans import Line, Span

EMPTY = "The account's worth is not known yet."
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_STEPS = 8


def sparkline(values: Sequence[Decimal], cells: int) -> str:
    """Return a curve of at most so many cells: the last value of each stretch of time."""
    heights = _heights(values, cells, _STEPS - 1)
    return "".join(_EIGHTHS[height + 1] for height in heights)


def equity_panel(values: Sequence[Decimal], frame: Frame) -> list[Line]:
    """Return the panel: the curve on all its lines, its ends and extremes in the title."""
    known = _known(values)
    facts = ""
    if known:
        facts = f"{money(known[-1])}, low {money(min(known))}, high {money(max(known))}"
    lines = [title_line("Equity", frame._replace(facts=facts))]
    rows = frame.height - 1
    if not known:
        return sized([*lines, *nothing(EMPTY, frame._replace(filter=""))], frame)
    heights = _heights(known, frame.width - 2, rows * _STEPS - 1) if rows > 0 else []
    role = trend(known)
    for row in reversed(range(rows)):
        marks = (_EIGHTHS[min(_STEPS, max(0, one + 1 - row * _STEPS))] for one in heights)
        lines.append((Span(("  " + "".join(marks)).ljust(frame.width), role),))
    return sized(lines, frame)


def trend(values: Sequence[Decimal]) -> Role:
    """Return the role of a curve; the figures beside it say the same."""
    known = _known(values)
    if not known or known[0] == known[-1]:
        return Role.PLAIN
    return Role.PROFIT if known[-1] > known[0] else Role.LOSS


def _known(values: Sequence[Decimal]) -> Sequence[Decimal]:
    return [value for value in values if value.is_finite()]


def _heights(values: Sequence[Decimal], cells: int, top: int) -> list[int]:
    """Return each stretch's last value as a step from 0 to `top`; all equal ones lie half up."""
    known = _known(values)
    count = min(len(known), max(0, cells))
    if not count:
        return []
    shown = [known[(index + 1) * len(known) // count - 1] for index in range(count)]
    low, high = min(shown), max(shown)
    if low == high:
        return [top // 2] * count
    return [int((value - low) / (high - low) * top) for value in shown]
