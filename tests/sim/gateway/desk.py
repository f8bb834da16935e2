"""A gateway in this process, on a free port, at 10:00 New York of a Friday that never ends.

Time stands still unless a test moves it: `desk.wait(seconds)` lets the exchange's time pass, and
`desk.quote(...)` sets AAPL's market by hand.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from ib_insync import IB, LimitOrder, Stock

from ibkr_trader.sim.clock import ClockState, ExchangeClock
from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.gateway.acts import Answer
from ibkr_trader.sim.gateway.server import GatewayServer, serve_exchange
from ibkr_trader.sim.gateway.store import Store
from ibkr_trader.sim.universe import load_universe

OPENED = datetime(2026, 11, 20, 15, tzinfo=UTC)
ACCOUNT = "SIM0000001"
AAPL_ID = 265598
AAPL = Stock("AAPL", "SMART", "USD", conId=AAPL_ID)
PRICE, STATUS, ERROR, OPEN, EXEC, FEE = "1", "3", "4", "5", "11", "59"  # how TWS numbers them
Do = Callable[[str], Answer]
Message = tuple[str, ...]


class Wall:
    """The machine's time, moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Desk:
    """A running gateway and the means to move it."""

    def __init__(
        self, exchange: Exchange, server: GatewayServer, wall: Wall, store: Store | None
    ) -> None:
        self.exchange = exchange
        self.server = server
        self.wall = wall
        self.store = store
        self.clients: list[IB] = []

    async def connect(self, client_id: int = 1, *, timeout: float = 4) -> IB:
        """Return a connected ib_insync client."""
        ib = IB()
        ib.RaiseRequestErrors = True
        await ib.connectAsync("127.0.0.1", self.server.port, clientId=client_id, timeout=timeout)
        self.clients.append(ib)
        return ib

    async def leave(self, ib: IB) -> None:
        """Disconnect a client, and let the server notice."""
        ib.disconnect()
        for _ in range(200):
            await asyncio.sleep(0)

    def quote(self, bid: str, ask: str, *, size: int = 1000, con_id: int = AAPL_ID) -> None:
        """Set a market by hand and let orders meet it."""
        self.exchange.market.set_quote(
            con_id,
            bid=Decimal(bid),
            ask=Decimal(ask),
            bid_size=Decimal(size),
            ask_size=Decimal(size),
            last=Decimal(bid),
        )
        self.server.pulse()

    def wait(self, seconds: float = 1) -> None:
        """Let time pass, the machine's and the exchange's."""
        self.wall.now += timedelta(seconds=seconds)
        self.server.pulse()


def raw_messages(ib: IB) -> list[Message]:
    """Return a growing list of the (id, …) frames that the client reads from now on."""
    seen: list[Message] = []
    decoder: Any = ib.client.decoder
    interpret = decoder.interpret

    def note(fields: list[str]) -> None:
        seen.append(tuple(fields))
        interpret(fields)

    decoder.interpret = note
    return seen


async def settle(desk: Desk, ib: IB) -> None:
    """Wait until both directions are empty."""
    desk.server.pulse()
    await ib.reqCurrentTimeAsync()


def order(kind: Any, *terms: Any, ref: str = "k7qav-1-entry", **more: Any) -> Any:
    """Return an order of that kind to buy ten shares."""
    return kind("BUY", 10, *terms, tif="GTC", orderRef=ref, **more)


def limited(ref: str = "k7qav-1-entry", *, limit: float = 100) -> Any:
    """Return a limit order to buy ten shares; at 100 it rests."""
    return order(LimitOrder, limit, ref=ref)


def ids(messages: list[Message], *wanted: str) -> list[str]:
    """Return which of the wanted kinds came, each time that one did."""
    return [fields[0] for fields in messages if fields[0] in wanted]


def codes(messages: list[Message]) -> list[str]:
    """Return the codes of the errors that came."""
    return [fields[3] for fields in messages if fields[0] == ERROR]


def held(desk: Desk) -> int:
    """Return how many shares of AAPL the account has."""
    record = desk.exchange.account.positions.get(AAPL_ID)
    return int(record.quantity) if record else 0


@asynccontextmanager
async def open_desk(
    *,
    store: Path | None = None,
    at: datetime = OPENED,
    config: ExchangeConfig | None = None,
) -> AsyncIterator[Desk]:
    """Serve an exchange of its own while the block runs; `store` carries on from a file."""
    kept = Store(store) if store is not None else None
    state = kept.load() if kept is not None else None
    wall = Wall()
    settings = config or ExchangeConfig(opened_at=OPENED)
    exchange = Exchange(settings, load_universe(OPENED.date()), state)
    clock = ExchangeClock(wall, ClockState(at=state.at if state else at))
    try:
        async with serve_exchange(exchange, clock=clock, store=kept, wall=wall) as server:
            desk = Desk(exchange, server, wall, kept)
            try:
                yield desk
            finally:
                for ib in desk.clients:
                    ib.disconnect()
    finally:
        if kept is not None:
            kept.close()
