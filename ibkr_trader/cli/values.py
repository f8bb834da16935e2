"""Symbols, quantities and prices as people type them, read strictly.

`1e9`, `NaN`, `1,5` and `145,00` are refused with what was probably meant: an order is no
place for guessing, and the corrected command is one copy away.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.core.contracts import contract_of
from ibkr_trader.core.enums import OrderType
from ibkr_trader.core.text import plain, quoted
from ibkr_trader.core.trading_day import NEW_YORK, day_start
from ibkr_trader.orders.exit_levels import Level

if TYPE_CHECKING:
    from enum import StrEnum

E = TypeVar("E", bound="StrEnum")

_HUNDRED = Decimal(100)
_LONGEST_NAME = 64  # characters of an operator's name
_QUANTITY = re.compile(r"[0-9]{1,7}")
_PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_SECONDS = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")


def symbol(text: str, option: str = "--symbol") -> str:
    """Return a ticker or an OCC option symbol, in capitals."""
    wanted = text.strip().upper()
    try:
        contract_of(text)
    except ValueError as error:
        letters = re.sub(r"[^A-Z0-9.]", "", wanted if wanted.isascii() else "")
        better = letters if re.fullmatch(r"[A-Z][A-Z0-9.]{0,5}", letters) else "AAPL"
        raise UsageFault(str(error), option=option, typed=text, better=better) from error
    return wanted


def operator(name: str) -> str:
    """Return an operator's name, if it is harmless in the journal, in a log and on a screen."""
    if name != plain(name, limit=_LONGEST_NAME):
        message = f"the operator's name must have {_LONGEST_NAME} printable characters at most"
        raise UsageFault(message, hint="choose a shorter or plainer name: --operator NAME")
    return name


def quantity(text: str, option: str = "--quantity") -> Decimal:
    """Return a whole number of shares or contracts, at least 1."""
    stripped = text.strip()
    if _QUANTITY.fullmatch(stripped) and stripped.isascii() and int(stripped) > 0:
        return Decimal(stripped)
    why, better = "must be a whole number, 1 or more, in digits", "1"
    if re.fullmatch(r"-[0-9]{1,7}", stripped):
        why, better = "must be positive; the side says which way (--side sell)", stripped[1:]
    elif re.fullmatch(r"0+(\.0*)?", stripped):
        why = "must be a whole number, 1 or more"
    elif re.fullmatch(r"[0-9]{1,7}\.[0-9]+", stripped):
        whole, part = stripped.split(".")
        why = "must be whole: fractions cannot be ordered"
        better = whole if int(whole) else "1"
        if not int(part):
            why = "must be written without decimals"
    elif re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", stripped):
        why, better = "must be written without separators", stripped.replace(",", "")
    raise _number_fault(option, text, why=why, better=better if int(better) else "1")


def count(text: str, option: str) -> int:
    """Return how many of something are wanted, at least 1."""
    stripped = text.strip()
    if _QUANTITY.fullmatch(stripped) and stripped.isascii() and int(stripped) > 0:
        return int(stripped)
    why = "must be a whole number from 1 to 9999999, in digits"
    raise _number_fault(option, text, why=why, better="20")


def perm_id(text: str, option: str = "--order") -> int:
    """Read the broker's permanent id of an order, as `reconcile --plan` names it.

    Raises:
        UsageFault: If it is no whole number.
    """
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise _number_fault(option, text, why="is no permanent id of an order", better="1001")
    return int(text)


def price(text: str, option: str) -> Decimal:
    """Return a price above zero, with a point and no separators."""
    stripped = text.strip()
    if _PRICE.fullmatch(stripped) and stripped.isascii() and Decimal(stripped) > 0:
        return Decimal(stripped)
    why, better = "must be a price such as 145.00", "145.00"
    if match := re.fullmatch(r"\$\s*([0-9.]+)|([0-9.]+)\s*\$", stripped):
        why, better = "must be a price without a sign", match[1] or match[2]
    elif _is_zero(stripped):
        why = "must be above zero"
    elif re.fullmatch(r"[0-9]{10,}(\.[0-9]*)?", stripped):
        why = "is too large: a price is below 1,000,000,000"
    elif match := re.fullmatch(r"([0-9]{1,9}\.)([0-9]{6})[0-9]+", stripped):
        why, better = "has too many decimals: 6 at most", match[1] + _cents(match[2])
    elif re.fullmatch(r"[0-9]{1,9},[0-9]{1,2}", stripped):
        why, better = "must have a point, not a comma", stripped.replace(",", ".")
    elif re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", stripped):
        why, better = "must be written without separators", stripped.replace(",", "")
    elif stripped.startswith("-"):
        why, better = "must be above zero", stripped[1:]
    if not _PRICE.fullmatch(better) or not Decimal(better):
        better = "145.00"
    raise _number_fault(option, text, why=why, better=better)


