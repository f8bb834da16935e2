"""A limits file as text: made from limits, or changed where it must be and nowhere else.

What is not changed keeps its place and its spelling: a file that a person has written stays
theirs. What is written anew is text in quotes, so that no program in between makes a
binary fraction of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ibkr_trader.adapters.json_places import Document, Object
from ibkr_trader.adapters.limits_reader import DEFAULTS, SCHEMA, SECTIONS, SYMBOLS
from ibkr_trader.core.contracts import stock_symbol
from ibkr_trader.risk.limits import LIMIT_KEYS, SymbolLimitRegistry, SymbolLimits
from ibkr_trader.risk.tightening import EVERY_OTHER
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.adapters.json_places import Node

_Entry = dict[str, str]  # each key with its value as it is written
EMPTY = f'{{\n  "{SYMBOLS}": {{}},\n  "{DEFAULTS}": {{}}\n}}\n'


def text_of(registry: SymbolLimitRegistry) -> str:
    """Return limits as a file; the same limits are always the same text."""
    symbols = {
        _named(symbol): _entry_of(registry.symbols[symbol]) for symbol in sorted(registry.symbols)
    }
    return _text({SYMBOLS: "", DEFAULTS: ""}, symbols, _entry_of(registry.default))


def amended(text: str, symbol: str, limits: Mapping[str, Decimal] | None) -> str:
    """Return a sound file with some limits of `symbol` (or `*`) set; None removes all of them.

    Raises:
        JsonFault: If the file is not sound.
    """
    document = Document(text)
    order: dict[str, str] = {}
    symbols: dict[str, _Entry] = {}
    default: _Entry = {}
    for name, node in _members(document.root):
        order[name] = document.raw(node)
        if name == SYMBOLS:
            symbols = {key: _raw_entry(document, entry) for key, entry in _members(node)}
        elif name == DEFAULTS:
            default = _raw_entry(document, node)
    order = {name: order.get(name, "") for name in (*order, SYMBOLS, DEFAULTS)}
    if symbol == EVERY_OTHER:
        default = _changed(default, limits)
    else:
        key = next((key for key in symbols if stock_symbol(key) == symbol), _named(symbol))
        symbols[key] = _changed(symbols.get(key, {}), limits)
        if limits is None:
            del symbols[key]
    return _text(order, symbols, default)


def _members(node: Node) -> list[tuple[str, Node]]:
    members = node.value.members if isinstance(node.value, Object) else ()
    return [(member.name, member.node) for member in members]


def _raw_entry(document: Document, node: Node) -> _Entry:
    return {key: document.raw(value) for key, value in _members(node)}


def _changed(entry: _Entry, limits: Mapping[str, Decimal] | None) -> _Entry:
    if limits is None:
        return {}
    return entry | {key: json.dumps(number(value)) for key, value in limits.items()}


def _entry_of(limits: SymbolLimits) -> _Entry:
    return {
        key: json.dumps(number(value))
        for key in LIMIT_KEYS
        if (value := getattr(limits, key)) is not None
    }


def _named(symbol: str) -> str:
    return symbol.replace(" ", ".")


def _text(order: Mapping[str, str], symbols: Mapping[str, _Entry], default: _Entry) -> str:
    """The whole file; of the sections only the schema's address is taken from `order` as it is."""
    written = {
        SCHEMA: order.get(SCHEMA, ""),
        SYMBOLS: _object({key: _object(one, "    ") for key, one in symbols.items()}, "  "),
        DEFAULTS: _object(default, "  "),
    }
    assert set(order) <= set(SECTIONS)  # noqa: S101 - the reader has seen to it
    return _object({name: written[name] for name in order}, "") + "\n"


def _object(members: Mapping[str, str], margin: str) -> str:
    if not members:
        return "{}"
    lines = (f"{margin}  {json.dumps(key)}: {value}" for key, value in members.items())
    return "{\n" + ",\n".join(lines) + f"\n{margin}}}"
