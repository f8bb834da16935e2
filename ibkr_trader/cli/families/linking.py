"""Adding to a position whose exits follow: `scale-in`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.families.orders import (
    OutsideOption,
    PreviewOption,
    QuantityOption,
    TifOption,
    TimeoutOption,
)
from ibkr_trader.cli.output import Reply
from ibkr_trader.core.enums import TimeInForce
from ibkr_trader.orders.linked_orders import ScaleInRequest

PANEL = "Orders"
app = FAMILIES.register("linking")(typer.Typer())


@command(
    app,
    "scale-in",
    panel=PANEL,
    example="ibkr-trader scale-in AAPL --quantity 10",
    changes=True,
    together=True,
)
async def scale_in(
    face: Face,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="What is held, e.g. AAPL.")],
    *,
    quantity: QuantityOption,
    limit: Annotated[
        str, typer.Option("--limit", metavar="PRICE", help="Add at this price or better.")
    ] = "",
    tif: TifOption = "day",
    outside_rth: OutsideOption = False,
    preview: PreviewOption = False,
    wait: Annotated[
        str,
        typer.Option(
            "--wait",
            metavar="HOW",
            help="Until it is filled and the exits have followed (the rule), accepted, or none.",
        ),
    ] = "filled",
    timeout: TimeoutOption = "",
) -> Reply:
    """Add to a position; its stop and targets follow to the new size."""
    request = ScaleInRequest(
        symbol=values.symbol(symbol, "SYMBOL"),
        quantity=values.quantity(quantity),
        limit_price=values.price(limit, "--limit") if limit else None,
        time_in_force=values.choice(tif, "--tif", TimeInForce),
        outside_rth=outside_rth,
    )
    patience = values.seconds(timeout) if timeout else None

    from ibkr_trader.cli import adding  # noqa: PLC0415 - brings the client library

    return await adding.add_to_position(face, request, wait=wait, timeout=patience, preview=preview)
