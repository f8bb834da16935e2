"""What a limits file says, and everything that is wrong with it, each with its place.

    {"symbol_limits": {"AAPL": {"max_position_size": 50}}, "default_limits": {…}}

Read strictly: what a lenient reader would make of a slip could be a looser limit than was
meant. A file with a fault says nothing at all.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ibkr_trader.adapters.json_places import Document, JsonFault, Number, Object
from ibkr_trader.core.contracts import stock_symbol
from ibkr_trader.core.text import quantity
from ibkr_trader.risk.limits import LIMIT_KEYS, SymbolLimitRegistry, SymbolLimits
from ibkr_trader.risk.limits_reading import LimitsFault, LimitsReading
from ibkr_trader.risk.tightening import EVERY_OTHER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.adapters.json_places import Member, Node
    from ibkr_trader.risk.limits import RiskLimits

SYMBOLS, DEFAULTS, SCHEMA = "symbol_limits", "default_limits", "$schema"
SECTIONS = (SYMBOLS, DEFAULTS, SCHEMA)
AMOUNT = r"[0-9]{1,12}(\.[0-9]{1,8})?"  # an amount in full, as text or as a number
SYMBOL = r"[A-Z][A-Z0-9]*([ .][A-Z0-9]+)*"
LONGEST_SYMBOL = 12
_AMOUNT = re.compile(AMOUNT)
EXAMPLES = {
    "max_position_size": "50",
    "max_order_exposure": "5000",
    "max_daily_loss": "200",
    "max_correlation_exposure": "10000",
}
_BOM = b"\xef\xbb\xbf"


def read_limits(data: bytes, cap: RiskLimits) -> LimitsReading:
    """Return what the content of a limits file says; every fault of it is in the answer."""
    if data.startswith(_BOM):
        message = "it begins with a byte order mark: save it as UTF-8 without one"
        return LimitsReading(faults=(LimitsFault(line=1, column=1, message=message),))
    try:
        document = Document(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = "this is not UTF-8 text: save it as UTF-8"
        return LimitsReading(faults=(LimitsFault(line=line, column=column, message=message),))
    except JsonFault as error:
        line, column = error.place
        fault = LimitsFault(line=line, column=column, message=error.message)
        return LimitsReading(faults=(fault,))
    return _Reader(document, cap).read()


class _Reader:
    """Collects what one document says, and what is wrong with it."""

    def __init__(self, document: Document, cap: RiskLimits) -> None:
        self._document = document
        self._cap = cap
        self._faults: list[LimitsFault] = []
        self._warnings: list[LimitsFault] = []

    def read(self) -> LimitsReading:
        """Return the whole."""
        symbols: dict[str, SymbolLimits] = {}
        default = SymbolLimits(symbol=EVERY_OTHER)
        for member in self._members(self._document.root, "", SECTIONS):
            if member.name == SYMBOLS:
                symbols = self._symbols(member.node)
            elif member.name == DEFAULTS:
                default = self._entry(member.node, EVERY_OTHER, path=DEFAULTS)
            elif not isinstance(member.node.value, str) or isinstance(member.node.value, Number):
                self._fault(member.node, SCHEMA, "it must be text: the address of a schema")
        faults = tuple(sorted(self._faults, key=lambda one: (one.line, one.column)))
        if faults:
            return LimitsReading(faults=faults)
        registry = SymbolLimitRegistry(symbols=symbols, default=default)
        return LimitsReading(registry=registry, warnings=tuple(self._warnings))

    def _fault(self, node: Node, key: str, message: str) -> None:
        line, column = self._document.place(node)
        self._faults.append(LimitsFault(line=line, column=column, key=key, message=message))

    def _members(self, node: Node, path: str, known: Sequence[str]) -> list[Member]:
        """The members of an object with known keys, each once; the others are faults."""
        if not isinstance(node.value, Object):
            shown = ", ".join(f'"{key}": …' for key in known[:2])
            self._fault(node, path, f"it must be an object: write {{{shown}}}")
            return []
        found: dict[str, Member] = {}
        for member in node.value.members:
            full = f"{path}.{_shown(member.name)}" if path else _shown(member.name)
            if member.name not in known:
                self._fault(member.key, full, _unknown(member.name, known))
            elif member.name in found:
                line = self._document.place(found[member.name].key).line
                self._fault(member.key, full, f"it stands on line {line} already: remove one")
            else:
                found[member.name] = member
        return list(found.values())

    def _symbols(self, node: Node) -> dict[str, SymbolLimits]:
        if not isinstance(node.value, Object):
            self._fault(node, SYMBOLS, 'it must be an object: write {"AAPL": { … }}')
            return {}
        found: dict[str, SymbolLimits] = {}
        lines: dict[str, int] = {}
        for member in node.value.members:
            path = f"{SYMBOLS}.{_shown(member.name)}"
            symbol, why = spelled(member.name)
            if why:
                self._fault(member.key, path, why)
            entry = self._entry(member.node, symbol or "?", path=path)
            if symbol in lines:
                again = f"{symbol} stands on line {lines[symbol]} already: remove one of them"
                self._fault(member.key, path, again)
            elif symbol:
                lines[symbol] = self._document.place(member.key).line
                found[symbol] = entry
        return found

    def _entry(self, node: Node, symbol: str, *, path: str) -> SymbolLimits:
        limits: dict[str, Any] = {}
        for member in self._members(node, path, LIMIT_KEYS):
            full = f"{path}.{member.name}"
            value, why = _amount(member.node, member.name)
            if why:
                example = EXAMPLES[member.name]
                self._fault(member.node, full, f'{why}; write for example "{example}"')
                continue
            limits[member.name] = value
            cap = getattr(self._cap, member.name, None)
            if value is not None and cap is not None and value > cap:
                line, column = self._document.place(member.node)
                text = f"{quantity(value)} is looser than the global {quantity(cap)}, which holds"
                warning = LimitsFault(line=line, column=column, key=full, message=text)
                self._warnings.append(warning)
        return SymbolLimits(symbol=symbol, **limits)


def spelled(text: str) -> tuple[str, str]:
    """Return the symbol that a key names (empty if none), and what is wrong with its spelling."""
    odd = next((mark for mark in text if not "\x20" <= mark <= "\x7e"), None)
    if odd is not None:
        alike = unicodedata.normalize("NFKC", text)
        meant = spelled(alike)[0] if alike.isascii() and alike.isprintable() else ""
        right = _named(meant) or "it with A-Z, 0-9 and a point only"
        name = unicodedata.name(odd, "a character without a name")
        return "", f"it has the character U+{ord(odd):04X} ({name}) in it: write {right}"
    if text == EVERY_OTHER:
        return "", f"the limits of every other symbol stand in {DEFAULTS}"
    try:
        symbol = stock_symbol(text)
    except ValueError:
        return "", "it is no ticker: write a letter, then up to 11 letters or digits, as in BRK.B"
    if text not in {symbol, _named(symbol)}:
        case = "in lower case" if text.upper() in {symbol, _named(symbol)} else "misspelled"
        return symbol, f"it is {case}: write {_named(symbol)}"
    return symbol, ""


def _named(symbol: str) -> str:
    return symbol.replace(" ", ".")


def _shown(name: str) -> str:
    """A key as a message may have it: whatever is in it, readable and short."""
    return name[:40] if name.isascii() and name.isprintable() else json.dumps(name[:40])[1:-1]


def _unknown(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"there is no such key; did you mean {near[0]}?"
    return f"there is no such key; there are {', '.join(known)}"


def amount_of(text: str, key: str) -> tuple[Decimal | None, str]:
    """Return the amount that a text is for the limit `key`, or None and what is wrong with it."""
    if not _AMOUNT.fullmatch(text):
        return None, _no_amount(text)
    amount = Decimal(text)
    if not amount:
        return None, "it must be above 0"
    if key == "max_position_size" and amount != amount.to_integral_value():
        return None, f"shares are whole, and {text} is not"
    return amount, ""


def _amount(node: Node, key: str) -> tuple[Decimal | None, str]:
    """The amount that a value is, or what is wrong with it."""
    value = node.value
    if value is None and key == "max_correlation_exposure":
        return None, ""
    if not isinstance(value, str):
        kind = {bool: "true or false", type(None): "null", list: "a list"}.get(type(value))
        hint = "; without a limit, leave the key out" if value is None else ""
        return None, f"{kind or 'an object'} is no amount{hint}"
    return amount_of(value, key)


def _no_amount(text: str) -> str:
    shown = _shown(text)
    if re.fullmatch(r"[-+]?(nan|inf(inity)?)", text, re.IGNORECASE):
        return f"{shown} is no amount"
    if re.fullmatch(r"-[0-9.]+", text):
        return f"{shown} is not above 0"
    if re.fullmatch(r"[0-9.]+[eE][-+]?[0-9]+", text):
        return f"{shown} is not written in full"
    if re.fullmatch(r"[0-9.,]+", text) and "," in text:
        return f"{shown} has a comma: a point stands before decimals, and nothing between thousands"
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return f"{shown} has more than 12 digits, or more than 8 decimals"
    return f'"{shown}" is no amount'
