"""The gateway's TCP face: one port on 127.0.0.1, and the task that drives the exchange's time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from time import time

from ibkr_trader.sim.clock import ClockState, ExchangeClock
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.exchange import Exchange
from ibkr_trader.sim.gateway.engine import Engine
from ibkr_trader.sim.gateway.lines import Line, Lines
from ibkr_trader.sim.gateway.store import Store
from ibkr_trader.sim.gateway.wire import Tap

HOST = "127.0.0.1"
PULSE = 0.1
PORTS_OF_TWS = frozenset({7496, 7497, 4001, 4002})


def machine_time() -> datetime:
    """Return the machine's time, in UTC."""
    return datetime.fromtimestamp(time(), UTC)


class GatewayServer:
    """One exchange behind one port.

    Attributes:
        port: Where it listens, known once it does.
        engine: What it serves, in time.
        faults: What may be armed against its clients.
    """

    def __init__(self, engine: Engine, *, pulse: float = PULSE) -> None:
        self.port = 0
        self._pulse = pulse
        self.faults = engine.floor.wiring.faults
        self.engine = engine
        self._lines = Lines(engine)

    async def listen(self, port: int) -> asyncio.Server:
        """Open the port (0 for a free one).

        Raises:
            OSError: The port is taken.
            ValueError: It is one of TWS's or IB Gateway's: nobody may take this for either.
        """
        if port in PORTS_OF_TWS:
            message = f"port {port} is of TWS or IB Gateway, and left alone"
            raise ValueError(message)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Line(self._lines), HOST, port, backlog=128)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def drive(self) -> None:
        """Let the exchange's time pass, until cancelled.

        Raises:
            StoreError: The state could not be written. Nothing was answered since.
        """
        while True:
            self.pulse()
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._lines.broken), self._pulse)

    def pulse(self) -> None:
        """Reach the present, and send everybody what is due."""
        self._lines.tick(self.engine.advance())
        self._lines.flush()

    def act(self, verb: Callable[[Exchange, datetime], Iterable[SimEvent]]) -> None:
        """Do what no client asked for, now, and send everybody what follows."""
        self.engine.touch()
        self.engine.floor.carry_out(verb)
        self._lines.flush()

    def close(self) -> None:
        """Send what waits, and drop every client."""
        self._lines.hang_up()


@asynccontextmanager
async def serve_exchange(
    exchange: Exchange,
    *,
    port: int = 0,
    clock: ExchangeClock | None = None,
    store: Store | None = None,
    wall: Callable[[], datetime] = machine_time,
    master_id: int | None = None,
    may_wake: bool = True,
    tap: Tap | None = None,
    pulse: float = PULSE,
) -> AsyncIterator[GatewayServer]:
    """Serve `exchange` on 127.0.0.1 while the block runs.

    Args:
        exchange: What is served.
        port: 0 takes a free one; read it from `server.port`. None of TWS's own.
        clock: The exchange's time; by default it starts where the exchange was opened and runs at
            wall speed.
        store: Where the state is kept; None keeps nothing.
        wall: The machine's time.
        master_id: A client that hears of every order, as client 0 does.
        may_wake: False leaves the clock alone for the first client, however late it stands.
        tap: Is told of every message in both directions, such as a `WireLog`.
        pulse: Seconds between two moments at which the exchange reaches the present by itself.

    Raises:
        OSError: The port is taken.
        ValueError: It is one of TWS's.
        StoreError: The state could not be written.
    """
    clock = clock or ExchangeClock(wall, ClockState(at=exchange.config.opened_at))
    engine = Engine(
        exchange, clock=clock, wall=wall, store=store, master_id=master_id, may_wake=may_wake
    )
    engine.floor.wiring.tap = tap
    server = GatewayServer(engine, pulse=pulse)
    listener = await server.listen(port)
    try:
        async with asyncio.TaskGroup() as group:
            driver = group.create_task(server.drive())
            try:
                yield server
            finally:
                driver.cancel()
    except BaseExceptionGroup as failures:
        if len(failures.exceptions) == 1:
            raise failures.exceptions[0] from None
        raise
    finally:
        listener.close()
        server.close()
        await listener.wait_closed()
