"""The trader that stays running: `run`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.output import Reply

PANEL = "Run"
app = FAMILIES.register("run")(typer.Typer())


@command(app, "run", panel=PANEL, example="ibkr-trader run --headless", local=True)
async def run(
    face: Face,
    *,
    headless: Annotated[
        bool, typer.Option("--headless", help="Without a screen: one line for each event.")
    ] = False,
) -> Reply | None:
    """Stay running: look after orders, keep the connection, take the other commands."""
    from ibkr_trader.cli import running  # noqa: PLC0415 - brings the client library

    return await running.run(face, headless=headless)
