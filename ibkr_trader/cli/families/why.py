"""The causal chain: `why`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.output import Reply

PANEL = "Audit"
app = FAMILIES.register("why")(typer.Typer())


@command(app, "why", panel=PANEL, example="ibkr-trader why AAPL")
async def why(
    face: Face,
    *,
    about: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="An order or its group, open or closed; a symbol, signal, decision."
        ),
    ] = "",
) -> Reply:
    """Say why something happened, or why not: signal, rule, size, checks, orders, fills.

    Without an id, what rules and signals came to lately.
    """
    from ibkr_trader.cli import reasons  # noqa: PLC0415 - brings the client library

    return await reasons.why(face, about.strip())
