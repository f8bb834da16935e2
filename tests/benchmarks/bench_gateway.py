"""How many orders a second the gateway takes, and whether 5,000 open ones slow it down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager

import ib_insync

from ibkr_trader.adapters.ibkr.client import ApiClient, load
from ibkr_trader.adapters.ibkr.frames import Frame
from ibkr_trader.adapters.ibkr.link import Inlet, Link
from tests.benchmarks.desks import ib_insync_desk, resolved, resting_order
from tests.benchmarks.harness import Goal, Sample, Table, version
from tests.benchmarks.stage import HOST, PATIENCE, Stage, gateway_process, stage

BATCH = 250
OPEN = 5_000
PER_SECOND = 1_500
MICROSECONDS = 1e6
STATUS, NEXT_ORDER_ID = "3", "9"


class BareClient:
    """The least that can place orders: frames made beforehand, answers only counted."""

    def __init__(self) -> None:
        self.link = Link(on_frame=self._take, on_lost=lambda _: None)
        self.next_order_id = 0
        self._outbox: list[str] = []
        self._encoder: ApiClient | None = None
        self._ready = asyncio.Event()
        self._left: set[tuple[str, str]] = set()
        self._answered = asyncio.Event()

    async def ready(self) -> None:
        """Wait until the gateway has said which order id is next."""
        await self._ready.wait()

    def frames(self, contract: ib_insync.Contract) -> list[str]:
        """Return the frames of a batch of orders that rest."""
        assert self._encoder is not None
        self._outbox.clear()
        for number in range(self.next_order_id, self.next_order_id + BATCH):
            self._encoder.placeOrder(number, contract, resting_order())
        return list(self._outbox)

    async def place(self, frames: list[str]) -> None:
        """Send a batch and wait until every order works."""
        await self._exchange(frames, "Submitted")

    async def cancel(self) -> None:
        """Take the batch back, and wait until it is gone."""
        assert self._encoder is not None
        self._outbox.clear()
        for number in range(self.next_order_id, self.next_order_id + BATCH):
            self._encoder.cancelOrder(number)
        await self._exchange(list(self._outbox), "Cancelled")
        self.next_order_id += BATCH

    async def _exchange(self, frames: list[str], status: str) -> None:
        numbers = range(self.next_order_id, self.next_order_id + BATCH)
        self._left = {(str(number), status) for number in numbers}
        self._answered.clear()
        for frame in frames:
            self.link.write(frame)
        await self._answered.wait()

    def _take(self, frame: Frame) -> None:
        fields = frame.fields
        if self._encoder is None:
            self._encoder = load("ib_insync").client(
                client_id=9, version=int(fields[0]), write=self._outbox.append
            )
            self._encoder.startApi()
            self.link.write(self._outbox.pop())
        elif fields[0] == STATUS:
            self._left.discard((fields[1], fields[2]))
            if not self._left:
                self._answered.set()
        elif fields[0] == NEXT_ORDER_ID:
            self.next_order_id = int(fields[2])
            self._ready.set()


@asynccontextmanager
async def bare_client(port: int) -> AsyncIterator[BareClient]:
    """Connect a bare client."""
    client = BareClient()
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: Inlet(client.link), HOST, port)
    client.link.write_hello("v157..176")
    await client.ready()
    try:
        yield client
    finally:
        client.link.close("measured")


def bare(one: Stage, client: BareClient, contract: ib_insync.Contract) -> Sample:
    """Return what an order costs the gateway, nearly by itself."""

    async def work() -> float:
        frames = client.frames(contract)
        began = time.perf_counter()
        await client.place(frames)
        seconds = time.perf_counter() - began
        await client.cancel()
        return seconds / BATCH

    return one.sample(work)


def by_ib_insync(one: Stage, ib: ib_insync.IB, contract: ib_insync.Contract) -> Sample:
    """Return what an order costs gateway and ib_insync together."""

    async def all_are(trades: list[ib_insync.Trade], status: str) -> None:
        for trade in trades:  # each waited for in turn, so none is looked at twice
            while trade.orderStatus.status != status:
                await asyncio.wait_for(ib.updateEvent, PATIENCE)

    async def work() -> float:
        orders = [resting_order() for _ in range(BATCH)]
        began = time.perf_counter()
        trades = [ib.placeOrder(contract, order) for order in orders]
        await all_are(trades, "Submitted")
        seconds = time.perf_counter() - began
        for order in orders:
            ib.cancelOrder(order)
        await all_are(trades, "Cancelled")
        return seconds / BATCH

    return one.sample(work)


async def fill_up(client: BareClient, contract: ib_insync.Contract) -> None:
    """Leave `OPEN` orders working."""
    for _ in range(OPEN // BATCH):
        await client.place(client.frames(contract))
        client.next_order_id += BATCH


def tables() -> Iterator[Table]:
    """Measure an empty gateway beside a full one."""
    most = MICROSECONDS / PER_SECOND
    with ExitStack() as stack:
        empty, full = (stack.enter_context(gateway_process(is_durable=True)) for _ in range(2))
        one = stack.enter_context(stage())
        peers = [one.open(ib_insync_desk(port, client_id=7)) for port in (empty, full)]
        bares = [one.open(bare_client(port)) for port in (empty, full)]
        contract = one.run(resolved(peers[0]))
        one.run(fill_up(bares[1], contract))
        yield Table(
            title=f"one of {BATCH} orders to a working one, gateway in its own process",
            rows={
                "ib_insync": by_ib_insync(one, peers[0], contract),
                "ib_insync, 5,000 open": by_ib_insync(one, peers[1], contract),
                "bare client": bare(one, bares[0], contract),
                "bare client, 5,000 open": bare(one, bares[1], contract),
            },
            goals=(
                Goal("ib_insync", most),
                Goal("ib_insync, 5,000 open", most),
                Goal("ib_insync, 5,000 open", 1.25, of="ib_insync"),
                Goal("bare client, 5,000 open", 1.25, of="bare client"),
            ),
            peers=(version("ib_insync") + ", throttle off",),
            notes=(
                f"{PER_SECOND:,} orders a second are {most:.0f} µs each",
                "every order is durable in the gateway's store before it is answered",
                "client and gateway share the machine's two cores",
            ),
            rounds=8,
            warm_up=1,
        )
