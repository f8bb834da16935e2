"""Has prices sent of what is held, so that the day's result and the heat are known.

Both sides of a market are more than that needs: outside regular hours nobody quotes them, and
the last price and the close do. So this waits for those, for all contracts at the same time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ibkr_trader.execution.tasks import alongside

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from ibkr_trader.core.models import Contract, Quote
    from ibkr_trader.execution.trader import Trader


async def value(trader: Trader, contracts: Iterable[Contract], *, timeout: float) -> None:
    """Have a price of each contract, and its close; what has none in `timeout` s has none.

    Raises:
        BrokerUnavailable: If nobody can be asked.
    """
    await _all(_value(trader, contract, timeout=timeout) for contract in contracts)


async def quoted(
    trader: Trader, contract: Contract, *, beside: Iterable[Contract], timeout: float
) -> Quote | None:
    """Return a current quote of `contract`, once those `beside` it have a price, too.

    All are asked at the same time, and waited for `timeout` seconds at most. What has no price
    by then stays unknown; the checks say what follows.

    Raises:
        BrokerUnavailable: If nobody can be asked.
    """
    found: list[Quote | None] = []

    async def ask() -> None:
        found.append(await trader.price(contract, timeout=timeout))

    await _all((ask(), *(_value(trader, other, timeout=timeout) for other in beside)))
    return found[0]


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all of them, and then raise what the first of them raised."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def _value(trader: Trader, contract: Contract, *, timeout: float) -> None:
    """Wait until a contract has a price and a close, or has been refused one."""
    con_id, is_over = contract.con_id, asyncio.Event()

    def is_known(_: object) -> bool | None:
        quote = trader.market.last_quote(con_id)
        return True if quote is not None and quote.mark and quote.close else None

    async def ask() -> None:
        try:
            await trader.price(contract, timeout=timeout)
        finally:
            is_over.set()

    async def see() -> None:
        await trader.until(is_known, timeout=timeout)
        is_over.set()

    async with alongside(ask(), see()):
        await is_over.wait()
    quote = trader.market.last_quote(con_id)
    if quote is not None:
        trader.outlook.confirm(con_id, quote)
