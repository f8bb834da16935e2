"""What comes in: one order-status frame to our handlers, and a burst of fills onto the record."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import ib_insync

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.ibkr.frames import FrameSplitter
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.order_replies import ExecDetails, OrderStatusReply
from ibkr_trader.sim.gateway.replies import encode
from tests.benchmarks.desks import (
    Seat,
    ib_insync_desk,
    our_desk,
    resolved,
    resting_order,
    resting_request,
)
from tests.benchmarks.harness import Goal, Sample, Table, timed, version
from tests.benchmarks.least import LeastLedger
from tests.benchmarks.stage import PATIENCE, Stage, gateway_process, stage

FRAMES = 200
BURST = 2_000
READ = 256 * 1024  # what asyncio takes from a socket at a time; our link, less
AT = datetime(2026, 11, 20, 15, tzinfo=UTC)
ONE, PRICE = Decimal(1), Decimal("150.01")
PART = Decimal("0.00005")  # of a share: all bursts together fill less than the order is for
numbers = itertools.count(1)


class Target(NamedTuple):
    """A working order, as the gateway knows it, and where frames about it go in."""

    order_id: int
    perm_id: int
    client_id: int
    account: str
    con_id: int
    ref: str
    version: int
    feed: Callable[[bytes], None]


def statuses(target: Target) -> bytes:
    """Return frames that each say something new of one order, as TWS says it."""
    return b"".join(
        encode(
            OrderStatusReply(
                order_id=target.order_id,
                status="Submitted",
                filled=Decimal(0),
                remaining=ONE,
                avg_fill_price=Decimal(0),
                perm_id=target.perm_id,
                parent_id=0,
                last_fill_price=Decimal(0),
                client_id=target.client_id,
                why_held="" if number % 2 else "locate",  # it starts without
            ),
            target.version,
        )
        for number in range(FRAMES)
    )


def fills(target: Target) -> bytes:
    """Return a burst of executions, none of which was ever seen before."""
    contract = WireContract(
        con_id=target.con_id, symbol="AAPL", sec_type="STK", exchange="SMART", currency="USD"
    )
    return b"".join(
        encode(
            ExecDetails(
                req_id=-1,
                order_id=target.order_id,
                contract=contract,
                exec_id=f"00025b44.{next(numbers):08x}.01.01",
                at=AT,
                account=target.account,
                exchange="ISLAND",
                side="BOT",
                shares=PART,
                price=PRICE,
                perm_id=target.perm_id,
                client_id=target.client_id,
                cum_quantity=PART,
                avg_price=PRICE,
                order_ref=target.ref,
            ),
            target.version,
        )
        for _ in range(BURST)
    )


def our_order(one: Stage, seat: Seat) -> Target:
    """Return a resting order of ours."""

    async def work() -> Target:
        trader = seat.trader
        prepared = await prepare(trader, resting_request())
        (order,) = await place(trader, prepared, wait=Wait.ACCEPTED, timeout=PATIENCE)
        session = seat.connection.session
        return Target(
            order_id=order.spec.broker_order_id,
            perm_id=order.perm_id,
            client_id=seat.connection.settings.client_id,
            account=trader.account,
            con_id=order.spec.contract.con_id,
            ref=order.order_id,
            version=session.version,
            feed=session.link.data_received,
        )

    return one.run(work())


def their_order(one: Stage, ib: ib_insync.IB) -> Target:
    """Return a resting order of ib_insync's."""

    async def work() -> Target:
        contract = await resolved(ib)
        trade = ib.placeOrder(contract, resting_order())
        while trade.orderStatus.status not in {"Submitted", "PreSubmitted"}:
            await asyncio.wait_for(trade.statusEvent, PATIENCE)
        return Target(
            order_id=trade.order.orderId,
            perm_id=trade.order.permId,
            client_id=ib.client.clientId,
            account=ib.managedAccounts()[0],
            con_id=contract.conId,
            ref="",
            version=ib.client.serverVersion(),
            feed=ib.client.conn.data_received,
        )

    return one.run(work())


class Until:
    """Counts what a handler is given, and tells when it was enough."""

    def __init__(self) -> None:
        self._left = 0
        self._done: asyncio.Future[float] | None = None

    def expect(self, count: int) -> asyncio.Future[float]:
        """Return when the last of `count` will have been handled."""
        self._left, self._done = count, asyncio.get_running_loop().create_future()
        return self._done

    def take(self, *_: object) -> None:
        """Count one."""
        self._left -= 1
        if not self._left and self._done is not None:
            self._done.set_result(time.perf_counter())


def arriving(
    one: Stage, target: Target, until: Until, *, make: Callable[[Target], bytes], per: int = 1
) -> Sample:
    """Return how long after the first bytes are read the last frame has been handled."""

    async def work() -> float:
        data = reads(make(target))
        count = FRAMES if make is statuses else BURST
        last = until.expect(count)
        began = time.perf_counter()
        for read in data:
            target.feed(read)
            await asyncio.sleep(0)
        return (await last - began) / per

    return one.sample(work)


