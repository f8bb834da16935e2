"""What comes in from outside and goes out there: the sources and sinks that the file names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ibkr_trader.adapters.signals.registry import SOURCES
from ibkr_trader.adapters.sinks import SINKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibkr_trader.config import Settings
    from ibkr_trader.config.signals_table import Outside
    from ibkr_trader.core.registry import Registry
    from ibkr_trader.execution.ports import PayloadSink, SignalSource

T = TypeVar("T")


def made_sources(settings: Settings) -> list[SignalSource]:
    """Return the sources that the configuration names; nothing is opened by that.

    Raises:
        ConfigError: If one is unknown, or its settings cannot be used.
    """
    return _made(settings.outside, "signals", SOURCES)


def made_sinks(settings: Settings) -> list[PayloadSink]:
    """Return the sinks that the configuration names; nothing is opened by that.

    Raises:
        ConfigError: If one is unknown, or its settings cannot be used.
    """
    return _made(settings.outside, "sinks", SINKS)


def _made(
    outside: Outside, group: str, registry: Registry[Callable[[Mapping[str, Any]], T]]
) -> list[T]:
    """Make one part of each table of a group."""
    found: list[T] = []
    for kind, table in outside.tables(group).items():
        if kind not in registry:
            raise outside.unknown(f"{group}.{kind}", known=tuple(registry))
        try:
            found.append(registry[kind](table))
        except ValueError as error:
            raise outside.refused(f"{group}.{kind}", error) from error
    return found
