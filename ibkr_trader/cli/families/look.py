"""Looking: `orders`, `positions`, `fills`, `account`, `quote`, `status`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.output import Reply

PANEL = "Look"
app = FAMILIES.register("look")(typer.Typer())

SymbolOption = Annotated[
    str, typer.Option("--symbol", metavar="SYMBOL", help="Only what belongs to it.")
]


@command(app, "orders", panel=PANEL, example="ibkr-trader orders --symbol AAPL --json")
async def orders(
    face: Face,
    *,
    order_id: Annotated[
        str, typer.Argument(metavar="ID", help="Only this one (or its group).")
    ] = "",
    symbol: SymbolOption = "",
    everything: Annotated[bool, typer.Option("--all", help="The day's closed ones too.")] = False,
) -> Reply:
    """Show the orders that can still trade."""
    name = values.symbol(symbol) if symbol else ""
    from ibkr_trader.cli import looking  # noqa: PLC0415 - brings the client library

    return await looking.orders(face, order_id=order_id, symbol=name, everything=everything)


@command(app, "positions", panel=PANEL, example="ibkr-trader positions")
async def positions(face: Face, *, symbol: SymbolOption = "") -> Reply:
    """Show what is held, with stop, target, distance, R and protection."""
    name = values.symbol(symbol) if symbol else ""
    from ibkr_trader.cli import looking  # noqa: PLC0415 - brings the client library

    return await looking.positions(face, symbol=name)


@command(app, "fills", panel=PANEL, example="ibkr-trader fills --symbol AAPL")
async def fills(face: Face, *, symbol: SymbolOption = "") -> Reply:
    """Show the day's executions."""
    name = values.symbol(symbol) if symbol else ""
    from ibkr_trader.cli import looking  # noqa: PLC0415 - brings the client library

    return await looking.fills(face, symbol=name)


@command(app, "account", panel=PANEL, example="ibkr-trader account --json")
async def account(face: Face) -> Reply:
    """Show the account's money and margin."""
    from ibkr_trader.cli import looking  # noqa: PLC0415 - brings the client library

    return await looking.account(face)


@command(app, "quote", panel=PANEL, example="ibkr-trader quote AAPL MSFT")
async def quote(
    face: Face,
    *,
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL", help="One or more.")],
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="S", help="How many seconds to wait for a price.")
    ] = "3",
) -> Reply:
    """Show bid, ask and last price."""
    names = tuple(dict.fromkeys(values.symbol(one, "SYMBOL") for one in symbols))
    patience = values.seconds(timeout)
    from ibkr_trader.cli import looking  # noqa: PLC0415 - brings the client library

    return await looking.quotes(face, names, timeout=patience)


@command(app, "status", panel=PANEL, example="ibkr-trader status")
async def status(face: Face) -> Reply:
    """Show where orders go, what time it is there, and whether all is in order."""
    from ibkr_trader.cli import standing  # noqa: PLC0415 - brings the client library

    return await standing.status(face)
