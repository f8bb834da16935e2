"""Protecting: `cover`, `undo`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.families.orders import TimeoutOption
from ibkr_trader.cli.output import Reply

PANEL = "Orders"
app = FAMILIES.register("protect")(typer.Typer())


@command(
    app,
    "cover",
    panel=PANEL,
    example="ibkr-trader cover --fix",
    changes=True,
    acts_with="fix",
)
async def cover(
    face: Face,
    *,
    fix: Annotated[
        bool, typer.Option("--fix", help="Place what is missing, take away what is too much.")
    ] = False,
    timeout: TimeoutOption = "",
) -> Reply:
    """Show how stops cover each position; exit code 7 when one does not, or when too much does."""
    patience = values.seconds(timeout) if timeout else None
    from ibkr_trader.cli import covering  # noqa: PLC0415 - brings the client library

    return await covering.cover(face, fix=fix, timeout=patience)


@command(app, "undo", panel=PANEL, example="ibkr-trader undo --dry-run", changes=True)
async def undo(
    face: Face,
    *,
    only: Annotated[
        str,
        typer.Option(
            "--only", metavar="ACT", help="Only if it is this one, as --dry-run --json names it."
        ),
    ] = "",
    timeout: TimeoutOption = "",
) -> Reply:
    """Place again what you cancelled last, today, sized to what is held now."""
    patience = values.seconds(timeout) if timeout else None
    from ibkr_trader.cli import bringing_back  # noqa: PLC0415 - brings the client library

    return await bringing_back.undo(face, only=only, timeout=patience)
