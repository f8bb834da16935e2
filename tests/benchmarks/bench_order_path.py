"""From a request to bytes that a server on the loopback has: the whole path, and its limit."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ib_insync

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.execution.desk import cancel
from ibkr_trader.execution.placing import Wait, prepare, route, settle
from tests.benchmarks.desks import (
    Seat,
    ib_insync_desk,
    our_desk,
    resolved,
    resting_order,
    resting_request,
)
from tests.benchmarks.harness import Goal, Sample, Table, timed, version
from tests.benchmarks.stage import (
    PATIENCE,
    PLACE_ORDER,
    Stage,
    Tap,
    gateway_process,
    raw_client,
    stage,
    tapped,
)

FRAME = b"\x00\x00\x01\x5e" + b"3\0" + b"0" * 348  # as long as our frame of a limit order
REST = 0.005  # seconds before each sample, in which what the last one caused comes to rest
ROW = "x" * 1_500  # about what one order puts on record


def raw(one: Stage) -> Sample:
    """Return the limit: a write, and another process that receives it."""
    tap = one.open(tapped())
    transport = one.open(raw_client(tap.port))

    async def work() -> float:
        await asyncio.sleep(REST)
        arrived = tap.expect(PLACE_ORDER)
        began = time.perf_counter()
        transport.write(FRAME)
        return await arrived - began

    return one.sample(work)


def ours(one: Stage, seat: Seat, tap: Tap, *, from_command: bool = False) -> Sample:
    """Return our path: from the request, or from the command that was made of it."""
    trader = seat.trader

    async def work() -> float:
        request = resting_request()
        await asyncio.sleep(REST)
        began = time.perf_counter()
        prepared = await prepare(trader, request)
        arrived = tap.expect(PLACE_ORDER)
        ids = tuple(spec.order_id for spec in prepared.command.orders)
        if from_command:
            began = time.perf_counter()
        trader.groups.add(prepared.group, ids)
        await route(trader, prepared.command)
        seconds = await arrived - began
        (order,) = await settle(trader, ids, wait=Wait.ACCEPTED, timeout=PATIENCE)
        await cancel(trader, order.order_id, timeout=PATIENCE)
        return seconds

    return one.sample(work)


def by_ib_insync(one: Stage, ib: ib_insync.IB, tap: Tap) -> Sample:
    """Return ib_insync alone: no checks, no record, the contract looked up before."""
    contract = one.run(resolved(ib))

    async def work() -> float:
        order = resting_order()
        await asyncio.sleep(REST)
        arrived = tap.expect(PLACE_ORDER)
        began = time.perf_counter()
        trade = ib.placeOrder(contract, order)
        seconds = await arrived - began
        while trade.orderStatus.status not in {"Submitted", "PreSubmitted"}:
            await asyncio.wait_for(trade.statusEvent, PATIENCE)
        ib.cancelOrder(order)
        while not trade.isDone():
            await asyncio.wait_for(trade.statusEvent, PATIENCE)
        return seconds

    return one.sample(work)


@contextmanager
def commit(folder: Path) -> Iterator[Sample]:
    """Give the limit of a durable record: one row, one synchronous commit."""
    database = sqlite3.connect(folder / "limit.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE records (seq INTEGER PRIMARY KEY, payload TEXT)")

    def work() -> None:
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO records (payload) VALUES (?)", (ROW,))
        database.execute("COMMIT")

    try:
        yield timed(work)
    finally:
        database.close()


def tables() -> Iterator[Table]:
    """Measure the path without the disk, then with it."""
    with gateway_process() as port, stage() as one:
        tap = one.open(tapped(port))
        plain = one.open(our_desk(tap.port, MemoryJournal()))
        peer = one.open(ib_insync_desk(tap.port, client_id=7))
        yield Table(
            title="one order to bytes at the server, journal in memory",
            rows={
                "raw write": raw(one),
                "ib_insync placeOrder": by_ib_insync(one, peer, tap),
                "ours, from the command": ours(one, plain, tap, from_command=True),
                "ours, from the request": ours(one, plain, tap),
            },
            goals=(Goal("ours, from the request", 5.0, of="raw write"),),
            peers=(version("ib_insync") + ", throttle off, no checks and no record",),
            notes=("the server is another process, the same for every row",),
            rounds=150,
        )
        with tempfile.TemporaryDirectory() as folder, commit(Path(folder)) as full_commit:
            journal = SqliteJournal(Path(folder) / "journal.db", clock=SystemClock())
            durable = one.open(our_desk(tap.port, journal, client_id=2))
            yield Table(
                title="one order to bytes at the server, on record before it leaves",
                unit="ms",
                rows={
                    "SQLite FULL commit": full_commit,
                    "ours, in memory": ours(one, plain, tap),
                    "ours, durable": ours(one, durable, tap),
                },
                goals=(
                    Goal("ours, durable", 1.5, of=("SQLite FULL commit", "ours, in memory")),
                    Goal("ours, durable", 5.0),
                    Goal("ours, durable", 150.0, percentile=99),
                ),
                rounds=150,
            )
