"""The trader that stays running: `run`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.families.dashboard import BackgroundOption, OperatorOption, background
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
    operator: OperatorOption = "",
    background_is: BackgroundOption = "auto",
) -> Reply | None:
    """Stay running: look after orders, keep the connection, take the other commands.

    On a terminal it shows the dashboard; elsewhere, and with --headless or --json, one line for
    each event.
    """
    is_light, name = background(background_is), values.operator(operator)

    from ibkr_trader.cli import running  # noqa: PLC0415 - brings the client library
    from ibkr_trader.cli.screening import Look  # noqa: PLC0415 - as above

    look = Look(operator=name, is_light=is_light)
    return await running.run(face, headless=headless, look=look)
