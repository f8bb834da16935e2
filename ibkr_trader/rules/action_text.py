"""An action as a table of a strategy file: each key read as its field's type says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from msgspec import structs

from ibkr_trader.risk.size_text import FORMS, size_of
from ibkr_trader.risk.sizing import Size
from ibkr_trader.rules.distance import Distance
from ibkr_trader.rules.expression_wording import nearest
from ibkr_trader.rules.rule import ACTIONS, Action
from ibkr_trader.rules.toml_values import Trouble, number, shown, strangers


def read_action(name: str, table: object) -> tuple[Action | None, list[Trouble]]:
    """Return the action of that name with the fields of `table`, or all that is wrong with it."""
    kind: Any = ACTIONS[name]
    if not isinstance(table, dict):
        return None, [("", f"must be a table: [rule.{name}]")]
    hints = get_type_hints(kind)
    fields = kind.__struct_fields__
    troubles = strangers(table, fields)
    given: dict[str, Any] = {}
    for key in (key for key in table if key in fields):
        try:
            given[key] = _read(table[key], hints[key])
        except ValueError as error:
            troubles.append((key, str(error)))
    if troubles:
        return None, troubles
    missing = [one.name for one in structs.fields(kind) if one.required and one.name not in given]
    if missing:
        return None, [(field, "is missing") for field in missing]
    try:
        return kind(**given), []
    except ValueError as error:
        return None, [("", str(error))]


def _read(value: object, hint: Any) -> Any:
    """`value` as the type `hint`.

    Raises:
        ValueError: If it is none; says what to write.
    """
    if hint == Size:
        return _size(value)
    if get_origin(hint) is Literal:
        return _one_of(value, get_args(hint))
    kinds = [one for one in get_args(hint) if one is not NoneType] or [hint]
    if get_origin(hint) is tuple:
        many = value if isinstance(value, list) else [value]
        if not many:
            raise ValueError("must not be empty: leave it out")
        return tuple(_read(one, kinds[0]) for one in many)
    return _PLAIN[kinds[0]](value)


def _size(value: object) -> Size:
    text = value if isinstance(value, str) else f"{number(value):f}"
    try:
        return size_of(text)
    except ValueError as error:
        raise ValueError(f"{shown(value)} {error}; it is one of {FORMS}") from None


def _one_of(value: object, legal: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in legal:
        listed = ", ".join(repr(one) for one in legal if one)
        near = nearest(value, legal) if isinstance(value, str) else ""
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(f"{shown(value)} is none of {listed}{hint}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is no text: write it in quotes")  # noqa: TRY004 - what a file says
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)} is neither true nor false")  # noqa: TRY004 - as above
    return value


_PLAIN: Mapping[Any, Callable[[object], Any]] = {
    Distance: Distance.of,
    Decimal: number,
    str: _text,
    bool: _truth,
}
