"""Bars of one contract, made of its ticks.

A bar is complete when its time is over, and never changes afterwards: what was decided by it
could not be taken back. So a tick that comes too late for its bar is left out of all of them.

An interval without a tick has no bar. An invented one (the last close four times) would claim
that somebody traded at that price, would narrow every range and average that is made of bars,
and would tell a halted market from a quiet one no better. TWS's own history leaves such
intervals out as well, or has them with no volume.

A bar's volume is what the day's has grown by while it lasted. It is known if the day's was
known when the bar began; else nobody can tell what of it was traded before.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal, localcontext

import msgspec

from ibkr_trader.core.models import ZERO, Bar, Contract, Session
from ibkr_trader.rules.arithmetic import ARITHMETIC
from ibkr_trader.rules.bar_slots import DAY, Slot, check_size, slot_at
from ibkr_trader.rules.market_days import NIGHT


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
        whole_from: No bar is begun before it: who came in the middle of one did not see its
            first ticks, and a fragment is no bar.
    """

    contract: Contract
    size: timedelta
    sessions: tuple[Session, ...] = ()
    forming: Forming | None = None
    done: datetime | None = None
    heard: datetime | None = None
    day_volume: Decimal | None = None
    whole_from: datetime | None = None

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
                to it since the tick before; if a night lies between, it has begun at zero. If
                it fell without one (a farm was restarted), it is counted anew from there, and
                nobody knows what the bar had. None is no news of it.
        """
        start = self.forming.bar.at if self.forming is not None else self.done
        if start is not None and at < start:
            return self, ()
        on, bars = self.until(at)
        on, growth = _told(on, day_volume, at)
        slot = slot_at(at, self.size, self.sessions)
        if slot is None or (self.whole_from is not None and slot.starts < self.whole_from):
            return on, bars
        forming = on.forming
        if forming is None:
            forming = _begun(self.contract, slot, price, at=at)
        return msgspec.structs.replace(on, forming=_grown(forming, price, growth, at=at)), bars

    def joining(
        self, now: datetime, *, under_way: Bar | None = None, day_volume: Decimal | None = None
    ) -> BarBuilder:
        """Return a builder that hears of the market from `now` on, which may be amid a bar.

        Args:
            now: When; what was forming here is forgotten.
            under_way: The bar of that moment as somebody else saw it: it goes on. Without it
                that time makes no bar.
            day_volume: What the market has traded that day, if known.
        """
        on = msgspec.structs.replace(
            self, forming=None, heard=now, day_volume=day_volume, whole_from=now
        )
        slot = slot_at(now, self.size, self.sessions)
        if slot is None or slot.starts == now:
            return on
        if under_way is None or not _is_of(under_way, slot, self.size):
            return msgspec.structs.replace(on, whole_from=slot.ends)
        bar = msgspec.structs.replace(under_way, at=slot.starts)
        forming = Forming(bar, slot.ends, slot.starts, now)
        return msgspec.structs.replace(on, forming=forming, whole_from=slot.starts)

    def until(self, now: datetime) -> tuple[BarBuilder, tuple[Bar, ...]]:
        """Complete the bar whose time is over at `now`, though no tick came to say so."""
        if self.forming is None or now < self.forming.ends:
            return self, ()
        on = msgspec.structs.replace(self, forming=None, done=self.forming.ends)
        return on, (self.forming.bar,)


def _is_of(bar: Bar, slot: Slot, size: timedelta) -> bool:
    """Whether somebody else's bar is that of a slot; a day's is stamped with its day alone."""
    return bar.at == slot.starts or (size == DAY and bar.at.date() == slot.starts.date())


def _told(
    builder: BarBuilder, day_volume: Decimal | None, at: datetime
) -> tuple[BarBuilder, Decimal | None]:
    """Return a builder that has heard the day's volume, and what came to it since the last."""
    before, heard = builder.day_volume, builder.heard
    if heard is not None and at < heard:  # an older sum: a newer tick has told more
        return builder, _growth(before, before)
    on = msgspec.structs.replace(builder, heard=at)
    if day_volume is None:
        return on, _growth(before, before)
    is_new_day = heard is not None and at - heard >= NIGHT
    growth = _growth(before, day_volume, is_new_day=is_new_day)
    return msgspec.structs.replace(on, day_volume=day_volume), growth


def _growth(
    before: Decimal | None, now: Decimal | None, *, is_new_day: bool = False
) -> Decimal | None:
    """Return what the day's volume has grown by; None if that cannot be told."""
    if before is None or now is None:
        return None
    if is_new_day:
        return now
    with localcontext(ARITHMETIC):
        return now - before if now >= before else None


def _begun(contract: Contract, slot: Slot, price: Decimal, *, at: datetime) -> Forming:
    prices = dict.fromkeys(("open", "high", "low", "close"), price)
    bar = Bar(contract=contract, at=slot.starts, volume=ZERO, **prices)
    return Forming(bar, slot.ends, at, at)


def _grown(forming: Forming, price: Decimal, growth: Decimal | None, *, at: datetime) -> Forming:
    old, first, last = forming.bar, forming.first, forming.last
    bar = msgspec.structs.replace(
        old,
        open=price if at < first else old.open,
        high=max(old.high, price),
        low=min(old.low, price),
        close=price if at >= last else old.close,
        volume=added(old.volume, growth),
    )
    return Forming(bar, forming.ends, min(first, at), max(last, at))


def added(volume: Decimal | None, more: Decimal | None) -> Decimal | None:
    """Return two volumes together; what is not known of one is not known of both."""
    if volume is None or more is None:
        return None
    with localcontext(ARITHMETIC):
        return volume + more
