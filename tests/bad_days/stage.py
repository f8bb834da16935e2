"""A whole desk on a gateway that misbehaves on purpose, and its judges.

The desk is the library's own, over TCP through the client library, with a journal on disk. The
gateway serves in the same process; `day.faults` makes it lose, delay or reorder what passes.
Time stands still, for the exchange and for the event loop alike, until `day.wait` lets it pass:
so every timer goes off when the story wants it, however slow the machine is.

Nothing is judged by what the desk believes, only by the exchange's ledger and the wire log; that
the desk's books agree with the ledger is one of the judgements.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings
from ibkr_trader.adapters.ibkr.market_data import IBKRMarketData
from ibkr_trader.adapters.journal import SessionHeader, SqliteJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import TraderError
from ibkr_trader.core.trading_day import NEW_YORK
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.outlook import RiskSettings
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.execution.skew_watch import in_step
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.execution.trader import Trader
from ibkr_trader.orders.cover_orders import CoverRules, Policy
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.risk.limits import RiskLimits
from ibkr_trader.sim.clock import ClockState, ExchangeClock
from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.gateway.fault_rules import Cut, Fault, When
from ibkr_trader.sim.gateway.ledger_view import LedgerView
from ibkr_trader.sim.gateway.server import serve_exchange
from ibkr_trader.sim.gateway.wire import WireEntry, WireLog
from ibkr_trader.sim.orders import OrderTerms
from ibkr_trader.sim.universe import load_universe
from tests.bad_days.bad_lines import is_hindered, round_trip
from tests.bad_days.still_time import StillTime
from tests.limits import roomy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
    from pathlib import Path
    from typing import Any

    import pytest

    from ibkr_trader.core.enums import Side
    from ibkr_trader.core.models import Order, OrderRequest
    from ibkr_trader.orders.group import GroupRequest
    from ibkr_trader.sim.events import SimEvent
    from ibkr_trader.sim.gateway.faults import Faults
    from ibkr_trader.sim.gateway.server import GatewayServer
    from ibkr_trader.sim.orders import SimOrder

E = TypeVar("E", bound=ev.BaseEvent)
START = datetime(2026, 11, 20, 15, tzinfo=UTC)  # a Friday, 10:00 in New York
ACCOUNT = "SIM0000001"
AAPL, MSFT = 265598, 272093
LIMITS = roomy()
CLOCKWORK = frozenset({"reqCurrentTime", "currentTime"})  # what `quiet` itself sends
_TURNS = 15  # of the event loop: more than the longest chain from a socket to the next frame


class Day:
    """The gateway's side of the story, and its time; `open_desk` puts a desk on it."""

    def __init__(
        self, exchange: Exchange, clock: ExchangeClock, *, time: StillTime, folder: Path
    ) -> None:
        self.exchange, self.time, self.folder = exchange, time, folder
        self.wire = WireLog()
        self.ledger = LedgerView(exchange)
        self.heard: list[ev.BaseEvent] = []
        self._clock = clock
        self._words = 0
        self._server: GatewayServer | None = None
        self._connection: IBKRConnection | None = None
        self._desk: Desk | None = None

    # -- who is there -------------------------------------------------------------------------

    @property
    def desk(self) -> Desk:
        """The desk that is open."""
        assert self._desk is not None
        return self._desk

    @property
    def trader(self) -> Trader:
        """Its trader."""
        return self.desk.trader

    @property
    def server(self) -> GatewayServer:
        """The gateway."""
        assert self._server is not None
        return self._server

    @property
    def faults(self) -> Faults:
        """What goes wrong at the gateway."""
        return self.server.faults

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve the exchange for the length of the block."""
        now, tap = self._clock.now, self._hear_wire
        async with serve_exchange(self.exchange, clock=self._clock, wall=now, tap=tap) as server:
            self._server = server
            yield

    @asynccontextmanager
    async def open_desk(
        self, *, limits: RiskLimits = LIMITS, policy: Policy = Policy.ALERT
    ) -> AsyncIterator[Desk]:
        """Open a desk as `app.open_desk` does; the second one of a day is a restart.

        `policy` is what it does about a position of ours that no stop covers.
        """
        async with AsyncExitStack() as stack:
            header = SessionHeader(version="0", config_hash="", command="test", user="nobody")
            journal = stack.enter_context(
                SqliteJournal(self.folder / "journal.db", clock=self.time, header=header)
            )
            window = "23:40-00:20"  # the default of the settings
            settings = LinkSettings(port=self.server.port, restart_window=window)
            connection = IBKRConnection(settings, clock=self.time, jitter=lambda: 0.5)
            await connection.open()
            await stack.enter_async_context(alongside(connection.run()))
            stack.callback(connection.close)
            trader = Trader(
                broker=IBKRBroker(connection, install=journal.state.install),
                market=IBKRMarketData(connection),
                journal=journal,
                clock=self.time,
                account=connection.account,
                guard=RiskGuard(),
                settings=RiskSettings(limits=limits, zone=ZoneInfo(NEW_YORK)),
                ack_timeout=10.0,
                protection=CoverRules(policy=policy),
                duty=Duty.FULL,  # as a trader that stays running
            )
            trader.outlook.book.skew = in_step
            trader.bus.subscribe(ev.BaseEvent, self.heard.append)
            self._connection = connection
            await stack.enter_async_context(trader.running())
            self._desk = Desk(trader, timeout=10.0)
            try:
                yield self._desk
            finally:
                self._desk = self._connection = None

    # -- orders and other people --------------------------------------------------------------

    def order(self, ref: str) -> SimOrder:
        """Return the exchange's order of that name, or of that role if only one has it."""
        named = [
            order
            for order in (*self.exchange.orders.working(), *self.exchange.orders.completed())
            if order.terms.order_ref == ref or order.terms.order_ref.endswith(f"-{ref}")
        ]
        assert len(named) == 1, f"{len(named)} orders are called {ref}"
        return named[0]

    def news(self, kind: type[E]) -> list[E]:
        """Return what the desk has heard or said of a kind."""
        return [event for event in self.heard if isinstance(event, kind)]

    async def accepted(self, request: OrderRequest | GroupRequest) -> tuple[Order, ...]:
        """Place what is asked for and wait until the broker has taken it."""
        prepared = await prepare(self.trader, request)
        return await place(self.trader, prepared, wait=Wait.ACCEPTED, timeout=10)

    async def sent(self, request: OrderRequest | GroupRequest) -> tuple[Order, ...]:
        """Send a request and wait for nothing but the wire."""
        prepared = await prepare(self.trader, request)
        orders = await place(self.trader, prepared, wait=Wait.NONE, timeout=10)
        await self.quiet()
        return orders

    @asynccontextmanager
    async def trying(self, work: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
        """Do `work` beside the block, whatever becomes of it."""

        async def try_it() -> None:
            with suppress(TraderError):
                await work

        async with alongside(try_it()):
            await self.quiet()
            yield

    async def broker_cancel(self, ref: str, *, reason: str = "by the broker") -> None:
        """Have the broker take one of our orders away."""
        acts, perm_id = self.exchange.broker_acts, self.order(ref).perm_id
        await self.others(lambda now: acts.time_out(perm_id, reason=reason, now=now))

    async def others(self, verb: Callable[[datetime], Iterable[SimEvent]]) -> None:
        """Let somebody else act at the exchange, and everybody hear of it."""
        self.server.act(lambda _, now: verb(now))
        await self.quiet()

    async def hand_modify(
        self, ref: str, *, quantity: Decimal | None = None, stop_price: Decimal | None = None
    ) -> None:
        """Change one of our orders in TWS."""
        hand, perm_id = self.exchange.hand, self.order(ref).perm_id
        await self.others(
            lambda now: hand.modify(perm_id, quantity=quantity, stop_price=stop_price, now=now)
        )

    async def hand_cancel(self, ref: str) -> None:
        """Cancel one of our orders in TWS."""
        hand, perm_id = self.exchange.hand, self.order(ref).perm_id
        await self.others(lambda now: hand.cancel(perm_id, now=now))

    async def hand_close(self, quantity: int | None = None) -> None:
        """Close AAPL in TWS, or trade so much against it."""
        hand, size = self.exchange.hand, None if quantity is None else Decimal(quantity)
        await self.others(lambda now: hand.close(AAPL, quantity=size, now=now))

    async def hand_order(self, side: Side, quantity: int, *, limit: str = "") -> None:
        """Place an order for AAPL in TWS."""
        terms = OrderTerms(
            con_id=AAPL,
            action=side.value,
            quantity=Decimal(quantity),
            order_type="LMT" if limit else "MKT",
            limit_price=Decimal(limit) if limit else None,
        )
        await self.others(lambda now: self.exchange.hand.place(terms, now=now))

    async def trade(self, ref: str, quantity: int | None = None) -> None:
        """Make so much of a working order trade now."""
        forcing, perm_id = self.exchange.forcing, self.order(ref).perm_id
        size = None if quantity is None else Decimal(quantity)
        await self.others(lambda now: forcing.trade(perm_id, quantity=size, now=now))

    async def both_trade(self, *refs: str) -> None:
        """Make several orders trade in one and the same moment."""
        forcing, ids = self.exchange.forcing, [self.order(ref).perm_id for ref in refs]
        await self.others(
            lambda now: [event for name in ids for event in forcing.trade(name, now=now)]
        )

    async def gap(self, price: str) -> None:
        """Have the market of AAPL leap."""
        acts = self.exchange.floor_acts
        await self.others(lambda now: acts.gap(AAPL, price=Decimal(price), now=now))

    async def halt(self, *, on: bool = True) -> None:
        """Halt trading in AAPL, or let it go on."""
        acts = self.exchange.floor_acts
        await self.others(lambda now: acts.halt(AAPL, halted=on, now=now))

    async def rise(self, start: str, end: str, *, steps: int = 6) -> None:
        """Move the market of AAPL from one price to another, a step each second."""
        low, high = Decimal(start), Decimal(end)
        for n in range(1, steps + 1):
            price = low + (high - low) * n / steps
            await self.quote(f"{price:.2f}", f"{price + Decimal('0.02'):.2f}")
            await self.wait(1)

    async def correct(self, exec_id: str, *, price: str = "", quantity: str = "") -> None:
        """Have the exchange correct an execution."""
        acts = self.exchange.broker_acts
        await self.others(
            lambda now: acts.correct(
                exec_id,
                price=Decimal(price) if price else None,
                quantity=Decimal(quantity) if quantity else None,
                now=now,
            )
        )

    async def bust(self, exec_id: str) -> None:
        """Have the exchange take an execution back."""
        await self.others(lambda now: self.exchange.broker_acts.bust(exec_id, now=now))

    async def lose_link(self) -> None:
        """Break the desk's connection off; it comes back within seconds."""
        self.faults.arm(Fault(when=When(names=("reqCurrentTime",)), act=Cut()))
        await self.quiet()

    def said(self, *words: str) -> list[str]:
        """Return what groups have said with one of `words` in it."""
        told = [event.message for event in self.news(ev.GroupEvent)]
        return [message for message in told if any(word in message for word in words)]

    # -- time and market ----------------------------------------------------------------------

    async def wait(self, seconds: float, *, step: float = 1.0) -> None:
        """Let time pass, in steps; everybody does at each what is then due."""
        left = seconds
        while left > 0:
            stride = min(step, left)
            left -= stride
            self._clock.advance_to(self._clock.now() + timedelta(seconds=stride))
            self.time.passed += stride
            self.server.pulse()
            await self.quiet()

    async def wait_until(self, moment: datetime, *, step: float = 1800) -> None:
        """Let time pass until a moment of the exchange's."""
        left = moment - self._clock.now()
        await self.wait(left.total_seconds(), step=step)

    async def quiet(self) -> None:
        """Wait until nobody has anything left to say at this moment."""
        while True:
            before = self._said()
            await self._turns()
            connection = self._connection
            if connection is not None:
                if not is_hindered(self.server.network):
                    await round_trip(connection)
                await self._turns()
            if self._desk is not None:
                await self.trader.intake.drained()  # what groups ask for may have to wait its turn
            if self._said() == before:
                return

    async def quote(
        self, bid: str, ask: str, *, con_id: int = AAPL, size: int = 1000, last: str = ""
    ) -> None:
        """Set a market by hand, and let everybody act on it."""
        self.exchange.market.set_quote(
            con_id,
            bid=Decimal(bid),
            ask=Decimal(ask),
            bid_size=Decimal(size),
            ask_size=Decimal(size),
            last=Decimal(last or bid),
        )
        self.server.pulse()
        await self.quiet()

    async def until(self, is_so: Callable[[], bool], *, within: float = 30) -> None:
        """Let seconds pass until something is so; it must be within so many."""
        for _ in range(int(within)):
            if is_so():
                return
            await self.wait(1)
        assert is_so(), f"not within {within:g} s"

    @asynccontextmanager
    async def meanwhile(self, *, within: float = 60) -> AsyncIterator[None]:
        """Let seconds pass while the block waits for what only time can bring."""

        async def pass_time() -> None:
            for _ in range(int(within)):
                await self.wait(1)

        async with alongside(pass_time()):
            await self.quiet()
            yield

    async def _turns(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def _hear_wire(self, entry: WireEntry) -> None:
        self.wire(entry)
        self._words += entry.name not in CLOCKWORK

    def _said(self) -> tuple[int, int]:
        return self._words, len(self.heard)


@asynccontextmanager
async def a_day(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, config: ExchangeConfig | None = None
) -> AsyncIterator[Day]:
    """Serve an exchange of its own whose time stands still, AAPL at 149.99 to 150.01."""
    config = config or ExchangeConfig(opened_at=START)
    exchange = Exchange(config, load_universe(config.opened_at.date()))
    clock = ExchangeClock(lambda: START, ClockState(at=config.opened_at, is_paused=True))
    time = StillTime(clock)
    with monkeypatch.context() as patched:
        patched.setattr(asyncio.get_running_loop(), "time", time.monotonic)
        day = Day(exchange, clock, time=time, folder=folder)
        exchange.market.set_quote(AAPL, bid=Decimal("149.99"), ask=Decimal("150.01"))
        async with day.serving():
            yield day
