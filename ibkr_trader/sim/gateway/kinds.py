"""How one value stands in one field of a TWS message: a reader and a writer per kind.

Clients spell "unset" in many ways (empty, Java's and Python's largest double, the largest
ints, the word None); all of them read as `None`. Numbers are bounded before they are parsed, so
that no field can make the simulator allocate. A value that cannot be read raises `ValueError`,
never turns into zero.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from ibkr_trader.sim.gateway.times import plain_text, read_moment, zoned_text

UNSET_DOUBLE = "1.7976931348623157E308"
UNSET_INT = "2147483647"
UNSET_LONG = "9223372036854775807"
INFINITY = Decimal("Infinity")
ZERO = Decimal(0)

_UNSET_DECIMAL = "170141183460469231731687303715884105727"
_UNSET = frozenset({"", UNSET_INT, UNSET_LONG, UNSET_DOUBLE, _UNSET_DECIMAL}) | frozenset(
    {"1.7976931348623157e+308", "1.7976931348623157E+308", "None", "none", "null", "NaN", "nan"}
)
_LONGEST_NUMBER = 64
_LARGEST_EXPONENT = 30
_DOUBLE_MAX_EXPONENT = 308


class Kind(msgspec.Struct, frozen=True):
    """One way to stand in a field: `read` raises ValueError, `write` cannot fail."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]


def decimal_or_none(text: str) -> Decimal | None:
    """Read a number, or None when it is unset in any of the spellings clients use."""
    if text in _UNSET:
        return None
    if len(text) > _LONGEST_NUMBER:
        message = "a number is too long"
        raise ValueError(message)
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _infinity(text)
    if number.is_infinite():
        return INFINITY if number > 0 else -INFINITY
    if number.is_nan():
        message = f"not a number: {text}"
        raise ValueError(message)
    exponent = number.adjusted()
    if exponent == _DOUBLE_MAX_EXPONENT:
        return None
    if abs(exponent) > _LARGEST_EXPONENT and number:
        message = f"a number is out of range: {text}"
        raise ValueError(message)
    return number


def _infinity(text: str) -> Decimal:
    if text.lstrip("+-").lower() == "infinite":
        return -INFINITY if text.startswith("-") else INFINITY
    message = f"not a number: {text[:_LONGEST_NUMBER]!r}"
    raise ValueError(message)


def number_text(value: Decimal) -> str:
    """Write a number plainly: no exponent, and no decimal point when it is whole."""
    if value.is_infinite():
        return "Infinity" if value > 0 else "-Infinity"
    if value.is_nan():
        return "NaN"
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if text != "-0" else "0"


def int_or_none(text: str) -> int | None:
    """Read an integer, or None when unset; `100.0` is an integer too."""
    if text.isdecimal() and len(text) < len(UNSET_INT):
        return int(text)
    number = decimal_or_none(text)
    if number is None:
        return None
    if not number.is_finite() or number != number.to_integral_value():
        message = f"not an integer: {text}"
        raise ValueError(message)
    return int(number)


def _read_int(text: str) -> int:
    return int_or_none(text) or 0


def _read_id(text: str) -> int:
    number = int_or_none(text)
    if number is None:
        message = "an id is missing"
        raise ValueError(message)
    return number


def _read_decimal(text: str) -> Decimal:
    number = decimal_or_none(text)
    return ZERO if number is None else number


def _read_flag(text: str) -> bool:
    if text == "0" or not text:
        return False
    if text == "1":
        return True
    lowered = text.lower()
    if lowered in ("true", "false"):
        return lowered == "true"
    return bool(_read_int(text))


def _read_tags(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (part.partition("=") for part in text.split(";") if part)
    return tuple((tag, value) for tag, _, value in pairs)


def _write_tags(value: tuple[tuple[str, str], ...]) -> str:
    return "".join(f"{tag}={text};" for tag, text in value)


def instead(kind: Kind, unset: str) -> Kind:
    """Return `kind` with `unset` written for a value that is None, zero or empty."""
    return Kind(kind.read, lambda value: kind.write(value) if value else unset)


def _or_else(unset: str, write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: unset if value is None else write(value)


def _as_is(text: str) -> str:
    return text


def _plain_text(value: object) -> str:
    return str(value).replace("\0", "") if value else ""


def _escaped(value: str) -> str:
    """Non-ASCII as an escape, and no backslash: clients unicode-escape-decode this field."""
    plain = value.replace("\\", "/").replace("\0", "")
    return plain if plain.isascii() else plain.encode("unicode-escape").decode("ascii")


def _unescaped(text: str) -> str:
    return text.encode("latin-1", "backslashreplace").decode("unicode-escape")


def _whole(value: Decimal) -> str:
    return str(int(value))


TEXT = Kind(_as_is, _plain_text)
ESCAPED = Kind(_unescaped, _escaped)
ID = Kind(_read_id, str)
INT = Kind(_read_int, str)
MAYBE_INT = Kind(int_or_none, _or_else("", str))
MAX_INT = Kind(int_or_none, _or_else(UNSET_INT, str))
MAX_LONG = Kind(int_or_none, _or_else(UNSET_LONG, str))
FLAG = Kind(_read_flag, lambda value: "1" if value else "0")
NUMBER = Kind(_read_decimal, number_text)
WHOLE = Kind(_read_decimal, _whole)
MAYBE = Kind(decimal_or_none, _or_else("", number_text))
MAYBE_ZERO = Kind(decimal_or_none, _or_else("0", number_text))
MAX_DOUBLE = Kind(decimal_or_none, _or_else(UNSET_DOUBLE, number_text))
TAGS = Kind(_read_tags, _write_tags)
ZONED_TIME = Kind(read_moment, zoned_text)
PLAIN_TIME = Kind(read_moment, plain_text)
