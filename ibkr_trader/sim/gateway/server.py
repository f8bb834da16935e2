"""The gateway's TCP face: one port on 127.0.0.1, and the task that drives the exchange's time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from time import time

from ibkr_trader.sim.clock import ClockState, ExchangeClock
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.exchange import Exchange
from ibkr_trader.sim.gateway.agenda import Agenda
from ibkr_trader.sim.gateway.engine import Engine
from ibkr_trader.sim.gateway.fault_rules import Fault
from ibkr_trader.sim.gateway.faults import Faults
from ibkr_trader.sim.gateway.lines import Line, Lines
from ibkr_trader.sim.gateway.network import Network
from ibkr_trader.sim.gateway.port import HOST, Bind, Port, listening_socket
from ibkr_trader.sim.gateway.session_faults import SessionFault
from ibkr_trader.sim.gateway.store import Store
from ibkr_trader.sim.gateway.transport_faults import LinkFault
from ibkr_trader.sim.gateway.uplink import Uplink
from ibkr_trader.sim.gateway.wire import Tap

PULSE = 0.1
__all__ = ["HOST", "GatewayServer", "machine_time", "serve_exchange"]


def machine_time() -> datetime:
    """Return the machine's time, in UTC."""
    return datetime.fromtimestamp(time(), UTC)


class GatewayServer:
    """One exchange behind one port.

    Attributes:
        engine: What it serves, in time.
        faults: What may be armed against messages.
        network: What may be armed against the sockets under them.
        uplink: What may be armed behind the gateway.
        lines: Its open sockets.
        listening: Its port.
    """

    def __init__(
        self, engine: Engine, *, pulse: float = PULSE, bind: Bind = listening_socket
    ) -> None:
        self._pulse = pulse
        self.faults = engine.floor.wiring.faults
        self.network = engine.floor.wiring.network
        self.uplink = engine.floor.wiring.uplink
        self.engine = engine
        self.lines = Lines(engine)
        self.listening = Port(lambda: Line(self.lines), bind=bind)

    @property
    def port(self) -> int:
        """Where it listens, known once it does."""
        return self.listening.number

    async def listen(self, port: int) -> None:
        """Open the port (0 for a free one).

        Raises:
            OSError: The port is taken.
            ValueError: It is one of TWS's or IB Gateway's.
        """
        await self.listening.open(port)

    async def drive(self) -> None:
        """Let the exchange's time pass, until cancelled.

        Raises:
            StoreError: The state could not be written. Nothing was answered since.
        """
        while True:
            self.pulse()
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self.lines.broken), self._pulse)

    def pulse(self) -> None:
        """Reach the present, and send everybody what is due."""
        now = self.engine.advance()
        self._settle()
        self.lines.tick(now)
        self.lines.flush()

    def arm(self, *faults: Fault | LinkFault | SessionFault) -> tuple[int, ...]:
        """Put faults in force; return the numbers they are lifted by.

        They are of messages, of the transport, or of what is behind the gateway.
        """
        self.engine.touch()
        numbers: list[int] = []
        for one in faults:
            if isinstance(one, Fault):
                numbers += self.faults.arm(one)
            elif isinstance(one, LinkFault):
                numbers.append(self.network.arm(one))
            else:
                numbers.append(self.uplink.arm(one))
        self._settle()
        self.lines.flush()
        return tuple(numbers)

    def lift(self, number: int | None = None) -> int:
        """End one fault, or all, and chaos; return how many. What they held back goes out."""
        self.engine.touch()
        if number is None:
            self.faults.chaos = None
        count = sum(part.lift(number) for part in self._parts())
        self._settle()
        self.pulse()
        return count

    def act(self, verb: Callable[[Exchange, datetime], Iterable[SimEvent]]) -> None:
        """Do what no client asked for, now, and send everybody what follows."""
        self.engine.touch()
        self.engine.floor.carry_out(verb)
        self.lines.flush()

    def close(self) -> None:
        """Send what waits, and drop every client."""
        self.lines.hang_up()

    def _parts(self) -> tuple[Agenda, Faults, Network, Uplink]:
        # The agenda first: what listens for its plans goes with them, and is no fault of anybody's.
        return self.engine.floor.wiring.agenda, self.faults, self.network, self.uplink

    def _settle(self) -> None:
        """Have the port be as the faults in force want it."""
        if self.network.is_refusing:
            self.listening.shut()
        elif self.listening.number and not self.listening.is_open:
            self.listening.reopen()


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
    bind: Bind = listening_socket,
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
        bind: Makes what listens at a port, for a network that is not the machine's.

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
    server = GatewayServer(engine, pulse=pulse, bind=bind)
    await server.listen(port)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in (server.drive(), server.listening.run())]
            try:
                yield server
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as failures:
        if len(failures.exceptions) == 1:
            raise failures.exceptions[0] from None
        raise
    finally:
        server.listening.shut()
        server.close()
        await server.listening.ended()
