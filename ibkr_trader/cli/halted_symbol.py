"""The symbol of a `halt --symbol`: whether there is one, and what the halt found of it.

A slip of the finger must not leave a symbol trading that somebody meant to stop.
"""

from __future__ import annotations

import asyncio
import difflib
from typing import TYPE_CHECKING

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.wording import counted
from ibkr_trader.core.contracts import is_named, label
from ibkr_trader.core.errors import AmbiguousContract, TraderError
from ibkr_trader.core.text import quantity
from ibkr_trader.execution.killing import holding
from ibkr_trader.portfolio.ledger_fold import quantity_of

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract
    from ibkr_trader.execution.desk import Desk

PATIENCE = 3.0  # seconds for the broker's word: a halt waits for nothing for long


async def require_known(desk: Desk, symbol: str) -> None:
    """Refuse a symbol that nobody knows; whatever cannot be asked about is taken as typed.

    Raises:
        UsageFault: If nothing of it is held or works, and the broker knows no such contract.
    """
    there = _there(desk)
    if any(is_named(one, symbol) for one in there):
        return
    try:
        async with asyncio.timeout(PATIENCE):
            await desk.trader.market.resolve(symbol)
    except AmbiguousContract as error:
        if error.candidates:
            return
        names = sorted({one.symbol.replace(" ", ".") for one in there})
        near = difflib.get_close_matches(symbol.replace(" ", "."), names, n=1)
        raise UsageFault(
            f"nothing was halted: {error.message}, and nothing of it is held or works",
            remedies=tuple({"--symbol": name} for name in near),
            hint="ibkr-trader positions, or ibkr-trader halt, which halts everything",
        ) from error
    except (TraderError, TimeoutError):
        return


def found(desk: Desk, symbol: str) -> str:
    """Return in a line what there is of `symbol`: what is held, and how many orders work."""
    portfolio = desk.trader.portfolio
    held = [
        f"{quantity(quantity_of(portfolio, one.con_id), signed=True)} {label(one)}"
        for one in holding(portfolio, symbol)
    ]
    working = [one for one in portfolio.orders.values() if is_named(one.spec.contract, symbol)]
    if not held and not working:
        return f"Nothing of {symbol.replace(' ', '.')} is held, and no order of it works."
    orders = f"{counted(len(working), 'order')} of it {'works' if len(working) == 1 else 'work'}"
    return f"Held: {', '.join(held) or 'nothing'}; {orders if working else 'no order of it works'}."


def _there(desk: Desk) -> list[Contract]:
    portfolio = desk.trader.portfolio
    working = [order.spec.contract for order in portfolio.orders.values()]
    return [*holding(portfolio), *working]
