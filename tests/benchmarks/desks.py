"""Who is measured against the gateway: our trader, and ib_insync as people use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import ib_insync

from ibkr_trader.adapters.clock import OffsetClock
from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings
from ibkr_trader.adapters.ibkr.lanes import Lanes
from ibkr_trader.adapters.ibkr.market_data import IBKRMarketData
from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.models import OrderRequest
from ibkr_trader.execution.outlook import RiskSettings
from ibkr_trader.execution.ports import Journal
from ibkr_trader.execution.skew_watch import in_step
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.execution.trader import Trader
from ibkr_trader.risk.guard import RiskGuard
from tests.benchmarks.stage import HOST
from tests.limits import roomy

MANY = 1_000_000
SYMBOL = "AAPL"
FAR_BELOW = Decimal(100)  # AAPL opens at 150: an order here rests

# Every check runs; only the limits on how often and how many are out of the way.
WIDE = roomy(
    max_openings_per_second=MANY,
    max_openings_per_minute=MANY,
    max_openings_per_day=MANY,
    max_working=MANY,
    max_working_per_side=MANY,
    max_position_size=Decimal(MANY),
    max_gross_exposure=Decimal(MANY),
    max_symbol_share=Decimal(MANY),
    duplicate_window=timedelta(microseconds=1),
    max_quote_age=timedelta(hours=1),
)


class Seat:
    """Our trader with the connection under it."""

    def __init__(self, trader: Trader, connection: IBKRConnection) -> None:
        self.trader = trader
        self.connection = connection


@asynccontextmanager
async def our_desk(
    port: int,
    journal: Journal,
    *,
    client_id: int = 1,
    paced: bool = False,
    equip: Callable[[Trader], object] = lambda _: None,
) -> AsyncIterator[Seat]:
    """Open our trader as `app.open_desk` does, with AAPL known and quoted.

    Without `paced` the lanes let everything through at once, since pacing is TWS's limit
    and not ours; the code that keeps it still runs.
    """
    clock = OffsetClock()
    settings = LinkSettings(host=HOST, port=port, client_id=client_id, max_attempts=1)
    connection = IBKRConnection(settings, clock=clock, on_server_time=clock.set_time)
    if not paced:
        write = connection._write  # the rate has no other handle, and users need none
        connection.lanes = Lanes(write=write, rate=MANY, bulk_rate=MANY)
    broker = IBKRBroker(connection, install=journal.state.install)
    await connection.open()
    async with alongside(connection.run()):
        trader = Trader(
            broker=broker,
            market=IBKRMarketData(connection),
            journal=journal,
            clock=clock,
            account=connection.account,
            guard=RiskGuard(),
            settings=RiskSettings(limits=WIDE),
        )
        trader.outlook.book.skew = in_step
        equip(trader)
        try:
            async with trader.running():
                details = await trader.learn(SYMBOL)
                await trader.price(details.contract, timeout=5)
                yield Seat(trader, connection)
        finally:
            connection.close()


@asynccontextmanager
async def ib_insync_desk(
    port: int, *, client_id: int, paced: bool = False
) -> AsyncIterator[ib_insync.IB]:
    """Connect ib_insync; without `paced` its throttle is off."""
    ib = ib_insync.IB()
    if not paced:
        ib.client.MaxRequests = 0
    await ib.connectAsync(HOST, port, clientId=client_id, timeout=10)
    try:
        yield ib
    finally:
        ib.disconnect()


def resting_request() -> OrderRequest:
    """Return an order that rests below the market."""
    return OrderRequest(
        symbol=SYMBOL,
        side=Side.BUY,
        quantity=Decimal(1),
        order_type=OrderType.LIMIT,
        limit_price=FAR_BELOW,
    )


def resting_order() -> ib_insync.Order:
    """Return the same order for ib_insync."""
    return ib_insync.LimitOrder("BUY", 1, float(FAR_BELOW), tif="DAY")


async def resolved(ib: ib_insync.IB) -> ib_insync.Contract:
    """Return the contract of `SYMBOL`, looked up once."""
    (contract,) = await ib.qualifyContractsAsync(ib_insync.Stock(SYMBOL, "SMART", "USD"))
    return contract
