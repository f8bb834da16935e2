"""Strategies: `strategy check|list|promote|rollback`."""

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
    face: Face,  # noqa: ARG001 - every command has one
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A strategy, in TOML.")],
) -> Reply:
    """Read a strategy file: every fault with its line, or what it would do and when."""
    from ibkr_trader.cli import strategy_check  # noqa: PLC0415 - only this command needs it

    return strategy_check.check(Path(file))


@command(strategy_app, "list", panel=PANEL, example="ibkr-trader strategy list")
async def show(face: Face) -> Reply:
    """Show the strategies of the running trader, in the market and in the shadow."""
    from ibkr_trader.cli import strategy_view  # noqa: PLC0415 - brings the client library

    return await strategy_view.show(face)


@command(
    strategy_app,
    "promote",
    panel=PANEL,
    example="ibkr-trader strategy promote prediction-entry",
    changes=True,
)
async def promote(face: Face, *, name: NameArgument) -> Reply:
    """Let the version in the shadow trade, in place of the one that trades now."""
    from ibkr_trader.cli import strategy_view  # noqa: PLC0415 - brings the client library

    return await strategy_view.promote(face, name)


@command(
    strategy_app,
    "rollback",
    panel=PANEL,
    example="ibkr-trader strategy rollback prediction-entry",
    changes=True,
)
async def rollback(face: Face, *, name: NameArgument) -> Reply:
    """Let the version trade that traded before; the one that trades now goes to the shadow."""
    from ibkr_trader.cli import strategy_view  # noqa: PLC0415 - brings the client library

    return await strategy_view.roll_back(face, name)
