"""Who may be told what happens: one file a sink; adding a file adds a sink.

A settings table asks for one by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ibkr_trader.core.registry import Registry
from ibkr_trader.execution.ports import PayloadSink

Factory: TypeAlias = Callable[[Mapping[str, Any]], PayloadSink]
"""Makes a sink from its table of the settings, as TOML has it. Nothing is opened by that.

Raises `ValueError` for a setting that is wrong; the message begins with its key, as in
`sinks.webhook.url: …`.
"""

SINKS: Registry[Factory] = Registry("sink", "ibkr_trader.adapters.sinks")
