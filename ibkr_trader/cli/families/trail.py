"""A resting stop that is let follow the market: `trail`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.families.orders import TimeoutOption
from ibkr_trader.cli.output import Reply

PANEL = "Orders"
app = FAMILIES.register("trail")(typer.Typer())


@command(
    app,
    "trail",
    panel=PANEL,
    example="ibkr-trader trail 17-stop --trail-percent 2",
    changes=True,
    together=True,
)
async def trail(
    face: Face,
    *,
    order: Annotated[
        str,
        typer.Argument(metavar="ID", help="One stop that rests: 17-stop, or the broker's as #3."),
    ],
    trail_percent: Annotated[
        str,
        typer.Option("--trail-percent", metavar="P", help="Stay P percent behind the market."),
    ] = "",
    trail_amount: Annotated[
        str, typer.Option("--trail-amount", metavar="D", help="Stay D behind the market.")
    ] = "",
    off: Annotated[bool, typer.Option("--off", help="Let it stay where it is.")] = False,
    timeout: TimeoutOption = "",
) -> Reply:
    """Let a stop that rests already, as a bracket's, follow the market; never back."""
    if sum((bool(trail_percent), bool(trail_amount), off)) != 1:
        message = "give one of --trail-percent, --trail-amount and --off"
        raise UsageFault(message, hint=f"ibkr-trader trail {order} --trail-percent 2")
    percent = values.price(trail_percent, "--trail-percent") if trail_percent else None
    amount = values.price(trail_amount, "--trail-amount") if trail_amount else None
    patience = values.seconds(timeout) if timeout else None

    from ibkr_trader.cli import trailing  # noqa: PLC0415 - brings the client library
    from ibkr_trader.orders.managed_trails import Trail  # noqa: PLC0415 - as above

    wish = None if off else Trail(percent=percent, amount=amount)
    return await trailing.let_trail(face, order, wish, timeout=patience)
