"""Real money, armed by a person: `arm`, `disarm`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.output import Reply

PANEL = "Risk"
app = FAMILIES.register("live")(typer.Typer())


@command(
    app,
    "arm",
    panel=PANEL,
    example="ibkr-trader arm --profile live --hours 4",
    changes=True,
    together=True,
)
async def arm(
    face: Face,
    *,
    hours: Annotated[
        str, typer.Option("--hours", metavar="H", help="For so long; 12 at most.")
    ] = "8",
    waive: Annotated[
        list[str] | None,
        typer.Option("--waive", metavar="NAME", help="Pass over this finding of doctor --deep."),
    ] = None,
) -> Reply:
    """Let a live desk open positions, after doctor --deep and typing the account's id."""
    from ibkr_trader.cli import arming  # noqa: PLC0415 - brings the client library

    return await arming.arm(face, hours=hours, waive=tuple(waive or ()))


@command(
    app,
    "disarm",
    panel=PANEL,
    example="ibkr-trader disarm --profile live",
    changes=True,
    together=True,
)
async def disarm(face: Face) -> Reply:
    """Let nothing be opened any more, at once; what lowers risk goes out as ever."""
    from ibkr_trader.cli import arming  # noqa: PLC0415 - as above

    return await arming.disarm(face)
