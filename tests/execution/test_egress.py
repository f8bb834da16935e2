"""A whole trader and those who are told: all of it, in order, and no order waits for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.cli.board import Board
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.core.models import OrderId, OrderRequest
from ibkr_trader.execution import egress
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.egress import Egress
from ibkr_trader.execution.egress_lane import EgressRules
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.trader import Trader
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.portfolio.payloads import (
    ExecutionFill,
    OrderLifecycleEvent,
    Payload,
    PnLSnapshot,
    PositionSnapshot,
    SignalDecision,
    encode,
)
from ibkr_trader.portfolio.state import PortfolioState
from ibkr_trader.portfolio.telling import payloads_of, source_of
from tests.execution.parts import START, Floor, FullDisk, request
from tests.execution.sinks import ListSink, down
from tests.house.test_schemas import schema_of
from tests.json_schema import faults

P = TypeVar("P", bound=Payload)
D = Decimal
RULES = EgressRules(first_pause=0.001, longest_pause=0.001)


def equipped(
    *sinks: ListSink, rules: EgressRules = RULES
) -> tuple[Callable[[Trader], None], list[Egress]]:
    """Return what gives a trader an egress, and where that is put."""
    made: list[Egress] = []
    return (lambda trader: made.append(Egress(trader, sinks, rules))), made


def of(sink: ListSink, kind: type[P]) -> list[P]:
    return [one for one in sink.taken if isinstance(one, kind)]


def bracket() -> BracketOrderRequest:
    def part(side: Side, **terms: Any) -> OrderRequest:
        return OrderRequest(symbol="AAPL", side=side, quantity=D(10), **terms)

    return BracketOrderRequest(
        parent=part(Side.BUY),
        stop_loss=part(Side.SELL, order_type=OrderType.STOP, stop_price=D(145)),
        take_profit=part(Side.SELL, order_type=OrderType.LIMIT, limit_price=D(155)),
    )


async def a_day(floor: Floor, trader: Trader) -> None:
    """A bracket that ends at its target, a denial, a cancel, and a decision about it all."""
    desk = Desk(trader)
    await desk.submit_group(bracket(), wait=Wait.FILLED)
    resting = await desk.submit_order(request(limit="140.00"))
    await desk.cancel_order(resting.order_id)
    with pytest.raises(RiskCheckError):
        await desk.submit_order(request(10_000_000, limit="150.00"))
    signal = ev.PredictionSignalEvent(
        at=START, ticker="AAPL", source="api", signal_id="s-1", signal="BUY", confidence=D("0.9")
    )
    trader.record.write([signal])
    floor.move(trader, "155.10", "155.12")
    assert await trader.until(lambda p: True if not p.positions else None, timeout=5)


async def test_everything_is_told_in_the_order_in_which_it_happened() -> None:
    floor, sink = Floor(), ListSink()
    equip, made = equipped(sink)
    async with floor.trader(equip=equip) as trader:
        await a_day(floor, trader)
    steps = of(sink, OrderLifecycleEvent)
    entry = [one for one in steps if one.order_id.endswith("-1-entry")]
    assert [one.kind for one in entry][:2] == ["new", "accepted"]
    assert {one.symbol for one in entry} == {"AAPL"}
    assert {one.origin for one in entry} == {"cli"}
    assert entry[-1].status == "FILLED"
    assert "denied" in {one.kind for one in steps}
    assert "cancelled" in {one.kind for one in steps}
    bought, sold = (one for one in of(sink, ExecutionFill) if one.kind == "execution")
    assert (bought.side, sold.side, sold.price) == ("BUY", "SELL", D(155))
    assert (bought.origin, bought.group_id) == ("cli", entry[0].group_id)
    positions = of(sink, PositionSnapshot)
    assert positions[0].quantity == D(10)
    assert positions[-1].quantity == D(0)
    assert of(sink, SignalDecision)[0].signal_id == "s-1"
    results = of(sink, PnLSnapshot)
    assert results[-1].by_symbol[0].realized == (D(155) - bought.price) * 10
    (standing,) = made[0].standing()
    assert (standing.sent, standing.waiting, standing.dropped) == (len(sink.taken), 0, 0)
    # Time stands still here, so what is repeated in the same moment has the same id: only that.
    facts = [one for one in sink.taken if not isinstance(one, PositionSnapshot | PnLSnapshot)]
    for name, payload in {one.event_id: one for one in facts}.items():
        assert all(one == payload for one in facts if one.event_id == name)


async def test_what_a_real_day_tells_meets_the_published_schemas() -> None:
    floor, sink = Floor(), ListSink()
    async with floor.trader(equip=equipped(sink)[0]) as trader:
        await a_day(floor, trader)
    schemas = {type(one).__name__: schema_of(type(one).__name__) for one in sink.taken}
    assert len(schemas) == 5
    for payload in sink.taken:
        assert faults(schemas[type(payload).__name__], json.loads(encode(payload))) == []


async def test_a_journal_that_is_read_again_tells_the_same_by_the_same_ids(tmp_path: Path) -> None:
    floor, sink = Floor(), ListSink()
    with SqliteJournal(tmp_path / "journal.db", clock=floor.clock) as journal:
        async with floor.trader(journal=journal, equip=equipped(sink)[0]) as trader:
            await a_day(floor, trader)
    state, sources, again = PortfolioState(), {}, list[Payload]()
    with SqliteJournal(tmp_path / "journal.db", clock=floor.clock) as journal:
        for _, message in journal.messages():
            if not isinstance(message, ev.BaseEvent):
                continue
            state = state.apply(message)
            if isinstance(message, ev.NewOrderEvent):
                sources[message.order_id] = source_of(message)
            again += payloads_of(message, state, sources=sources)
    facts = (OrderLifecycleEvent, ExecutionFill, SignalDecision)
    told = [one for one in sink.taken if isinstance(one, facts)]
    assert len(told) > 15
    assert [one for one in again if isinstance(one, facts)] == told


async def test_a_restart_knows_who_asked_for_what_lives_on() -> None:
    floor, journal, sink = Floor(), MemoryJournal("k7qav"), ListSink()
    async with floor.trader(journal=journal) as trader:
        resting = await Desk(trader).submit_order(request(limit="140.00"))
    async with floor.trader(journal=journal, equip=equipped(sink)[0]) as trader:
        await Desk(trader).cancel_order(resting.order_id)
    cancelled = [one for one in of(sink, OrderLifecycleEvent) if one.kind == "cancelled"]
    assert {one.origin for one in cancelled} == {"cli"}


async def test_a_start_tells_what_is_held() -> None:
    floor, journal, sink = Floor(), MemoryJournal("k7qav"), ListSink()
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
    async with floor.trader(journal=journal, equip=equipped(sink)[0]):
        await sink.until(lambda: bool(of(sink, PositionSnapshot)))
    assert of(sink, PositionSnapshot)[0].quantity == D(10)


async def test_many_origins_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "_MOST_KNOWN", 3)
    floor, sink = Floor(), ListSink()
    equip, made = equipped(sink)
    async with floor.trader(equip=equip) as trader:
        desk = Desk(trader)
        for _ in range(5):
            order = await desk.submit_order(request(limit="140.00"))
            await desk.cancel_order(order.order_id)
            floor.clock.advance(60)
        await desk.submit_order(request(limit="140.00"))
    assert 0 < len(made[0]._sources) <= 3
    assert {one.origin for one in of(sink, OrderLifecycleEvent)} == {"cli"}


# -- figures ----------------------------------------------------------------------------------


async def test_figures_are_told_after_a_trade_and_not_with_every_price(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(egress, "_BEAT", 0.001)
    floor, sink = Floor(), ListSink()
    async with floor.trader(equip=equipped(sink)[0]) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        await sink.until(lambda: bool(of(sink, PnLSnapshot)))
        before = len(of(sink, PnLSnapshot)), len(of(sink, PositionSnapshot))
        for cents in range(50):  # prices move, and no time passes
            floor.move(trader, f"150.{cents:02}", f"150.{cents + 2:02}")
            await asyncio.sleep(0.0001)
        assert (len(of(sink, PnLSnapshot)), len(of(sink, PositionSnapshot))) == before
        floor.clock.advance(RULES.snapshot_every)
        await sink.until(lambda: len(of(sink, PnLSnapshot)) > before[0])
        await sink.until(lambda: len(of(sink, PositionSnapshot)) > before[1])
        latest, position = of(sink, PnLSnapshot)[-1], of(sink, PositionSnapshot)[-1]
        assert latest.at == floor.clock.now()
        assert latest.unrealized == position.unrealized_pnl
        assert (position.quantity, position.cause) == (D(10), "")
        count = len(sink.taken)
        for _ in range(3):
            floor.clock.advance(RULES.snapshot_every)
            await asyncio.sleep(0.005)
        assert len(sink.taken) == count
        # What is flat is told once, and nothing is told when nothing has changed.
        await Desk(trader).submit_order(request(side=Side.SELL), wait=Wait.FILLED)
        floor.clock.advance(RULES.snapshot_every)
        await sink.until(lambda: of(sink, PnLSnapshot)[-1].unrealized == D(0))
        count = len(sink.taken)
        for _ in range(3):
            floor.clock.advance(RULES.snapshot_every)
            await asyncio.sleep(0.005)
        assert len(sink.taken) == count


async def test_the_last_trade_is_in_the_last_result() -> None:
    floor, sink = Floor(), ListSink()
    async with floor.trader(equip=equipped(sink)[0]) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        await sink.until(lambda: bool(of(sink, PnLSnapshot)))
        floor.quote("151.00", "151.02")
        await Desk(trader).submit_order(request(side=Side.SELL), wait=Wait.FILLED)
    assert of(sink, PnLSnapshot)[-1].realized == trader.outlook.pnl.realized
    assert of(sink, PositionSnapshot)[-1].quantity == D(0)


async def test_figures_that_cannot_be_told_stop_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise ZeroDivisionError

    for name in ("pnl_snapshot", "position_snapshot", "payloads_of"):
        monkeypatch.setattr(egress, name, fail)
    monkeypatch.setattr(egress, "_BEAT", 0.001)
    floor, sink = Floor(), ListSink()
    equip, made = equipped(sink)
    async with floor.trader(equip=equip) as trader:
        order = await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        async with asyncio.timeout(5):
            while "position could not" not in caplog.text:
                floor.clock.advance(RULES.snapshot_every)
                await asyncio.sleep(0.001)
    assert order.status == "FILLED"
    assert sink.taken == []
    assert made[0].standing()[0].dropped > 3
    assert "the day's result could not be told" in caplog.text
    assert "a FillEvent could not be told" in caplog.text


# -- sinks that fail ------------------------------------------------------------------------------


async def test_what_becomes_of_a_sink_reaches_the_screens_and_the_journal() -> None:
    floor, sink, journal = Floor(), ListSink("redis"), MemoryJournal("k7qav")
    sink.faults = down(2, "connection refused")
    boards: list[Board] = []

    def equip(trader: Trader) -> None:
        boards.append(Board(trader))
        Egress(trader, (sink,), RULES)

    async with floor.trader(journal=journal, equip=equip) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        await sink.until(lambda: len(sink.taken) > 5)
    lines = [line.text for line in boards[0].lines() if "redis" in line.text]
    assert lines == [
        "redis is down: connection refused; trading goes on without it",
        "redis is told again what happens",
    ]
    kept = [one.message for _, one in journal.messages() if isinstance(one, ev.ErrorEvent)]
    assert [one for one in kept if "redis" in one] == lines


async def test_a_sink_that_breaks_is_fenced_and_the_others_are_told() -> None:
    floor, broken, well = Floor(), ListSink("broken"), ListSink("well")
    broken.faults = [RuntimeError("boom")]
    equip, made = equipped(broken, well)
    async with floor.trader(equip=equip) as trader:
        order = await Desk(trader).submit_order(request(), wait=Wait.FILLED)
    assert order.status == "FILLED"
    first, second = made[0].standing()
    assert (first.is_fenced, second.is_fenced) == (True, False)
    assert (broken.taken, broken.attempts) == ([], 1)
    assert second.sent == len(well.taken) > 5


async def test_a_full_disk_does_not_keep_a_sink_from_being_spoken_of() -> None:
    floor, sink, journal = Floor(), ListSink(), FullDisk("k7qav")
    heard: list[str] = []
    sink.faults = down(1)
    async with floor.trader(journal=journal, equip=equipped(sink)[0]) as trader:
        journal.is_full = True
        trader.bus.subscribe(ev.ErrorEvent, lambda event: heard.append(event.message))
        position = trader.portfolio
        trader.record.witness([ev.UnknownEvent(at=START, order_id=OrderId("x"), reason="?")])
        await sink.until(lambda: bool(sink.taken))
        assert position is not trader.portfolio
        journal.is_full = False
    assert heard[0].startswith("list is down")
