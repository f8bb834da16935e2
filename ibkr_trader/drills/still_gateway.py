"""A gateway in this process whose time stands still until it is let pass.

It listens on a real loopback port, and a whole desk talks to it through the client library. Time
stands still for the exchange and for the event loop alike: so every timer goes off when the story
wants it, however slow the machine is, and an hour passes as fast as it can be computed.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from ibkr_trader.core.errors import BrokerUnavailable, InvariantBroken
from ibkr_trader.drills.still_time import StillTime
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.sim.clock import ClockState, ExchangeClock
from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.floor_rules import fits
from ibkr_trader.sim.gateway.ledger_view import LedgerView
from ibkr_trader.sim.gateway.server import serve_exchange
from ibkr_trader.sim.gateway.transport_faults import Blackhole, Latency, Slow
from ibkr_trader.sim.gateway.wire import WireEntry, WireLog
from ibkr_trader.sim.universe import load_universe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from ibkr_trader.adapters.ibkr.connection import IBKRConnection
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.sim.events import SimEvent
    from ibkr_trader.sim.gateway.faults import Faults
    from ibkr_trader.sim.gateway.server import GatewayServer
    from ibkr_trader.sim.orders import SimOrder

CLOCKWORK = frozenset({"reqCurrentTime", "currentTime"})  # what `quiet` itself sends
_STUCK = 0.5  # seconds of the machine's in which nobody says anything
_TURNS = 15  # of the event loop: more than the longest chain from a socket to the next frame


class Venue:
    """An exchange of its own behind a gateway, and what it has seen.

    Attributes:
        exchange: The exchange; nobody else trades there but those whom the story lets.
        clock: Its clock, which is paused.
        time: Everybody's time.
        wire: Every message in both directions.
        ledger: The exchange's own books.
        heard: What the desk has heard or said, oldest first.
        on_instant: Called with the seconds that a moment is about to last, once all is said in it.
    """

    def __init__(self, config: ExchangeConfig) -> None:
        self.exchange = Exchange(config, load_universe(config.opened_at.date()))
        state = ClockState(at=config.opened_at, is_paused=True)
        self.clock = ExchangeClock(lambda: config.opened_at, state)
        self.time = StillTime(self.clock)
        self.wire = WireLog()
        self.ledger = LedgerView(self.exchange)
        self.heard: list[BaseEvent] = []
        self.on_instant: Callable[[float], None] = _nothing
        self._words = 0
        self._server: GatewayServer | None = None
        self._connection: IBKRConnection | None = None
        self._trader: Trader | None = None

    @property
    def server(self) -> GatewayServer:
        """The gateway.

        Raises:
            InvariantBroken: If it does not serve.
        """
        if self._server is None:
            raise InvariantBroken("the gateway of this story serves nobody")
        return self._server

    @property
    def faults(self) -> Faults:
        """What goes wrong at the gateway."""
        return self.server.faults

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve the exchange for the length of the block, and hold the loop's time."""
        began, tap = self.clock.now(), self._hear_wire
        with self.time.rules_the_loop():
            async with serve_exchange(
                self.exchange,
                clock=self.clock,
                wall=lambda: began,  # on a clock that moved, it would sleep while nobody is there
                tap=tap,
                may_wake=False,
            ) as server:
                self._server = server
                yield

    def attend(self, connection: IBKRConnection | None, trader: Trader | None = None) -> None:
        """Wait for this desk, too, whenever all is to be quiet; for none without a connection."""
        self._connection, self._trader = connection, trader

    def cut(self) -> None:
        """Cut the line to the desk: nothing that it still says arrives."""
        if self._connection is not None:
            self._connection.close()
        self.attend(None)

    def order(self, ref: str) -> SimOrder:
        """Return the exchange's order of that name, or of that role if only one has it.

        Raises:
            InvariantBroken: If there is none, or several are.
        """
        known = (*self.exchange.orders.working(), *self.exchange.orders.completed())
        named = [order for order in known if fits(order.terms.order_ref, ref)]
        if len(named) != 1:
            raise InvariantBroken(f"{len(named)} orders are called {ref}")
        return named[0]

    @property
    def _is_hindered(self) -> bool:
        """Whether bytes wait for time to pass: then a question has no answer at this moment."""
        armed = self.server.network.armed
        return any(isinstance(one.fault, Blackhole | Latency | Slow) for one in armed)

    def _hear_wire(self, entry: WireEntry) -> None:
        self.wire(entry)
        self._words += entry.name not in CLOCKWORK

    def _said(self) -> tuple[int, int]:
        return self._words, len(self.heard)


class StillGateway(Venue):
    """Such a gateway, whose time passes when it is told to."""

    async def others(self, verb: Callable[[datetime], Iterable[SimEvent]]) -> None:
        """Let somebody else act at the exchange, and everybody hear of it."""
        self.server.act(lambda _, now: verb(now))
        await self.quiet()

    async def wait(self, seconds: float, *, step: float = 1.0) -> None:
        """Let time pass, in steps; everybody does at each what is then due."""
        left = seconds
        while left > 0:
            stride = min(step, left)
            left -= stride
            self.on_instant(stride)
            self.clock.advance_to(self.clock.now() + timedelta(seconds=stride))
            self.time.passed += stride
            self.server.pulse()
            await self.quiet()

    @asynccontextmanager
    async def meanwhile(self, *, within: float = 60) -> AsyncIterator[None]:
        """Let seconds pass while the block waits for what only time can bring."""

        async def pass_time() -> None:
            for _ in range(int(within)):
                await self.wait(1)

        async with alongside(pass_time()):
            await self.quiet()
            yield

    async def pass_if_stuck(self) -> None:
        """Let time pass, but only while nobody says anything: they wait for it. Never returns."""
        while True:
            before, since = self._said(), monotonic()
            while monotonic() - since < _STUCK:
                await asyncio.sleep(0)
                if self._said() != before:
                    before, since = self._said(), monotonic()
            await self.wait(5)

    async def quiet(self) -> None:
        """Wait until nobody has anything left to say at this moment."""
        while True:
            before = self._said()
            await _turns()
            connection = self._connection
            if connection is not None and not self._is_hindered:
                with suppress(BrokerUnavailable):  # both directions are empty once it is answered
                    await _round_trip(connection)
                await _turns()
            if self._trader is not None:  # what groups ask for may have to wait its turn
                await self._trader.intake.drained()
            if self._said() == before:
                return


async def _turns() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def _round_trip(connection: IBKRConnection) -> None:
    """Ask the gateway something, past the lanes: those keep a pace, and time stands still."""
    with connection.requests.ask("the time", "currentTime") as question:
        frame = connection.encode(lambda api: api.reqCurrentTime())
        connection.session.link.write(frame)
        await question.answer(timeout=1)


def _nothing(_: float) -> None:
    """Nobody looks."""
