"""What telling others costs an order: next to nothing, whatever becomes of the sinks."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from decimal import Decimal

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import AccountValues, OrderId
from ibkr_trader.execution import egress
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.egress_lane import EgressRules
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.trader import Trader
from ibkr_trader.portfolio.payloads import OrderLifecycleEvent, PositionSnapshot
from tests.execution.parts import AAPL, START, Floor, request
from tests.execution.sinks import HangingSink, ListSink
from tests.execution.test_egress import equipped, of

D = Decimal


def events(count: int) -> list[ev.BaseEvent]:
    return [
        ev.WarningEvent(at=START, order_id=OrderId(f"k7qav-{n}-single"), code=n, reason="late")
        for n in range(count)
    ]


async def publish(trader: Trader, news: list[ev.BaseEvent]) -> list[float]:
    """Publish each event by itself, letting the loop turn as it does; return what each took."""
    took = []
    gc.collect()
    for event in news:
        started = time.perf_counter()
        trader.bus.publish(event)
        took.append(time.perf_counter() - started)
        await asyncio.sleep(0)
    return took


async def test_a_sink_that_hangs_for_ever_delays_nobody() -> None:
    """2,000 events with a sink that takes none: publishing stays what it was without one."""
    news = events(2_000)
    async with Floor().trader() as trader:
        bare = sorted(await publish(trader, news))
    floor, hanging, well = Floor(), HangingSink(), ListSink("well")
    rules = EgressRules(limit=1_000, emit_timeout=600, farewell=5)
    equip, made = equipped(hanging, well, rules=rules)
    async with floor.trader(equip=equip) as trader:
        took = sorted(await publish(trader, news))
        await well.until(lambda: len(well.taken) >= len(news))
        order = await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        assert order.status == "FILLED"
        await asyncio.sleep(0)
        hung, fine = made[0].standing()
        assert (hung.sent, hung.waiting) == (0, rules.limit + hung_batch(hung.waiting, rules))
        assert fine.dropped == 0
        hanging.gate.set()
        await hanging.until(lambda: made[0].standing()[0].waiting == 0)
        hung, fine = made[0].standing()
    middle, worst = len(took) // 2, int(len(took) * 0.99)
    logging.getLogger(__name__).warning(
        "publishing: median %.1f us bare, %.1f us with a sink that hangs; 99 %%: %.1f, %.1f",
        bare[middle] * 1e6, took[middle] * 1e6, bare[worst] * 1e6, took[worst] * 1e6,
    )  # fmt: skip
    assert took[middle] - bare[middle] < 50e-6  # some microseconds, on any machine
    # The rest came in order, and the counts add up.
    assert hung.sent + hung.dropped == fine.sent
    assert is_in_order(hanging.ids, well.ids)


def hung_batch(waiting: int, rules: EgressRules) -> int:
    """What the hanging sink was handed over at first: one batch, of whatever there was then."""
    return min(waiting - rules.limit, rules.batch)


def is_in_order(some: list[str], everything: list[str]) -> bool:
    rest = iter(everything)
    return bool(some) and all(one in rest for one in some)


async def test_what_is_heard_faster_than_it_can_be_told_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(egress, "_MOST_HEARD", 10)
    floor, sink = Floor(), ListSink()
    equip, made = equipped(sink)
    async with floor.trader(equip=equip) as trader:
        before = made[0].standing()[0]
        await asyncio.sleep(0.01)
        for event in events(30):  # the loop has no chance in between
            trader.bus.publish(event)
        await sink.until(lambda: any(one.event_id.startswith("k7qav-29-") for one in sink.taken))
    assert before.dropped == 0
    assert made[0].standing()[0].dropped == 20
    codes = [one.code for one in of(sink, OrderLifecycleEvent) if one.kind == "warning"]
    assert codes == list(range(20, 30))


async def test_prices_are_not_even_heard() -> None:
    floor, sink = Floor(), ListSink()
    equip, made = equipped(sink)
    async with floor.trader(equip=equip) as trader:
        await asyncio.sleep(0.01)
        floor.move(trader, "150.00", "150.02")
        worth = AccountValues(account="SIM0000001", net_liquidation=D(1))
        trader.bus.publish(ev.AccountEvent(at=START, values=worth))
        assert not made[0]._heard
    assert AAPL not in {one.con_id for one in of(sink, PositionSnapshot)}
