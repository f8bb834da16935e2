"""The switch: `halt` and `resume`. Halting works when nothing else does."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import DESK_COMMANDS, FAMILIES, Face, command, desk_part
from ibkr_trader.cli.families.orders import TimeoutOption
from ibkr_trader.cli.output import Reply

PANEL = "Risk"
app = FAMILIES.register("kill")(typer.Typer())
SymbolOption = Annotated[
    str, typer.Option("--symbol", metavar="SYMBOL", help="Only this one, not everything.")
]


@command(
    app,
    "halt",
    panel=PANEL,
    example='ibkr-trader halt --reason "odd fills"',
    changes=True,
    local=True,
)
def halt(
    face: Face,
    *,
    symbol: SymbolOption = "",
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever resumes.")
    ] = "",
    keep_entries: Annotated[
        bool, typer.Option("--keep-entries", help="Cancel nothing: only nothing new is opened.")
    ] = False,
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Close every position, too, at the market.")
    ] = False,
    timeout: TimeoutOption = "",
) -> Reply:
    """Open nothing more, and cancel what could still open; stops and targets stay."""
    if keep_entries and flatten:
        raise UsageFault(
            "--keep-entries and --flatten contradict each other",
            remedies=({"--keep-entries": ""}, {"--flatten": ""}),
        )
    name = values.symbol(symbol) if symbol else ""
    if timeout:
        values.seconds(timeout)

    from ibkr_trader.cli import stopping  # noqa: PLC0415 - only when asked

    options = {
        "symbol": name,
        "reason": reason,
        "keep_entries": keep_entries,
        "flatten": flatten,
        "timeout": timeout,
    }
    return stopping.halt(face, DESK_COMMANDS["kill.halt-here"], options)


@desk_part("halt-here", acts=True, has_dry_run=True)
async def halt_here(
    face: Face, *, symbol: str, reason: str, keep_entries: bool, flatten: bool, timeout: str
) -> Reply:
    """Halt at a desk: what is left to do once the flag is there."""
    from ibkr_trader.cli import halting  # noqa: PLC0415 - brings the client library

    asked = halting.Wish(
        symbol=values.symbol(symbol) if symbol else "",
        reason=reason,
        keeps_entries=keep_entries,
        flattens=flatten,
    )
    patience = values.seconds(timeout) if timeout else None
    return await halting.halt(face, asked, timeout=patience)


@command(
    app,
    "resume",
    panel=PANEL,
    example='ibkr-trader resume --reason "checked every fill"',
    changes=True,
    together=True,
)
async def resume(
    face: Face,
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why it may trade again.")
    ] = "",
    symbol: SymbolOption = "",
) -> Reply:
    """End a halt: only a person does, and with a reason."""
    if reason.startswith("-") or not any(mark.isalnum() for mark in reason):
        raise UsageFault(
            "a halt is not ended without a reason", hint='ibkr-trader resume --reason "…"'
        )
    name = values.symbol(symbol) if symbol else ""

    from ibkr_trader.cli import halting  # noqa: PLC0415 - brings the client library

    return await halting.resume(face, reason.strip(), symbol=name)
