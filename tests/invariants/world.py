"""A whole trader on an exchange, in virtual time, that may be killed at any moment.

The exchange keeps the evidence: every frame that reached it, with how things stood before and
after, and every later state. The judges (`judges.py`) look at nothing else, and at the journal
where an invariant speaks of it; what the trader itself believes is no evidence.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings
from ibkr_trader.adapters.ibkr.market_data import IBKRMarketData
from ibkr_trader.core.errors import TraderError
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.outlook import RiskSettings
from ibkr_trader.execution.skew_watch import in_step
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.execution.trader import Trader
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.sim.broker import SimulatedBroker
from ibkr_trader.sim.clock import ClockState, ExchangeClock
from ibkr_trader.sim.exchange import ExchangeConfig
from ibkr_trader.sim.families import BracketMode
from ibkr_trader.sim.gateway.server import serve_exchange
from ibkr_trader.sim.gateway.wire import WireLog
from ibkr_trader.sim.market_data import SimulatedMarketData
from ibkr_trader.sim.orders import OrderTerms
from ibkr_trader.sim.universe import load_universe
from tests.invariants.journals import DiskMortalJournal, MemoryMortalJournal
from tests.invariants.virtual_time import LoopClock, VirtualLoop, fail_loudly
from tests.invariants.watched import AAPL, HUMAN, MSFT, US, WatchedExchange
from tests.limits import roomy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from ibkr_trader.execution.ports import Broker, MarketData
    from tests.invariants.journals import MortalJournal

START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday, 10:00 in New York
INSTALL = "k7qav"
__all__ = [
    "AAPL",
    "HUMAN",
    "INSTALL",
    "LIMITS",
    "MSFT",
    "START",
    "US",
    "WatchedExchange",
    "WiredWorld",
    "World",
]
UNIVERSE = load_universe(START.date())
PULSE = 0.05  # seconds: how often the exchange reaches the present by itself
LIMITS = roomy(
    max_openings_per_second=1_000,
    max_openings_per_minute=10_000,
    max_openings_per_day=100_000,
    max_symbol_share=Decimal("0.03"),  # tighter than the shares where the price is high
    max_gross_exposure=Decimal("0.035"),
)


class Struck(NamedTuple):
    """A fault, and when it struck."""

    at: datetime
    words: str


class Added(NamedTuple):
    """What a person has asked to add to what is held, and when."""

    con_id: int
    quantity: Decimal
    at: datetime


class World:
    """One exchange, one account, and a trader who may die."""

    # How long news may take: until the exchange's next pulse, and through the trader.
    latency = timedelta(seconds=2 * PULSE)
    transit = timedelta(0)  # how long what has left may be on its way
    crossing = timedelta(0)  # how long a message of the gateway's is, where nothing is wrong
    limits, kind = LIMITS, WatchedExchange

    def __init__(
        self,
        *,
        mode: BracketMode = BracketMode.RESIZED,
        seed: int | None = None,
        start: datetime = START,
        folder: Path | None = None,
    ) -> None:
        """Open the exchange.

        With a `seed` the loop has a network of its own; with a `folder` the journal is the real
        one, in there.
        """
        self.loop = self._new_loop(seed)
        self.clock = LoopClock(self.loop, start)
        config = ExchangeConfig(opened_at=start, bracket_mode=mode)
        self.exchange = self.kind(config, UNIVERSE)
        self.exchange.begin()
        self.kept: list[tuple[int, datetime]] = []  # up to which record had been kept, and when
        self.journal = self._first_journal(folder)
        self.journal.kept = lambda last: self.kept.append((last, self.clock.now()))
        self.exchange.written = lambda: self.journal.append([])
        self.wire = WireLog()  # empty where the trader speaks past all wires
        self.trader: Trader | None = None
        self.booted_at: list[datetime] = []
        self.touches: list[tuple[int, datetime]] = []  # when a human acted in which contract
        self.killed_at: list[datetime] = []
        self.died_at: list[datetime] = []  # of these, when a process ended
        self.faults_log: list[Struck] = []  # what went wrong at the gateway
        self.weather: list[datetime] = []  # when something kept messages from arriving in time
        self.diskless: list[tuple[datetime, datetime | None]] = []  # when the disk was full
        self.bared: set[int] = set()  # contracts whose stop somebody took away on purpose
        self.widened: set[str] = set()  # orders whose stop somebody moved by hand
        self.additions: list[Added] = []  # what somebody asked to add to what is held
        self._life: asyncio.Task[None] | None = None
        self._deeds: set[asyncio.Task[object]] = set()
        self._unheard: list[BaseException] = []
        self.failures: list[BaseException] = []
        fail_loudly(self.loop, self._unheard)
        self._human_ids = 0
        self._cut: Callable[[], None] = _nothing
        self._hear: Callable[[], object] = self._alone
        for con_id, price in ((AAPL, "150"), (MSFT, "400")):
            self.quote(con_id, Decimal(price))
        self._pulse = self.loop.create_task(self._drive())
        self.run(0.1)

    def _new_loop(self, seed: int | None) -> VirtualLoop:
        return VirtualLoop(seed=seed)

    def _first_journal(self, folder: Path | None) -> MortalJournal:
        if folder is None:
            return MemoryMortalJournal(INSTALL)
        return DiskMortalJournal(folder / "journal", clock=self.clock, install=INSTALL)

    # -- time -------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let time pass, and everybody do what they do."""
        self.loop.run_until_complete(asyncio.sleep(seconds))
        for task in (self._pulse, self._life):
            if task is not None and task.done() and not task.cancelled():
                task.result()
        assert not self._unheard, self._unheard

    async def _drive(self) -> None:
        while True:
            self.pulse()
            await asyncio.sleep(PULSE)

    # -- the trader ---------------------------------------------------------------------------

    def boot(self) -> Trader:
        """Start the trader, and wait until it is in sync."""
        ready: asyncio.Future[Trader] = self.loop.create_future()
        self._life = self.loop.create_task(self._live(ready))
        while not (ready.done() or self._life.done()):
            self.loop.run_until_complete(asyncio.sleep(0.01))
        if self._life.done():
            self._life.result()
        return self._risen(ready.result())

    def _risen(self, trader: Trader) -> Trader:
        self.trader = trader
        self.booted_at.append(self.clock.now())
        return trader

    async def _live(self, ready: asyncio.Future[Trader]) -> None:
        """Be a trader's process, from its start to its end."""
        async with self._ports() as (broker, market):
            trader = Trader(
                broker=broker,
                market=market,
                journal=self.journal,
                clock=self.clock,
                account=self.exchange.config.account,
                guard=RiskGuard(),
                settings=RiskSettings(limits=self.limits),
                ack_timeout=5.0,
                reach=self._reach,
            )
            trader.client_id = US
            trader.outlook.book.skew = in_step
            if isinstance(broker, IBKRBroker):
                broker.objection = trader.halter.objection
            async with trader.running():
                ready.set_result(trader)
                await asyncio.Event().wait()

    @asynccontextmanager
    async def _ports(self) -> AsyncIterator[tuple[Broker, MarketData]]:
        """Put a broker on the exchange, in this process."""
        broker = SimulatedBroker(self.exchange, clock=self.clock, install=INSTALL, client_id=US)
        broker.open()
        self._cut, self._hear = broker.close, broker.advance
        yield broker, SimulatedMarketData(self.exchange, clock=self.clock)

    def _reach(self, _: str) -> None:
        """Take note that the trader has come to a checkpoint."""

    def pulse(self) -> None:
        """Let the exchange reach the present, and the trader hear of it."""
        self._hear()

    def _alone(self) -> None:
        self.exchange.advance(self.clock.now())

    def rest(self) -> None:
        """Let everything come to rest, with the trader alive and fully told."""
        if self.trader is None:
            self.boot()
        self.run(30)
        self._look_once_more()

    def _look_once_more(self) -> None:
        assert self.trader is not None
        # Trades of others that undid each other show in no position: only a look tells.
        self.loop.run_until_complete(self.trader.recovery.synchronize())
        self.run(3)

    def kill(self) -> None:
        """End the trader as SIGKILL does: not another word on the wire or on the disk."""
        life = self._life
        if life is None:
            return
        self.journal.is_dead = True
        self.killed_at.append(self.clock.now())
        self.died_at.append(self.clock.now())
        self._sever()
        tasks = [life, *self._deeds]
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._deeds.clear()
        self._unheard.clear()
        self.trader = self._life = None
        self.journal = self.journal.inherit()

    def _sever(self) -> None:
        """Let the trader say nothing more to the exchange."""
        self._cut()
        self._cut, self._hear = _nothing, self._alone

    def fill_disk(self) -> None:
        """Let the journal find no room from now on."""
        if not self.journal.is_full:
            self.journal.is_full = True
            self.diskless.append((self.clock.now(), None))

    def free_disk(self) -> None:
        """Let the journal find room again."""
        if self.journal.is_full:
            self.journal.is_full = False
            self.diskless[-1] = (self.diskless[-1][0], self.clock.now())

    def do(self, deed: Coroutine[Any, Any, object]) -> None:
        """Begin something at the trader's desk; what it fails with is kept in `failures`."""

        async def attempt() -> None:
            try:
                await deed
            except (TraderError, ValueError) as error:
                self.failures.append(error)

        task = self.loop.create_task(attempt())
        self._deeds.add(task)
        task.add_done_callback(self._deeds.discard)
        self.loop.run_until_complete(asyncio.sleep(0))  # it has begun, whatever comes next

    @property
    def desk(self) -> Desk:
        """The desk of the trader that lives."""
        assert self.trader is not None
        return Desk(self.trader, timeout=20.0)

    # -- the market, and a human at TWS ---------------------------------------------------------

    def quote(self, con_id: int, mid: Decimal, *, size: int = 10_000) -> None:
        """Set the market of a contract; it acts at once."""
        half = Decimal("0.01")
        market = self.exchange.market
        market.set_quote(
            con_id,
            bid=mid - half,
            ask=mid + half,
            bid_size=Decimal(size),
            ask_size=Decimal(size),
            last=mid,
        )
        self.pulse()

    def mid(self, con_id: int) -> Decimal:
        """Return where the market stands."""
        mark = self.exchange.market.tape(con_id).mark
        assert mark is not None
        return mark

    def by_hand(self, con_id: int, quantity: int) -> None:
        """Buy (or sell, if negative) at the market, as a human at TWS."""
        self._human_ids += 1
        terms = OrderTerms(
            con_id=con_id,
            action="BUY" if quantity > 0 else "SELL",
            quantity=Decimal(abs(quantity)),
            order_type="MKT",
        )
        self.touches.append((con_id, self.clock.now()))
        self.exchange.place(HUMAN, self._human_ids, terms=terms, now=self.clock.now())
        self.pulse()

    def end(self) -> None:
        """Let everything go, and close the loop."""
        self.kill()
        self._pulse.cancel()
        with suppress(asyncio.CancelledError):
            self.loop.run_until_complete(self._pulse)
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


class WiredWorld(World):
    """The same, with TWS between the trader and the exchange: the adapter, over TCP.

    The loop cannot see what the kernel still holds, so virtual time may run ahead of a message.
    """

    latency = timedelta(seconds=1)
    transit = timedelta(seconds=1)
    crossing = timedelta(seconds=1)

    @asynccontextmanager
    async def _ports(self) -> AsyncIterator[tuple[Broker, MarketData]]:
        """Serve the exchange on loopback, and connect to it."""
        clock = ExchangeClock(self.clock.now, ClockState(at=self.clock.now()))
        async with serve_exchange(
            self.exchange, clock=clock, wall=self.clock.now, may_wake=False, tap=self.wire
        ) as server:
            link = LinkSettings(port=server.port, client_id=US, max_attempts=1)
            connection = IBKRConnection(link, clock=self.clock)
            broker = IBKRBroker(connection, install=INSTALL)
            market = IBKRMarketData(connection)
            await connection.open()
            self._cut, self._hear = connection.close, server.pulse
            async with alongside(connection.run()):
                yield broker, market


def _nothing() -> None:
    """There is nothing to cut."""
