"""How much is too much: `set-symbol-limit`, `limits`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli.face import FAMILIES, Face, command, desk_part
from ibkr_trader.cli.output import Reply

PANEL = "Risk"
app = FAMILIES.register("risk")(typer.Typer())


@command(
    app,
    "set-symbol-limit",
    panel=PANEL,
    example="ibkr-trader set-symbol-limit --symbol AAPL --max-position 50 --max-loss 200",
    changes=True,
)
def set_symbol_limit(
    face: Face,
    *,
    symbol: Annotated[
        str, typer.Option("--symbol", metavar="SYMBOL", help="Whose limits; '*' is --default.")
    ] = "",
    default: Annotated[
        bool, typer.Option("--default", help="Those of every symbol without its own.")
    ] = False,
    max_position: Annotated[
        str, typer.Option("--max-position", metavar="N", help="Shares, if every order fills.")
    ] = "",
    max_loss: Annotated[
        str, typer.Option("--max-loss", metavar="AMOUNT", help="What it may lose in a day.")
    ] = "",
    max_order_exposure: Annotated[
        str, typer.Option("--max-order-exposure", metavar="AMOUNT", help="Value of one order.")
    ] = "",
    max_correlation_exposure: Annotated[
        str,
        typer.Option(
            "--max-correlation-exposure",
            metavar="AMOUNT",
            help="Net value of it and all that moves with it.",
        ),
    ] = "",
    remove: Annotated[
        bool, typer.Option("--remove", help="Take all its own limits away instead.")
    ] = False,
) -> Reply:
    """Limit one symbol more tightly than the rest; it needs no gateway."""
    from ibkr_trader.cli import limits_setting  # noqa: PLC0415 - the settings are slow to import

    options = {
        "--max-position": max_position,
        "--max-loss": max_loss,
        "--max-order-exposure": max_order_exposure,
        "--max-correlation-exposure": max_correlation_exposure,
    }
    given = {name: text for name, text in options.items() if text}
    return limits_setting.set_limits(face, symbol, given, is_default=default, is_removal=remove)


@desk_part("limits-look", acts=True)
async def limits_look(face: Face) -> Reply:
    """Take up the limits file now, and say what of it has to wait: the trader's part."""
    from ibkr_trader.cli import limits_setting  # noqa: PLC0415 - as above

    return limits_setting.take_up(face)


@command(
    app,
    "limits",
    panel=PANEL,
    example="ibkr-trader limits --symbol AAPL",
    acts_with="restore",
)
async def limits(
    face: Face,
    *,
    symbol: Annotated[
        str, typer.Option("--symbol", metavar="SYMBOL", help="Only what concerns it.")
    ] = "",
    restore: Annotated[
        bool,
        typer.Option("--restore", help="Write a lost or damaged limits file as it was in force."),
    ] = False,
) -> Reply:
    """Show every limit with what is in use of it, and those of each symbol."""
    if restore:
        from ibkr_trader.cli import limits_setting  # noqa: PLC0415 - as above

        return limits_setting.restore(face)
    from ibkr_trader.cli import limits_view, values  # noqa: PLC0415 - brings the client library

    return await limits_view.limits(face, symbol=values.symbol(symbol) if symbol else "")
