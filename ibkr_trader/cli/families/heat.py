"""What the stops would cost: `heat`."""

from __future__ import annotations

import typer

from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.output import Reply

PANEL = "Risk"
app = FAMILIES.register("heat")(typer.Typer())


@command(app, "heat", panel=PANEL, example="ibkr-trader heat --json")
async def heat(face: Face) -> Reply:
    """Show what is lost if every stop hits now, in all and with gaps."""
    from ibkr_trader.cli import heat_view  # noqa: PLC0415 - brings the client library

    return await heat_view.heat(face)
