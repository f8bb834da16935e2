from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderType, Outcome, Stage, TradingState
from ibkr_trader.core.models import Quote
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.strategy_text import read_strategy
from tests.execution.parts import AAPL, INSTALL, FullDisk
from tests.execution.strategy_stage import ENTRY, StrategyFloor, entries, told
from tests.execution.study_hall import Market

if TYPE_CHECKING:
    from ibkr_trader.execution.strategist import Strategist

HEAD = 'name = "one"\nsymbols = ["AAPL"]\n[[rule]]\nname = "R"\n'
TRAIL = (
    ENTRY
    + """
[[rule]]
name = "TrailingStopAdjustment"
when = "position.unrealized_profit_pct > 0.05"
priority = 2
[rule.adjust_stop]
behind = "3%"
"""
)


def stop(desk: Strategist) -> Decimal | None:
    """Where the position's stop stands."""
    orders = desk.trader.portfolio.orders.values()
    return next((o.spec.stop_price for o in orders if o.spec.order_type is OrderType.STOP), None)


async def looked(desk: Strategist, trigger: Trigger) -> None:
    """Have the rules asked now, instead of when the clock says so."""
    details = desk.trader.outlook.details(AAPL)
    assert details is not None
    desk.ask(details, trigger)
    await desk.turns.idle()


@pytest.mark.parametrize(("action", "gain"), [("BUY", "160.00"), ("SHORT", "140.00")])
async def test_the_stop_follows_the_gain_on_either_side(action: str, gain: str) -> None:
    floor = StrategyFloor()
    async with floor.strategist(TRAIL) as desk:
        await desk.signals.take(floor.claim(action))
        await floor.filled(desk, 10 if action == "BUY" else -10)
        before = stop(desk)
        ask = str(Decimal(gain) + Decimal("0.02"))
        floor.move(desk.trader, gain, ask)
        await floor.closing(desk, looked(desk, Trigger.PRICE), bid=gain, ask=ask)
        after = stop(desk)
        assert before is not None
        assert after is not None
        sign = 1 if action == "BUY" else -1
        assert (after - before) * sign > 0
        assert abs(after - Decimal(gain)) == pytest.approx(Decimal("4.8"), abs=Decimal("0.7"))


async def test_a_cooldown_holds_across_restarts() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    text = (
        HEAD
        + """
when = "market.is_open"
cooldown = "15 min"
[rule.notify]
message = "open"
"""
    )
    for advance, count in ((0, 1), (60, 1), (15 * 60, 2)):
        floor.clock.advance(advance)
        async with floor.strategist(text, journal=journal) as desk:
            await looked(desk, Trigger.TIME)
            await looked(desk, Trigger.TIME)
        assert len(told(journal, ev.NoticeEvent)) == count


async def test_a_rule_that_raises_is_fenced_off_and_the_others_go_on() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    text = (
        HEAD
        + """
when = "market.is_open"
[rule.notify]
message = "one"
[[rule]]
name = "S"
when = "market.is_open"
[rule.notify]
message = "two"
"""
    )
    async with floor.strategist(text, journal=journal) as desk:
        (strategy,) = desk.rules.strategies
        bad = strategy.rules[0]

        class Broken:
            text, triggers, indicators = "broken", frozenset({Trigger.TIME}), frozenset[object]()

            def holds(self, _: object) -> bool:
                raise ZeroDivisionError("oh")

        rules = (msgspec.structs.replace(bad, when=Broken()), strategy.rules[1])
        desk.rules.admit(msgspec.structs.replace(strategy, rules=rules), Stage.LIVE)
        await looked(desk, Trigger.TIME)
        floor.clock.advance(11)
        await looked(desk, Trigger.TIME)
        (fault,) = told(journal, ev.FaultEvent)
        assert (fault.rule, fault.message) == ("R", "ZeroDivisionError: oh")
        assert [one.message for one in told(journal, ev.NoticeEvent)] == ["two", "two"]


async def test_a_halt_by_a_rule_holds_until_a_person_resumes() -> None:
    floor = StrategyFloor()
    text = (
        HEAD
        + """
when = "signal.action == 'SELL'"
[rule.halt]
reason = "too wild"
everything = true
"""
    )
    buys = "[[rule]]" + ENTRY.split("[[rule]]")[1]
    async with floor.strategist(text + buys) as desk:
        await desk.signals.take(floor.claim("SELL", signal_id="s0"))
        assert desk.trader.outlook.trading_state is TradingState.HALTED
        reply = await desk.signals.take(floor.claim())
        assert reply.outcome is Outcome.REFUSED
        assert not desk.trader.portfolio.orders


