"""What a trader knows again after a restart, also one that runs no strategy meanwhile."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, Stage
from ibkr_trader.execution.bus import EventBus
from ibkr_trader.execution.remembered import Remembered
from tests.execution.parts import INSTALL, START
from tests.execution.strategy_stage import ENTRY, StrategyFloor, told


def stage(version: str, at: Stage = Stage.LIVE) -> ev.StageEvent:
    return ev.StageEvent(
        at=START, strategy="s", stage=at, version=version, content=version, suffix=".toml"
    )


def signal(number: int) -> ev.PredictionSignalEvent:
    return ev.PredictionSignalEvent(
        at=START,
        ticker="AAPL",
        source="test",
        signal_id=f"s{number}",
        issued_at=START,
        signal="BUY",
        confidence=Decimal(1),
        sequence=number,
    )


def decision(name: str) -> ev.DecisionEvent:
    return ev.DecisionEvent(
        at=START,
        strategy="s",
        decision_id=name,
        rule="r",
        version="v2",
        ticker="AAPL",
        cause="test/s1",
        wish="open",
    )


HISTORY: list[ev.BaseEvent] = [
    stage("v1"),
    stage("v2"),
    stage("v3", Stage.SHADOW),
    signal(1),
    decision("d1"),
    ev.DecisionEndEvent(at=START, strategy="s", decision_id="d1", outcome=Outcome.ACTED),
    ev.SignalEndEvent(
        at=START, ticker="AAPL", source="test", signal_id="s1", outcome=Outcome.ACTED
    ),
    signal(2),
    decision("d2"),
]


def test_a_checkpoint_keeps_all_that_its_history_says() -> None:
    plain, after = Remembered(EventBus()), Remembered(EventBus())
    plain.restore(HISTORY)
    kept = ev.CheckpointEvent(at=START, **plain.kept(START))
    after.restore([kept])
    assert after.kept(START) == plain.kept(START)
    assert list(after.signals.open) == list(plain.signals.open)
    assert list(after.rules.open) == ["d2"]
    assert after.stages.live["s"].version == "v2"
    assert after.stages.shadow["s"].version == "v3"
    earlier = after.stages.earlier("s")
    assert earlier is not None
    assert earlier.version == "v1"


def test_the_bus_keeps_it_up_to_date() -> None:
    bus = EventBus()
    heard, restored = Remembered(bus), Remembered(EventBus())
    for event in HISTORY:
        bus.publish(event)
    restored.restore(HISTORY)
    assert heard.kept(START) == restored.kept(START)


async def test_a_trader_without_strategies_keeps_everything_across_its_own_checkpoints() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        desk.trader.record.write([stage("v1"), stage("v2")])
        await desk.signals.take(floor.claim(signal_id="once"))
        await floor.filled(desk, 10)
        before = desk.trader.remembered.kept(floor.clock.now())
    for _ in range(2):  # each marks a resting point of its own, over the one before
        async with floor.trader(journal=journal) as plain:
            assert plain.remembered.kept(floor.clock.now()) == before
    assert told(journal, ev.CheckpointEvent)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        again = await desk.signals.take(floor.claim(signal_id="once"))
        assert again.code == "duplicate"
        assert desk.trader.remembered.stages.live["s"].version == "v2"


async def test_what_is_older_than_anything_could_need_is_let_go() -> None:
    remembered = Remembered(EventBus())
    remembered.restore(HISTORY)
    later = remembered.kept(START + timedelta(days=400))
    assert not later["signals"]
    assert later["stages"] == remembered.kept(START)["stages"]
    assert later["open_decisions"] == remembered.kept(START)["open_decisions"]
