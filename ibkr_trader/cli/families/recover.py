"""Recovering: `reconcile`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.families.orders import TimeoutOption
from ibkr_trader.cli.output import Reply

PANEL = "Recover"
app = FAMILIES.register("recover")(typer.Typer())


@command(
    app,
    "reconcile",
    panel=PANEL,
    example="ibkr-trader reconcile --plan",
    changes=True,
    acts_with="apply",
)
async def reconcile(
    face: Face,
    *,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what differs (this is the rule).")
    ] = False,
    apply: Annotated[
        str,
        typer.Option("--apply", metavar="TOKEN", help="Do what the plan of that token showed."),
    ] = "",
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="STEP", help="Of the plan, only this step; repeat it."),
    ] = None,
    timeout: TimeoutOption = "",
) -> Reply:
    """Show what differs between the broker and what is meant, and with a token put it right."""
    if plan and apply:
        raise UsageFault(
            "--plan and --apply contradict each other", remedies=({"--plan": ""}, {"--apply": ""})
        )
    if only and not apply:
        raise UsageFault("--only chooses among the steps of a plan: it goes with --apply TOKEN")
    patience = values.seconds(timeout) if timeout else None
    from ibkr_trader.cli import reconciling  # noqa: PLC0415 - brings the client library

    if apply:
        return await reconciling.apply(face, apply, only=tuple(only or ()), timeout=patience)
    return await reconciling.show(face, timeout=patience)
