"""What a busy market costs: 20 symbols at 10 ticks a second, from the socket to every listener."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.sim.gateway.replies import encode
from ibkr_trader.sim.gateway.tick_replies import TickPrice
from ibkr_trader.sim.universe import load_universe
from tests.benchmarks.bench_inbound import Until
from tests.benchmarks.desks import Seat, our_desk
from tests.benchmarks.harness import Goal, Sample, Table
from tests.benchmarks.stage import PATIENCE, Stage, gateway_process, stage

SYMBOLS, TICKS = 20, 10
BID, ASK, LAST = 1, 2, 4  # TWS's tick types
CENT = Decimal("0.01")


def subscribed(one: Stage, seat: Seat) -> dict[int, Decimal]:
    """Subscribe to `SYMBOLS` stocks; return the request of each one's ticks, and a price."""

    async def work() -> dict[int, Decimal]:
        stocks = [one for one in load_universe(seat.trader.clock.now().date())
                  if one.sec_type == "STK"]  # fmt: skip
        found: dict[int, Decimal] = {}
        market = seat.trader.market
        for stock in stocks[:SYMBOLS]:
            details = await seat.trader.learn(stock.symbol)
            quote = await seat.trader.price(details.contract, timeout=PATIENCE)
            assert quote is not None
            subscription = market._by_contract[details.contract.con_id]  # type: ignore[attr-defined] # frames must name the request, and users need not
            found[subscription.number] = quote.mark or Decimal(100)
        return found

    return one.run(work())


def second(requests: dict[int, Decimal], version: int) -> list[list[bytes]]:
    """Return one second of the market, tick by tick and symbol by symbol: bid, ask and last."""
    ticks: list[list[bytes]] = []
    for tick in range(TICKS):
        symbols: list[bytes] = []
        for number, price in requests.items():
            moved = price + CENT * (tick % 5)
            figures = ((BID, moved - CENT), (ASK, moved + CENT), (LAST, moved))
            replies = (
                TickPrice(req_id=number, tick_type=kind, price=at, size=Decimal(100))
                for kind, at in figures
            )
            symbols.append(b"".join(encode(reply, version) for reply in replies))
        ticks.append(symbols)
    return ticks


def cost(one: Stage, seat: Seat, reads: list[bytes], *, per_read: int) -> Sample:
    """Return the processor's seconds that one second of the market takes."""
    session, told = seat.connection.session, Until()
    seat.trader.bus.subscribe(ev.PriceEvent, told.take)

    async def work() -> float:
        began = time.process_time()
        for read in reads:
            heard = told.expect(per_read)  # one price for each tick, and not one for each figure
            session.link.data_received(read)
            await heard
        return time.process_time() - began

    return one.sample(work)


def tables() -> Iterator[Table]:
    """Measure a second of the market."""
    with gateway_process() as port, stage() as one:
        seat = one.open(our_desk(port, MemoryJournal()))
        ticks = second(subscribed(one, seat), seat.connection.session.version)
        singly = [symbol for tick in ticks for symbol in tick]
        together = [b"".join(tick) for tick in ticks]
        yield Table(
            title=f"a second of {SYMBOLS} symbols at {TICKS} ticks a second",
            unit="ms",
            rows={
                "each by itself": cost(one, seat, singly, per_read=1),
                "all symbols in one read": cost(one, seat, together, per_read=SYMBOLS),
            },
            goals=(Goal("each by itself", 20.0), Goal("all symbols in one read", 10.0)),
            notes=(
                "processor time: 20 ms of a second are 2 % of a core",
                "each tick brings bid, ask and last, and is one PriceEvent",
            ),
        )
