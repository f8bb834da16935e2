"""Recovering: `reconcile`, `adopt`, `release`, `reset-account`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.families.orders import TimeoutOption
from ibkr_trader.cli.output import Reply
from ibkr_trader.orders.exit_levels import Wanted

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
        raise UsageFault("--plan and --apply contradict each other", remedies=({"--plan": ""},))
    if only and not apply:
        raise UsageFault("--only chooses among the steps of a plan: it goes with --apply TOKEN")
    patience = values.seconds(timeout) if timeout else None
    from ibkr_trader.cli import reconciling  # noqa: PLC0415 - brings the client library

    if apply:
        return await reconciling.apply(face, apply, only=tuple(only or ()), timeout=patience)
    return await reconciling.show(face, timeout=patience)


@command(
    app,
    "adopt",
    panel=PANEL,
    example="ibkr-trader adopt AAPL --stop 3% --target 8%",
    changes=True,
)
async def adopt(
    face: Face,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="What is held, e.g. AAPL.")],
    *,
    stop: Annotated[
        str, typer.Option("--stop", metavar="P|3%", help="Where to give up; of the average cost.")
    ] = "",
    target: Annotated[
        str, typer.Option("--target", metavar="P|8%", help="Where to take the gain, likewise.")
    ] = "",
    trail: Annotated[
        str, typer.Option("--trail", metavar="A|2%", help="Instead: a stop that far behind.")
    ] = "",
    quantity: Annotated[
        str, typer.Option("--quantity", metavar="N", help="Only so much of it.")
    ] = "",
    order: Annotated[
        list[str] | None,
        typer.Option(
            "--order",
            metavar="PERMID",
            help="Instead: this order of a lost journal, as it stands; repeat it.",
        ),
    ] = None,
    timeout: TimeoutOption = "",
) -> Reply:
    """Look after a position that was opened by hand: a stop under it, and on record as yours."""
    wanted = Wanted(
        stop=values.level(stop, "--stop") if stop else None,
        target=values.level(target, "--target") if target else None,
        trail=values.level(trail, "--trail") if trail else None,
    )
    name, most = values.symbol(symbol, "SYMBOL"), values.quantity(quantity) if quantity else None
    patience = values.seconds(timeout) if timeout else None
    from ibkr_trader.cli import caring  # noqa: PLC0415 - brings the client library

    if order:
        if wanted != Wanted() or most is not None:
            raise UsageFault("--order takes orders over as they stand: no exit goes with it")
        perm_ids = [values.perm_id(one) for one in order]
        return await caring.adopt_orders(face, name, perm_ids, timeout=patience)
    return await caring.adopt(face, name, wanted, most=most, timeout=patience)


@command(
    app,
    "release",
    panel=PANEL,
    example="ibkr-trader release AAPL",
    changes=True,
)
async def release(
    face: Face,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="What is held, e.g. AAPL.")],
    *,
    timeout: TimeoutOption = "",
) -> Reply:
    """Leave a position alone from now on, with its orders, until it is adopted or flat."""
    name = values.symbol(symbol, "SYMBOL")
    patience = values.seconds(timeout) if timeout else None
    from ibkr_trader.cli import caring  # noqa: PLC0415 - brings the client library

    return await caring.release(face, name, timeout=patience)


@command(
    app,
    "reset-account",
    panel=PANEL,
    example="ibkr-trader reset-account --dry-run",
    changes=True,
)
async def reset_account(face: Face, *, timeout: TimeoutOption = "") -> Reply:
    """Cancel every order and close every position of a simulated or paper account."""
    patience = values.seconds(timeout) if timeout else None
    from ibkr_trader.cli import clearing  # noqa: PLC0415 - brings the client library

    return await clearing.reset_account(face, timeout=patience)
