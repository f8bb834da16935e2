"""Strategies: `strategy check|list|compare|promote|rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.help import HelpfulGroup
from ibkr_trader.cli.output import Reply

PANEL = "Run"
app = FAMILIES.register("strategy")(typer.Typer())
strategy_app = typer.Typer(
    help="Strategies: check a file, move one between market and shadow.", cls=HelpfulGroup
)
app.add_typer(strategy_app, name="strategy", rich_help_panel=PANEL)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As its file calls it.")]


@command(
    strategy_app,
    "check",
    panel=PANEL,
    example="ibkr-trader strategy check examples/strategies/prediction.toml",
)
def check(
    face: Face,
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A strategy.")],
    bars: Annotated[
        str,
        typer.Option(
            "--bars", metavar="PATH", help="Run it over bars: SYMBOL.csv, or a folder of them."
        ),
    ] = "",
    signals: Annotated[
        str,
        typer.Option("--signals", metavar="FILE", help="With signals, an envelope on each line."),
    ] = "",
    journal: Annotated[
        bool, typer.Option("--journal", help="With the signals that the journal has as taken.")
    ] = False,
    equity: Annotated[
        str,
        typer.Option("--equity", metavar="AMOUNT", help="What the account is worth then."),
    ] = "",
) -> Reply:
    """Read a strategy file: every fault, or what it would do; with --bars, what it had done."""
    from ibkr_trader.cli import strategy_check  # noqa: PLC0415 - only this command needs it

    if not (bars or signals or journal or equity):
        return strategy_check.check(Path(file))
    from ibkr_trader.cli.rehearsing import Material  # noqa: PLC0415 - only a rehearsal needs it

    return strategy_check.run(face, Path(file), Material(bars, signals, journal, equity))


@command(
    strategy_app,
    "compare",
    panel=PANEL,
    example="ibkr-trader strategy compare prediction",
)
def compare(
    face: Face,
    *,
    name: NameArgument,
    since: Annotated[
        str,
        typer.Option("--since", metavar="WHEN", help="A date, a number of days (7d), or today."),
    ] = "",
) -> Reply:
    """Compare the shadow with what trades: decisions, latency, executions, gain, denials."""
    from ibkr_trader.cli import comparing  # noqa: PLC0415 - only this command needs it

    return comparing.compare(face, name, since=since)


@command(strategy_app, "list", panel=PANEL, example="ibkr-trader strategy list")
async def show(face: Face) -> Reply:
    """Show the strategies of the running trader, in the market and in the shadow."""
    from ibkr_trader.cli import strategy_view  # noqa: PLC0415 - brings the client library

    return await strategy_view.show(face)


@command(
    strategy_app,
    "promote",
    panel=PANEL,
    example="ibkr-trader strategy promote prediction",
    changes=True,
)
async def promote(
    face: Face,
    *,
    name: NameArgument,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway",
            help="Though it has decided too little, or its file was edited and is not taken.",
        ),
    ] = False,
) -> Reply:
    """Let the version in the shadow trade, in place of the one that trades now."""
    from ibkr_trader.cli import strategy_view  # noqa: PLC0415 - brings the client library

    return await strategy_view.promote(face, name, anyway=anyway)


@command(
    strategy_app,
    "rollback",
    panel=PANEL,
    example="ibkr-trader strategy rollback prediction",
    changes=True,
)
async def rollback(face: Face, *, name: NameArgument) -> Reply:
    """Let the version trade that traded before; the one that trades now goes to the shadow."""
    from ibkr_trader.cli import strategy_view  # noqa: PLC0415 - brings the client library

    return await strategy_view.roll_back(face, name)
