from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderType, Outcome, Side, Stage
from ibkr_trader.core.signals import FlowClaim, Malformed
from ibkr_trader.rules.moment import Trigger
from tests.execution.parts import AAPL, INSTALL, FullDisk
from tests.execution.strategy_stage import ENTRY, StrategyFloor, entries, told

if TYPE_CHECKING:
    from ibkr_trader.core.signals import SignalReply
    from ibkr_trader.execution.strategist import Strategist


async def test_a_signal_becomes_a_bracket_on_the_right_sides() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        reply = await desk.signals.take(floor.claim())
        assert (reply.outcome, reply.code) == (Outcome.ACTED, "")
        await floor.filled(desk, 10)
        exits = {o.spec.order_type: o.spec for o in desk.trader.portfolio.orders.values()}
        assert exits[OrderType.STOP].side is Side.SELL
        assert exits[OrderType.STOP].stop_price == Decimal("145.50")
        assert exits[OrderType.LIMIT].limit_price == Decimal("163.49")


async def test_a_short_has_its_stop_above_and_its_target_below() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        await desk.signals.take(floor.claim("SHORT"))
        await floor.filled(desk, -10)
        exits = {o.spec.order_type: o.spec for o in desk.trader.portfolio.orders.values()}
        assert exits[OrderType.STOP].side is Side.BUY
        assert exits[OrderType.STOP].stop_price == Decimal("154.48")
        assert exits[OrderType.LIMIT].limit_price == Decimal("136.49")


async def test_a_sell_closes_what_is_long_and_never_goes_further() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        assert (await desk.signals.take(floor.claim("SELL"))).outcome is Outcome.NOTHING
        await desk.signals.take(floor.claim(signal_id="s2"))
        await floor.filled(desk, 10)
        await floor.closing(desk, desk.signals.take(floor.claim("SELL", signal_id="s3")))
        assert not desk.trader.portfolio.positions
        assert not desk.trader.portfolio.orders
        again = await desk.signals.take(floor.claim("SELL", signal_id="s4"))
        assert again.outcome is Outcome.NOTHING
        assert not desk.trader.portfolio.positions


async def test_a_sell_leaves_a_short_alone() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        await desk.signals.take(floor.claim("SHORT"))
        await floor.filled(desk, -10)
        reply = await desk.signals.take(floor.claim("SELL", signal_id="s2"))
        assert reply.outcome is Outcome.NOTHING
        assert desk.trader.portfolio.positions[AAPL].quantity == -10


async def test_a_signal_on_the_other_side_never_flips_a_position() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        await desk.signals.take(floor.claim())
        await floor.filled(desk, 10)
        reply = await desk.signals.take(floor.claim("SHORT", signal_id="s2"))
        assert reply.outcome is Outcome.REFUSED
        assert "never flips" in " ".join(reply.reasons)
        assert desk.trader.portfolio.positions[AAPL].quantity == 10


async def test_a_reversal_is_flat_at_the_broker_before_it_enters() -> None:
    floor = StrategyFloor()
    text = ENTRY.replace('side = "short"', 'side = "short"\nreversal = "close_first"')
    async with floor.strategist(text) as desk:
        await desk.signals.take(floor.claim())
        await floor.filled(desk, 10)
        flat_at: list[Decimal] = []
        desk.trader.bus.subscribe(
            ev.NewOrderEvent,
            lambda event: flat_at.append(_held(desk)) if event.order_id.endswith("entry") else None,
        )
        reply = await floor.closing(desk, desk.signals.take(floor.claim("SHORT", signal_id="s2")))
        assert reply.outcome is Outcome.ACTED
        assert flat_at == [0]
        await floor.filled(desk, -10)


async def test_who_is_in_already_does_not_enter_again() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        first = await desk.signals.take(floor.claim())
        waiting = await desk.signals.take(floor.claim(signal_id="s2"))
        await floor.filled(desk, 10)
        held = await desk.signals.take(floor.claim(signal_id="s3"))
        outcomes = [first.outcome, waiting.outcome, held.outcome]
        assert outcomes == [Outcome.ACTED, Outcome.NOTHING, Outcome.NOTHING]
        assert len(entries(desk)) == 1


async def test_the_same_signal_acts_once() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        both = await asyncio.gather(
            desk.signals.take(floor.claim()), desk.signals.take(floor.claim())
        )
        again = await desk.signals.take(floor.claim())
        codes = sorted(reply.code for reply in (*both, again))
        assert codes == ["", "duplicate", "duplicate"]
        assert len(entries(desk)) == 1


async def test_the_same_signal_acts_once_across_restarts_and_resting_points() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        claim = floor.claim()
        await desk.signals.take(claim)
        await floor.filled(desk, 10)
        await floor.closing(desk, desk.signals.take(floor.claim("SELL", signal_id="s2")))
    async with floor.trader(journal=journal):
        pass  # a command without strategies marks a resting point, too
    async with floor.strategist(ENTRY, journal=journal) as desk:
        reply = await desk.signals.take(claim)
        assert reply.code == "duplicate"
        assert not desk.trader.portfolio.orders
    assert len(entries(journal)) == 1


