"""What people must hear of: `alarms`, `ack`, `notify test`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.help import HelpfulGroup
from ibkr_trader.cli.output import Reply

PANEL = "Audit"
app = FAMILIES.register("alarms")(typer.Typer())
notify_app = typer.Typer(help="How people are told of alarms.", cls=HelpfulGroup)
app.add_typer(notify_app, name="notify", rich_help_panel="Set up")


@command(app, "alarms", panel=PANEL, example="ibkr-trader alarms --json")
async def alarms(face: Face) -> Reply:
    """Show what nobody has taken note of yet; exit code 7 when there is something."""
    from ibkr_trader.cli import alarm_view  # noqa: PLC0415 - brings the client library

    return await alarm_view.alarms(face)


@command(app, "ack", panel=PANEL, example="ibkr-trader ack --all", changes=True, together=True)
async def ack(
    face: Face,
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="ALARM…", help="As alarms names them, or their beginning."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every alarm that stands.")] = False,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="What is known of it, for the record.")
    ] = "",
) -> Reply:
    """Take note of alarms: they are not told again."""
    from ibkr_trader.cli import alarm_view  # noqa: PLC0415 - brings the client library

    return await alarm_view.ack(face, tuple(names or ()), everything=everything, reason=reason)


@command(notify_app, "test", panel="Set up", example="ibkr-trader notify test")
def test(face: Face) -> Reply:
    """Send a message every way that [notify] names; exit code 7 when one of them fails."""
    from ibkr_trader.cli import notify_test  # noqa: PLC0415 - brings apprise

    return notify_test.test(face)
