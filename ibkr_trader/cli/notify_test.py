"""`notify test`: whether a message reaches everybody who is to be told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ibkr_trader.adapters.notify.apprise_notifier import notifier_of
from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit
from ibkr_trader.core.errors import ConfigError

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face

_TITLE = "ibkr-trader: a test"
_BODY = "Alarms will come this way. Nothing is wrong."


def test(face: Face) -> output.Reply:
    """Send one message every way, and say which of them took it.

    Raises:
        ConfigError: If the settings name nobody, or an address cannot be used.
    """
    table = face.settings().notify
    if table is None:
        raise ConfigError(
            "nobody is to be told: config.toml has no [notify]",
            hint='write [notify] and below it urls_env = ["DESK_NOTIFY_URL"]',
        )
    tried = asyncio.run(notifier_of(table.urls_env).tried(_TITLE, _BODY))
    rows = tuple(
        (way.name, way.service, "sent" if went else "FAILED: see the address, and the network")
        for way, went in tried
    )
    is_well = all(went for _, went in tried)
    return output.Reply(
        schema="notify-test/1",
        data={
            "ways": [
                {"variable": way.name, "service": way.service, "sent": went} for way, went in tried
            ]
        },
        blocks=[output.Table(("VARIABLE", "SERVICE", "TEST"), rows, frozenset())],
        exit=Exit.DONE if is_well else Exit.INCOMPLETE,
    )
