"""Values of a TOML text: how a message shows them, and how large a number may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from ibkr_trader.core.text import plain
from ibkr_trader.rules.expression_wording import quoted, suggestion

_PLACES = 12  # before and after the point
_MOST = 10**_PLACES
_LONGEST = 40  # characters of a value in a message
_WIDEST = 128  # bits: to write a much longer number takes long
_HINTS = 20  # unknown keys of one table that are told each by itself

Trouble = tuple[str, str]  # a key (empty is the whole table), and what is wrong with it


def shown(value: object) -> str:
    """Return a value for a message: short, on one line, and however deep it is.

    A text of a file may be as long as the file, and a table may be nested so deep that it
    cannot be written at all.
    """
    match value:
        case str():
            return quoted(value)
        case dict():
            return "a table"
        case list():
            return "a list"
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > _WIDEST:
            return "a number without end"
        case _:
            return plain(str(value), limit=_LONGEST)


def strangers(table: Mapping[str, object], known: Iterable[str]) -> list[Trouble]:
    """Return what is wrong with each key that is not `known`; of very many, with the first."""
    names = tuple(known)
    unknown = [key for key in table if key not in names]
    found = [(key, f"is unknown; {suggestion(key, names)}") for key in unknown[:_HINTS]]
    if unknown[_HINTS:]:
        found.append(("", f"{len(unknown) - _HINTS} more of its keys are unknown"))
    return found


def number(value: object) -> Decimal:
    """Return a number, exact.

    Raises:
        ValueError: If it is none, not finite, or has more digits than any price or amount:
            written in full, 1e999999999 alone would fill the memory.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{shown(value)} is no number")  # noqa: TRY004 - what a file says
    if isinstance(value, int):
        is_meant = abs(value) < _MOST
    else:
        exponent = value.as_tuple().exponent
        is_meant = isinstance(exponent, int) and exponent >= -_PLACES
        is_meant = is_meant and value.copy_abs() < _MOST
    if not is_meant:
        raise ValueError(f"{shown(value)} is no number that can be meant")
    return Decimal(value)
