"""Which panels a screen has, and how much room each gets. Sizes only, no content.

A layout depends on the size and on the chosen panel alone, so nothing moves under the cursor
when orders come and go. On a small screen the chosen one of the lower panels has more room.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from ibkr_trader.dashboard.model import Panel

LEAST_WIDTH, LEAST_HEIGHT = 60, 15  # below it, nothing can be shown that one should act on
HEAD, BOTTOM = 3, 2
_TALL, _BROAD = 34, 110  # from here on every panel is seen
_COLUMNS_WIDE, _COLUMNS_TALL = 170, 44  # from here on in two columns


class Extra(Enum):
    """A part that keys cannot walk to."""

    EQUITY = "Equity"


class Part(NamedTuple):
    """A panel and its size."""

    panel: Panel | Extra
    width: int
    height: int


class Band(NamedTuple):
    """Columns side by side, each a stack of parts; all of them are equally high."""

    columns: tuple[tuple[Part, ...], ...]


def is_too_small(width: int, height: int) -> bool:
    """Whether there is no room for even one panel with its head and keys."""
    return width < LEAST_WIDTH or height < LEAST_HEIGHT


def bands(width: int, height: int, chosen: Panel) -> tuple[Band, ...]:
    """Return the panels between head and footer, from above; together they fill that room."""
    room = height - HEAD - BOTTOM
    if width >= _COLUMNS_WIDE and height >= _COLUMNS_TALL:
        return (_two_columns(width, room),)
    if width >= _BROAD and height >= _TALL:
        return _broad(width, room)
    return tuple(Band(((part,),)) for part in _stacked(width, room, chosen))


def _stacked(width: int, room: int, chosen: Panel) -> tuple[Part, ...]:
    """The chosen panel of the lower ones, or the feed; on the lowest screens only what matters."""
    is_above = chosen in {Panel.POSITIONS, Panel.ORDERS}
    if room < 17:  # noqa: PLR2004  # three panels would have two rows each
        lower = Panel.ORDERS if is_above else chosen
        above = room * 2 // 5
        return (Part(Panel.POSITIONS, width, above), Part(lower, width, room - above))
    positions = max(5, room * 5 // 19)
    below = max(5, room * (5 if is_above else 9) // 19)
    return (
        Part(Panel.POSITIONS, width, positions),
        Part(Panel.ORDERS, width, room - positions - below),
        Part(Panel.FEED if is_above else chosen, width, below),
    )


def _broad(width: int, room: int) -> tuple[Band, ...]:
    positions, signals = room * 7 // 35, room * 5 // 35
    beside = room * 9 // 35
    left = (width - 1) // 2
    orders = room - positions - signals - beside
    return (
        Band(((Part(Panel.POSITIONS, width, positions),),)),
        Band(((Part(Panel.ORDERS, width, orders),),)),
        Band(
            (
                (Part(Panel.RISK, left, beside),),
                (Part(Panel.FEED, width - 1 - left, beside),),
            )
        ),
        Band(((Part(Panel.SIGNALS, width, signals),),)),
    )


def _two_columns(width: int, room: int) -> Band:
    left = width * 5 // 8
    right = width - 1 - left
    positions = room * 14 // 55
    equity, signals = room * 7 // 55, room * 12 // 55
    risk = room * 16 // 55
    return Band(
        (
            (
                Part(Panel.POSITIONS, left, positions),
                Part(Panel.ORDERS, left, room - positions),
            ),
            (
                Part(Panel.RISK, right, risk),
                Part(Extra.EQUITY, right, equity),
                Part(Panel.SIGNALS, right, signals),
                Part(Panel.FEED, right, room - risk - equity - signals),
            ),
        )
    )
