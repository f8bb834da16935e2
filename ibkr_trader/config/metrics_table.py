"""The table `[metrics]` of `config.toml`: where a running trader tells its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.config.risk_table import read_table

if TYPE_CHECKING:
    from ibkr_trader.config.sources import Sources

_MOST = 65_535


class MetricsTable(msgspec.Struct, frozen=True, kw_only=True):
    """Where Prometheus may ask.

    Attributes:
        port: On 127.0.0.1; 0 takes any that is free.
    """

    port: int = 8752

    def __post_init__(self) -> None:
        if not 0 <= self.port <= _MOST:
            raise ValueError(f"port must be from 0 to {_MOST}")


def metrics_table(found: Sources) -> MetricsTable | None:
    """Return the table, or None if the file has none: then nothing is counted and nobody told.

    Raises:
        ConfigError: Naming file, line and key of the first that cannot be used.
    """
    return read_table(found, "metrics", MetricsTable) if "metrics" in found.values else None
