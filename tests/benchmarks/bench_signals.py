"""From a signal to bytes that a server on the loopback has: judged, decided, sized, reviewed."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core.enums import OrderRole, SignalAction
from ibkr_trader.core.enums import Stage as Reach
from ibkr_trader.core.signals import Claim
from ibkr_trader.execution.desk import cancel
from ibkr_trader.execution.strategist import Strategist
from ibkr_trader.rules.admission import Admission
from ibkr_trader.rules.strategy_text import read_strategy
from tests.benchmarks.bench_order_path import commit, raw
from tests.benchmarks.desks import SYMBOL, Seat, our_desk
from tests.benchmarks.harness import Goal, Sample, Table
from tests.benchmarks.stage import PATIENCE, PLACE_ORDER, Stage, Tap, gateway_process, stage, tapped

REST = 0.005  # seconds before each sample, in which what the last one caused comes to rest
RESTING = f"""
name = "resting"
symbols = ["{SYMBOL}"]
[[rule]]
name = "Entry"
when = "signal.action == 'BUY' and signal.confidence > 0.85 and position.is_flat"
[rule.open]
side = "long"
size = "1"
limit = "30%"
stop_loss = "3%"
take_profit = "9%"
"""
NUMBERS = itertools.count(1)


def decided(one: Stage, port: int, journal: MemoryJournal | SqliteJournal, client_id: int) -> Seat:
    """Open our trader with a strategy whose entries rest far below the market."""
    made: list[Strategist] = []
    seat = one.open(
        our_desk(
            port,
            journal,
            client_id=client_id,
            equip=lambda trader: made.append(Strategist(trader, timeout=PATIENCE)),
        )
    )
    (strategist,) = made
    strategist.signals.admission = Admission(per_minute=600)
    one.run(strategist.admit(read_strategy(RESTING), Reach.LIVE))
    return seat


def by_signal(one: Stage, seat: Seat, tap: Tap) -> Sample:
    """Return the whole way: from a signal at the desk's door to the first of its orders."""
    trader = seat.trader
    strategist = trader.strategist
    assert strategist is not None

    async def work() -> float:
        claim = Claim(
            source=f"bench-{next(NUMBERS)}",  # a source may not send as many a minute as we do
            signal_id="1",
            ticker=SYMBOL,
            action=SignalAction.BUY,
            confidence=Decimal("0.91"),
            price=Decimal(150),
            issued_at=trader.clock.now(),
        )
        await asyncio.sleep(REST)
        arrived = tap.expect(PLACE_ORDER)
        began = time.perf_counter()
        taking = asyncio.gather(strategist.signals.take(claim))
        seconds = await arrived - began
        await taking
        live = [o for o in trader.portfolio.orders.values() if o.spec.role is OrderRole.ENTRY]
        for order in live:
            await cancel(trader, order.order_id, timeout=PATIENCE)
        return seconds

    return one.sample(work)


def tables() -> Iterator[Table]:
    """Measure the way without the disk, then with it."""
    with gateway_process() as port, stage() as one:
        tap = one.open(tapped(port))
        plain = decided(one, tap.port, MemoryJournal(), 1)
        yield Table(
            title="one signal to bytes at the server, journal in memory",
            rows={"raw write": raw(one), "ours, from the signal": by_signal(one, plain, tap)},
            goals=(Goal("ours, from the signal", 5.0, of="raw write"),),
            notes=("a bracket of three orders: judged, a rule asked, sized and reviewed",),
            rounds=120,
        )
        with tempfile.TemporaryDirectory() as folder, commit(Path(folder)) as full_commit:
            journal = SqliteJournal(Path(folder) / "journal.db", clock=SystemClock())
            durable = decided(one, tap.port, journal, 2)
            yield Table(
                title="one signal to bytes at the server, on record before it leaves",
                unit="ms",
                rows={
                    "SQLite FULL commit": full_commit,
                    "ours, in memory": by_signal(one, plain, tap),
                    "ours, durable": by_signal(one, durable, tap),
                },
                goals=(
                    Goal("ours, durable", 1.5, of=("SQLite FULL commit", "ours, in memory")),
                    Goal("ours, durable", 5.0),
                    Goal("ours, durable", 150.0, percentile=99),
                ),
                rounds=120,
            )
