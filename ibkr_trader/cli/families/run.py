"""The trader that stays running: `run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.families.dashboard import BackgroundOption, OperatorOption, background
from ibkr_trader.cli.output import Reply

PANEL = "Run"
app = FAMILIES.register("run")(typer.Typer())


@command(app, "run", panel=PANEL, example="ibkr-trader run --headless", local=True)
async def run(
    face: Face,
    *,
    headless: Annotated[
        bool, typer.Option("--headless", help="Without a screen: one line for each event.")
    ] = False,
    strategies: Annotated[
        list[str] | None,
        typer.Option("--strategy", metavar="FILE", help="Trade by this strategy; may be repeated."),
    ] = None,
    shadows: Annotated[
        list[str] | None,
        typer.Option(
            "--shadow", metavar="FILE", help="Only write down what this one would do; likewise."
        ),
    ] = None,
    symbols: Annotated[
        list[str] | None,
        typer.Option("--symbol", metavar="SYMBOL", help="Take signals of it, too; likewise."),
    ] = None,
    as_edited: Annotated[
        bool,
        typer.Option(
            "--as-edited", help="Let the strategies trade as their files are, whatever traded last."
        ),
    ] = False,
    operator: OperatorOption = "",
    background_is: BackgroundOption = "auto",
) -> Reply | None:
    """Stay running: look after orders, run strategies, take signals and the other commands.

    On a terminal it shows the dashboard; elsewhere, and with --headless or --json, one line for
    each event.
    """
    is_light, name = background(background_is), values.operator(operator)

    from ibkr_trader.cli import running  # noqa: PLC0415 - brings the client library
    from ibkr_trader.cli.deciding import Decides  # noqa: PLC0415 - as above
    from ibkr_trader.cli.screening import Look  # noqa: PLC0415 - as above

    by = Decides(
        live=tuple(Path(one) for one in strategies or ()),
        shadows=tuple(Path(one) for one in shadows or ()),
        symbols=tuple(values.symbol(one) for one in symbols or ()),
        as_edited=as_edited,
    )
    look = Look(operator=name, is_light=is_light)
    return await running.run(face, headless=headless, look=look, by=by)
