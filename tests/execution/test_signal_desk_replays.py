"""One signal never makes two entries, whatever is repeated, reordered, restarted or interrupted."""

from __future__ import annotations

import asyncio
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from tests.execution.parts import INSTALL
from tests.execution.strategy_stage import ENTRY, StrategyFloor, entries, told

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 4), st.sampled_from(["BUY", "SELL", "SHORT"])),
        st.tuples(st.just("twice"), st.integers(1, 4), st.sampled_from(["BUY", "SHORT"])),
        st.tuples(st.just("gone"), st.integers(1, 4), st.just("BUY")),
        st.tuples(st.just("later"), st.integers(1, 45), st.just("")),
        st.tuples(st.just("mark"), st.just(0), st.just("")),
        st.tuples(st.just("restart"), st.just(0), st.just("")),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_one_signal_makes_one_entry_at_most(steps: list[tuple[str, int, str]]) -> None:
    asyncio.run(_live(steps))


async def _live(steps: list[tuple[str, int, str]]) -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    rest = list(steps)
    issued = {number: floor.clock.now() for number in range(1, 5)}
    while rest:
        async with floor.strategist(ENTRY, journal=journal, per_minute=600) as desk:
            while rest:
                what, number, action = rest.pop(0)
                if what == "restart":
                    break
                if what == "later":
                    floor.clock.advance(number)
                    continue
                if what == "mark":
                    desk.trader.recovery.checkpoint()
                    continue
                claim = floor.claim(action, signal_id=f"s{number}", issued_at=issued[number])
                if what == "gone":  # whoever asked hangs up at once
                    async with asyncio.TaskGroup() as group:
                        asking = group.create_task(desk.signals.take(claim))
                        await asyncio.sleep(0)
                        asking.cancel()
                    continue
                times = 2 if what == "twice" else 1
                work = asyncio.gather(*(desk.signals.take(claim) for _ in range(times)))
                await floor.closing(desk, work)
            await floor.closing(desk, desk.turns.idle())
    causes = {one.decision_id: one.cause for one in told(journal, ev.DecisionEvent)}
    made = Counter(causes[one.correlation_id] for one in entries(journal))
    assert all(count == 1 for count in made.values()), made
    taken = [(one.source, one.signal_id) for one in told(journal, ev.PredictionSignalEvent)]
    assert len(taken) == len(set(taken))
    for one in told(journal, ev.PredictionSignalEvent):
        assert one.issued_at is not None
        assert (one.at - one.issued_at).total_seconds() <= 30
