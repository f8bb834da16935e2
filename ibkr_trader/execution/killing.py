"""What a halt promises beyond itself: nothing works that could open, and, if asked for, flat."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.contracts import is_named
from ibkr_trader.core.enums import TradingState
from ibkr_trader.execution.closing import close_each
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.orders.wishes import HALT
from ibkr_trader.portfolio.openers import openers

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.core.models import Contract, Order
    from ibkr_trader.execution.closing import Closed
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.portfolio.state import PortfolioState

_ROUNDS = 3  # an entry may fill while another contract is being closed
_LEAVE = 1.0  # seconds that the end of a desk waits for its cancels
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


async def keep_halts(trader: Trader) -> None:
    """Wait a moment until what is halted has nothing left that could open, at a desk that acts."""
    if trader.guardian.duty is Duty.NONE or trader.outlook.is_readonly:
        return
    for halt in tuple(trader.outlook.book.switch.held.values()):
        if halt.state is TradingState.HALTED and not halt.keeps_entries:
            await await_no_openers(trader, symbol=halt.symbol, timeout=_LEAVE)


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


class Flattener:
    """Keeps the promises of halts that are to end flat: here, or, if this process ends, the next.

    The promise is on record with its halt. It is over once nothing is held or could open any
    more, or with the halt. It is tried once on each connection: what could not be closed was
    told, and is asked for again by whoever halts again.
    """

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._tried: dict[str, int] = {}  # on which connection, by symbol
        self._at_work: list[str] = []
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def take(self) -> list[str]:
        """Return what is to be closed now: symbols, or (empty) everything, each once."""
        trader = self._trader
        outlook, epoch = trader.outlook, trader.portfolio.link.epoch
        held = outlook.book.switch.held
        # As with all that the desk does by itself: who only looks sends nothing.
        if not held or trader.guardian.duty is Duty.NONE:
            return []
        if outlook.is_readonly or not outlook.is_synced:
            return []
        promised = (symbol for symbol, event in held.items() if event.flattens)
        due = [symbol for symbol in promised if self._tried.get(symbol) != epoch]
        self._tried |= dict.fromkeys(due, epoch)
        return due

    def renew(self, symbol: str) -> None:
        """Try once more to close `symbol`: somebody asks for it again."""
        if symbol not in self._at_work:
            self._tried.pop(symbol, None)

    def forget(self) -> None:
        """Let nothing be known of earlier attempts: somebody has resumed."""
        self._tried.clear()

    async def carry_out(
        self, symbol: str, *, timeout: float, tell: Callable[[str], None] = lambda _: None
    ) -> list[Closed]:
        """Close `symbol`, or (empty) everything; put it on record once the promise is kept."""
        self._tried[symbol] = self._trader.portfolio.link.epoch
        self._at_work.append(symbol)
        self._is_idle.clear()
        try:
            closed = await flatten(self._trader, symbol=symbol, timeout=timeout, tell=tell)
        finally:
            self._at_work.remove(symbol)
            if not self._at_work:
                self._is_idle.set()
        self._settle(symbol)
        return closed

    async def idle(self) -> None:
        """Wait until nothing is being closed any more."""
        await self._is_idle.wait()

    def _settle(self, symbol: str) -> None:
        trader = self._trader
        event = trader.outlook.book.switch.held.get(symbol)
        if event is None or not event.flattens or not trader.outlook.is_synced:
            return
        if holding(trader.portfolio, symbol) or opening(trader.portfolio, symbol):
            return
        trader.record.witness([msgspec.structs.replace(event, flattens=False)])
