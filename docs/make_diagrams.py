# ruff: noqa: INP001 - a script beside the pages that it writes, not a package
"""Writes into the pages what the code knows: states, checks, limits, options.

A page marks a place with `<!-- made from code: NAME -->` and `<!-- end: NAME -->`; what
stands between is written here, by `make docs`. `tests/house/test_docs.py` fails if a page
says something else than its source.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from docs import rule_language, settings_tables
from ibkr_trader.cli import entry
from ibkr_trader.config.risk_table import plain
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.drills.drill import DRILLS
from ibkr_trader.orders.lifecycle import TRANSITIONS, Trigger
from ibkr_trader.risk.check import CHECKS, Binds
from ibkr_trader.risk.limits import RiskLimits

ROOT = Path(__file__).resolve().parents[1]
_PLACE = re.compile(
    r"(?P<begin><!-- made from code: (?P<name>[^>]+?) -->\n).*?(?P<end><!-- end: (?P=name) -->)",
    re.DOTALL,
)
_ANY = "any_live_state"

Table = Mapping[OrderStatus, Mapping[Trigger, OrderStatus]]


def pages() -> list[Path]:
    """Return every page of the documentation, in order of path."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.md")]
    return sorted(found)


def rendered(text: str) -> str:
    """Return a page's `text` with every marked place written anew.

    Raises:
        KeyError: If a place has a name that nothing here makes.
    """

    def made(place: re.Match[str]) -> str:
        kind, _, subject = place["name"].partition(": ")
        return f"{place['begin']}{_BLOCKS[kind](subject)}\n{place['end']}"

    return _PLACE.sub(made, text)


def order_states(_: str = "", *, table: Table = TRANSITIONS) -> str:
    """Return the state diagram as Mermaid: what moves an order, repeats and stays left out."""
    shared = _shared(table)
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> PENDING: announced"]
    lines += ["    [*] --> DENIED: denied by the risk checks"]
    lines += [f'    state "any live state" as {_ANY}']
    by_target: dict[OrderStatus, list[Trigger]] = defaultdict(list)
    for trigger, target in shared.items():
        by_target[target].append(trigger)
    lines += [_edge(_ANY, target, triggers) for target, triggers in by_target.items()]
    for status in table:
        moves: dict[OrderStatus, list[Trigger]] = defaultdict(list)
        for trigger, target in table[status].items():
            is_told = not status.is_closed and shared.get(trigger) is target
            if target is not status and not is_told:
                moves[target].append(trigger)
        lines += [_edge(status, target, triggers) for target, triggers in moves.items()]
    return "\n".join([*lines, "```"])


def _shared(table: Table) -> dict[Trigger, OrderStatus]:
    """What moves every live state to the same next one; some may stay where they are."""
    live = [status for status in table if not status.is_closed]
    found = {}
    for trigger in Trigger:
        targets = {table[s][trigger] for s in live if table[s].get(trigger, s) is not s}
        moved = [s for s in live if table[s].get(trigger, s) is not s]
        if len(targets) == 1 and len(moved) > len(live) // 2:
            found[trigger] = targets.pop()
    return found


def _edge(source: str, target: OrderStatus, triggers: list[Trigger]) -> str:
    return f"    {source} --> {target}: {', '.join(triggers)}"


def transitions(_: str = "", *, table: Table = TRANSITIONS) -> str:
    """Return the whole table: for each state, what moves it, what leaves it, what is illegal."""
    rows = ["| state | moves to | stays at | illegal, so drift |", "|---|---|---|---|"]
    for status, moves in table.items():
        targets: dict[OrderStatus, list[Trigger]] = defaultdict(list)
        for trigger, target in moves.items():
            targets[target].append(trigger)
        stays = ", ".join(targets.pop(status, [])) or "–"
        to = "<br>".join(f"**{target}**: {', '.join(why)}" for target, why in targets.items())
        illegal = ", ".join(trigger for trigger in Trigger if trigger not in moves) or "–"
        rows.append(f"| {status} | {to or '–'} | {stays} | {illegal} |")
    return "\n".join(rows)


_BINDS = {
    Binds.OPENINGS: "openings",
    Binds.ALL: "everything",
    Binds.ALL_IF_KNOWN: "everything, if the facts are known",
}


def risk_checks(_: str = "") -> str:
    """Return a row for each check: what it denies, whom it binds, its keys and defaults."""
    rows = ["| check | what it does | whom it binds | keys and defaults |", "|---|---|---|---|"]
    for name, check in sorted(CHECKS.items()):
        says = (inspect.getdoc(check.run) or "").split("\n\n")[0].replace("\n", " ")
        keys = "<br>".join(f"`{key} = {_toml(key)}`" for key in _keys_of(check.run)) or "–"
        rows.append(f"| `{name}` | {says} | {_BINDS[check.binds]} | {keys} |")
    return "\n".join(rows)


