"""Larger bars made of smaller ones: five minutes of one minute each."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ibkr_trader.core.models import Bar, Session
from ibkr_trader.rules.bar_slots import check_size, slot_at
from ibkr_trader.rules.bars import added


class BarMerger(msgspec.Struct, frozen=True, kw_only=True):
    """What small bars have come to so far; see `BarBuilder`, whose rules hold here too.

    The bars come out as if they had been made of the ticks themselves, and as early: the
    larger one is complete with the last small one that fits into it.

    Attributes:
        part: How long a small bar lasts; `size` is a multiple of it.
        sessions: When the market trades; bars outside it are left out if they are known.
        forming: The bar under way, and when it ends.
        done: Up to when small bars have been taken; older ones count no more.
    """

    size: timedelta
    part: timedelta
    sessions: tuple[Session, ...] = ()
    forming: tuple[Bar, datetime] | None = None
    done: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit into each other.

        Raises:
            ValueError: If a size is none, or is no multiple of its part.
        """
        check_size(self.size)
        check_size(self.part)
        if self.size % self.part:
            raise ValueError(f"bars of {self.size} cannot be made of bars of {self.part}")

    def after(self, bar: Bar) -> tuple[BarMerger, tuple[Bar, ...]]:
        """Take a complete small bar; one that was taken before changes nothing."""
        if self.done is not None and bar.at < self.done:
            return self, ()
        on, before = self.until(bar.at)
        slot = slot_at(bar.at, self.size, self.sessions)
        if slot is None:
            return on, before
        if on.forming is None:
            merged = msgspec.structs.replace(bar, at=slot.starts)
        else:
            merged = _joined(on.forming[0], bar)
        end = bar.at + self.part  # or sooner: a session's last bar is cut short
        on = msgspec.structs.replace(on, forming=(merged, slot.ends), done=end)
        on, bars = on.until(end)
        return on, before + bars

    def until(self, now: datetime) -> tuple[BarMerger, tuple[Bar, ...]]:
        """Complete the bar whose time is over at `now`, though no small bar came to say so."""
        if self.forming is None or now < self.forming[1]:
            return self, ()
        bar, ends = self.forming
        return msgspec.structs.replace(self, forming=None, done=ends), (bar,)


def _joined(old: Bar, bar: Bar) -> Bar:
    return msgspec.structs.replace(
        old,
        high=max(old.high, bar.high),
        low=min(old.low, bar.low),
        close=bar.close,
        volume=added(old.volume, bar.volume),
    )
