"""What is typed into a dialog about an order, read strictly: a digit too many is money.

Only ASCII digits and a point make a figure. `2%` is how far a trail stays behind.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.models import ZERO

if TYPE_CHECKING:
    from ibkr_trader.dashboard.model import Field
    from ibkr_trader.dashboard.scene import PositionRow

# As much as the trader takes: see `cli/values.py`.
FIGURE = re.compile(r"[0-9]{1,9}(\.[0-9]{0,6})?|\.[0-9]{1,6}", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,7}", re.ASCII)
LONGEST = 24  # characters of a field
_PER_CENT = Decimal(100)


def figure(text: str) -> Decimal | None:
    """Return what `text` says; None if it is no positive figure."""
    if not FIGURE.fullmatch(text):
        return None
    value = Decimal(text.rstrip(".") or "0")
    return value if value > ZERO else None


def plainly(value: Decimal | None) -> str:
    """Return a figure as it stands in a field."""
    if value is None:
        return ""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text and len(text.split(".")[1]) > 2 else text  # noqa: PLR2004 - cents


def size(value: Decimal) -> str:
    """Return a quantity as it stands in a field, and as a command takes it."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_whole(text: str) -> bool:
    """Whether `text` is a quantity that can be ordered."""
    return _WHOLE.fullmatch(text) is not None and int(text) > 0


def field_fault(field: Field) -> str:
    """Return why what is typed cannot be, on one line; empty if it can."""
    if field.text == field.was:
        return ""  # whatever holds may stay
    if not field.text:
        return f"{field.label} is empty; it was {field.was}"
    if field.name == "quantity" and not is_whole(field.text):
        return f"{field.label}: {field.text!r} is no whole number"
    if figure(field.text) is None:
        return f"{field.label}: {field.text!r} is no price"
    return ""


def is_changed(field: Field) -> bool:
    """Whether something else is typed than what holds."""
    return field.text != field.was and figure(field.text) != figure(field.was)


def share(text: str) -> Decimal | None:
    """Return what `2%` says; None if it is no share of a price."""
    if not text.endswith("%"):
        return None
    value = figure(text.removesuffix("%"))
    return value if value is not None and value < _PER_CENT else None


def is_through(stop: Decimal, held: PositionRow) -> bool:
    """Whether the market is beyond a stop already: it would end the position at once."""
    if held.last is None:
        return False
    return stop >= held.last if held.quantity > 0 else stop <= held.last


def loosens(new: Decimal, held: PositionRow) -> bool:
    """Whether a stop at `new` would be further from the market than the one that works."""
    if held.stop is None:
        return False
    return new <= held.stop if held.quantity > 0 else new >= held.stop
