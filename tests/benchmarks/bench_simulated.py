"""One order in process: submitted, accepted, cancelled, without any socket."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.models import GroupId
from ibkr_trader.execution.desk import cancel
from ibkr_trader.execution.outlook import RiskSettings
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.execution.skew_watch import in_step
from ibkr_trader.execution.trader import Trader
from ibkr_trader.orders.group import Setting
from ibkr_trader.orders.single_orders import Single
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.sim.broker import SimulatedBroker
from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.market_data import SimulatedMarketData
from ibkr_trader.sim.universe import load_universe
from tests.benchmarks.desks import SYMBOL, WIDE, resting_request
from tests.benchmarks.harness import Goal, Sample, Table
from tests.benchmarks.stage import PATIENCE, Stage, stage

OPENED = datetime(2026, 11, 20, 15, tzinfo=UTC)  # a Friday, 10:00 in New York
AAPL_ID = 265598
TIMES = 50
NAUTILUS = 439.0  # µs, as measured when the goals were set, on another day
SHARE = 0.25
INSTALL = "memo"


class Floor:
    """An exchange whose time stands still, with AAPL at 149.99 to 150.01."""

    def __init__(self) -> None:
        self.clock = ManualClock(OPENED)
        self.exchange = Exchange(ExchangeConfig(opened_at=OPENED), load_universe(OPENED.date()))
        self.exchange.market.set_quote(AAPL_ID, bid=Decimal("149.99"), ask=Decimal("150.01"))
        self.exchange.advance(OPENED)
        self.broker = SimulatedBroker(self.exchange, clock=self.clock, install=INSTALL)
        self.broker.open()
        self.market = SimulatedMarketData(self.exchange, clock=self.clock)


@asynccontextmanager
async def simulated_desk(floor: Floor) -> AsyncIterator[Trader]:
    """Open a whole trader on the floor."""
    trader = Trader(
        broker=floor.broker,
        market=floor.market,
        journal=MemoryJournal(INSTALL),
        clock=floor.clock,
        account=floor.exchange.config.account,
        guard=RiskGuard(),
        settings=RiskSettings(limits=WIDE),
    )
    trader.outlook.book.skew = in_step
    async with trader.running():
        yield trader
        floor.broker.close()


def broker_alone(one: Stage) -> Sample:
    """Return the simulator by itself: two commands in, their events out."""
    floor = Floor()
    broker, account = floor.broker, floor.exchange.config.account
    contract = one.run(floor.market.resolve(SYMBOL)).contract
    news = broker.events()
    groups = itertools.count(1)

    async def once() -> None:
        group = Single.create(
            resting_request(),
            Setting(GroupId(f"{INSTALL}-{next(groups)}"), contract, account),
        )
        command = group.open()
        (number,) = broker.reserve_order_ids(1, floor=0)
        (spec,) = command.orders
        numbered = msgspec.structs.replace(spec, broker_order_id=number)
        command = msgspec.structs.replace(command, orders=(numbered,))
        await broker.send(Approved(command=command, at=OPENED, reduces=False))
        while not isinstance(await anext(news), ev.StatusEvent):
            pass
        stop = CancelOrder(order_id=spec.order_id)
        await broker.send(Approved(command=stop, at=OPENED, reduces=True))
        while not isinstance(await anext(news), ev.CancelEvent):
            pass

    return repeated(one, once)


def whole_desk(one: Stage) -> Sample:
    """Return the same through everything: request, guard, record, broker, intake, portfolio."""
    floor = Floor()
    trader = one.open(simulated_desk(floor))

    async def once() -> None:
        floor.clock.advance(1)  # or every order would look like a repeat of all before it
        prepared = await prepare(trader, resting_request())
        (order,) = await place(trader, prepared, wait=Wait.ACCEPTED, timeout=PATIENCE)
        await cancel(trader, order.order_id, timeout=PATIENCE)

    return repeated(one, once)


def repeated(one: Stage, once: Callable[[], Awaitable[None]]) -> Sample:
    """Return a sample of the cost of one `once`."""

    async def work() -> float:
        began = time.perf_counter()
        for _ in range(TIMES):
            await once()
        return (time.perf_counter() - began) / TIMES

    return one.sample(work)


def tables() -> Iterator[Table]:
    """Measure the simulator alone, then the whole desk on it."""
    with stage() as one:
        yield Table(
            title="one simulated order: submit, accept, cancel",
            rows={"simulator alone": broker_alone(one), "whole desk": whole_desk(one)},
            goals=(
                Goal("simulator alone", NAUTILUS * SHARE),
                Goal("whole desk", NAUTILUS * SHARE),
            ),
            notes=(
                f"{SHARE:g} of nautilus_trader's {NAUTILUS:g} µs, a figure of another day",
                "it is too large to install as a peer, so this is no ratio of one run",
            ),
            rounds=20,
        )
