"""The bodies of `update-correlations` and `correlations`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.correlation_file import CorrelationFile, PriceFiles
from ibkr_trader.cli.correlation_view import blocks_of, document
from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.output import Reply
from ibkr_trader.cli.progress import progress
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.cli.wording import counted
from ibkr_trader.config import Profile
from ibkr_trader.core.contracts import stock_symbol
from ibkr_trader.execution.correlations import (
    Pace,
    PriceFetch,
    computed,
    needed,
    wanted_symbols,
)

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.cli.output import Table
    from ibkr_trader.execution.correlations import Progress
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.risk.correlation import CorrelationMatrix

REQUESTS, WITHIN = 60, 600.0  # what IBKR lets one ask for, in so many seconds
_TELL_EVERY = 25  # symbols, where a running trader fetches for another terminal
_PAIR = 2  # symbols: of fewer there is no correlation
_UPDATE = "ibkr-trader update-correlations"
_FIRST = f"{_UPDATE} --symbols AAPL,MSFT,GOOGL,META"


async def update(
    face: Face, symbols: tuple[str, ...], *, add: tuple[str, ...], lookback: int
) -> Reply:
    """Fetch prices, compute, and store; exit code 7 if some symbols are not in the result.

    Raises:
        BrokerUnavailable: If the link is lost; what has come is kept for the next run.
        UsageFault: If there is no symbol to ask about.
        ConfigError: If the result cannot be written.
    """
    async with desk_for(face) as desk:
        trader, settings = desk.trader, face.settings()
        file = CorrelationFile(settings.place.folder)
        names = _names(desk, symbols, add, file=file)
        is_paced = settings.profile is not Profile.SIM  # the simulator has no such limit
        pace = Pace(REQUESTS, WITHIN, monotonic=trader.clock.monotonic) if is_paced else None
        with progress("daily prices", is_shown=face.desk is None) as report:

            def tell(at: Progress) -> None:
                text = f"waits {at.waits:.0f} s, as IBKR asks" if at.waits else at.symbol
                report(at.done, at.total, text)
                is_due = at.waits or (at.done and at.done % _TELL_EVERY == 0)
                if face.desk is not None and is_due:
                    face.tell(f"{at.done} of {at.total}: {text}" if at.total else text)

            fetch = PriceFetch(trader, PriceFiles(settings.place.folder), pace=pace, tell=tell)
            fetched = await fetch.fetch(names, sessions=needed(lookback))
        matrix = await computed(fetched, lookback=lookback, now=trader.clock.now())
        old = file.read().matrix
        is_kept = len(matrix.symbols) < _PAIR and old is not None and len(old.symbols) >= _PAIR
        if matrix.symbols and not is_kept:
            industries = {one.symbol: one.industry for one in fetched.histories}
            stored = _without(matrix, fetched.unknown)
            file.write(stored, industries)
            trader.outlook.book.correlations = stored
            trader.outlook.book.learn_industries(industries)
        count = counted(len(matrix.symbols), "symbol")
        head = f"{title(settings, desk)}  correlations of {count}"
        head += f", {fetched.asked} asked for" if fetched.asked else ", all prices at hand"
        if not matrix.symbols:
            head = f"{title(settings, desk)}  no correlations: the old ones, if any, stay"
        elif is_kept and old is not None:
            head += f"; nothing was stored: those of {counted(len(old.symbols), 'symbol')} stay"
        return _reply(face, desk, matrix, head=head, asked=fetched.asked, is_kept=is_kept)


async def show(face: Face, *, symbol: str) -> Reply:
    """Return the newest correlations: all, or those of `symbol`.

    Raises:
        UsageFault: If there are none, or none of `symbol`.
    """
    async with desk_for(face) as desk:
        reading = CorrelationFile(face.settings().place.folder).read()
        matrix = reading.matrix
        if matrix is None:
            why = f"the file counts as missing: {reading.fault}" if reading.fault else "none yet"
            raise UsageFault(f"there are no correlations ({why})", hint=_FIRST)
        name = stock_symbol(symbol) if symbol else ""
        if name and name not in matrix.symbols:
            why = matrix.left_out.get(name, "nobody asked for them")
            message = f"there are no correlations of {symbol}: {why}"
            raise UsageFault(message, hint=f"{_UPDATE} --add {symbol}")
        return _reply(face, desk, matrix, head=title(face.settings(), desk), symbol=name)


def _names(
    desk: Desk, symbols: tuple[str, ...], add: tuple[str, ...], *, file: CorrelationFile
) -> list[str]:
    """Which symbols are asked about.

    Raises:
        UsageFault: If there is none.
    """
    names = list(symbols)
    if not symbols:
        matrix, limits = file.read().matrix, desk.trader.outlook.book.symbol_limits
        known = (*matrix.symbols, *matrix.left_out) if matrix is not None else ()
        names = wanted_symbols(desk.trader, limits.symbols, known)
    names += [one for one in add if one not in names]
    if not names:
        message = "nothing is held, works, or has limits of its own: name the symbols"
        raise UsageFault(message, hint=_FIRST)
    return names


def _without(matrix: CorrelationMatrix, unknown: frozenset[str]) -> CorrelationMatrix:
    """What is stored: a name that the broker does not know would be asked about for ever."""
    left_out = {name: why for name, why in matrix.left_out.items() if name not in unknown}
    return msgspec.structs.replace(matrix, left_out=left_out)


def _reply(
    face: Face,
    desk: Desk,
    matrix: CorrelationMatrix,
    *,
    head: str,
    symbol: str = "",
    asked: int | None = None,
    is_kept: bool = False,
) -> Reply:
    now, limits = desk.trader.clock.now(), face.settings().risk
    sectors = desk.trader.outlook.book.sectors
    blocks: list[str | Table] = [head]
    blocks += blocks_of(matrix, limits=limits, sectors=sectors, now=now, symbol=symbol)
    data = document(matrix, limits=limits, sectors=sectors, now=now, symbol=symbol)
    uncovered = [one for one in wanted_symbols(desk.trader) if one not in matrix.symbols]
    data["uncovered"] = uncovered
    if new := [one for one in uncovered if one not in matrix.left_out]:
        blocks.append(f"  held or working, and not in it: {', '.join(new)}")
        blocks.append(f"Next: {_UPDATE} --add {','.join(new)}")
    is_whole = asked is None or not (matrix.left_out or is_kept)
    if asked is not None:
        data["asked"] = asked
    if not is_whole:
        blocks.append("Next: ibkr-trader correlations")
    data["account"] = desk.trader.account
    return Reply(
        schema="correlations/1",
        data=data,
        blocks=blocks,
        exit=Exit.DONE if is_whole else Exit.INCOMPLETE,
    )
