"""What moves together: `update-correlations`, `correlations`."""

from __future__ import annotations

from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.output import Reply

PANEL = "Risk"
app = FAMILIES.register("correlation")(typer.Typer())
LOOKBACK = 60
SHORTEST, LONGEST = 20, 1_000  # sessions
MOST = 2_000  # symbols


def _symbols(text: str, option: str) -> tuple[str, ...]:
    """Read symbols with commas between, each once."""
    names = [one for one in text.split(",") if one.strip()]
    if text and not names:
        message = f"{option} {text!r} names no symbol"
        raise UsageFault(message, option=option, typed=text, better="AAPL,MSFT")
    found = tuple(dict.fromkeys(values.symbol(one, option) for one in names))
    if len(found) > MOST:
        raise UsageFault(f"{option} names {len(found):,} symbols; {MOST:,} are the most")
    return found


def _sessions(text: str) -> int:
    stripped = text.strip()
    if stripped.isascii() and stripped.isdecimal() and len(stripped) < 7:  # noqa: PLR2004 - no such number is meant
        number = int(stripped)
        if SHORTEST <= number <= LONGEST:
            return number
        better = str(SHORTEST if number < SHORTEST else LONGEST)
    else:
        better = str(LOOKBACK)
    message = f"--lookback {text!r} must be from {SHORTEST} to {LONGEST:,} sessions, in digits"
    raise UsageFault(message, option="--lookback", typed=text, better=better)


@command(
    app,
    "update-correlations",
    panel=PANEL,
    example="ibkr-trader update-correlations --symbols AAPL,MSFT,GOOGL,META --lookback 60",
    acts=True,
)
async def update_correlations(
    face: Face,
    *,
    symbols: Annotated[
        str,
        typer.Option(
            "--symbols",
            metavar="A,B,…",
            help="Exactly these; else what is held, works, has limits, or was asked for before.",
        ),
    ] = "",
    add: Annotated[
        str, typer.Option("--add", metavar="A,B,…", help="Of these too, beside the others.")
    ] = "",
    lookback: Annotated[
        str, typer.Option("--lookback", metavar="N", help="How many daily returns.")
    ] = str(LOOKBACK),
) -> Reply:
    """Fetch daily prices through the broker, and compute what moves together."""
    exactly, beside = _symbols(symbols, "--symbols"), _symbols(add, "--add")
    sessions = _sessions(lookback)
    from ibkr_trader.cli import correlating  # noqa: PLC0415 - brings the client library

    return await correlating.update(face, exactly, add=beside, lookback=sessions)


@command(app, "correlations", panel=PANEL, example="ibkr-trader correlations AAPL")
async def correlations(
    face: Face,
    *,
    symbol: Annotated[
        str, typer.Argument(metavar="SYMBOL", help="Only what moves with it, or against it.")
    ] = "",
) -> Reply:
    """Show what moves together, how old that is, and what was left out."""
    name = values.symbol(symbol, "SYMBOL") if symbol else ""
    from ibkr_trader.cli import correlating  # noqa: PLC0415 - brings the client library

    return await correlating.show(face, symbol=name)
