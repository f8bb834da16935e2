"""The `[risk]` table of `config.toml` as `RiskLimits`: each key checked, each fault with its line.

Amounts may be written as numbers or as text, fractions of 1 as such, and times in seconds.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from ibkr_trader.config.sources import Sources, unknown_key
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.risk.limits import RiskLimits

if TYPE_CHECKING:
    from pathlib import Path


def risk_limits(found: Sources) -> RiskLimits:
    """Return the limits, with the defaults of those that the file does not set.

    Raises:
        ConfigError: Naming file, line and key of the first that cannot be used.
    """
    value = found.values.get("risk")
    if value is None or found.file is None:
        return RiskLimits()
    if not isinstance(value.raw, dict):
        message = f"{value.origin}: risk must be a table"
        raise ConfigError(message, hint="write [risk] on a line of its own, its keys below")
    hints = get_type_hints(RiskLimits)
    fields: dict[str, Any] = {}
    for key, raw in value.raw.items():
        line = found.risk_lines.get(key, 1)
        if key not in hints:
            raise unknown_key(found.file, line, f"risk.{key}", known=tuple(sorted(hints)))
        fields[key] = _converted(raw, hints[key], where=f"{found.file} line {line}: risk.{key}")
    try:
        return RiskLimits(**fields)
    except ValueError as error:
        name = str(error).partition(" ")[0]
        raise _refused(found.file, found.risk_lines.get(name, 1), str(error)) from error


def plain(value: object) -> str:
    """Return a limit as the file would have it: times in seconds, sets as a list."""
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, frozenset):
        return ", ".join(sorted(str(one) for one in value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _converted(raw: object, kind: Any, *, where: str) -> Any:
    value = raw
    if kind is timedelta and isinstance(raw, (str, Decimal)):
        try:
            value = float(raw)
        except ValueError:
            value = raw
    try:
        if kind is Decimal and isinstance(value, bool):
            raise ConfigError(f"{where}: {raw} is no number", hint=_hint(where, "100"))
        return msgspec.convert(value, kind, strict=False)
    except (msgspec.ValidationError, OverflowError) as error:
        example = "true" if kind is bool else '["STK"]' if "frozenset" in str(kind) else "100"
        raise ConfigError(f"{where}: {raw!s} cannot be used", hint=_hint(where, example)) from error


def _hint(where: str, example: str) -> str:
    return f"write for example: {where.rpartition('risk.')[2]} = {example}"


def _refused(file: Path, line: int, why: str) -> ConfigError:
    return ConfigError(f"{file} line {line}: risk.{why}", hint=f"correct it in {file}")
