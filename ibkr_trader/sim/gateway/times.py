"""Dates and times as TWS writes them, in the exchange's zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ibkr_trader.sim.calendar import NEW_YORK, ZONE_NAME

_ZONED = 174


def zoned_text(moment: datetime) -> str:
    """Return `YYYYMMDD HH:MM:SS US/Eastern`."""
    return f"{moment.astimezone(NEW_YORK):%Y%m%d %H:%M:%S} {ZONE_NAME}"


def plain_text(moment: datetime) -> str:
    """Return `YYYYMMDD  HH:MM:SS`, as versions without zones have it."""
    return f"{moment.astimezone(NEW_YORK):%Y%m%d  %H:%M:%S}"


def moment_text(moment: datetime, version: int) -> str:
    """Return a time as `version` has it: with its zone from 174, with two spaces below."""
    return zoned_text(moment) if version >= _ZONED else plain_text(moment)


def day_text(day: date) -> str:
    """Return `YYYYMMDD`."""
    return f"{day:%Y%m%d}"


def read_moment(text: str) -> datetime:
    """Read a time a client wrote: `YYYYMMDD[ -]HH:MM:SS [zone]`, or a date alone.

    With a dash it is UTC, as IBKR has it; without a zone it is the exchange's.

    Raises:
        ValueError: It is none of these, or the zone is unknown.
    """
    words = text.replace("-", " UTC-", 1).split() if text[8:9] == "-" else text.split()
    if len(words) > 1 and words[1].startswith("UTC-"):
        words = [words[0], words[1].removeprefix("UTC-"), "UTC"]
    if not words:
        message = "no time"
        raise ValueError(message)
    clock = words[1] if len(words) > 1 else "00:00:00"
    stamp = datetime.strptime(f"{words[0]} {clock}", "%Y%m%d %H:%M:%S")  # noqa: DTZ007 - the zone is set below
    try:
        zone = ZoneInfo(words[2]) if len(words) > 2 else NEW_YORK  # noqa: PLR2004 - date, time, zone
    except (ZoneInfoNotFoundError, OSError) as error:
        message = f"unknown zone: {words[2]}"
        raise ValueError(message) from error
    return stamp.replace(tzinfo=zone).astimezone(UTC)
