"""What happens to a day's connection beside the faults of single messages, and who else has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings

if TYPE_CHECKING:
    from tests.bad_days.stage import Day


def break_off(day: Day) -> None:
    """Reset every connection at once; a client hears of it when its loop turns next."""
    lines = day.server._lines
    for line in tuple(lines._lines):
        line.session.cut(reset=True, keep=False)
    lines.flush()


def another_link(day: Day, *, client_id: int, account: str | None = None) -> IBKRConnection:
    """Another program's connection to the same gateway, yet to be opened; it tries once."""
    settings = LinkSettings(
        port=day.server.port, client_id=client_id, account=account, max_attempts=1
    )
    return IBKRConnection(settings, clock=day.time, jitter=lambda: 0.5)


def line_of(day: Day) -> IBKRConnection:
    """The connection of the desk that is open."""
    assert day._connection is not None
    return day._connection
