"""How it went: `report`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli.face import FAMILIES, Face, YesOption, command
from ibkr_trader.cli.output import Reply

PANEL = "Look"
app = FAMILIES.register("report")(typer.Typer())


@command(app, "report", panel=PANEL, example="ibkr-trader report --since 7d --by symbol")
def report(
    face: Face,
    *,
    since: Annotated[
        str,
        typer.Option("--since", metavar="WHEN", help="today, 7d, or a date; else everything."),
    ] = "",
    by: Annotated[
        str, typer.Option("--by", metavar="WHAT", help="Sum up by rule, symbol or hour.")
    ] = "rule",
    html: Annotated[
        str, typer.Option("--html", metavar="FILE", help="Write it as a page with plots, too.")
    ] = "",
    yes: YesOption = False,
) -> Reply:
    """Show how trading went, how long orders took, and what execution cost."""
    from ibkr_trader.cli import reporting  # noqa: PLC0415 - brings the journal

    face.yes = face.yes or yes
    return reporting.report(face, reporting.Wish(since=since, by=by, html=html))
