"""A rule for sizes as people write it: `10`, `risk:1%`, `atr:2`, `kelly:0.55:1.8`."""

from __future__ import annotations

import re
from decimal import Decimal

from ibkr_trader.risk.sizing import AtrRisk, FixedQuantity, FixedRisk, Kelly, Odds, Size

FORMS = "10, risk:1%, risk:250, atr:2, atr:2:0.5%, kelly, kelly:0.55:1.8 or kelly:0.55:1.8:0.25"
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_DEFAULT_RISK = FixedRisk(fraction=Decimal("0.01"))


def size_of(text: str) -> Size:
    """Return the rule that `text` names.

    Raises:
        ValueError: If it is none; the message goes on from the text.
    """
    name, *figures = text.strip().lower().split(":")
    if _NUMBER.fullmatch(name) and not figures:
        whole = Decimal(name)
        if whole == whole.to_integral_value() and whole > 0:
            return FixedQuantity(whole)
    elif name == "risk" and len(figures) == 1:
        return _risk(figures[0])
    elif name == "atr" and len(figures) in {1, 2}:
        risk = _risk(figures[1]) if figures[1:] else _DEFAULT_RISK
        return AtrRisk(multiple=_number(figures[0]), risk=risk)
    elif name == "kelly" and len(figures) in {0, 2, 3}:
        return _kelly(figures)
    raise ValueError("is no size")


def size_text(size: Size) -> str:
    """Return a rule as people write it: `size_of` reads it again.

    Raises:
        ValueError: If it has a figure that cannot be written, such as a cap of its own.
    """
    text = _written(size)
    try:
        is_same = size_of(text) == size
    except ValueError:
        is_same = False
    if not is_same:
        raise ValueError(f"{size} cannot be written as a size")
    return text


def text_of(size: Size) -> str:
    """Return a rule as people write it; one that cannot be written, as the code shows it."""
    try:
        return size_text(size)
    except ValueError:
        return str(size)


def _written(size: Size) -> str:
    match size:
        case FixedQuantity():
            return f"{size.quantity:f}"
        case FixedRisk(amount=None, fraction=Decimal() as fraction):
            return f"risk:{(fraction * 100).normalize():f}%"
        case FixedRisk():
            return f"risk:{size.amount:f}"
        case AtrRisk():
            return f"atr:{size.multiple:f}:{_written(size.risk).removeprefix('risk:')}"
        case Kelly(odds=Odds() as odds):
            return f"kelly:{odds.win_rate:f}:{odds.payoff:f}:{size.part:f}"
        case _:
            return "kelly"


def _kelly(figures: list[str]) -> Kelly:
    if not figures:
        return Kelly()
    odds = Odds(win_rate=_number(figures[0]), payoff=_number(figures[1]))
    return Kelly(odds=odds, part=_number(figures[2])) if figures[2:] else Kelly(odds=odds)


def _risk(text: str) -> FixedRisk:
    if text.endswith("%"):
        return FixedRisk(fraction=_number(text[:-1]) / 100)
    return FixedRisk(amount=_number(text))


def _number(text: str) -> Decimal:
    if not (text.isascii() and _NUMBER.fullmatch(text)):
        raise ValueError(f"has {text!r}, which is no number")
    return Decimal(text)
