"""Two brokers over one kind of exchange: in process, and as TWS over TCP.

The exchange's clock stands still and its quotes are set by hand, so that both tell the same
story. A story is told as lines of text: what happened to which order, without times.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import pytest

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings
from ibkr_trader.adapters.ibkr.market_data import IBKRMarketData
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import Command
from ibkr_trader.execution.ports import Broker, Clock, MarketData
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.sim.broker import SimulatedBroker
from ibkr_trader.sim.clock import ClockState, ExchangeClock
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.gateway.server import GatewayServer, serve_exchange
from ibkr_trader.sim.market_data import SimulatedMarketData
from ibkr_trader.sim.universe import load_universe

START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday, 10:00 in New York
INSTALL = "k7qav"
E = TypeVar("E", bound=ev.BaseEvent)
Verb = Callable[[Exchange, datetime], Iterable[SimEvent]]


class StillClock(Clock):
    """The exchange's clock, which the test moves, with the machine's monotonic time."""

    def __init__(self, exchange_clock: ExchangeClock) -> None:
        self._exchange_clock = exchange_clock
        self._monotonic = SystemClock()

    def now(self) -> datetime:
        return self._exchange_clock.now()

    def monotonic(self) -> float:
        return self._monotonic.monotonic()


class Pit:
    """One exchange and one broker on it, with all that the broker has said."""

    def __init__(
        self,
        exchange: Exchange,
        clock: ExchangeClock,
        *,
        pulse: Callable[[], None],
        act: Callable[[Verb], None],
        market: MarketData,
    ) -> None:
        self.exchange = exchange
        self.clock = clock
        self.pulse = pulse
        self.act = act  # do what no client asked for
        self.market = market
        self.events: list[ev.BaseEvent] = []
        self._news = asyncio.Condition()
        self._broker: Broker | None = None

    @property
    def broker(self) -> Broker:
        assert self._broker is not None
        return self._broker

    async def listen(self, broker: Broker) -> None:
        self._broker = broker
        async for event in broker.events():
            async with self._news:
                self.events.append(event)
                self._news.notify_all()

    async def send(self, command: Command, *, reduces: bool = False) -> None:
        await self.broker.send(Approved(command=command, at=START, reduces=reduces))

    def wait_until(self, moment: datetime) -> None:
        """Let the exchange reach a moment."""
        self.clock.advance_to(moment)
        self.pulse()

    def quote(self, bid: str, ask: str, *, size: int = 1000, last: str | None = None) -> None:
        """Set the market of AAPL and let the exchange act on it."""
        self.exchange.market.set_quote(
            AAPL_ID,
            bid=Decimal(bid),
            ask=Decimal(ask),
            bid_size=Decimal(size),
            ask_size=Decimal(size),
            last=Decimal(last) if last is not None else None,
        )
        self.pulse()

    async def until(
        self, kind: type[E], is_it: Callable[[E], bool] = lambda _: True, *, after: int = 0
    ) -> E:
        """Wait for the first event of `kind` that `is_it`, beyond the first `after` events."""

        def found() -> E | None:
            matches = (e for e in self.events[after:] if isinstance(e, kind) and is_it(e))
            return next(matches, None)

        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(lambda: found() is not None)
        event = found()
        assert event is not None
        return event

    def story(self, order_id: str, *, after: int = 0) -> list[str]:
        """Return what happened to an order, repeats left out as intake leaves them out."""
        lines: list[str] = []
        for event in self.events[after:]:
            if isinstance(event, ev.OrderEvent) and event.order_id == order_id:
                line = told(event)
                if not lines or lines[-1] != line:
                    lines.append(line)
        return lines


AAPL_ID = 265598


def plain(number: Decimal | None) -> str:
    """Return a number without needless zeros: both brokers mean the same by 149 and 149.00."""
    return "" if number is None else f"{number.normalize():f}"


def told(event: ev.OrderEvent) -> str:
    """Return an order event as a line of text."""
    match event:
        case ev.AcceptEvent(spec=spec):
            prices = [p for p in (spec.limit_price, spec.stop_price) if p is not None]
            return " ".join(["accepted", f"{spec.quantity:f}", *[plain(p) for p in prices]])
        case ev.StatusEvent():
            word = "working" if event.is_working else f"held {event.held_for}".strip()
            return f"{word}, {event.filled:f} filled"
        case ev.FillEvent(fill=fill):
            return f"fill {fill.side} {fill.quantity:f} at {plain(fill.price)}"
        case ev.DoneEvent():
            return f"done {event.filled:f} at {plain(event.average_price)}"
        case ev.CommissionEvent():
            return f"commission {plain(event.commission)}"
        case (
            ev.RejectEvent(code=code)
            | ev.ModifyRejectEvent(code=code)
            | ev.CancelRejectEvent(code=code)
            | ev.CancelEvent(code=code)
            | ev.WarningEvent(code=code)
        ):
            return f"{type(event).__name__.removesuffix('Event')} {code}"
        case _:
            return type(event).__name__.removesuffix("Event")


def new_exchange() -> tuple[Exchange, ExchangeClock]:
    """Return an exchange whose time stands still, with AAPL at 149.99 to 150.01."""
    exchange = Exchange(ExchangeConfig(opened_at=START), load_universe(START.date()))
    clock = ExchangeClock(SystemClock().now, ClockState(at=START, is_paused=True))
    return exchange, clock


@asynccontextmanager
async def simulated_pit(exchange: Exchange, clock: ExchangeClock) -> AsyncIterator[Pit]:
    """Put the broker that works in this process on the exchange."""
    broker = SimulatedBroker(exchange, clock=StillClock(clock), install=INSTALL)

    def act(verb: Verb) -> None:
        broker._report(list(verb(exchange, clock.now())))  # users have no other hand at TWS

    market = SimulatedMarketData(exchange, clock=StillClock(clock))
    pit = Pit(exchange, clock, pulse=broker.advance, act=act, market=market)
    async with asyncio.TaskGroup() as group:
        broker.open()
        group.create_task(pit.listen(broker))
        await pit.until(ev.ConnectEvent)
        try:
            yield pit
        finally:
            broker.close()


@asynccontextmanager
async def gateway_pit(
    exchange: Exchange,
    clock: ExchangeClock,
    *,
    server: GatewayServer,
    client_library: str,
    client_id: int = 1,
) -> AsyncIterator[Pit]:
    """Put the adapter for IBKR on the exchange, over TCP."""
    settings = LinkSettings(
        port=server.port, client_id=client_id, client_library=client_library, max_attempts=1
    )
    connection = IBKRConnection(settings, clock=StillClock(clock))
    broker = IBKRBroker(connection, install=INSTALL)
    market = IBKRMarketData(connection)
    pit = Pit(exchange, clock, pulse=server.pulse, act=server.act, market=market)
    async with asyncio.TaskGroup() as group:
        await connection.open()
        group.create_task(connection.run())
        group.create_task(pit.listen(broker))
        await pit.until(ev.ConnectEvent)
        try:
            yield pit
        finally:
            connection.close()


Opener = Callable[[], AbstractAsyncContextManager[Pit]]


@pytest.fixture(params=["simulated_broker", "gateway_broker"])
async def reopen(request: pytest.FixtureRequest, client_library: str) -> AsyncIterator[Opener]:
    """Return what connects a broker to one and the same exchange, as often as it is called."""
    exchange, clock = new_exchange()
    exchange.market.set_quote(AAPL_ID, bid=Decimal("149.99"), ask=Decimal("150.01"))
    if request.param == "simulated_broker":
        exchange.advance(START)
        yield lambda: simulated_pit(exchange, clock)
        return
    async with serve_exchange(exchange, clock=clock) as server:
        yield lambda: gateway_pit(exchange, clock, server=server, client_library=client_library)


@pytest.fixture
async def pit(reopen: Opener) -> AsyncIterator[Pit]:
    """Return a broker on an exchange of its own."""
    async with asyncio.timeout(20), reopen() as opened:
        await opened.broker.snapshot()  # as every trader does first
        yield opened
