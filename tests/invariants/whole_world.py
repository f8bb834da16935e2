"""The whole of it on virtual time: gateway, client library, adapter, trader, and a seeded network.

The gateway outlives the trader, and may die itself; both ends speak bytes over
`memory_network.py`. Every fault that the gateway can be told of may be armed, in the words of
`gateway inject`. What the trader could not know, it is not judged by: a lost link, a message that
was dropped or held back begin a time without knowledge (`killed_at`), which ends with the next
complete look at the account (`booted_at`), as the wire log shows both.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings
from ibkr_trader.adapters.ibkr.market_data import IBKRMarketData
from ibkr_trader.core.errors import TraderError
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.sim.clock import ClockState, ExchangeClock
from ibkr_trader.sim.families import BracketMode
from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway import transport_faults as links
from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.doing import Doer
from ibkr_trader.sim.gateway.server import serve_exchange
from ibkr_trader.sim.gateway.wire import Way, WireEntry
from tests.invariants import ability
from tests.invariants.world import AAPL, INSTALL, MSFT, START, US, Struck, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from ibkr_trader.execution.ports import Broker, MarketData
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.sim.gateway.acts import Answer
    from ibkr_trader.sim.gateway.faults import Armed
    from ibkr_trader.sim.gateway.port import Bind
    from ibkr_trader.sim.gateway.server import GatewayServer

T = TypeVar("T")
PORT = 40_000
QUIET = 20.0  # seconds after which whatever was begun is over
LONGEST_PAUSE = 95.0  # seconds between two dials, at the most
CONTRACTS = (AAPL, MSFT)
AGAIN = 6.0  # seconds after which what was asked in vain is asked again
PULSE = 0.25  # seconds: how often the exchange goes on by itself
PATIENCE = 120.0  # seconds for a trader to come up; then whoever started it gives up
_LOOKS = {
    "reqAllOpenOrders": "openOrderEnd",
    "reqCompletedOrders": "completedOrdersEnd",
    "reqExecutions": "execDetailsEnd",
    "reqPositions": "positionEnd",
}
_HARMLESS = (rules.Repeat, rules.Unset, rules.Warn)
_CUTTING = (acts.HangUp, acts.Blurt, acts.Restart, acts.Restore)
_HIDING = (links.Blackhole, links.Latency, links.Slow, links.Refuse)


class WholeWorld(World):
    """An exchange behind its gateway, and a trader who speaks to it as to TWS.

    Attributes:
        epochs: When each connection of the trader's began, by the wire.
    """

    latency = timedelta(seconds=0.6)
    transit = timedelta(seconds=0.6)
    crossing = timedelta(seconds=0.05)  # in two pieces, or behind others

    def __init__(
        self,
        *,
        mode: BracketMode = BracketMode.RESIZED,
        seed: int = 0,
        start: datetime = START,
        folder: Path | None = None,
    ) -> None:
        """Open it; with a `folder` the journal is the real one, in there."""
        self.server: GatewayServer | None = None
        self.epochs: list[datetime] = []
        self._gateway: asyncio.Task[None] | None = None
        self._doer: Doer | None = None
        self._armed: dict[str, tuple[Armed, ...]] = {}
        self._strikes: dict[int, int] = {}
        self._asked: set[str] = set()
        self._shown: set[str] = set()
        self._blind_until = start
        self._sight_due: datetime | None = None
        self._jitter = random.Random(seed)  # noqa: S311 - pauses, not a secret
        self._deadly: tuple[str, int] | None = None
        self._doomed = asyncio.Event()
        super().__init__(mode=mode, seed=seed, start=start, folder=folder)
        self.start_gateway()

    # -- the gateway ---------------------------------------------------------------------------

    def start_gateway(self) -> None:
        """Let the gateway listen, on the port that it had."""
        if self._gateway is not None:
            return
        up = asyncio.Event()
        network = self.loop.network
        assert network is not None

        async def serve() -> None:
            clock = ExchangeClock(self.clock.now, ClockState(at=self.clock.now()))
            async with serve_exchange(
                self.exchange,
                port=PORT,
                clock=clock,
                wall=self.clock.now,
                may_wake=False,
                tap=self._tap,
                pulse=PULSE,
                bind=cast("Bind", network.bind),
            ) as server:
                self.server, self._hear = server, server.pulse
                self._doer = Doer(server, Path())
                up.set()
                await asyncio.Event().wait()

        self._gateway = self.loop.create_task(serve())
        self.loop.run_until_complete(up.wait())

    def stop_gateway(self, *, crash: bool) -> None:
        """End the gateway: in order, or as SIGKILL does."""
        task = self._gateway
        if task is None:
            return
        assert self.loop.network is not None
        self.blind("the gateway is gone")
        if crash:
            self.loop.network.sever(1)
        self.server = self._doer = self._gateway = None
        self._hear = self._alone
        self._armed.clear()
        task.cancel()
        with suppress(asyncio.CancelledError):
            self.loop.run_until_complete(task)

    def inject(self, words: str) -> Answer:
        """Do something to the gateway, the market or by hand at TWS, in the words of its command.

        Raises:
            CannotDo: It cannot be done now.
        """
        act = read_act(words.split())
        assert self._doer is not None
        assert self.server is not None
        before = self.server.faults.armed
        answer = self.loop.run_until_complete(_within(self._doer, act))
        new = tuple(one for one in self.server.faults.armed if one not in before)
        if isinstance(act, acts.Arm):
            self._armed[words] = (*self._armed.get(words, ()), *new)
        if isinstance(act, (*_CUTTING, acts.Arm)) and (
            isinstance(act, _CUTTING) or self._is_under_weather()
        ):
            self.blind(words)
        return answer

    def _is_under_weather(self) -> bool:
        """Whether a fault is in force that keeps messages from arriving, all or in time."""
        if self.server is None:
            return True
        there = [one.fault for one in self.server.network.armed]
        is_cut = any(isinstance(fault, _HIDING) for fault in there)
        return is_cut or self.server.uplink.outage is not None

    def cut_link(self, side: int, *, reset: bool) -> None:
        """End the connection between trader and gateway, by the hand of one side."""
        assert self.loop.network is not None
        self.blind("the link is cut")
        self.loop.network.cut(side, reset=reset)

    # -- what could be known ----------------------------------------------------------------------

    def blind(self, words: str, *, seconds: float = 0) -> None:
        """Begin a time in which the trader cannot know how things stand."""
        now = self.clock.now()
        self.faults_log.append(Struck(now, words))
        self.killed_at.append(now)
        self._asked.clear()
        self._shown.clear()
        self._sight_due = None
        self._blind_until = max(self._blind_until, now + timedelta(seconds=seconds))

    def _tap(self, entry: WireEntry) -> None:
        self.wire(entry)
        self._count_strikes()
        if entry.client_id != US:
            return
        if entry.way is Way.IN:
            if entry.name in _LOOKS:
                self._asked.add(_LOOKS[entry.name])
        elif entry.name == "managedAccounts":
            self.epochs.append(entry.at)
        elif entry.name in self._asked:
            self._shown.add(entry.name)
            if len(self._shown) == len(_LOOKS):
                self._asked.clear()
                self._shown.clear()
                self._sight_due = max(entry.at, self._blind_until)

    def _see(self) -> None:
        """End a time without knowledge, once a complete look has told everything."""
        if self._is_under_weather():
            self.weather.append(self.clock.now())
            self._asked.clear()
            self._shown.clear()
            self._sight_due = None
        is_alive = self.trader is not None and not self.journal.is_dead
        if self._sight_due is None or not is_alive or self.clock.now() < self._sight_due:
            return
        self._sight_due = None
        self.booted_at.append(self.clock.now())

    def _count_strikes(self) -> None:
        for words, group in self._armed.items():
            for one in group:
                if one.struck == self._strikes.get(id(one), 0):
                    continue
                self._strikes[id(one)] = one.struck
                if isinstance(one.fault.act, _HARMLESS):
                    self.faults_log.append(Struck(self.clock.now(), words))
                else:
                    seconds = getattr(one.fault.act, "seconds", 0.0)
                    seconds += AGAIN if one.fault.when.of_requests else 0
                    self.blind(words, seconds=seconds)

    async def _drive(self) -> None:
        while True:
            if self.server is None:
                self._alone()
            self._count_strikes()
            self._see()
            await asyncio.sleep(PULSE)

    def pulse(self) -> None:
        """Let the exchange reach the present; a gateway that runs does so by itself."""
        if self.server is None:
            self._alone()
        else:
            self.loop.run_until_complete(_within(self.server.pulse))
        self._count_strikes()

    # -- the trader --------------------------------------------------------------------------------

    @asynccontextmanager
    async def _ports(self) -> AsyncIterator[tuple[Broker, MarketData]]:
        """Connect to the gateway as the product does."""
        link = LinkSettings(port=PORT, client_id=US)
        connection = IBKRConnection(link, clock=self.clock, jitter=self._jitter.random)
        broker = IBKRBroker(connection, install=INSTALL, on_frame=self._reach)
        market = IBKRMarketData(connection)
        await connection.open()
        async with alongside(connection.run()):
            yield broker, market

    def rise(self) -> str:
        """Start the trader as a person would; say what kept it from coming up, if anything did."""
        if self.journal.is_full:
            return "the journal cannot be opened: the disk is full"
        ready: asyncio.Future[Trader] = self.loop.create_future()
        assert self.loop.network is not None
        self.loop.network.is_cut = False
        self._life = self.loop.create_task(self._live(ready))
        until = self.loop.time() + PATIENCE
        while not (ready.done() or self._life.done()) and self.loop.time() < until:
            self.run(0.05)
            if self._life is None:
                return "killed as it came up"
        if ready.done():
            self._risen(ready.result())
            return ""
        why = "it did not come up"
        if self._life.done() and isinstance(error := self._life.exception(), TraderError):
            why = f"{type(error).__name__}: {error}"
        elif self._life.done():
            self._life.result()
        self.kill()
        return why

    def _risen(self, trader: Trader) -> Trader:
        self.trader = trader
        self._see()  # unless something was lost since it looked
        return trader

    def run(self, seconds: float) -> None:
        """Let time pass; one who comes to the checkpoint that is deadly for him dies there."""
        until = self.loop.time() + seconds
        while True:
            self.loop.run_until_complete(self._wait_for_doom(until - self.loop.time()))
            if not self._doomed.is_set():
                break
            self.kill()
        if self.trader is not None and self._life is not None and self._life.done():
            self._life.result()
        for task in (self._pulse, self._gateway):
            if task is not None and task.done():
                task.result()
        assert not self._unheard, self._unheard

    async def _wait_for_doom(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0, seconds)):
                await self._doomed.wait()

    def doom(self, checkpoint: str, nth: int) -> None:
        """Kill the trader when it comes to a checkpoint for the n-th time from now on."""
        self._deadly = (checkpoint, nth)

    def _reach(self, name: str) -> None:
        if self._deadly is None or self._deadly[0] != name:
            return
        self._deadly = (name, self._deadly[1] - 1) if self._deadly[1] > 1 else None
        if self._deadly is None:  # not another word from here on, though the call goes on
            self.journal.is_dead = True
            self._sever()
            self._doomed.set()

    def _sever(self) -> None:
        assert self.loop.network is not None
        self.loop.network.is_cut = True
        self.loop.network.sever(0)

    def kill(self) -> None:
        """End the trader as SIGKILL does."""
        if self.trader is not None:
            self.trader.finish_within = 0
        super().kill()
        self._doomed.clear()
        self._deadly = None

    def do(self, deed: Coroutine[Any, Any, object]) -> None:
        """Begin something at the trader's desk, who may die of it."""
        super().do(deed)
        if self._doomed.is_set():
            self.kill()

    # -- the end of the day ----------------------------------------------------------------------

    def rest(self) -> None:
        """Heal everything, let it come to rest, and have the trader look once more."""
        self._deadly = None
        self.run(0)  # whoever has come to his end by now is gone
        self.start_gateway()
        assert self.server is not None
        self._count_strikes()
        self.loop.run_until_complete(_within(self.server.lift))
        self._armed.clear()
        self.free_disk()
        if self.trader is None and (why := self.rise()):
            raise AssertionError(f"the trader does not come up on a quiet day: {why}")
        self._wait_until_asked_again()
        self.run(QUIET)
        assert self.trader is not None
        if not self.trader.outlook.is_synced:
            self.run(LONGEST_PAUSE)
        self._look_once_more()

    def _wait_until_asked_again(self) -> None:
        """Give whoever was refused by TWS's settings the time to ask once more."""
        ends = (at + ability.AGAIN for one in CONTRACTS for at in ability.turned_down(self, one))
        until = max(ends, default=self.clock.now())
        self.run(max(0, (until - self.clock.now()).total_seconds()))

    def end(self) -> None:
        """Let everything go, and close the loop."""
        self.kill()
        self.stop_gateway(crash=False)
        super().end()
        self.journal = self.journal.bequeath()


async def _within(do: Callable[..., T], *arguments: object) -> T:
    """Do something on the loop, as whatever answers at a socket is done."""
    return do(*arguments)
