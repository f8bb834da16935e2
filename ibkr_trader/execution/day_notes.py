"""What there is to mind about the exchange's days before something is opened.

A half day, a close that is near, a market that is shut, a holiday or a long weekend ahead. The
broker's hours come first, the exchange's own calendar is the second opinion.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from ibkr_trader.core.trading_day import TradingDay, date_of, is_half_day, trading_day

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from ibkr_trader.core.models import ContractDetails
    from ibkr_trader.execution.ports import Calendar

SOON = timedelta(minutes=30)
_FRIDAY = 4
_FAR = 10  # days to look ahead for the next session
_DAY, _WEEKEND = timedelta(days=1), timedelta(days=3)


def day_notes(
    details: ContractDetails,
    calendar: Calendar,
    now: datetime,
    *,
    told: Container[datetime] = (),
) -> tuple[str, ...]:
    """Return what to mind about the contract's market at `now`, in plain words.

    `told` has the early closes that somebody else tells of already.
    """
    zone = calendar.zone(details)
    day = date_of(details.liquid_sessions, now=now, zone=zone)
    today = _day(details, calendar, day)
    if (session := today.session) is None:  # nor is it, where nobody knows
        return tuple(_today(today, now, zone))
    ahead = _next(details, calendar, day)
    usual = [one.session for one in (ahead,) if one is not None and one.session is not None]
    is_early = is_half_day(session, (*details.liquid_sessions, *usual))
    early = f"A half day: the market closes at {session.closes.astimezone(zone):%H:%M}."
    is_news = is_early and now < session.closes and session.closes not in told
    return (*([early] if is_news else []), *_today(today, now, zone), *_rest(today, ahead))


def _day(details: ContractDetails, calendar: Calendar, day: date) -> TradingDay:
    announced = calendar.announced(details, day)
    return trading_day(details.liquid_sessions, announced, day=day, zone=calendar.zone(details))


def _today(today: TradingDay, now: datetime, zone: tzinfo) -> Iterator[str]:
    phase = today.phase(now)
    if phase == "unknown":
        yield "Nobody says when this market trades today."
    elif phase == "holiday":
        yield f"The market is closed today, {today.date:%A}: orders wait for the next session."
    elif today.session is not None:
        closes = today.session.closes
        if phase == "after":
            yield "The market has closed for today: orders wait for the next session."
            return
        if phase == "before":
            opens = today.session.opens.astimezone(zone)
            yield f"The market opens at {opens:%H:%M}: until then orders wait."
        elif closes - now <= SOON:
            minutes = max(1, round((closes - now).total_seconds() / 60))
            unit = "minute" if minutes == 1 else "minutes"
            yield (
                f"The market closes in {minutes} {unit}, at {closes.astimezone(zone):%H:%M}: "
                "what is open then is held overnight."
            )


def _next(details: ContractDetails, calendar: Calendar, day: date) -> TradingDay | None:
    """Return the next day with a session, as far as anybody says."""
    for ahead in range(1, _FAR + 1):
        following = _day(details, calendar, day + ahead * _DAY)
        if not following.is_known:
            return None
        if following.session is not None:
            return following
    return None


def _rest(today: TradingDay, ahead: TradingDay | None) -> Iterator[str]:
    """Say when the market rests longer after today than from one day to the next."""
    usual = _WEEKEND if today.date.weekday() == _FRIDAY else _DAY
    if ahead is not None and ahead.date - today.date > usual:
        rest = (ahead.date - today.date).days - 1
        days = "a day" if rest == 1 else f"{rest} days"
        yield (
            f"After today the market rests for {days}: it opens again on {ahead.date:%A, %d %B}."
        )
