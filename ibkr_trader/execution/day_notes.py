"""What there is to mind about the exchange's days before something is opened.

A half day, a close that is near, a market that is shut, a holiday or a long weekend ahead. The
broker's hours come first, the exchange's own calendar is the second opinion.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from ibkr_trader.core.trading_day import TradingDay, date_of, trading_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import ContractDetails
    from ibkr_trader.execution.ports import Calendar

SOON = timedelta(minutes=30)
_WHOLE = timedelta(hours=6)  # a regular session of less is a half day
_FRIDAY = 4
_FAR = 10  # days to look ahead for the next session
_DAY, _WEEKEND = timedelta(days=1), timedelta(days=3)


def day_notes(details: ContractDetails, calendar: Calendar, now: datetime) -> tuple[str, ...]:
    """Return what to mind about the contract's market at `now`, in plain words."""
    zone = calendar.zone(details)
    day = date_of(details.liquid_sessions, now=now, zone=zone)
    today = _day(details, calendar, day)
    return (*_today(today, now, zone), *_ahead(details, calendar, today, now=now))


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
        if closes - today.session.opens < _WHOLE:
            yield f"A half day: the market closes at {closes.astimezone(zone):%H:%M}."
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


def _ahead(
    details: ContractDetails, calendar: Calendar, today: TradingDay, *, now: datetime
) -> Iterator[str]:
    """Say when the market rests longer after today than from one day to the next."""
    if today.phase(now) in {"unknown", "holiday"}:
        return
    usual = _WEEKEND if today.date.weekday() == _FRIDAY else _DAY
    for ahead in range(1, _FAR + 1):
        following = _day(details, calendar, today.date + ahead * _DAY)
        if not following.is_known:
            return
        if following.session is not None:
            if following.date - today.date > usual:
                rest = (following.date - today.date).days - 1
                days = "a day" if rest == 1 else f"{rest} days"
                yield (
                    f"After today the market rests for {days}: "
                    f"it opens again on {following.date:%A, %d %B}."
                )
            return
