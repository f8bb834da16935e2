"""Twenty managed trails in a market of ten ticks a second each, for a minute that is rushed.

The desk is whole, the exchange is in process, and time passes as fast as it can be computed: a
minute's work is measured, and shown as a share of the minute. What the exchange itself takes
to make its market, and to take a change, is not counted. What comes from the socket is
`bench_ticks.py`'s business.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import Contract, OrderRequest
from ibkr_trader.execution.outlook import RiskSettings
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.execution.skew_watch import in_step
from ibkr_trader.execution.trader import Trader
from ibkr_trader.orders.managed_trails import ManagedTrail
from ibkr_trader.orders.trailing_stops import TrailingStopConfig
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.sim.broker import SimulatedBroker
from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.market_data import SimulatedMarketData
from ibkr_trader.sim.universe import load_universe
from tests.benchmarks.bench_simulated import INSTALL, OPENED
from tests.benchmarks.desks import MANY, WIDE
from tests.benchmarks.harness import Goal, Table
from tests.benchmarks.stage import PATIENCE, stage

SYMBOLS, TICKS, SECONDS = 20, 10, 60
SHARE = 0.02  # of a core
ONE = timedelta(seconds=1)
CENT = Decimal("0.01")
DRIFT, RUSH = (-5, 6), (-4, 10)  # cents a tick: a rise of 5 or of 30 in a second


class TimedBroker(SimulatedBroker):
    """The exchange as a broker; `taken` is the time that it has worked on commands."""

    taken = 0.0

    async def send(self, approved: Approved) -> None:
        began = time.process_time()
        await super().send(approved)
        self.taken += time.process_time() - began


class Pit:
    """An exchange whose time is moved by hand, a desk on it, and twenty positions that trail."""

    def __init__(self) -> None:
        self.clock = ManualClock(OPENED)
        self.universe = load_universe(OPENED.date())
        self.exchange = Exchange(
            ExchangeConfig(opened_at=OPENED, cash=Decimal(MANY)), self.universe
        )
        self.broker = TimedBroker(self.exchange, clock=self.clock, install=INSTALL)
        self.broker.open()
        self.trader = Trader(
            broker=self.broker,
            market=SimulatedMarketData(self.exchange, clock=self.clock),
            journal=MemoryJournal(INSTALL),
            clock=self.clock,
            account=self.exchange.config.account,
            guard=RiskGuard(),
            settings=RiskSettings(limits=WIDE),
        )
        self.trader.outlook.book.skew = in_step
        self.prices: dict[Contract, Decimal] = {}
        self.changes: dict[Contract, list[datetime]] = {}
        self._random = random.Random(7)  # noqa: S311 - a market, not a secret
        self.trader.bus.subscribe(ev.ModifyEvent, self._note)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Pit]:
        """Run the desk, buy ten of each and let a stop follow."""
        async with self.trader.running():
            stocks = [one for one in self.universe if one.sec_type == "STK"]
            for stock in stocks[:SYMBOLS]:
                await self._hold(stock.symbol)
            yield self
            self.broker.close()

    async def _hold(self, symbol: str) -> None:
        details = await self.trader.learn(symbol)
        self.prices[details.contract] = Decimal(200)
        self.changes[details.contract] = []
        self._quote(details.contract)
        for request in (
            OrderRequest(symbol=symbol, side=Side.BUY, quantity=Decimal(10)),
            TrailingStopConfig(
                symbol=symbol, quantity=Decimal(10), trail_percent=Decimal(2), is_managed=True
            ),
        ):
            self.clock.advance(1)
            self.broker.advance()
            prepared = await prepare(self.trader, request)
            how = Wait.FILLED if isinstance(request, OrderRequest) else Wait.ACCEPTED
            await place(self.trader, prepared, wait=how, timeout=PATIENCE)

    async def minute(self, steps: tuple[int, int]) -> float:
        """Let a minute of the market happen; return the seconds that the desk worked.

        At each tick every price moves by some cents between the two of `steps`.
        """
        worked, self.broker.taken = 0.0, 0.0
        for tick in range(SECONDS * TICKS):
            self.clock.advance(1 / TICKS)
            for contract in self.prices:
                self.prices[contract] += self._random.randint(*steps) * CENT
                self._quote(contract)
            self.broker.advance()
            began = time.process_time()
            await self._settle()
            if tick % TICKS == TICKS - 1:
                self.trader.groups._beat(self.clock.now())  # its heartbeat is of the wall's clock
                await self._settle()
            worked += time.process_time() - began
        return worked - self.broker.taken

    async def rest(self) -> int:
        """Let the market stand still for two seconds; return how many trails are behind."""
        for _ in range(2):
            self.clock.advance(1)
            for contract in self.prices:
                self._quote(contract)
            self.broker.advance()
            await self._settle()
            self.trader.groups._beat(self.clock.now())
            await self._settle()
        at = self.clock.now() + ONE
        groups = (self.trader.groups.get(group_id) for group_id in self.trader.groups.open_ids)
        return sum(
            group._due(at) is not None for group in groups if isinstance(group, ManagedTrail)
        )

    async def _settle(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            await self.trader.intake.drained()
            await self.trader.groups.idle()

    def _quote(self, contract: Contract) -> None:
        bid, size = self.prices[contract], Decimal(1000)
        self.exchange.market.set_quote(
            contract.con_id, bid=bid, ask=bid + CENT, bid_size=size, ask_size=size, last=bid
        )

    def _note(self, event: ev.ModifyEvent) -> None:
        self.changes[event.spec.contract].append(event.at)

    def busiest(self) -> int:
        """Return the most changes that one symbol has seen within a second."""
        return max(
            sum(begin <= at < begin + ONE for at in moments)
            for moments in self.changes.values()
            for begin in moments
        )


def tables() -> Iterator[Table]:
    """Measure two kinds of minutes, after one of the worse kind in which all is counted."""
    with stage() as one:
        pit = one.open(Pit().open())
        one.run(pit.minute(RUSH))
        behind, changes = one.run(pit.rest()), sum(map(len, pit.changes.values()))
        busiest = pit.busiest()
        rows = {"a market that drifts": DRIFT, "every stop, every second": RUSH}
        yield Table(
            title=f"{SYMBOLS} managed trails, {TICKS} ticks a second each, {SECONDS} s",
            rows={name: one.sample(partial(pit.minute, steps)) for name, steps in rows.items()},
            unit="s",
            goals=tuple(Goal(name, SECONDS * SHARE) for name in rows),
            notes=(
                f"the goal is {SHARE:.0%} of a core, for {SYMBOLS * TICKS * SECONDS:,} quotes",
                f"changes: {changes} in a minute, {busiest} of one symbol in one second (goal: 1)",
                f"tightenings left undone two seconds after the last tick: {behind} (goal: 0)",
            ),
            rounds=5,
            warm_up=0,
        )
