"""The tables `[signals]` and `[sinks]` of `config.toml`: what is taken in, and who is told.

What a signal must be like stands in `[signals]` itself; each table below it is a source, each
below `[sinks]` a sink, by its kind's name. What a source needs to know is its own business: it
is checked when it is made, with the file and the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.config.risk_table import is_written, read_table
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.rules.admission import Admission
from ibkr_trader.rules.toml_lines import line_of, lines_of

if TYPE_CHECKING:
    from ibkr_trader.config.sources import Sources

Table = Mapping[str, Any]
_SIGNED = "signals.needs_signature"


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """What comes in from outside and goes out there.

    Attributes:
        admission: What a signal must be like.
        sources: Each source's settings, by its kind.
        sinks: Each sink's settings, by its kind.
        origins: Where each of these tables stands, as `file line 7`, by `signals.api`.
    """

    admission: Admission = Admission()
    sources: Mapping[str, Table] = msgspec.field(default_factory=dict)
    sinks: Mapping[str, Table] = msgspec.field(default_factory=dict)
    origins: Mapping[str, str] = msgspec.field(default_factory=dict)

    def refused(self, table: str, error: ValueError) -> ConfigError:
        """Return the error for a table that its part does not take."""
        where = self.origins.get(table, "config.toml")
        return ConfigError(f"{where}: {error}", hint=f"correct [{table}] in config.toml")


def outside(found: Sources, *, is_live: bool = False) -> Outside:
    """Return what the file says of signals and sinks.

    With real money every signal is signed: the file cannot say otherwise.

    Raises:
        ConfigError: Naming file, line and key of the first that cannot be used.
    """
    admission = read_table(found, "signals", Admission, ignoring=_is_table)
    if is_live:
        if is_written(found, _SIGNED) and not admission.needs_signature:
            line = found.table_lines.get(_SIGNED, 1)
            message = f"{_SIGNED}: with real money every signal must be signed"
            raise ConfigError(f"{found.file} line {line}: {message}", hint="remove the line")
        admission = msgspec.structs.replace(admission, needs_signature=True)
    tables = {name: _tables(found, name) for name in ("signals", "sinks")}
    lines = lines_of(found.text)
    origins = {
        f"{group}.{name}": f"{found.file} line {line_of(lines, (group, name)) or 1}"
        for group, members in tables.items()
        for name in members
    }
    return Outside(
        admission=admission,
        sources=tables["signals"],
        sinks=tables["sinks"],
        origins=origins,
    )


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _tables(found: Sources, name: str) -> dict[str, Any]:
    """The tables below a table; of `sinks` nothing else may stand there."""
    value = found.values.get(name)
    if value is None:
        return {}
    if not isinstance(value.raw, dict):
        raise ConfigError(f"{value.origin}: {name} must be a table", hint=f"write [{name}]")
    stray = [key for key, one in value.raw.items() if not _is_table(one)]
    if name == "sinks" and stray:
        message = f"{value.origin}: sinks.{stray[0]} must be a table"
        raise ConfigError(message, hint=f"write [sinks.{stray[0]}] with its keys below")
    return {key: one for key, one in value.raw.items() if _is_table(one)}
