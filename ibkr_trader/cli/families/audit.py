"""The journal as evidence: `audit verify|tail|export|replay|rotate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ibkr_trader.cli.face import FAMILIES, Face, YesOption, command
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
    bundle: Annotated[
        str, typer.Argument(metavar="[BUNDLE]", help="An exported archive instead of a journal.")
    ] = "",
    journal: JournalOption = "",
    against: Annotated[
        str,
        typer.Option("--against", metavar="HASH", help="Find a head that was noted earlier."),
    ] = "",
) -> Reply:
    """Check every record of the journal, and say what of it can be trusted."""
    if bundle:
        from ibkr_trader.cli import bundle_check  # noqa: PLC0415 - brings the journal

        return bundle_check.check(Path(bundle))
    from ibkr_trader.cli import auditing  # noqa: PLC0415 - brings the journal

    return auditing.verify(face, journal=journal, against=against.strip())


@command(audit_app, "tail", panel=PANEL, example="ibkr-trader audit tail --follow")
def tail(
    face: Face,
    *,
    count: Annotated[str, typer.Option("-n", metavar="N", help="How many records.")] = "20",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with each that is written.")
    ] = False,
    order: Annotated[
        str, typer.Option("--order", metavar="ID", help="Only those about one order or group.")
    ] = "",
    journal: JournalOption = "",
) -> None:
    """Show the journal's last records in words."""
    from ibkr_trader.cli import tailing, values  # noqa: PLC0415 - brings the journal

    most = values.count(count, "-n")
    tailing.tail(face, tailing.Wish(most, order.strip(), journal, follow))


@command(audit_app, "export", panel=PANEL, example="ibkr-trader audit export incident.tar.gz")
def export(
    face: Face,
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The archive to write.")],
    since: Annotated[
        str,
        typer.Option("--since", metavar="WHEN", help="today, 7d, or a date; else from the first."),
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="WHEN", help="The same; else to the last record.")
    ] = "",
    full: Annotated[
        bool, typer.Option("--full", help="Mask nothing; it has to be typed at a terminal.")
    ] = False,
    yes: YesOption = False,
) -> Reply:
    """Write what happened into one archive for others, with accounts and names masked."""
    from ibkr_trader.cli import bundle  # noqa: PLC0415 - brings the journal

    face.yes = face.yes or yes
    return bundle.export(face, file, bundle.Wish(since, until, full))


@command(audit_app, "replay", panel=PANEL, example="ibkr-trader audit replay --to 09:31:02")
def replay(
    face: Face,
    *,
    source: Annotated[
        str, typer.Argument(metavar="[SOURCE]", help="An archive, or another journal.")
    ] = "",
    to: Annotated[
        str, typer.Option("--to", metavar="TIME", help="09:31:02, or a date with it; else the end.")
    ] = "",
) -> Reply:
    """Show what was held and what worked at a moment, as the journal knew it then."""
    from ibkr_trader.cli import replaying  # noqa: PLC0415 - brings the journal

    return replaying.replay(face, source, to=to.strip())


@command(audit_app, "rotate", panel=PANEL, example="ibkr-trader audit rotate", changes=True)
async def rotate(face: Face) -> Reply:
    """Seal the journal's file now, and go on in another; nothing is deleted."""
    from ibkr_trader.cli import rotating  # noqa: PLC0415 - brings the client library

    return await rotating.rotate(face)
