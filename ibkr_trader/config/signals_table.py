"""The tables `[signals]` and `[sinks]` of `config.toml`: what is taken in, and who is told.

What a signal must be like stands in `[signals]` itself; each table below it is a source, each
below `[sinks]` a sink, by its kind's name. What a source needs to know is its own business: it
is checked when it is made, with the file and the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.config.risk_table import is_written, read_table
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.toml_lines import Keys, line_of
from ibkr_trader.rules.admission import Admission

if TYPE_CHECKING:
    from ibkr_trader.config.sources import Sources

Table = Mapping[str, Any]
_INDEX = re.compile(r"\[[^\]]*\]")  # of an array: `tickers[1]` stands on the line of `tickers`
_SIGNED = "signals.needs_signature"


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """What comes in from outside and goes out there.

    Attributes:
        admission: What a signal must be like.
        sources: Each source's settings, by its kind.
        sinks: Each sink's settings, by its kind.
        file: Where they stand.
        lines: On which line each of their keys does.
    """

    admission: Admission = Admission()
    sources: Mapping[str, Table] = msgspec.field(default_factory=dict)
    sinks: Mapping[str, Table] = msgspec.field(default_factory=dict)
    file: Path | None = None
    lines: Mapping[Keys, int] = msgspec.field(default_factory=dict)

    def tables(self, group: str) -> Mapping[str, Table]:
        """Return the tables below `signals` or `sinks`, by their kind."""
        return self.sinks if group == "sinks" else self.sources

    def refused(self, table: str, error: ValueError) -> ConfigError:
        """Return the error for a table that its part does not take.

        It begins with the key that is wrong, as in `signals.api.url: …`, and so the line is its.
        """
        where = self._where(str(error).partition(": ")[0])
        return ConfigError(f"{where}: {error}", hint=f"correct [{table}] in config.toml")

    def unknown(self, table: str, *, known: tuple[str, ...]) -> ConfigError:
        """Return the error for a table of a kind that there is none of."""
        what = "sink" if table.startswith("sinks.") else "source"
        message = f"{self._where(table)}: {table}: there is no such {what}"
        return ConfigError(message, hint=f"there are: {', '.join(known)}")

    def _where(self, key: str) -> str:
        path = tuple(_INDEX.sub("", key).split("."))
        return f"{self.file or 'config.toml'} line {line_of(self.lines, path) or 1}"


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
    return Outside(
        admission=admission,
        sources=tables["signals"],
        sinks=tables["sinks"],
        file=found.file,
        lines=found.lines,
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