async def test_a_shadow_is_only_written_down() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(journal=journal) as desk:
        strategy = read_strategy(ENTRY)
        await desk.prepare(strategy, Stage.SHADOW)
        desk.rules.admit(strategy, Stage.SHADOW)
        reply = await desk.signals.take(floor.claim())
        assert reply.outcome is Outcome.NOTHING
        (decision,) = told(journal, ev.DecisionEvent)
        assert decision.is_shadow
        assert not entries(journal)


async def test_at_the_end_of_the_day_everything_is_closed() -> None:
    floor = StrategyFloor()
    text = (
        ENTRY
        + """
[[rule]]
name = "EndOfDay"
when = "time.minutes_to_close <= 5 and not position.is_flat"
[rule.close_all]
"""
    )
    async with floor.strategist(text) as desk:
        await desk.signals.take(floor.claim())
        await floor.filled(desk, 10)
        await looked(desk, Trigger.TIME)
        assert desk.trader.portfolio.positions
        floor.clock.advance(6 * 3600 - 4 * 60)  # 15:56 in New York
        await floor.closing(desk, looked(desk, Trigger.TIME))
        assert not desk.trader.portfolio.positions
        assert not desk.trader.portfolio.orders


async def test_what_cannot_be_written_down_is_not_done() -> None:
    floor, journal = StrategyFloor(), FullDisk(INSTALL)
    text = HEAD + 'when = "market.is_open"\n[rule.halt]\nreason = "r"\neverything = true\n'
    async with floor.strategist(text, journal=journal) as desk:
        journal.is_full = True
        await looked(desk, Trigger.TIME)
        assert desk.trader.outlook.trading_state is not TradingState.HALTED
        journal.is_full = False


async def test_a_full_disk_keeps_no_rule_from_getting_out() -> None:
    floor, journal = StrategyFloor(), FullDisk(INSTALL)
    text = (
        ENTRY
        + """
[[rule]]
name = "EndOfDay"
when = "time.minutes_to_close <= 5 and not position.is_flat"
[rule.close_all]
"""
    )
    async with floor.strategist(text, journal=journal) as desk:
        await desk.signals.take(floor.claim())
        await floor.filled(desk, 10)
        floor.clock.advance(6 * 3600 - 4 * 60)  # 15:56 in New York
        journal.is_full = True
        await floor.closing(desk, looked(desk, Trigger.TIME))
        assert not desk.trader.portfolio.positions
        assert not desk.trader.portfolio.orders
        journal.is_full = False
    assert [one.rule for one in told(journal, ev.DecisionEvent)] == ["PredictionEntry", "EndOfDay"]
    assert not desk.trader.remembered.rules.open


async def test_prices_and_time_set_rules_off_by_themselves() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    text = HEAD + 'when = "price.ask > 170"\ncooldown = "1 min"\n[rule.notify]\nmessage = "high"\n'
    async with floor.strategist(text, journal=journal) as desk:
        heard = asyncio.Event()
        desk.trader.bus.subscribe(ev.NoticeEvent, lambda _: heard.set())
        floor.move(desk.trader, "171.00", "171.02")
        async with asyncio.timeout(5):
            await heard.wait()
        assert [one.message for one in told(journal, ev.NoticeEvent)] == ["high"]


async def test_a_question_that_waits_already_is_not_asked_twice() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        details, gate = desk.trader.outlook.details(AAPL), asyncio.Event()
        assert details is not None

        async def wait() -> None:
            await gate.wait()

        assert desk.turns.offer("AAPL", wait)  # the symbol waits for the broker
        for _ in range(1_000):
            desk.ask(details, Trigger.PRICE)
        async with asyncio.TaskGroup() as tasks:
            taking = tasks.create_task(desk.signals.take(floor.claim()))
            await asyncio.sleep(0)
            gate.set()
        assert taking.result().outcome is Outcome.ACTED


async def test_after_a_lost_link_its_bars_are_asked_for_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ibkr_trader.execution.strategist.TICK", 0.01)
    floor = StrategyFloor()
    text = HEAD + 'when = "bar.close > sma(3)"\n[rule.notify]\nmessage = "high"\n'
    async with floor.strategist(text) as desk:
        trader = desk.trader
        trader.market = market = Market(floor.exchange, clock=floor.clock)
        market.was_asked = asyncio.Event()
        now = floor.clock.now()
        trader.bus.publish(ev.DisconnectEvent(at=now, epoch=1, reason="cut"))
        details = trader.outlook.details(AAPL)
        assert details is not None
        quote = Quote(contract=details.contract, at=now, last=Decimal(150))
        trader.bus.publish(ev.PriceEvent(at=now, contract=details.contract, quote=quote))
        async with asyncio.timeout(5):
            await market.was_asked.wait()
