"""Bars of one contract, made of its ticks.

A bar is complete when its time is over, and never changes afterwards: what was decided by it
could not be taken back. So a tick that comes too late for its bar is left out of all of them.

An interval without a tick has no bar. An invented one (the last close four times) would claim
that somebody traded at that price, would narrow every range and average that is made of bars,
and would tell a halted market from a quiet one no better. TWS's own history leaves such
intervals out as well, or has them with no volume.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal, localcontext

import msgspec

from ibkr_trader.core.models import ZERO, Bar, Contract, Session
from ibkr_trader.rules.arithmetic import ARITHMETIC
from ibkr_trader.rules.bar_slots import Slot, check_size, slot_at


class Forming(msgspec.Struct, frozen=True):
    """The bar under way: when it ends, and when its first and its last tick were."""

    bar: Bar
    ends: datetime
    first: datetime
    last: datetime


class BarBuilder(msgspec.Struct, frozen=True, kw_only=True):
    """What ticks have come to so far; each step returns the next self and the bars it completes.

    Attributes:
        size: How long a bar lasts: one second to one day.
        sessions: When the market trades. If they are known, ticks outside them make no bar;
            put newer ones in with `msgspec.structs.replace`, the bar under way stays.
        forming: The bar under way; None before the first tick, and after a silence.
        done: When the last completed bar ended; older ticks count no more.
        heard: When the newest tick was.
        day_volume: What the market had traded that day, as last told; None if nobody said.
    """

    contract: Contract
    size: timedelta
    sessions: tuple[Session, ...] = ()
    forming: Forming | None = None
    done: datetime | None = None
    heard: datetime | None = None
    day_volume: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse a size that no bar has.

        Raises:
            ValueError: See `check_size`.
        """
        check_size(self.size)

    def after(
        self, *, price: Decimal, at: datetime, day_volume: Decimal | None = None
    ) -> tuple[BarBuilder, tuple[Bar, ...]]:
        """Take a tick.

        A tick that is older than others of its bar still counts for it: the open is the price
        of the oldest tick, the close that of the newest.

        Args:
            price: What was traded.
            at: When, by the source's clock.
            day_volume: How much was traded that day so far, if known. The bar gets what came
                to it since the tick before; if it fell, a new day has begun at zero.
        """
        start = self.forming.bar.at if self.forming is not None else self.done
        if start is not None and at < start:
            return self, ()
        on, bars = self.until(at)
        on, volume = _told(on, day_volume, at)
        slot = slot_at(at, self.size, self.sessions)
        if slot is None:
            return on, bars
        forming = on.forming
        if forming is None:
            forming = _begun(self.contract, slot, price, at=at)
        return msgspec.structs.replace(on, forming=_grown(forming, price, volume, at=at)), bars

    def until(self, now: datetime) -> tuple[BarBuilder, tuple[Bar, ...]]:
        """Complete the bar whose time is over at `now`, though no tick came to say so."""
        if self.forming is None or now < self.forming.ends:
            return self, ()
        on = msgspec.structs.replace(self, forming=None, done=self.forming.ends)
        return on, (self.forming.bar,)


def _told(
    builder: BarBuilder, day_volume: Decimal | None, at: datetime
) -> tuple[BarBuilder, Decimal]:
    """Return a builder that has heard the day's volume, and what came to it since the last."""
    if builder.heard is not None and at < builder.heard:
        return builder, ZERO  # an older sum: a newer tick has told more
    if day_volume is None:
        return msgspec.structs.replace(builder, heard=at), ZERO
    before, growth = builder.day_volume, ZERO
    if before is not None:
        with localcontext(ARITHMETIC):
            growth = day_volume - before if day_volume >= before else day_volume
    return msgspec.structs.replace(builder, heard=at, day_volume=day_volume), growth


def _begun(contract: Contract, slot: Slot, price: Decimal, *, at: datetime) -> Forming:
    prices = dict.fromkeys(("open", "high", "low", "close"), price)
    return Forming(Bar(contract=contract, at=slot.starts, **prices), slot.ends, at, at)


def _grown(forming: Forming, price: Decimal, volume: Decimal, *, at: datetime) -> Forming:
    old, first, last = forming.bar, forming.first, forming.last
    with localcontext(ARITHMETIC):
        volume += old.volume
    bar = msgspec.structs.replace(
        old,
        open=price if at < first else old.open,
        high=max(old.high, price),
        low=min(old.low, price),
        close=price if at >= last else old.close,
        volume=volume,
    )
    return Forming(bar, forming.ends, min(first, at), max(last, at))
