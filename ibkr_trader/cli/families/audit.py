"""The journal as evidence: `audit verify|tail|rotate`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.help import HelpfulGroup
from ibkr_trader.cli.output import Reply

PANEL = "Audit"
app = FAMILIES.register("audit")(typer.Typer())
audit_app = typer.Typer(help="The journal: check it, read it, hand it on.", cls=HelpfulGroup)
app.add_typer(audit_app, name="audit", rich_help_panel=PANEL)

JournalOption = Annotated[
    str,
    typer.Option("--journal", metavar="PATH", help="Another one: its file, or a copied folder."),
]


@command(audit_app, "verify", panel=PANEL, example="ibkr-trader audit verify")
def verify(
    face: Face,
    *,
    journal: JournalOption = "",
    against: Annotated[
        str,
        typer.Option("--against", metavar="HASH", help="Find a head that was noted earlier."),
    ] = "",
) -> Reply:
    """Check every record of the journal, and say what of it can be trusted."""
    from ibkr_trader.cli import auditing  # noqa: PLC0415 - brings the journal

    return auditing.verify(face, journal=journal, against=against.strip())


@command(audit_app, "tail", panel=PANEL, example="ibkr-trader audit tail --follow")
def tail(
    face: Face,
    *,
    count: Annotated[int, typer.Option("-n", metavar="N", min=1, help="How many records.")] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with each that is written.")
    ] = False,
    order: Annotated[
        str, typer.Option("--order", metavar="ID", help="Only those about one order or group.")
    ] = "",
    journal: JournalOption = "",
) -> None:
    """Show the journal's last records in words."""
    from ibkr_trader.cli import tailing  # noqa: PLC0415 - brings the journal

    tailing.tail(face, tailing.Wish(count, order.strip(), journal, follow))
