"""How long after a lost connection everything is known again, with fifty orders at work."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import ib_insync
import msgspec

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SessionHeader, SqliteJournal
from ibkr_trader.core.events import SyncEvent
from ibkr_trader.execution.placing import Wait, place, prepare
from tests.benchmarks.desks import (
    FAR_BELOW,
    SYMBOL,
    Seat,
    ib_insync_desk,
    our_desk,
    resolved,
    resting_order,
    resting_request,
)
from tests.benchmarks.harness import Goal, Sample, Table, version
from tests.benchmarks.stage import HOST, PATIENCE, Stage, gateway_process, stage

ORDERS = 50
AT_ONCE = 0.0001  # seconds of pause before it is dialled: how long to wait is policy, not speed
CENT = Decimal("0.01")
PEER_ID = 7


def ours(one: Stage, seat: Seat) -> Sample:
    """Return the time from the loss of our link to books that agree with the broker's."""
    trader, connection = seat.trader, seat.connection
    connection.settings = msgspec.structs.replace(connection.settings, backoff=AT_ONCE)
    synced = asyncio.Event()
    trader.bus.subscribe(SyncEvent, lambda _: synced.set())

    async def orders_at_work() -> None:
        for number in range(ORDERS):
            request = resting_request()
            request = msgspec.structs.replace(request, limit_price=FAR_BELOW + number * CENT)
            await place(
                trader, await prepare(trader, request), wait=Wait.ACCEPTED, timeout=PATIENCE
            )

    async def work() -> float:
        synced.clear()
        epoch = connection.epoch
        began = time.perf_counter()
        connection.session.link.abort("the benchmark breaks it")
        await synced.wait()
        seconds = time.perf_counter() - began
        known = len(trader.portfolio.orders)
        if known != ORDERS or connection.epoch == epoch or not trader.outlook.is_synced:
            raise RuntimeError(f"{known} of {ORDERS} orders are known after the reconnect")
        return seconds

    one.run(orders_at_work())
    return one.sample(work)


def by_ib_insync(one: Stage, ib: ib_insync.IB, port: int) -> Sample:
    """Return the time in which ib_insync connects anew and has asked what it asks."""

    async def orders_at_work() -> None:
        contract = await resolved(ib)
        for _ in range(ORDERS):
            trade = ib.placeOrder(contract, resting_order())
            while trade.orderStatus.status not in {"Submitted", "PreSubmitted"}:
                await asyncio.wait_for(trade.statusEvent, PATIENCE)

    async def work() -> float:
        began = time.perf_counter()
        ib.disconnect()
        await ib.connectAsync(HOST, port, clientId=PEER_ID, timeout=PATIENCE)
        seconds = time.perf_counter() - began
        if len(ib.openTrades()) != ORDERS:
            raise RuntimeError(f"{len(ib.openTrades())} of {ORDERS} orders are known")
        return seconds

    one.run(orders_at_work())
    return one.sample(work)


def tables() -> Iterator[Table]:
    """Measure ours for its tail, beside ib_insync, each at a gateway of its own."""
    header = SessionHeader(version="0", config_hash="", command="bench", user="nobody")
    with (
        tempfile.TemporaryDirectory() as folder,
        gateway_process() as port,
        gateway_process() as peers_port,
        SqliteJournal(Path(folder) / "journal.db", clock=SystemClock(), header=header) as journal,
        stage() as one,
    ):
        seat = one.open(our_desk(port, journal))
        peer = one.open(ib_insync_desk(peers_port, client_id=PEER_ID))
        yield Table(
            title=f"a link that is lost, to all known again, {ORDERS} orders of {SYMBOL} at work",
            unit="ms",
            rows={"ours": ours(one, seat), "ib_insync": by_ib_insync(one, peer, peers_port)},
            goals=(Goal("ours", 2_000.0, percentile=99),),
            peers=(version("ib_insync") + ", which reconciles nothing",),
            notes=("p99 is the slowest of 30", "ours on disk: the loss and what was found"),
            rounds=30,
            warm_up=2,
        )
