"""From JSON to the values of a claim: each of them one form only, and nothing guessed.

Only ASCII counts: other scripts have digits that Python takes for numbers, and letters that
become S or I in upper case. Truth values are no numbers, and a missing value is never zero.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ibkr_trader.adapters.json_places import Number
from ibkr_trader.adapters.signals.json_reading import Json, Unreadable, shown
from ibkr_trader.core.contracts import stock_symbol
from ibkr_trader.core.enums import SignalAction
from ibkr_trader.core.models import ZERO

# An amount in full. A negative exponent is how many programs write a float that is nearly zero.
_AMOUNT = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,20})?(?:[eE]-[0-9]{1,2})?")
_COUNT = re.compile(r"0|[1-9][0-9]{0,17}")
_ACTIONS = {action.value: action for action in SignalAction}
_NAME = re.compile(r"[!-~]{1,128}")
_TICKER = re.compile(r"[A-Za-z][A-Za-z0-9. ]{0,11}")
_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_MICROSECONDS = 7  # the point, and six digits
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_LAST = datetime(2100, 1, 1, tzinfo=UTC)
# So many seconds are the year 5138, so many milliseconds 1973: neither can be meant.
_IN_MILLISECONDS = Decimal(100_000_000_000)


def number(value: Json) -> Decimal:
    """Return a finite number, from a JSON number or from text of the same form.

    Raises:
        Unreadable: If it is anything else, or longer than any price.
    """
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise Unreadable(f"{_told(value)} is no number")
    return Decimal(value) or ZERO  # no minus before zero


def confidence(value: Json) -> Decimal:
    """Return a confidence from 0 to 1.

    Raises:
        Unreadable: If it is none.
    """
    found = number(value)
    if not 0 <= found <= 1:
        raise Unreadable(f"{_told(value)} is not from 0 to 1")
    return found


def price(value: Json) -> Decimal:
    """Return a price above zero.

    Raises:
        Unreadable: If it is none.
    """
    found = number(value)
    if found <= 0:
        raise Unreadable(f"{_told(value)} is not above 0")
    return found


def count(value: Json) -> int:
    """Return a whole number, from zero on.

    Raises:
        Unreadable: If it is none.
    """
    if not isinstance(value, str) or not _COUNT.fullmatch(value):
        raise Unreadable(f"{_told(value)} is no whole number")
    return int(value)


def name(value: Json) -> str:
    """Return an id: up to 128 visible ASCII characters, or a whole number.

    Raises:
        Unreadable: If it is none.
    """
    if isinstance(value, Number):
        return str(count(value))
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Unreadable(f"{_told(value)} is no id: want 1 to 128 visible ASCII characters")
    return value


def ticker(value: Json) -> str:
    """Return a ticker as IBKR writes it. Whether it may be traded is judged elsewhere.

    Raises:
        Unreadable: If it is none.
    """
    if isinstance(value, str) and not isinstance(value, Number) and _TICKER.fullmatch(value):
        try:
            return stock_symbol(value)
        except ValueError:
            pass  # such as A..B; told as the others are
    raise Unreadable(f"{_told(value)} is no ticker")


def action(value: Json) -> SignalAction:
    """Return BUY, SELL or SHORT, in whatever case they are written.

    Raises:
        Unreadable: If it is anything else.
    """
    if isinstance(value, str) and value.isascii() and (found := _ACTIONS.get(value.upper())):
        return found
    raise Unreadable(f"{_told(value)} is none of {', '.join(SignalAction)}")


def moment(value: Json) -> datetime:
    """Return a time in UTC: from RFC 3339 text, or seconds or milliseconds since 1970.

    Raises:
        Unreadable: If it is none, names no zone, or is nowhere near the present century.
    """
    try:
        found = _moment(value)
    except (Unreadable, ValueError, OverflowError):
        found = None
    if found is None or not _FIRST <= found < _LAST:
        raise Unreadable(f"{_told(value)} is no time: want RFC 3339 with a zone, or seconds")
    return found


def _moment(value: Json) -> datetime:
    written = _RFC_3339.fullmatch(value) if isinstance(value, str) else None
    if written is not None:
        day, clock, fraction, zone = written.groups(default="")
        text = f"{day}T{clock}{fraction[:_MICROSECONDS]}{zone.upper()}"
        return datetime.fromisoformat(text).astimezone(UTC)
    since = number(value)
    unit = 1_000 if since >= _IN_MILLISECONDS else 1_000_000
    return _EPOCH + timedelta(microseconds=int(since * unit))


def _told(value: Json) -> str:
    """A value as a message may have it."""
    if isinstance(value, Number):
        return shown(value)
    if isinstance(value, str):
        return f'"{shown(value)}"'
    kinds = {True: "true", False: "false", None: "null"}
    return (
        "an object"
        if isinstance(value, dict)
        else ("a list" if isinstance(value, list) else kinds[value])
    )
