# ruff: noqa: INP001 - a script beside the pages that it writes, not a package
"""The language of strategy files as tables: words, indicators, actions, reasons, from the code.

`make_diagrams.py` writes them into the pages.
"""

from __future__ import annotations

import inspect
from enum import Enum
from typing import Any

from msgspec import NODEFAULT, Struct, structs

from ibkr_trader.rules.admission import REASONS, Admission
from ibkr_trader.rules.indicator import INDICATORS
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.words import WORDS


def words(_: str = "") -> str:
    """Return a row for each word that a condition may use."""
    rows = ["| word | kind | meaning |", "|---|---|---|"]
    for name, word in WORDS.items():
        values = f"; one of {', '.join(word.values)}" if word.values else ""
        rows.append(f"| `{name}` | {word.kind.value} | {word.doc}{values} |")
    return "\n".join(rows)


def indicators(_: str = "") -> str:
    """Return a row for each indicator: how it is written, and what it is."""
    rows = ["| indicator | what it is |", "|---|---|"]
    for _, family in INDICATORS.items():  # noqa: PERF102 - a registry has no values()
        parameters = ", ".join(
            one.name if one.default is None else f"{one.name} = {one.default}"
            for one in family.parameters
        )
        names = "<br>".join(f"`{name}({parameters})`" for name in family.names)
        rows.append(f"| {names} | {family.doc} |")
    return "\n".join(rows)


def actions(_: str = "") -> str:
    """Return a row for each key of each action, with what it is left out."""
    rows = ["| action | key | if left out | meaning |", "|---|---|---|---|"]
    for name, found in ACTIONS.items():
        kind: Any = found
        known = meanings(kind)
        fields = structs.fields(kind)
        rows += [
            f"| `[rule.{name}]` | `{one.name}` | {usual(one)} | {known.get(one.name, '')} |"
            for one in fields
        ] or [f"| `[rule.{name}]` | – | – | {_first(kind)} |"]
    return "\n".join(rows)


def admission(_: str = "") -> str:
    """Return a row for each key of `[signals]`."""
    rows = ["| key in `[signals]` | default | meaning |", "|---|---|---|"]
    known = meanings(Admission)
    fields = structs.fields(Admission)
    rows += [f"| `{one.name}` | {usual(one)} | {known[one.name]} |" for one in fields]
    return "\n".join(rows)


def refusals(_: str = "") -> str:
    """Return a row for each reason for which a signal is not taken."""
    rows = [f"| `{name}` | {words} |" for name, words in REASONS.items()]
    return "\n".join(["| reason | a signal is refused because |", "|---|---|", *rows])


def usual(field: Any) -> str:
    """Return a field's default as the file would have it."""
    if field.required:
        return "required"
    found = field.default
    if found is None or found is NODEFAULT or found in ((), ""):
        return "–"
    if hasattr(found, "total_seconds"):
        return f"{found.total_seconds():g}"
    if hasattr(found, "fraction"):
        return f"`risk:{(found.fraction * 100).normalize():f}%`"
    if isinstance(found, Struct):
        return "–"  # its own keys have their rows
    if isinstance(found, Enum):
        return f"`{found.value}`"
    return f"`{str(found).lower() if isinstance(found, bool) else found}`"


def _first(kind: Any) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def meanings(*kinds: Any) -> dict[str, str]:
    """Return what the docstrings' Attributes say of each field; the last kind has the last word."""
    found: dict[str, str] = {}
    for kind in kinds:
        section = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
        name = ""
        for line in section.splitlines():
            if line.startswith("    ") and not line.startswith("     "):
                name, _, meaning = line.strip().partition(": ")
                found[name] = meaning
            elif name and line.strip():
                found[name] += f" {line.strip()}"
    return found
