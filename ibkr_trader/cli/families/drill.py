"""Fire drills: `drill`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.output import Reply

PANEL = "Simulate"
app = FAMILIES.register("drill")(typer.Typer())


@command(app, "drill", panel=PANEL, example="ibkr-trader drill hand-close")
def drill(
    face: Face,
    *,
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="The drill; without one they are listed.")
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every drill, one after another.")] = (
        False
    ),
    listed: Annotated[bool, typer.Option("--list", help="Say which drills there are.")] = False,
    strategies: Annotated[
        list[str] | None,
        typer.Option("--strategy", metavar="FILE", help="Let it trade along; may be repeated."),
    ] = None,
    symbol: Annotated[
        str,
        typer.Option("--symbol", metavar="SYMBOL", help="What is traded, of the simulator's."),
    ] = "",
) -> Reply:
    """Rehearse what goes wrong at a broker, with your own settings, in a sandbox.

    Each drill has a gateway, an account and a data folder of its own; nothing of yours is touched.
    """
    if listed + everything + bool(name) > 1:
        raise UsageFault("give one of NAME, --all and --list", hint="ibkr-trader drill --all")
    from ibkr_trader.cli import drilling  # noqa: PLC0415 - brings the client library

    if not (name or everything):
        return drilling.listing()
    return drilling.rehearse(
        face, name, strategies=tuple(strategies or ()), symbol=symbol.strip().upper()
    )
