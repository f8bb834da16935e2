"""Money, quantities, prices and times as people read them; foreign text made harmless.

Figures are shown in full: no exponent, no digit invented or dropped beyond the cent of an
amount of money. Times name their zone. What came from outside may not steer a terminal.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

UNKNOWN = "–"
SENTENCES = 2_000  # characters, as a limit of `plain`: a denial names every reason
# What TWS puts before its reason, also where it then gives none; the status says it better.
_PREAMBLE = re.compile(r"\s*order (?:rejected|canceled|cancelled) - reason:\s*", re.IGNORECASE)
_CENT = Decimal("0.01")
_DECIMALS = 4
_MEAN = Decimal("0.0001")
_FINEST = 8  # decimals that a figure may have by itself; beyond, there is only division
_LONG = Context(prec=200)
_LONGEST_ECHO = 40  # letters of what was typed: who typed it knows the rest


def quantity(value: Decimal | None, *, signed: bool = False) -> str:
    """Return a quantity in full: `1,200`, `0.5`; with its sign if `signed`."""
    if value is None:
        return UNKNOWN
    if not value.is_finite():
        return str(value)
    text = f"{value:{'+' if signed else ''},f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price(value: Decimal | None) -> str:
    """Return a price with at least two decimals, and with all it has: `150.00`, `0.9875`."""
    text = quantity(value)
    if value is None or not value.is_finite():
        return text
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<2}"


def average(value: Decimal | None) -> str:
    """Return a mean of prices, to four decimals at most: the rest is only division."""
    if value is None or not value.is_finite():
        return price(value)
    return price(rounded(value) + 0)


def rounded(value: Decimal) -> Decimal:
    """Return a finite price with four decimals at most, however long it is."""
    if value == value.to_integral_value() or len(f"{value:f}".partition(".")[2]) <= _DECIMALS:
        return value
    return value.quantize(_MEAN, rounding=ROUND_HALF_EVEN, context=_LONG)


def undivided(value: Decimal) -> Decimal:
    """Return a figure without what a division has left at its end.

    An average cost has all digits that there are, and so has every gain that is reckoned from
    it: they are kept, for they add up, and dropped here, where a figure is told.
    """
    if not value.is_finite() or int(value.as_tuple().exponent) >= -_FINEST:
        return value
    told = value.quantize(Decimal(1).scaleb(-_FINEST), rounding=ROUND_HALF_EVEN, context=_LONG)
    return told or abs(told)  # no minus before zero


def money(value: Decimal | None, currency: str = "", *, signed: bool = False) -> str:
    """Return an amount to the cent, with its currency behind: `-1,234.50 USD`."""
    if value is None:
        return UNKNOWN
    if not value.is_finite():
        return str(value)
    rounded = value.quantize(_CENT, rounding=ROUND_HALF_EVEN) + 0  # no minus before zero
    text = f"{rounded:{'+' if signed and rounded else ''},f}"
    return f"{text} {currency}" if currency else text


def percent(fraction: Decimal | None, *, digits: int = 2) -> str:
    """Return a fraction as a percentage of at most `digits` decimals: `3.33 %`."""
    if fraction is None or not fraction.is_finite():
        return UNKNOWN
    return f"{quantity((fraction * 100).quantize(Decimal(1).scaleb(-digits)))} %"


def moment(at: datetime | None, zone: tzinfo, *, with_date: bool = True) -> str:
    """Return a time in `zone`, which is named: `2026-11-23 09:30:00 EST`.

    Raises:
        ValueError: If `at` does not know its own zone.
    """
    if at is None:
        return UNKNOWN
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be told in another")
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S %Z}" if with_date else f"{local:%H:%M:%S %Z}"


def bar(share: Decimal, cells: int) -> str:
    """Return a share as a bar of so many cells; only all of it fills one."""
    full = min(cells, max(0, int(min(share, Decimal(1)) * cells)))
    return "█" * full + "░" * (cells - full)


def plain(text: str, *, limit: int = 500) -> str:
    """Return foreign text with everything that could steer a terminal taken out.

    Control characters (C0, C1), bidirectional marks and whatever else is invisible become
    nothing, blanks of any kind one space; what is longer than `limit` ends in `…`.
    """
    # Nearly all of it are sentences of our own, and a screen is told hundreds of them a second.
    if len(text) <= limit and text.isprintable() and "  " not in text and text == text.strip():
        return text
    spaced = (" " if mark.isspace() else mark for mark in text)
    shown = "".join(mark for mark in spaced if mark.isprintable())
    cleaned = " ".join(shown.split())
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + "…"


def quoted(typed: str) -> str:
    """Return what was typed in quotes, to be shown: of what is long only the beginning."""
    return repr(typed if len(typed) <= _LONGEST_ECHO else f"{typed[: _LONGEST_ECHO - 1]}…")


def broker_words(reason: str) -> str:
    """Return the reason that a broker's message gives, which may be none."""
    return _PREAMBLE.sub("", reason, count=1).strip()
