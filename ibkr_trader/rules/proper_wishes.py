"""Whether what an action returns is a wish at all: asked while its rule can still be fenced off.

An action of a Python strategy is anybody's code. A float for a price, or a wish for another
symbol, would otherwise be found out between two orders, where it ends the whole desk.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from ibkr_trader.rules.wishes import StopTrading, Tell, Wish


def proper(wish: object, symbol: str) -> Wish:
    """Return a wish of an action that was asked about `symbol`.

    Raises:
        TypeError: If it is no wish, or a field is not of its type.
        ValueError: If a number is none, or it would trade another symbol: in that one,
            something else may be under way.
    """
    if not isinstance(wish, Wish):
        raise TypeError(f"a {type(wish).__name__} is no wish")
    _require_types(wish)
    if not isinstance(wish, Tell | StopTrading) and wish.symbol != symbol:
        raise ValueError(f"it was asked about {symbol}, and wishes something of {wish.symbol}")
    return wish


def _require_types(struct: msgspec.Struct) -> None:
    for name, hint in _hints(type(struct)).items():
        value = getattr(struct, name)
        if not _fits(value, hint):
            raise TypeError(f"{name} of {type(struct).__name__} cannot be {value!r}")
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, msgspec.Struct):
                _require_types(one)
            elif isinstance(one, Decimal) and not one.is_finite():
                raise ValueError(f"{name} of {type(struct).__name__} is {one}")


@cache
def _hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: object, hint: Any) -> bool:
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_fits(one, get_args(hint)[0]) for one in value)
    return isinstance(value, hint)
