"""The kinds of signal sources, by the name that a settings table asks for them with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ibkr_trader.core.registry import Registry
from ibkr_trader.execution.ports import SignalSource

Factory: TypeAlias = Callable[[Mapping[str, Any]], SignalSource]
"""Makes a source from its table of the settings, as TOML has it.

Raises `ValueError` for a setting that is wrong; the message begins with its key, as in
`signals.api.poll_seconds: …`.
"""

SOURCES: Registry[Factory] = Registry("signal source", "ibkr_trader.adapters.signals")
