"""When a market closes today: the broker's word held against the exchange's own calendar.

Where the two differ the earlier close counts, and where one knows nothing the other does;
either way a note says so. A day belongs to the date on which its last session closes, in
the exchange's zone, so a session that began the evening before is of the next day, and a
break at noon ends nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.models import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ibkr_trader.core.models import ContractDetails, OrderSpec

NEW_YORK = "America/New_York"  # the zone of the exchange, and of the account's day
_SHORTER = timedelta(hours=1)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def clock_of(text: str) -> time | None:
    """Return the time of day that a text such as `09:45` is; None if it is none."""
    found = _CLOCK.fullmatch(text)
    return time(int(found[1]), int(found[2])) if found is not None else None


def day_start(now: datetime, zone: tzinfo) -> datetime:
    """Return when the calendar day of `now` began in `zone`, in UTC: the account's day."""
    return _midnight(now.astimezone(zone).date(), zone)


@lru_cache(maxsize=64)  # asked of every event, and of few days
def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


class Announced(NamedTuple):
    """What a calendar says of one day; a session of None is a day without trading."""

    session: Session | None


class TradingDay(msgspec.Struct, frozen=True, kw_only=True):
    """One market's day, as far as anybody says.

    Attributes:
        date: In the exchange's zone.
        session: From the first opening to the last close; None if it does not trade.
        is_known: Whether anybody said; if not, `session` means nothing.
        notes: Where the sources differ or are silent, in plain words.
    """

    date: date
    session: Session | None = None
    is_known: bool = True
    notes: tuple[str, ...] = ()

    def phase(self, now: datetime) -> str:
        """Return `unknown`, `holiday`, `before`, `open` or `after`."""
        if not self.is_known:
            return "unknown"
        if self.session is None:
            return "holiday"
        if now < self.session.opens:
            return "before"
        return "open" if now < self.session.closes else "after"


def is_half_day(session: Session, others: Iterable[Session]) -> bool:
    """Whether a session is an hour or more shorter than the longest of its market's."""
    longest = max((one.closes - one.opens for one in others), default=timedelta(0))
    return longest - (session.closes - session.opens) >= _SHORTER


def date_of(sessions: Iterable[Session], *, now: datetime, zone: tzinfo) -> date:
    """Return the date of the trading day at `now`: that of the session under way, if one is."""
    running = (one for one in sessions if one.opens <= now < one.closes)
    current = next(running, None)
    return _day(current.closes if current is not None else now, zone)


def trading_day(
    sessions: Sequence[Session], announced: Announced | None, *, day: date, zone: tzinfo
) -> TradingDay:
    """Return the day that follows from both sources.

    Args:
        sessions: What the broker says, this day and others; empty if it says nothing.
        announced: What the exchange's calendar says; None if it does not know this market.
        day: The day that is meant.
        zone: The exchange's.
    """
    told = [one for one in sessions if _day(one.closes, zone) == day]
    stated = Session(told[0].opens, max(one.closes for one in told)) if told else None
    is_told = stated is not None or any(_day(one.closes, zone) > day for one in sessions)
    if not is_told and announced is None:
        note = f"nobody says when it trades on {day}"
        return TradingDay(date=day, is_known=False, notes=(note,))
    if announced is None:
        note = "only the broker says when it trades"
        return TradingDay(date=day, session=stated, notes=(note,))
    if not is_told:
        note = f"the broker does not say when it trades on {day}: the exchange's calendar counts"
        return TradingDay(date=day, session=announced.session, notes=(note,))
    return _merged(day, stated, announced.session, zone=zone)


def _merged(
    day: date, stated: Session | None, planned: Session | None, *, zone: tzinfo
) -> TradingDay:
    if stated is None or planned is None:
        notes: tuple[str, ...] = ()
        if stated is not planned:
            open_by, closed_by = (
                ("calendar", "broker") if stated is None else ("broker", "calendar")
            )
            notes = (f"{day} is a trading day by the {open_by} and none by the {closed_by}",)
        # Nobody can trade where the broker does not; where it does, positions can be closed.
        return TradingDay(date=day, session=stated, notes=notes)
    closes = min(stated.closes, planned.closes)
    if stated.closes == planned.closes:
        return TradingDay(date=day, session=stated)
    note = (
        f"the broker closes at {stated.closes.astimezone(zone):%H:%M}, the exchange's calendar "
        f"at {planned.closes.astimezone(zone):%H:%M}: the earlier counts"
    )
    return TradingDay(date=day, session=Session(stated.opens, closes), notes=(note,))


def _day(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()


def is_extended(spec: OrderSpec) -> bool:
    """Return whether an order trades outside regular hours, too.

    Before and after hours only priced orders trade; the flag means nothing to the others.
    """
    return spec.outside_rth and spec.limit_price is not None


def sessions_of(spec: OrderSpec, details: ContractDetails) -> tuple[Session, ...]:
    """Return the sessions in which an order can trade, by the broker's word; empty if unknown."""
    return details.trading_sessions if is_extended(spec) else details.liquid_sessions


def exchange_time(at: datetime, skew: timedelta | None) -> datetime:
    """Return the exchange's time at a moment of this machine's, which is `skew` ahead of it.

    While nobody knows the skew (None), the machine's time counts.
    """
    return at if skew is None else at - skew


def session_at(sessions: Iterable[Session], at: datetime) -> Session | None:
    """Return the session that is on at a moment; None between two of them."""
    return next((one for one in sessions if one.opens <= at < one.closes), None)


def session_from(sessions: Sequence[Session], at: datetime) -> Session | None:
    """Return the session that is on at a moment, or else the next; None if there is none.

    Args:
        sessions: Of one market, oldest first; there may be years of them.
        at: The moment.
    """
    place = bisect_right(sessions, at, key=lambda one: one.closes)
    return sessions[place] if place < len(sessions) else None