async def test_one_that_a_restart_finds_open_is_not_acted_upon_again() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        now = floor.clock.now()
        taken = ev.PredictionSignalEvent(
            at=now,
            ticker="AAPL",
            source="test",
            signal_id="s1",
            issued_at=now,
            signal="BUY",
            confidence=Decimal("0.9"),
        )
        desk.trader.record.write([taken])  # and here the process dies
    async with floor.strategist(ENTRY, journal=journal) as desk:
        assert (await desk.signals.take(floor.claim())).code == "duplicate"
        (end,) = told(journal, ev.SignalEndEvent)
        assert end.outcome is Outcome.UNKNOWN
        assert not desk.trader.portfolio.orders


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"issued_at": timedelta(seconds=-31)}, "stale"),
        ({"issued_at": timedelta(seconds=3)}, "future"),
        ({"confidence": Decimal("0.74")}, "low_confidence"),
        ({"ticker": "TSLA"}, "unknown_symbol"),
    ],
)
async def test_what_is_not_taken_is_on_record_with_its_reason(
    fields: dict[str, Any], code: str
) -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    shift = fields.get("issued_at")
    if isinstance(shift, timedelta):
        fields = {**fields, "issued_at": floor.clock.now() + shift}
    async with floor.strategist(ENTRY, journal=journal, symbols=frozenset({"AAPL"})) as desk:
        reply = await desk.signals.take(floor.claim(**fields))
        assert (reply.outcome, reply.code, reply.is_final) == (Outcome.REFUSED, code, True)
        (refused,) = told(journal, ev.SignalRefusedEvent)
        assert refused.code == code
        assert not desk.trader.portfolio.orders


async def test_unsigned_out_of_order_and_too_many_are_refused() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY, needs_signature=True, per_minute=2) as desk:
        take = desk.signals.take
        assert (await take(floor.claim())).code == "unsigned"
        ok: list[SignalReply] = [
            await take(floor.claim("BUY", signal_id=f"n{n}", sequence=n, is_signed=True))
            for n in (5, 5, 4, 6, 7)
        ]
        assert [one.code for one in ok] == ["", "duplicate", "out_of_order", "", "too_many"]
        leave = floor.claim("SELL", signal_id="n8", sequence=8, is_signed=True)
        assert (await take(leave)).code == "", "who only ends something does not stand in line"


async def test_a_symbol_that_nobody_knows_is_refused() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        reply = await desk.signals.take(floor.claim(ticker="NOSUCH"))
        assert reply.code == "unknown_symbol"


async def test_what_is_no_signal_is_answered_and_on_record() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        bad = Malformed(source="test", message="depth 1,000\x1b[31m", excerpt="[[[", code="forged")
        assert (await desk.signals.take(bad)).code == "forged"
        (refused,) = told(journal, ev.SignalRefusedEvent)
        assert (refused.code, "\x1b" in refused.message) == ("forged", False)


async def test_a_flood_of_the_same_refusal_is_counted_and_not_written_each_time() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        for number in range(500):
            await desk.signals.take(floor.claim(signal_id=f"n{number}", confidence=Decimal("0.1")))
        assert len(told(journal, ev.SignalRefusedEvent)) == 1
        floor.clock.advance(2)
        await desk.signals.take(floor.claim(signal_id="late", confidence=Decimal("0.1")))
        assert [one.count for one in told(journal, ev.SignalRefusedEvent)] == [1, 500]


async def test_a_signal_that_no_rule_wants_ends_with_the_reasons() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        reply = await desk.signals.take(floor.claim(confidence=Decimal("0.8")))
        assert reply.outcome is Outcome.NOTHING
        assert any("signal.confidence > 0.85 is false (0.8)" in one for one in reply.reasons)
        (end,) = told(journal, ev.SignalEndEvent)
        assert (end.outcome, end.reasons) == (Outcome.NOTHING, reply.reasons)


async def test_where_one_strategy_acts_and_another_is_refused_nobody_hears_refused() -> None:
    """A producer that hears it may believe that nothing was sent."""
    floor = StrategyFloor()
    bear = ENTRY.replace("prediction-entry", "bear").replace('"long"', '"short"')
    async with floor.strategist(ENTRY, bear) as desk:
        reply = await desk.signals.take(floor.claim())
        assert reply.outcome is Outcome.ACTED
        assert len(entries(desk)) == 1
        mine, other = reply.reasons
        assert mine == "prediction-entry, 1: acted; size 10: fixed at 10"
        assert other.startswith("bear, 2: refused; ")
        assert "one strategy" in other or "belongs to" in other or "never flips" in other


async def test_a_rule_that_raises_on_a_signal_is_no_quiet_nothing() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        (strategy,) = desk.rules.strategies

        class Broken:
            text, triggers, indicators = "b", frozenset({Trigger.SIGNAL}), frozenset[object]()

            def holds(self, _: object) -> bool:
                raise ZeroDivisionError("oh")

        first = msgspec.structs.replace(strategy.rules[0], when=Broken())
        rules = (first, *strategy.rules[1:])
        desk.rules.admit(msgspec.structs.replace(strategy, rules=rules), Stage.LIVE)
        reply = await desk.signals.take(floor.claim())
        assert reply.outcome is Outcome.FAILED
        assert reply.reasons[0] == f"prediction-entry/{first.name} raised: ZeroDivisionError: oh"
        assert not desk.trader.portfolio.orders