def singly(one: Stage, data: bytes, feed: Callable[[bytes], object], until: Until) -> Sample:
    """Return what one frame costs that comes alone: the loop's turns are part of it."""
    frames = cut(data)

    async def work() -> float:
        spent = 0.0
        for frame in frames:
            handled = until.expect(1)
            began = time.perf_counter()
            feed(frame)
            spent += await handled - began
        return spent / len(frames)

    return one.sample(work)


def reads(data: bytes) -> list[bytes]:
    """Cut a stream into reads, each of whole frames: the gateway's own come in between."""
    found = [bytearray()]
    for frame in cut(data):
        if len(found[-1]) + len(frame) > READ:
            found.append(bytearray())
        found[-1] += frame
    return [bytes(read) for read in found]


def cut(data: bytes) -> list[bytes]:
    """Cut a stream into its frames, lengths included."""
    frames: list[bytes] = []
    at = 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        frames.append(data[at:end])
        at = end
    return frames


def split(data: bytes) -> Sample:
    """Return the limit of many frames at once: cut and split into fields, and nothing else."""

    def work() -> None:
        FrameSplitter().feed(data)

    return timed(work, per=FRAMES)


def split_singly(one: Stage, data: bytes) -> Sample:
    """Return the limit of one frame alone: split, then a turn of the loop to a handler."""
    splitter, until = FrameSplitter(), Until()

    def feed(frame: bytes) -> None:
        for fields in splitter.feed(frame):
            asyncio.get_running_loop().call_soon(until.take, fields)

    return singly(one, data, feed, until)


def recorded(target: Target, ledger: LeastLedger) -> Sample:
    """Return the limit of a burst: how long the least code takes to have it on a durable record."""

    def sample() -> float:
        data, held = fills(target), ledger.held
        took = timed(lambda: ledger.take(data))()
        if ledger.held - held != BURST * PART:
            msg = f"{ledger.held - held} of {BURST * PART} shares are on record"
            raise AssertionError(msg)
        return took

    return sample


def one_status(one: Stage, port: int, ib: ib_insync.IB, theirs: Target) -> Table:
    """Return the table of a single status, the journal in memory."""
    seat = one.open(our_desk(port, MemoryJournal()))
    mine = our_order(one, seat)
    heard, told = Until(), Until()
    seat.trader.bus.subscribe(ev.StatusEvent, heard.take)

    def told_of(trade: ib_insync.Trade) -> None:
        del trade.log[3:]  # it grows with every status, and is formatted with the trade
        told.take(trade)

    ib.orderStatusEvent += told_of
    return Table(
        title="one order-status frame to a handler",
        rows={
            "frame split, alone": split_singly(one, statuses(mine)),
            "ours, alone": singly(one, statuses(mine), mine.feed, heard),
            "ib_insync, alone": singly(one, statuses(theirs), theirs.feed, told),
            "frame split, at once": split(statuses(mine)),
            "ours, at once": arriving(one, mine, heard, make=statuses, per=FRAMES),
            "ib_insync, at once": arriving(one, theirs, told, make=statuses, per=FRAMES),
        },
        goals=(
            Goal("ours, alone", 6.0, of="frame split, alone"),
            Goal("ours, alone", 0.35, of="ib_insync, alone"),
            Goal("ours, at once", 0.35, of="ib_insync, at once"),
        ),
        peers=(version("ib_insync") + ", its trade's log kept short",),
        notes=(
            "each frame has news; ours goes through intake, journal in memory and portfolio",
            "one handler each; alone, ours takes two turns of the loop, ib_insync none",
            f"at once: {FRAMES} frames in one read",
        ),
    )


def many_fills(
    one: Stage, seat: Seat, ib: ib_insync.IB, theirs: Target, *, least: LeastLedger
) -> Table:
    """Return the table of a burst, our journal on disk."""
    mine = our_order(one, seat)
    filled, executed = Until(), Until()
    seat.trader.bus.subscribe(ev.FillEvent, filled.take)
    ib.execDetailsEvent += executed.take
    return Table(
        title=f"burst of {BURST:,} executions: lag of the last",
        unit="ms",
        rows={
            "least code, durable": recorded(mine, least),
            "ib_insync": arriving(one, theirs, executed, make=fills),
            "ours, durable": arriving(one, mine, filled, make=fills),
        },
        goals=(
            Goal("ours, durable", 50.0),
            Goal("ours, durable", 1.0, of="ib_insync"),
        ),
        peers=(version("ib_insync") + ", which writes nothing down",),
        notes=(
            "ours has each on record, synchronously, before its handler hears of it",
            "least code: split, read, add up, chain by hash, one commit; no order, nobody told",
        ),
        rounds=7,
        warm_up=1,
    )


def tables() -> Iterator[Table]:
    """Measure statuses, then fills."""
    with gateway_process() as port, stage() as one, tempfile.TemporaryDirectory() as folder:
        ib = one.open(ib_insync_desk(port, client_id=7))
        theirs = their_order(one, ib)
        yield one_status(one, port, ib, theirs)
        journal = SqliteJournal(Path(folder) / "journal.db", clock=SystemClock())
        with closing(LeastLedger(Path(folder) / "least.db")) as least:
            seat = one.open(our_desk(port, journal, client_id=2))
            yield many_fills(one, seat, ib, theirs, least=least)
