"""How long the first cancel waits behind 200 data requests that nobody has sent yet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import ib_insync

from ibkr_trader.adapters.ibkr.lanes import Lane, Parcel
from ibkr_trader.adapters.ibkr.translate_contracts import fill_in_contract
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.execution.placing import Wait, place, prepare, route
from tests.benchmarks.desks import (
    SYMBOL,
    Seat,
    ib_insync_desk,
    our_desk,
    resolved,
    resting_order,
    resting_request,
)
from tests.benchmarks.harness import Goal, Sample, Table, version
from tests.benchmarks.stage import (
    CANCEL_ORDER,
    PATIENCE,
    Stage,
    Tap,
    gateway_process,
    stage,
    tapped,
)

BACKLOG = 200
REQUEST = 1_000_000  # above what either library has given out by then
A_SECOND = 1.0  # the meter of both is empty after that


def ours(one: Stage, seat: Seat, tap: Tap) -> Sample:
    """Return the time from our cancel command to its bytes at the server."""
    trader, connection = seat.trader, seat.connection

    def queue_data() -> list[str]:
        contract = connection.library.contract()
        known = next(iter(trader.portfolio.orders.values())).spec.contract
        fill_in_contract(known, contract)
        keys = []
        for number in range(REQUEST, REQUEST + BACKLOG):
            frame = connection.encode(lambda api: api.reqContractDetails(number, contract))  # noqa: B023 - called at once
            keys.append(f"bench:{number}")
            connection.put(Parcel(Lane.DATA, (frame,), key=keys[-1]))
        return keys

    async def work() -> float:
        await asyncio.sleep(A_SECOND)
        prepared = await prepare(trader, resting_request())
        (order,) = await place(trader, prepared, wait=Wait.ACCEPTED, timeout=PATIENCE)
        keys = queue_data()
        if len(connection.lanes) < BACKLOG // 2:
            raise RuntimeError("there is no backlog to overtake")
        arrived = tap.expect(CANCEL_ORDER)
        began = time.perf_counter()
        await route(trader, CancelOrder(order_id=order.order_id))
        seconds = await arrived - began
        for key in keys:
            connection.lanes.withdraw(key, "measured")
        return seconds

    return one.sample(work)


def by_ib_insync(one: Stage, ib: ib_insync.IB, tap: Tap) -> Sample:
    """Return the same for ib_insync with its throttle as it comes."""
    contract = one.run(resolved(ib))

    async def work() -> float:
        await asyncio.sleep(A_SECOND)
        order = resting_order()
        trade = ib.placeOrder(contract, order)
        while trade.orderStatus.status not in {"Submitted", "PreSubmitted"}:
            await asyncio.wait_for(trade.statusEvent, PATIENCE)
        answers = [ib.reqContractDetailsAsync(contract) for _ in range(BACKLOG)]
        arrived = tap.expect(CANCEL_ORDER)
        began = time.perf_counter()
        ib.cancelOrder(order)
        seconds = await arrived - began
        await asyncio.gather(*answers)
        return seconds

    return one.sample(work)


def tables() -> Iterator[Table]:
    """Measure ours often, for its tail; then a few times beside ib_insync."""
    with gateway_process() as port, stage() as one:
        tap = one.open(tapped(port))
        seat = one.open(our_desk(tap.port, MemoryJournal(), paced=True))
        peer = one.open(ib_insync_desk(tap.port, client_id=7, paced=True))
        title = f"a cancel behind {BACKLOG} requests of {SYMBOL}'s details, to bytes at the server"
        yield Table(
            title=title,
            unit="ms",
            rows={"ours": ours(one, seat, tap)},
            goals=(Goal("ours", 50.0, percentile=99),),
            notes=("p99 is the slowest of 30",),
            rounds=30,
            warm_up=1,
        )
        yield Table(
            title=title,
            unit="ms",
            rows={"ib_insync": by_ib_insync(one, peer, tap), "ours": ours(one, seat, tap)},
            peers=(version("ib_insync") + ", its throttle of 45 a second as it comes",),
            rounds=3,
            warm_up=0,
        )
