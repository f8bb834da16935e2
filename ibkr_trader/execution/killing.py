"""What a halt promises beyond itself: nothing works that could open, and, if asked for, flat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import is_named
from ibkr_trader.execution.closing import close_each
from ibkr_trader.orders.wishes import HALT
from ibkr_trader.portfolio.openers import openers

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.core.models import Contract, Order
    from ibkr_trader.execution.closing import Closed
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.portfolio.state import PortfolioState

_ROUNDS = 3  # an entry may fill while another contract is being closed
_CANCELS = 5.0  # seconds for cancels before what is held is closed; it goes on without them


def opening(portfolio: PortfolioState, symbol: str = "") -> tuple[Order, ...]:
    """Return our orders that could still open in `symbol`, or (empty) anywhere."""
    return tuple(o for o in openers(portfolio) if is_named(o.spec.contract, symbol))


def holding(portfolio: PortfolioState, symbol: str = "") -> tuple[Contract, ...]:
    """Return the contracts of `symbol`, or (empty) all, of which anything is held."""
    held = (one.contract for one in portfolio.positions.values() if one.quantity)
    return tuple(contract for contract in held if is_named(contract, symbol))


async def await_no_openers(trader: Trader, *, symbol: str = "", timeout: float) -> None:
    """Wait until nothing of `symbol` could open any more, or `timeout` seconds have passed."""
    await trader.until(lambda p: None if opening(p, symbol) else True, timeout=timeout)


async def flatten(
    trader: Trader,
    *,
    symbol: str = "",
    timeout: float,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Closed]:
    """Close what is held in `symbol`, or everywhere; return what became of each contract.

    However often it is asked for, and by how many at once, each contract has one closing.
    What could still open is to be on its way out; what of it fills meanwhile is closed, too.
    """
    await await_no_openers(trader, symbol=symbol, timeout=min(timeout, _CANCELS))
    found: dict[int, Closed] = {}
    for _ in range(_ROUNDS):
        wanted = [
            one
            for one in holding(trader.portfolio, symbol)
            if one.con_id not in found or found[one.con_id].trouble is None
        ]
        if not wanted:
            break
        closed = await close_each(trader, wanted, timeout=timeout, origin=HALT, tell=tell)
        found |= {one.contract.con_id: one for one in closed}
    return list(found.values())
