"""What comes in from outside and goes out there: the sources and sinks that the file names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.secret_text import Secret, secret_of
from ibkr_trader.adapters.signals.registry import SOURCES
from ibkr_trader.adapters.sinks import SINKS
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.rules.expression_wording import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.config import Settings
    from ibkr_trader.config.signals_table import Outside
    from ibkr_trader.execution.ports import PayloadSink, SignalSource


def made_sources(settings: Settings) -> list[SignalSource]:
    """Return the sources that the configuration names; nothing is opened by that.

    Raises:
        ConfigError: If one is unknown, or its settings cannot be used.
    """
    found: list[SignalSource] = []
    for kind, table in settings.outside.sources.items():
        name = f"signals.{kind}"
        _require(settings.outside, name, kind in SOURCES, SOURCES)
        try:
            found.append(SOURCES[kind](table))
        except ValueError as error:
            raise settings.outside.refused(name, error) from error
    return found


def made_sinks(settings: Settings) -> list[PayloadSink]:
    """Return the sinks that the configuration names; nothing is opened by that.

    A setting that is a secret names the environment's variable that holds it.

    Raises:
        ConfigError: If one is unknown, or its settings cannot be used.
    """
    found: list[PayloadSink] = []
    for kind, table in settings.outside.sinks.items():
        name = f"sinks.{kind}"
        _require(settings.outside, name, kind in SINKS, SINKS)
        try:
            found.append(SINKS[kind](_settings(table, SINKS[kind].settings, name)))
        except ValueError as error:
            raise settings.outside.refused(name, error) from error
    return found


def _settings(table: Mapping[str, Any], kind: type[msgspec.Struct], name: str) -> msgspec.Struct:
    """A sink's table as its settings.

    Raises:
        ValueError: If it is none; the message begins with the key.
    """
    unknown = sorted(table.keys() - set(kind.__struct_fields__))
    if unknown:
        hint = suggestion(unknown[0], kind.__struct_fields__)
        raise ValueError(f"{name}.{unknown[0]}: there is no such key; {hint}")

    def secret(wanted: type, value: object) -> Secret:
        if wanted is not Secret or not isinstance(value, str):
            raise ValueError("it must name a variable of the environment")
        return secret_of(value, key=name)

    try:
        return msgspec.convert(table, kind, dec_hook=secret)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from error


def _require(outside: Outside, name: str, is_known: bool, kinds: Iterable[str]) -> None:
    if not is_known:
        where = outside.origins.get(name, "config.toml")
        what = "source" if name.startswith("signals.") else "sink"
        message = f"{where}: {name}: there is no such {what}"
        raise ConfigError(message, hint=f"there are: {', '.join(kinds)}")
