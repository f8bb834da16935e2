"""The tables of `config.toml`, `[risk]` and `[protection]`: each key checked, with its line.

Amounts may be written as numbers or as text, fractions of 1 as such, and times in seconds.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import msgspec

from ibkr_trader.config.sources import Sources, unknown_key
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.orders.cover_orders import CoverRules
from ibkr_trader.risk.limits import RiskLimits, percentages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


T = TypeVar("T", bound=msgspec.Struct)


def risk_limits(found: Sources, *, is_live: bool = False) -> RiskLimits:
    """Return the limits, with the defaults of those that the file does not set.

    With real money nothing is sold short unless the file says so in so many words.

    Raises:
        ConfigError: Naming file, line and key of the first that cannot be used.
    """
    limits = read_table(found, "risk", RiskLimits)
    for name in percentages(limits):
        _refuse_percentage(found, name, getattr(limits, name))
    if is_live and not is_written(found, "risk.allow_shorts"):
        return msgspec.structs.replace(limits, allow_shorts=False)
    return limits


def _refuse_percentage(found: Sources, name: str, value: Decimal) -> None:
    line = found.table_lines.get(f"risk.{name}", 1)
    message = (
        f"{found.file} line {line}: risk.{name} = {value} is {value * 100:f} %, and would bind "
        "nothing: fractions are of 1"
    )
    raise ConfigError(message, hint=f"write for example: {name} = {value / 100}, for {value} %")


def is_written(found: Sources, name: str) -> bool:
    """Whether the file sets the key `table.key`."""
    table, _, key = name.partition(".")
    value = found.values.get(table)
    return value is not None and isinstance(value.raw, dict) and key in value.raw


def cover_rules(found: Sources) -> CoverRules:
    """Return how positions are to be protected, with the defaults of what the file leaves out.

    Raises:
        ConfigError: Naming file, line and key of the first that cannot be used.
    """
    return read_table(found, "protection", CoverRules)


def read_table(
    found: Sources,
    name: str,
    kind: type[T],
    *,
    ignoring: Callable[[object], bool] = lambda _: False,
) -> T:
    """Return a table of the file as `kind`; values for which `ignoring` holds are left out.

    Raises:
        ConfigError: Naming file, line and key of the first that cannot be used.
    """
    value = found.values.get(name)
    if value is None or found.file is None:
        return kind()
    if not isinstance(value.raw, dict):
        message = f"{value.origin}: {name} must be a table"
        raise ConfigError(message, hint=f"write [{name}] on a line of its own, its keys below")
    hints = get_type_hints(kind)
    fields: dict[str, Any] = {}
    for key, raw in value.raw.items():
        if ignoring(raw):
            continue
        full = f"{name}.{key}"
        line = found.table_lines.get(full, 1)
        if key not in hints:
            raise unknown_key(found.file, line, full, known=tuple(sorted(hints)))
        fields[key] = _converted(raw, hints[key], where=f"{found.file} line {line}: {full}")
    try:
        return kind(**fields)
    except ValueError as error:
        full = f"{name}.{str(error).partition(' ')[0]}"
        line = found.table_lines.get(full, 1)
        raise _refused(found.file, line, f"{name}.{error}") from error


def plain(value: object) -> str:
    """Return a value as the file would have it: times in seconds, sets as a list."""
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, frozenset):
        return ", ".join(sorted(str(one) for one in value))
    if value is None:
        return ""
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
        example = _example(kind)
        raise ConfigError(f"{where}: {raw!s} cannot be used", hint=_hint(where, example)) from error


def _example(kind: Any) -> str:
    if kind is bool:
        return "true"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return f'"{next(iter(kind))}"'
    return '["STK"]' if "frozenset" in str(kind) else "100"


def _hint(where: str, example: str) -> str:
    return f"write for example: {where.rpartition('.')[2]} = {example}"


def _refused(file: Path, line: int, why: str) -> ConfigError:
    return ConfigError(f"{file} line {line}: {why}", hint=f"correct it in {file}")
