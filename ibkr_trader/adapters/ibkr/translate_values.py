"""Numbers and times of the wire <-> `Decimal` and `datetime`.

What is unset arrives as nothing, as the largest double, integer or long, or as Java spells
them, and leaves as nothing; here it is None. Numbers leave in plain notation: a `Decimal`
in its own words may say `1E+2`, which TWS does not read.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_UNSET = frozenset(
    {
        "",
        "2147483647",
        "9223372036854775807",
        "170141183460469231731687303715884105727",
        "NaN",
        "nan",
    }
)
_LARGEST = Decimal("1e300")  # beyond: the largest double, in whatever spelling


@lru_cache(maxsize=4096)  # prices and sizes come again and again
def number(text: str) -> Decimal | None:
    """Return the number that `text` says, or None if it says that there is none.

    Raises:
        ValueError: If it says neither.
    """
    if text in _UNSET:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:40]!r} is not a number") from None
    if not value.is_finite() or abs(value) > _LARGEST:
        return None
    return value


def amount(text: str) -> Decimal:
    """Return the number that `text` says, zero if it is empty.

    Raises:
        ValueError: If it says no number.
    """
    return number(text) or Decimal(0)


def decimal(value: float | str | Decimal | None) -> Decimal | None:
    """Return a library value as the shortest decimal that means it, or None if it is unset.

    Text of a float is its shortest exact form, so nothing of its binary tail comes along.
    """
    found = None if value is None else number(str(value))
    return None if found is None else Decimal(plain(found))


def plain(value: Decimal) -> str:
    """Return `value` in plain notation, without exponent and without needless zeros.

    Raises:
        ValueError: If it is not finite.
    """
    if not value.is_finite():
        raise ValueError(f"{value} cannot be sent")
    text = format(value.normalize(), "f")
    return "0" if text == "-0" else text


def whole(text: str) -> int:
    """Return the integer that `text` says, zero if it is empty or unset."""
    return 0 if text in _UNSET else int(text)


@lru_cache(maxsize=256)  # many executions have one second
def moment(text: str, *, zone: str) -> datetime:
    """Return the instant that TWS writes as `text`; `zone` counts where the text has none.

    Raises:
        ValueError: If it is none, or of a zone that nobody knows.
    """
    if text.isdigit() and len(text) != len("YYYYMMDD"):
        return datetime.fromtimestamp(int(text), UTC)
    parts = (text[:9].replace("-", " ") + text[9:]).split()  # 20261121-10:00:00 is one form of it
    if len(parts) == 1:
        parts.append("00:00:00")
    day, time, *stated = parts
    if len(day) != len("YYYYMMDD"):
        raise ValueError(f"{text[:40]!r} is not a moment")
    year, month, date = int(day[:4]), int(day[4:6]), int(day[6:])
    hour, minute, second = map(int, time.split(":"))
    tz = zone_of(stated[0] if stated else zone)
    return datetime(year, month, date, hour, minute, second, tzinfo=tz).astimezone(UTC)


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """Return the zone that TWS calls `name`.

    Raises:
        ValueError: If nobody knows it.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"time zone {name[:40]!r} is unknown") from error
