"""Signals by hand: `signal send`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.help import HelpfulGroup
from ibkr_trader.cli.output import Reply
from ibkr_trader.core.enums import SignalAction

PANEL = "Run"
app = FAMILIES.register("signal")(typer.Typer())
signal_app = typer.Typer(help="Signals for a running trader's strategies.", cls=HelpfulGroup)
app.add_typer(signal_app, name="signal", rich_help_panel=PANEL)


@command(
    signal_app,
    "send",
    panel=PANEL,
    example="ibkr-trader signal send --symbol AAPL --action buy --confidence 0.91",
    acts=True,
)
async def send(
    face: Face,
    *,
    symbol: Annotated[str, typer.Option("--symbol", metavar="SYMBOL", help="What it is about.")],
    action: Annotated[
        str,
        typer.Option(
            "--action",
            metavar="WISH",
            help="buy: be long; sell: be out of a long, never short; short: be short.",
        ),
    ],
    confidence: Annotated[
        str, typer.Option("--confidence", metavar="X", help="From 0 to 1.")
    ] = "1",
    price: Annotated[
        str, typer.Option("--price", metavar="P", help="What you saw, for the record.")
    ] = "",
    signal_id: Annotated[
        str,
        typer.Option("--id", metavar="ID", help="Its name; the same one acts once, and no more."),
    ] = "",
) -> Reply:
    """Hand a signal to the strategies of the running trader, and say what came of it."""
    from ibkr_trader.cli import signalling  # noqa: PLC0415 - brings the client library

    wish = signalling.Wished(
        symbol=values.symbol(symbol),
        action=values.choice(action, "--action", SignalAction),
        confidence=signalling.confidence(confidence),
        price=values.price(price, "--price") if price else None,
        signal_id=signalling.name(signal_id),
    )
    return await signalling.send(face, wish)
