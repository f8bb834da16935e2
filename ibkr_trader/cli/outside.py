"""What comes in from outside and goes out there: the sources and sinks that the file names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ibkr_trader.adapters.signals.registry import SOURCES
from ibkr_trader.adapters.sinks import SINKS
from ibkr_trader.config import Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibkr_trader.config import Settings
    from ibkr_trader.config.signals_table import Outside
    from ibkr_trader.core.registry import Registry
    from ibkr_trader.execution.ports import PayloadSink, SignalSource

T = TypeVar("T")
_API = "api"


def made_sources(settings: Settings) -> list[SignalSource]:
    """Return the sources that the configuration names; nothing is opened by that.

    Raises:
        ConfigError: If one is unknown, its settings cannot be used, another is called the same,
            or nothing of it could ever be taken.
    """
    outside = settings.outside
    if settings.profile is Profile.LIVE and _API in outside.sources:
        why = "with real money every signal must be signed, and nobody signs what is polled"
        raise outside.refused(f"signals.{_API}", ValueError(f"signals.{_API}: {why}"))
    found = _made(outside, "signals", SOURCES)
    kinds: dict[str, str] = {}
    for kind, source in zip(outside.sources, found, strict=True):
        if other := kinds.get(source.name):
            # What one source took would be a duplicate at the other, signed or not.
            why = f"signals.{kind}.name: [signals.{other}] is called {source.name}, too"
            raise outside.refused(f"signals.{kind}", ValueError(why))
        kinds[source.name] = kind
    return found


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
