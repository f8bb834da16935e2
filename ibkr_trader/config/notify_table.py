"""The table `[notify]` of `config.toml`: who is told what needs a person, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.config.risk_table import read_table
from ibkr_trader.core.errors import ConfigError

if TYPE_CHECKING:
    from ibkr_trader.config.sources import Sources

_LONGEST = 1_440  # minutes


class NotifyTable(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told, and how often.

    Attributes:
        urls_env: The environment's variables that hold an address of apprise each.
        repeat_minutes: Until an alarm is told again; each pause is twice as long as the last.
        longest_minutes: No pause is longer.
    """

    urls_env: tuple[str, ...] = ()
    repeat_minutes: float = 5.0
    longest_minutes: float = 30.0

    def __post_init__(self) -> None:
        if not 0 < self.repeat_minutes <= self.longest_minutes <= _LONGEST:
            raise ValueError(
                f"repeat_minutes must be above 0, longest_minutes no less and at most {_LONGEST}"
            )


def notify_table(found: Sources) -> NotifyTable | None:
    """Return the table, or None if the file has none: then alarms are shown and not sent.

    Raises:
        ConfigError: Naming file, line and key of the first that cannot be used.
    """
    if "notify" not in found.values:
        return None
    table = read_table(found, "notify", NotifyTable)
    if not table.urls_env:
        message = f"{found.file}: [notify] names nobody who is to be told"
        raise ConfigError(message, hint='urls_env = ["DESK_NOTIFY_URL"]')
    return table
