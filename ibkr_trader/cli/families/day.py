"""The end of the day: `eod-close`, made for cron."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.output import Reply

PANEL = "Run"
app = FAMILIES.register("day")(typer.Typer())


@command(
    app,
    "eod-close",
    panel=PANEL,
    example="ibkr-trader eod-close --minutes-before 5",
    changes=True,
    together=True,
)
async def eod_close(
    face: Face,
    *,
    minutes_before: Annotated[
        str,
        typer.Option("--minutes-before", metavar="M", help="Begin so long before the real close."),
    ] = "",
    window: Annotated[
        str, typer.Option("--window", metavar="TIME", help="Act for so long, as 10m; not after.")
    ] = "",
    now: Annotated[bool, typer.Option("--now", help="Act at once, if the market is open.")] = False,
    symbols: Annotated[
        list[str] | None, typer.Option("--symbol", metavar="SYMBOL", help="Only these.")
    ] = None,
    at: Annotated[
        str,
        typer.Option(
            "--at", metavar="WHO", help="cron (by this command), broker (by a timed exit), both."
        ),
    ] = "",
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="S", help="How many seconds to wait for answers.")
    ] = "",
) -> Reply:
    """End the day flat: inside its window before the real close, and at no other time."""
    patience = values.seconds(timeout) if timeout else None
    before = values.duration(minutes_before, "--minutes-before") if minutes_before else None
    length = values.duration(window, "--window") if window else None
    names = tuple(values.symbol(symbol) for symbol in symbols or ())

    from ibkr_trader.cli import ending  # noqa: PLC0415 - brings the client library
    from ibkr_trader.execution.day_end import DayEndPlan  # noqa: PLC0415 - as above

    settings = face.settings()
    where = values.choice(at or settings.eod_at, "--at", ending.Where)
    plan = DayEndPlan(
        before=before or timedelta(minutes=settings.eod_minutes_before),
        window=length or timedelta(minutes=settings.eod_window_minutes),
        at_once=now,
        symbols=names,
    )
    return await ending.end(face, ending.DayEnd(plan=plan, where=where), timeout=patience)