async def test_a_measure_of_the_flow_sets_its_rules_off() -> None:
    floor = StrategyFloor()
    text = """
name = "flow"
symbols = ["AAPL"]
[[rule]]
name = "Big"
when = "flow.measure == 'premium' and flow.value > 1000"
[rule.notify]
message = "big premium in {symbol}"
"""
    async with floor.strategist(text) as desk:
        claim = FlowClaim(
            source="api",
            signal_id="f1",
            ticker="AAPL",
            measure="premium",
            value=Decimal(2000),
            threshold=Decimal(1000),
        )
        reply = await desk.signals.take(claim)
        assert reply.outcome is Outcome.ACTED
        assert (await desk.signals.take(claim)).code == "duplicate"


async def test_a_journal_that_takes_nothing_lets_nothing_be_done() -> None:
    floor, journal = StrategyFloor(), FullDisk(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        journal.is_full = True
        reply = await desk.signals.take(floor.claim())
        assert (reply.outcome, reply.is_final) == (Outcome.REFUSED, False)
        assert not desk.trader.portfolio.orders
        journal.is_full = False
        assert (await desk.signals.take(floor.claim())).outcome is Outcome.ACTED


async def test_a_journal_that_takes_nothing_keeps_nobody_from_getting_out() -> None:
    floor, journal = StrategyFloor(), FullDisk(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        await desk.signals.take(floor.claim())
        await floor.filled(desk, 10)
        journal.is_full = True
        sell = floor.claim("SELL", signal_id="s2")
        reply = await floor.closing(desk, desk.signals.take(sell))
        assert (reply.outcome, reply.is_final) == (Outcome.ACTED, False)
        assert reply.reasons[0].endswith("its exit is carried out, and is not on record")
        assert (dict(desk.trader.portfolio.positions), dict(desk.trader.portfolio.orders)) == (
            {}, {},
        )  # fmt: skip
        again = await desk.signals.take(sell)  # a queue hands it over again
        assert (again.outcome, again.is_final) == (Outcome.REFUSED, False)
        journal.is_full = False
        last = await desk.signals.take(sell)
        assert (last.outcome, last.is_final) == (Outcome.NOTHING, True)
        assert not desk.trader.portfolio.orders
    decided = told(journal, ev.DecisionEvent)[-1]  # owed, and written by now
    assert (decided.rule, decided.cause) == ("PredictionExit", "test/s2")
    assert told(journal, ev.DecisionEndEvent)[-1].outcome is Outcome.ACTED


async def test_of_a_signal_that_is_not_on_record_only_the_exit_is_carried_out() -> None:
    floor, journal = StrategyFloor(), FullDisk(INSTALL)
    bear = ENTRY.replace("prediction-entry", "bear").replace("'SHORT'", "'SELL'")
    bear = bear.replace("AAPL", "MSFT", 1)
    both = (
        ENTRY
        + """
[[rule]]
name = "Tell"
when = "signal.action == 'SELL'"
[rule.notify]
message = "sold"
"""
    )
    async with floor.strategist(both, bear, journal=journal) as desk:
        await desk.signals.take(floor.claim())
        await floor.filled(desk, 10)
        journal.is_full = True
        sell = floor.claim("SELL", signal_id="s2")
        reply = await floor.closing(desk, desk.signals.take(sell))
        assert (reply.outcome, reply.is_final) == (Outcome.ACTED, False)
        assert "nothing else of it was done" in reply.reasons
        assert not desk.trader.portfolio.positions
        other = floor.claim("SELL", signal_id="s3", ticker="MSFT")
        refused = await desk.signals.take(other)  # there it would open
        assert (refused.outcome, refused.is_final) == (Outcome.REFUSED, False)
        assert not desk.trader.portfolio.orders
        journal.is_full = False
    assert not told(journal, ev.NoticeEvent)


async def test_a_caller_that_goes_away_does_not_stop_what_is_under_way() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(desk.signals.take(floor.claim()))
            await asyncio.sleep(0)
            asking.cancel()
        await desk.turns.idle()
        assert len(entries(desk)) == 1


async def test_a_signal_grown_old_while_the_broker_was_asked_opens_nothing() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        wait = desk.trader.recovery.settled

        async def slowly(*, timeout: float) -> None:
            floor.clock.advance(60)
            await wait(timeout=timeout)

        desk.trader.recovery.settled = slowly  # type: ignore[method-assign] # the broker takes its time
        reply = await desk.signals.take(floor.claim())
        assert reply.outcome is Outcome.REFUSED
        assert "too old" in " ".join(reply.reasons)
        assert not desk.trader.portfolio.orders


def _held(desk: Strategist) -> Decimal:
    position = desk.trader.portfolio.positions.get(AAPL)
    return position.quantity if position is not None else Decimal(0)
