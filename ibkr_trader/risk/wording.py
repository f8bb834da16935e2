"""How breaches speak of orders, so that every check says it the same way."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.text import quantity, undivided

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from ibkr_trader.core.models import OrderSpec


_FITS = re.compile(r"use --quantity ([0-9]+) or less")
_FULL = "there is no room left"
FOREIGN_HINT = "nothing more is opened while there is any; see: ibkr-trader positions"


def number(value: Decimal) -> str:
    """Return a figure for machines: in full, without separators or a division's rest."""
    return quantity(undivided(value)).replace(",", "")


def seconds(length: timedelta) -> str:
    """Return a length of time in seconds, to the tenth, rounded up."""
    return f"{quantity(tenths(length))} s"


def tenths(length: timedelta) -> Decimal:
    """Return a length of time in seconds, to the tenth, rounded up, as a figure."""
    exact = Decimal(length.days * 86_400 + length.seconds) + Decimal(length.microseconds).scaleb(-6)
    return exact.quantize(Decimal("0.1"), rounding=ROUND_CEILING)


def order_words(spec: OrderSpec) -> str:
    """Return an order in three words: `BUY 60 AAPL`."""
    return f"{spec.side} {quantity(spec.quantity)} {label(spec.contract)}"


def tightest(hints: Iterable[str]) -> list[str]:
    """Return the hints without those that another one includes.

    Of several largest quantities the smallest counts; with no room left, none does. What
    `smaller` writes is told apart here.
    """
    distinct = list(dict.fromkeys(hint for hint in hints if hint))
    fits = {hint: int(match[1]) for hint in distinct if (match := _FITS.fullmatch(hint))}
    is_full = any(hint.startswith(_FULL) for hint in distinct)
    kept = None if is_full else min(fits, key=lambda hint: fits[hint], default=None)
    return [hint for hint in distinct if hint not in fits or hint == kept]


def smaller(spec: OrderSpec, excess: Decimal) -> str:
    """Return the hint that makes an order fit which is `excess` units too large."""
    room = spec.quantity - excess.to_integral_value(rounding=ROUND_CEILING)
    if room < 1:
        return f"{_FULL}: close or cancel something in {label(spec.contract)} first"
    return f"use --quantity {number(room)} or less"
