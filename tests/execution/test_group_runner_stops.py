"""A bracket that loses its stop while it holds: found out in time, replaced once, followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.models import OrderId, Quote
from ibkr_trader.execution import group_runner
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders.bracket_orders import Bracket
from tests.execution.parts import Floor, take_away
from tests.orders.samples import AAPL
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order
    from ibkr_trader.execution.trader import Trader

STOP_2 = OrderId("k7qav-1-stop.2")


async def naked(trader: Trader) -> tuple[Order, ...]:
    """Hold ten, and let the broker take both exits away."""
    orders = await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
    await take_away(trader, *orders[1:])
    return orders


def tick(floor: Floor, trader: Trader) -> None:
    """Let a price arrive that nobody acts on."""
    now = floor.clock.now()
    quote = Quote(contract=AAPL, at=now)
    trader.intake.admit([ev.PriceEvent(at=now, contract=AAPL, quote=quote)])


async def replacement(trader: Trader) -> Order | None:
    return await trader.until(lambda p: p.orders.get(STOP_2), timeout=2)


async def test_its_replacement_is_one_of_the_group() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        orders = await naked(trader)
        floor.clock.advance(3)
        tick(floor, trader)
        assert await replacement(trader)
        group = trader.groups.get(orders[0].spec.group_id)
        assert isinstance(group, Bracket)
        assert STOP_2 in group.orders


async def test_a_replacement_that_fails_too_is_told() -> None:
    floor = Floor()
    said: list[str] = []
    async with floor.trader() as trader:
        trader.bus.subscribe(ev.GroupEvent, lambda e: said.append(e.message))
        await naked(trader)
        floor.clock.advance(3)
        tick(floor, trader)
        assert await replacement(trader)
        now = floor.clock.now()
        refused = ev.RejectEvent(at=now, order_id=STOP_2, code=201, reason="no margin")
        trader.intake.admit([refused])
    assert any("failed too" in message for message in said)


async def test_it_is_noticed_though_no_price_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_runner, "HEARTBEAT", 0.01)
    floor = Floor()
    async with floor.trader() as trader:
        await naked(trader)
        floor.clock.advance(3)
        assert await replacement(trader)


async def test_it_survives_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """No order of the group is left, and yet it is not over: it owes a stop."""
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        orders = await naked(trader)
        assert not trader.portfolio.orders
    (mark,) = [m for _, m in journal.messages() if isinstance(m, ev.CheckpointEvent)]
    assert {order.order_id for order in orders} <= set(mark.live)
    monkeypatch.setattr(group_runner, "HEARTBEAT", 0.01)
    floor.clock.advance(3)
    floor.quote("149.99", "150.01")
    async with floor.trader(journal=journal) as trader:
        await trader.learn("AAPL")
        assert await replacement(trader)


async def test_who_only_looks_leaves_it_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await naked(trader)
    monkeypatch.setattr(group_runner, "HEARTBEAT", 0.01)
    floor.clock.advance(3)
    floor.quote("149.99", "150.01")
    before = len(floor.exchange.orders.working())
    async with floor.trader(journal=journal, duty=Duty.NONE) as trader:
        await trader.learn("AAPL")
        tick(floor, trader)
        await trader.groups.idle()
        assert len(floor.exchange.orders.working()) == before
    async with floor.trader(journal=journal) as trader:
        await trader.learn("AAPL")
        assert await replacement(trader)


async def test_a_refused_stop_that_works_on_is_not_doubled() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        orders = await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        stop = orders[2].order_id
        words = [m for _, m in trader.journal.messages() if isinstance(m, ev.StatusEvent)]
        last = [word for word in words if word.order_id == stop][-1]
        now = floor.clock.now()
        refused = ev.RejectEvent(at=now, order_id=stop, code=201, reason="weak evidence")
        trader.intake.admit([refused])
        trader.intake.admit([msgspec.structs.replace(last, at=now)])
        await trader.groups.idle()
        await trader.intake.drained()
        live = [o.order_id for o in (await trader.broker.snapshot()).open_orders]
        assert len([order_id for order_id in live if "stop" in order_id]) == 1
