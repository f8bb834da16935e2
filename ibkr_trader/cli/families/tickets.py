"""Tickets: `commit` sends what a `--preview` showed."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.families.orders import PANEL, TimeoutOption
from ibkr_trader.cli.output import Reply

app = FAMILIES.register("tickets")(typer.Typer())


@command(
    app,
    "commit",
    panel=PANEL,
    example="ibkr-trader commit 7K3M9QX",
    changes=True,
    together=True,
)
async def commit(
    face: Face,
    token: Annotated[
        str, typer.Argument(metavar="TOKEN", help="The last word of what --preview printed.")
    ],
    *,
    wait: Annotated[
        str,
        typer.Option(
            "--wait", metavar="HOW", help="none, accepted or filled (the rule: as previewed)."
        ),
    ] = "",
    timeout: TimeoutOption = "",
) -> Reply:
    """Send exactly what a --preview showed, within 60 s, or nothing if something moved."""
    patience = values.seconds(timeout) if timeout else None

    from ibkr_trader.cli import committing  # noqa: PLC0415 - brings the client library

    return await committing.commit(face, token, wait=wait, timeout=patience)