def level(text: str, option: str) -> Level:
    """Return where an exit stands: at a price (`145.00`), or a part of the cost away (`3%`)."""
    stripped = text.strip()
    if not stripped.endswith("%"):
        return Level(price=price(text, option))
    figure = stripped[:-1].strip()
    if figure.isascii() and _PRICE.fullmatch(figure) and 0 < Decimal(figure) < _HUNDRED:
        return Level(fraction=Decimal(figure) / _HUNDRED)
    why = "must be a price, or a part in percent between 0% and 100%"
    raise _number_fault(option, text, why=why, better="3%")


def seconds(text: str, option: str = "--timeout") -> float:
    """Return a waiting time in seconds, above zero and at most 600."""
    stripped = text.strip()
    if stripped.isascii() and _SECONDS.fullmatch(stripped) and 0 < float(stripped) <= 600:  # noqa: PLR2004 - the longest wait
        return float(stripped)
    raise _number_fault(option, text, why="must be seconds, above 0 and at most 600", better="30")


_DURATION = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,3})?)(s|m|h)?")
_UNITS = {"s": 1, "m": 60, "h": 3600}


def duration(text: str, option: str) -> timedelta:
    """Return a length of time, above zero and at most a day: `5` and `5m` are minutes."""
    found = _DURATION.fullmatch(text.strip().lower()) if text.isascii() else None
    length = float(found[1]) * _UNITS[found[2] or "m"] if found else 0.0
    if 0 < length <= 86_400:  # noqa: PLR2004 - a day
        return timedelta(seconds=length)
    why = "must be a length of time, such as 10m, 90s or 1h"
    raise _number_fault(option, text, why=why, better="10m")


_DAYS = re.compile(r"([1-9][0-9]{0,3})d")


def since(text: str, now: datetime, option: str = "--since") -> datetime:
    """Return the moment that `text` names: `today`, `7d` ago, or the beginning of a date.

    Days are the exchange's.
    """
    wanted, zone = text.strip().lower(), ZoneInfo(NEW_YORK)
    if wanted == "today":
        return day_start(now, zone)
    if wanted.isascii() and (days := _DAYS.fullmatch(wanted)):
        return now - timedelta(days=int(days[1]))
    try:
        # Of all that Python reads as a date, only what a person would call one.
        day = date.fromisoformat(wanted) if re.fullmatch(r"[0-9-]{10}", wanted) else None
    except ValueError:
        day = None
    if day is None:
        why = "must be a date such as 2026-11-20, a number of days such as 7d, or today"
        raise _number_fault(option, text, why=why, better="7d")
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def choice(text: str, option: str, kind: type[E]) -> E:
    """Return the member of `kind` that `text` names, in any case and with `-` for `_`."""
    wanted = text.strip().upper().replace("-", "_")
    for member in kind:
        if wanted in {member.name.upper(), member.value.upper()}:
            return member
    names = [member.name.lower().replace("_", "-") for member in kind]
    message = f"{option} {quoted(text)} is none of: {', '.join(names)}"
    raise UsageFault(message, option=option, typed=text, better=names[0])


_SHORT_NAMES = {
    "MKT": OrderType.MARKET,
    "LMT": OrderType.LIMIT,
    "STP": OrderType.STOP,
    "MOC": OrderType.MARKET_ON_CLOSE,
    "LOC": OrderType.LIMIT_ON_CLOSE,
    "MIT": OrderType.MARKET_IF_TOUCHED,
    "LIT": OrderType.LIMIT_IF_TOUCHED,
}


def order_type(text: str, option: str = "--type") -> OrderType:
    """Return the order type that `text` names, by its whole or its short name."""
    return _SHORT_NAMES.get(text.strip().upper()) or choice(text, option, OrderType)


def _cents(decimals: str) -> str:
    """Decimals without zeros at their end, beyond those of cents."""
    return decimals[:2] + decimals[2:].rstrip("0")


def _is_zero(text: str) -> bool:
    return re.fullmatch(r"0+(\.0*)?", text) is not None


def _number_fault(option: str, text: str, *, why: str, better: str) -> UsageFault:
    return UsageFault(f"{option} {quoted(text)} {why}", option=option, typed=text, better=better)
