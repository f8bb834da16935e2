# ruff: noqa: INP001 - a script beside the pages that it writes, not a package
"""The language of strategy files as tables: words, indicators, actions, reasons, from the code.

`make_diagrams.py` writes them into the pages.
"""

from __future__ import annotations

import inspect
from typing import Any

from msgspec import structs

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
        meanings = _meanings(kind)
        fields = structs.fields(kind)
        rows += [
            f"| `[rule.{name}]` | `{one.name}` | {_usual(one)} | {meanings.get(one.name, '')} |"
            for one in fields
        ] or [f"| `[rule.{name}]` | – | – | {_first(kind)} |"]
    return "\n".join(rows)


def admission(_: str = "") -> str:
    """Return a row for each key of `[signals]`."""
    rows = ["| key in `[signals]` | default | meaning |", "|---|---|---|"]
    meanings = _meanings(Admission)
    fields = structs.fields(Admission)
    rows += [f"| `{one.name}` | {_usual(one)} | {meanings[one.name]} |" for one in fields]
    return "\n".join(rows)


def refusals(_: str = "") -> str:
    """Return a row for each reason for which a signal is not taken."""
    rows = [f"| `{name}` | {words} |" for name, words in REASONS.items()]
    return "\n".join(["| reason | a signal is refused because |", "|---|---|", *rows])


def _usual(field: Any) -> str:
    if field.required:
        return "required"
    usual = field.default
    if usual is None or usual in ((), ""):
        return "–"
    if hasattr(usual, "total_seconds"):
        return f"{usual.total_seconds():g}"
    if hasattr(usual, "fraction"):
        return f"`risk:{(usual.fraction * 100).normalize():f}%`"
    return f"`{str(usual).lower() if isinstance(usual, bool) else usual}`"


def _first(kind: Any) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def _meanings(kind: Any) -> dict[str, str]:
    """What the docstring's Attributes say of each field."""
    section = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if line.startswith("    ") and not line.startswith("     "):
            name, _, meaning = line.strip().partition(": ")
            found[name] = meaning
        elif name and line.strip():
            found[name] += f" {line.strip()}"
    return found
