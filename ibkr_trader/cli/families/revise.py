"""Changing what was placed: `modify`, `cancel`, `close`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.families.orders import TimeoutOption
from ibkr_trader.cli.output import Reply

PANEL = "Orders"
app = FAMILIES.register("revise")(typer.Typer())


@command(
    app,
    "modify",
    panel=PANEL,
    example="ibkr-trader modify 17-stop --stop 147.50",
    changes=True,
    together=True,
)
async def modify(
    face: Face,
    *,
    order: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="One order: 17-stop, how it begins, or the broker's number as #3.",
        ),
    ],
    quantity: Annotated[str, typer.Option("--quantity", metavar="N", help="The new size.")] = "",
    limit: Annotated[str, typer.Option("--limit", metavar="PRICE", help="The new limit.")] = "",
    stop: Annotated[str, typer.Option("--stop", metavar="PRICE", help="The new trigger.")] = "",
    timeout: TimeoutOption = "",
) -> Reply:
    """Change the size or a price of a working order."""
    if not (quantity or limit or stop):
        message = "nothing to change: give --quantity, --limit or --stop"
        raise UsageFault(message, hint=f"ibkr-trader modify {order} --limit 149.50")
    size = values.quantity(quantity) if quantity else None
    limit_price = values.price(limit, "--limit") if limit else None
    stop_price = values.price(stop, "--stop") if stop else None
    patience = values.seconds(timeout) if timeout else None

    from ibkr_trader.cli import changing  # noqa: PLC0415 - brings the client library

    change = changing.Change(quantity=size, limit_price=limit_price, stop_price=stop_price)
    return await changing.modify_order(face, order, change, timeout=patience)


@command(app, "cancel", panel=PANEL, example="ibkr-trader cancel 17", changes=True, together=True)
async def cancel(
    face: Face,
    *,
    orders: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID",
            help="An order (17-stop, how it begins, or the broker's as #3), or a group: 17.",
        ),
    ] = None,
    symbol: Annotated[
        str, typer.Option("--symbol", metavar="SYMBOL", help="Every order of ours in it.")
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every order of ours.")] = False,
    timeout: TimeoutOption = "",
) -> Reply:
    """Cancel orders and wait until the broker confirms it."""
    chosen = sum((bool(orders), bool(symbol), everything))
    if chosen != 1:
        message = "say which: order ids, --symbol, or --all" + (", and only one" if chosen else "")
        raise UsageFault(message, hint="ibkr-trader cancel --symbol AAPL")
    name = values.symbol(symbol) if symbol else ""
    patience = values.seconds(timeout) if timeout else None

    from ibkr_trader.cli import changing  # noqa: PLC0415 - brings the client library

    return await changing.cancel_orders(face, tuple(orders or ()), symbol=name, timeout=patience)


@command(app, "close", panel=PANEL, example="ibkr-trader close AAPL", changes=True, together=True)
async def close(
    face: Face,
    *,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="What to end.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every position.")] = False,
    timeout: TimeoutOption = "",
) -> Reply:
    """End a position at the market, and its exits with it, and wait until it is flat."""
    if bool(symbol) == everything:
        message = "say which: a symbol, or --all"
        raise UsageFault(message, hint="ibkr-trader close AAPL")
    name = values.symbol(symbol, "SYMBOL") if symbol else ""
    patience = values.seconds(timeout) if timeout else None

    from ibkr_trader.cli import closing  # noqa: PLC0415 - brings the client library

    return await closing.close_positions(face, name, timeout=patience)