# What a check asks for through a module that it shares with others.
_SHARED_KEYS = {
    "correlated_exposure": {"correlation_threshold", "correlation_ttl", "stale_correlation"},
    "daily_loss": {"loss_warning"},
    "drawdown": {"loss_warning"},
}


def _keys_of(run: Callable[..., Any]) -> list[str]:
    """The limits that a check asks for, in the order in which `RiskLimits` has them."""
    tree = ast.parse(inspect.getsource(sys.modules[run.__module__]))
    asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    asked |= _SHARED_KEYS.get(run.__module__.rpartition(".")[2], set())
    return [key for key in RiskLimits.__struct_fields__ if key in asked]


def _toml(key: str) -> str:
    value = getattr(RiskLimits(), key)
    if isinstance(value, frozenset):
        return "[" + ", ".join(f'"{one}"' for one in sorted(value)) + "]"
    return f'"{value}"' if isinstance(value, Decimal) and value % 1 else plain(value)


def risk_limits(_: str = "") -> str:
    """Return a row for each limit: its default as the file would have it, and its meaning."""
    rows = ["| key in `[risk]` | default | meaning |", "|---|---|---|"]
    for keys, meaning in _meanings():
        names = "<br>".join(f"`{key}`" for key in keys)
        defaults = "<br>".join(f"`{_toml(key)}`" for key in keys)
        rows.append(f"| {names} | {defaults} | {meaning} |")
    return "\n".join(rows)


def _meanings() -> Iterator[tuple[list[str], str]]:
    """Each entry of the docstring's Attributes: its keys (`a_one, _two` is two) and its words."""
    section = (inspect.getdoc(RiskLimits) or "").partition("Attributes:\n")[2]
    for line in section.splitlines():
        names, _, meaning = line.strip().partition(": ")
        first, *others = names.split(", ")
        stem = first.rpartition("_")[0]
        keys = [first, *(stem + o if o.startswith("_") else o for o in others)]
        also = [key for key in RiskLimits.__struct_fields__ if f"`{key}`" in meaning]
        yield keys + also, meaning


def commands(tree: Any = None, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return every command of the command line by its words: `bracket-order`, `gateway start`."""
    tree = entry.build() if tree is None else tree
    found: dict[str, Any] = {}
    for name, command in tree.commands.items():
        if hasattr(command, "commands"):
            found |= commands(command, (*path, name))
        else:
            found[" ".join((*path, name))] = command
    return found


def options(command: str) -> str:
    """Return a row for each argument and option of one command; `(all)` is what all share."""
    shared = command == "(all)"
    chosen = [
        one
        for one in commands()["orders" if shared else command].params
        if (getattr(one, "rich_help_panel", None) is not None) is shared
    ]
    if not chosen:
        return "No options of its own."
    rows = [f"| `{_written(one)}` | {one.help} | {_default(one)} |" for one in chosen]
    return "\n".join(["| option | meaning | default |", "|---|---|---|", *rows])


def _written(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"{parameter.metavar}{'…' if parameter.nargs == -1 else ''}"
    metavar = f" {parameter.metavar}" if parameter.metavar and not parameter.is_flag else ""
    return ", ".join(parameter.opts) + metavar


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    return (
        f"`{parameter.default}`"
        if isinstance(parameter.default, str | int) and (parameter.default not in {"", False})
        else "–"
    )


def promises(_: str = "") -> str:
    """Return a row for each promise: its words, when it is judged, the bugs that were caught."""
    from tests.invariants import promises as kept  # noqa: PLC0415 - it brings the whole simulator

    return kept.table()


def drills(_: str = "") -> str:
    """Return a row for each fire drill: what goes wrong, and which reports and faults it is of."""
    rows = ["| drill | what goes wrong | reports | faults |", "|---|---|---|---|"]
    for name, one in DRILLS.items():
        reports = ", ".join(str(number) for number in one.incidents) or "–"
        rows.append(f"| `{name}` | {one.sentence} | {reports} | {', '.join(one.faults) or '–'} |")
    return "\n".join(rows)


_BLOCKS: Mapping[str, Callable[[str], str]] = {
    "order states": order_states,
    "transitions": transitions,
    "risk checks": risk_checks,
    "risk limits": risk_limits,
    "options": options,
    "rule words": rule_language.words,
    "indicators": rule_language.indicators,
    "rule actions": rule_language.actions,
    "admission": rule_language.admission,
    "refusals": rule_language.refusals,
    "keys": settings_tables.table,
    "promises": promises,
    "drills": drills,
}


def main() -> None:
    """Write every page whose marked places say something else than the code."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        fresh = rendered(text)
        if fresh != text:
            page.write_text(fresh, encoding="utf-8")
            sys.stdout.write(f"wrote {page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
