# ruff: noqa: INP001 - a script beside the pages that it writes, not a package
"""The keys of every source and sink as tables, from their settings' own docstrings.

`make_diagrams.py` writes them into the pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import structs

from docs.rule_language import meanings, usual
from ibkr_trader.adapters.signals.flow_settings import ApiSettings
from ibkr_trader.adapters.signals.json_lines import FileSettings
from ibkr_trader.adapters.signals.redis_settings import RedisSettings
from ibkr_trader.adapters.signals.webhook import WebhookSettings as DoorSettings
from ibkr_trader.adapters.sinks.json_lines import JsonLinesSettings
from ibkr_trader.adapters.sinks.redis_streams import RedisStreamsSettings
from ibkr_trader.adapters.sinks.webhook import WebhookSettings
from ibkr_trader.config.notify_table import NotifyTable

TABLES: Mapping[str, type[msgspec.Struct]] = {
    "signals.api": ApiSettings,
    "signals.file": FileSettings,
    "signals.redis": RedisSettings,
    "signals.webhook": DoorSettings,
    "notify": NotifyTable,
    "sinks.json_lines": JsonLinesSettings,
    "sinks.redis_streams": RedisStreamsSettings,
    "sinks.webhook": WebhookSettings,
}


def table(name: str) -> str:
    """Return a row for each key of a table, and of those within it.

    Raises:
        KeyError: If there is none of that name, or a key whose meaning nobody has written.
    """
    rows = [f"| key in `[{name}]` | default | meaning |", "|---|---|---|"]
    return "\n".join([*rows, *_rows(TABLES[name])])


def _rows(kind: type[msgspec.Struct], *, prefix: str = "") -> Iterator[str]:
    known = meanings(*reversed(kind.__mro__))
    for one in structs.fields(kind):
        yield f"| `{prefix}{one.name}` | {usual(one)} | {known[one.name]} |"
        inner = _inner(one.type)
        if inner is not None:
            yield from _rows(inner, prefix=f"{prefix}{one.name}.")


def _inner(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that a field is, or may be."""
    members = (kind, *getattr(kind, "__args__", ()))
    return next((m for m in members if isinstance(m, type) and issubclass(m, msgspec.Struct)), None)
