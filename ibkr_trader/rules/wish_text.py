"""A wish as text: its name, its terms for the journal, and one line for people."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import assert_never

from ibkr_trader.core.enums import Side
from ibkr_trader.core.text import average, quantity
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.risk.size_text import text_of
from ibkr_trader.risk.sizing import AtrRisk, FixedQuantity, FixedRisk, Kelly
from ibkr_trader.rules import wishes
from ibkr_trader.rules.wishes import Wish

EXIT = "close"
_KINDS: Mapping[type, str] = {
    wishes.Enter: "open",
    wishes.Add: "scale_in",
    wishes.Exit: EXIT,
    wishes.MoveStop: "move_stop",
    wishes.LetTrail: "trail",
    wishes.Tell: "notify",
    wishes.StopTrading: "halt",
}


def kind_of(wish: Wish) -> str:
    """Return what a wish is called."""
    return _KINDS[type(wish)]


def terms_of(wish: Wish) -> Mapping[str, str]:
    """Return the wish in full, as text by name; what is not said is left out."""
    found: dict[str, str] = {}
    for name in wish.__struct_fields__:
        text = _written(getattr(wish, name))
        if text:
            found[name] = text
    return found


def line_of(wish: Wish) -> str:
    """Return one line for people: `long AAPL, stop 145.00, target 163.50`.

    To four decimals at most: what an order names is rounded to the contract's steps later.
    """
    match wish:
        case wishes.Enter():
            side = "long" if wish.side is Side.BUY else "short"
            parts = [f"{side} {wish.symbol}"]
            parts += [f"at {average(wish.limit)}"] if wish.limit is not None else []
            parts += [f"stop {average(wish.stop)}"] if wish.stop is not None else []
            parts += [f"target {average(one)}" for one in wish.targets]
            return ", ".join(parts)
        case wishes.Add():
            return f"add {quantity(wish.quantity)} {wish.symbol}"
        case wishes.Exit():
            return f"close {wish.symbol}"
        case wishes.MoveStop():
            return f"stop of {wish.symbol} to {average(wish.level)}"
        case wishes.LetTrail():
            return f"stop of {wish.symbol} trails by {wish.trail.words}"
        case wishes.Tell():
            return wish.message
        case wishes.StopTrading():
            return f"halt {wish.symbol or 'everything'}: {wish.reason}"
        case _:
            assert_never(wish)


def _written(value: object) -> str:
    match value:
        case None | False | ():
            return ""
        case Decimal():
            return f"{value:f}"
        case FixedQuantity() | FixedRisk() | AtrRisk() | Kelly():
            return text_of(value)
        case Trail():
            return value.words
        case tuple():
            return " ".join(_written(one) for one in value)
        case _:
            return str(value)
