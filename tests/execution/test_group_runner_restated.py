"""Where the broker restates a position, its groups place and enlarge nothing any more."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.execution import caring
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.scaling import add, prepare_addition
from ibkr_trader.orders.exit_levels import Wanted
from ibkr_trader.orders.linked_orders import ScaleInRequest
from ibkr_trader.portfolio.ledger_fold import subject_of
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.guard import RiskGuard
from tests.execution.parts import AAPL, Floor, take_away
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order
    from ibkr_trader.execution.trader import Trader


async def held(trader: Trader) -> tuple[Order, ...]:
    return await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)


def restate(trader: Trader, orders: tuple[Order, ...], *, subject: str = "") -> None:
    """Say that the broker has another position than ours, and no execution for it."""
    found = subject or subject_of(orders[0].spec.contract)
    now = trader.clock.now()
    drift = ev.DriftEvent(at=now, subject=found, ours="10", theirs="40")
    trader.record.witness([drift])


async def settle(trader: Trader) -> None:
    await trader.intake.drained()
    await trader.groups.idle()


@pytest.mark.parametrize("subject", ["", "position MSFT"])
async def test_a_stop_is_not_put_back_at_a_price_that_means_nothing_any_more(subject: str) -> None:
    floor, said = Floor(), list[str]()
    async with floor.trader() as trader:
        trader.bus.subscribe(ev.GroupEvent, lambda event: said.append(event.message))
        orders = await held(trader)
        restate(trader, orders, subject=subject)
        await take_away(trader, *orders[1:])
        floor.clock.advance(3)
        trader.groups._beat(floor.clock.now())
        await settle(trader)
        new = [order for order in trader.portfolio.orders if order.endswith("-stop.2")]
        assert bool(new) is bool(subject), "what happens elsewhere is no concern of this group"
    assert any("restated" in message for message in said) is not bool(subject)


async def test_what_an_execution_may_yet_explain_is_waited_for_and_alarms_nobody() -> None:
    floor, said = Floor(), list[str]()
    async with floor.trader() as trader:
        trader.bus.subscribe(ev.GroupEvent, lambda event: said.append(event.message))
        orders = await held(trader)
        position = trader.portfolio.positions[AAPL]

        def report(quantity: int) -> None:
            stated = msgspec.structs.replace(position, quantity=Decimal(quantity))
            trader.intake.admit([ev.PositionReportEvent(at=floor.clock.now(), position=stated)])

        async def pass_by() -> list[str]:
            floor.clock.advance(3)
            trader.groups._beat(floor.clock.now())
            await settle(trader)
            return [order for order in trader.portfolio.orders if order.endswith("-stop.2")]

        report(6)
        await take_away(trader, *orders[1:])
        assert await pass_by() == []
        report(10)
        assert await pass_by() != []
    assert not [message for message in said if "restated" in message]


async def test_it_is_remembered_over_a_restart() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        orders = await held(trader)
        restate(trader, orders)
    async with floor.trader(journal=journal) as trader:
        await take_away(trader, *orders[1:])
        floor.clock.advance(3)
        trader.groups._beat(floor.clock.now())
        await settle(trader)
        assert not trader.portfolio.orders


async def test_what_began_afterwards_is_no_part_of_it_before_or_after_a_restart() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    # The check `drift` would open nothing beside the old orders; here they are not looked at.
    lenient = RiskGuard(name for name, _ in CHECKS.items() if name != "drift")
    async with floor.trader(journal=journal, guard=lenient) as trader:
        orders = await held(trader)
        restate(trader, orders)
        await Desk(trader).submit_group(bracket(limit=Decimal(148)))
        first, _ = trader.groups.open_ids
        assert trader.groups.misled == (first,)
        history = [message for _, message in journal.messages()]
    crashed = MemoryJournal("k7qav")  # without the checkpoint of an orderly end
    crashed.append(history)
    for kept in (journal, crashed):
        async with floor.trader(journal=kept) as trader:
            assert len(trader.groups.open_ids) == 2
            assert trader.groups.misled == (first,)


async def test_beside_its_old_orders_nothing_is_opened_until_they_are_gone() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        orders = await held(trader)
        restate(trader, orders)
        desk = Desk(trader)
        with pytest.raises(RiskCheckError, match="has restated the position in AAPL"):
            await desk.submit_group(bracket(limit=Decimal(148)))
        for order in orders[1:]:
            await desk.cancel_order(order.order_id)
        assert trader.groups.misled == ()
        await desk.submit_group(bracket(limit=Decimal(148)))


async def test_what_only_reduces_goes_on() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        orders = await held(trader)
        restate(trader, orders)
        desk = Desk(trader)
        await desk.cancel_order(orders[2].order_id)
        moved = await desk.modify_order(orders[1].order_id, quantity=Decimal(6))
        assert moved.spec.quantity == 6, "and a person may do whatever a person may"


async def test_whoever_adopts_the_position_ends_it_before_and_after_a_restart() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        orders = await held(trader)
        restate(trader, orders)
        with pytest.raises(RiskCheckError, match="restated"):
            await held(trader)
        found = await caring.prepare_adoption(trader, "AAPL", Wanted())
        assert found.request is None
        await caring.adopt(trader, found, timeout=1)
        assert (trader.groups.misled, len(trader.portfolio.orders)) == ((), 2)
        history = [message for _, message in journal.messages()]
    crashed = MemoryJournal("k7qav")  # without the checkpoint of an orderly end
    crashed.append(history)
    for kept in (journal, crashed):
        async with floor.trader(journal=kept) as trader:
            assert (trader.groups.misled, len(trader.groups.blind)) == ((), 1)
            # What the group does not know how to follow joins another of its own.
            more = ScaleInRequest(symbol="AAPL", quantity=Decimal(1), limit_price=Decimal(149))
            addition = await prepare_addition(trader, more)
            assert addition.group is not None


async def test_an_addition_that_rests_is_taken_back_and_not_what_is_elsewhere() -> None:
    """Its fills would find no exit that follows: the group enlarges nothing any more."""
    floor = Floor()
    async with floor.trader() as trader:
        orders = await held(trader)
        more = ScaleInRequest(symbol="AAPL", quantity=Decimal(5), limit_price=Decimal(148))
        addition = await prepare_addition(trader, more)
        entry, *_ = await add(trader, addition, wait=Wait.ACCEPTED, timeout=1)
        assert entry.status is OrderStatus.SUBMITTED
        restate(trader, orders, subject="position MSFT")
        trader.groups._beat(floor.clock.now())
        await settle(trader)
        assert trader.portfolio.orders[entry.order_id].status is OrderStatus.SUBMITTED
        restate(trader, orders)
        trader.groups._beat(floor.clock.now())
        await settle(trader)
        await trader.intake.drained()
        assert trader.portfolio.closed[entry.order_id].status is OrderStatus.CANCELLED
        assert len(trader.portfolio.orders) == 2, "its exits stay"


async def test_who_only_looks_takes_nothing_back() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        orders = await held(trader)
        more = ScaleInRequest(symbol="AAPL", quantity=Decimal(5), limit_price=Decimal(148))
        entry, *_ = await add(
            trader, await prepare_addition(trader, more), wait=Wait.ACCEPTED, timeout=1
        )
        restate(trader, orders)
        trader.groups._looks = lambda: True
        trader.groups._beat(floor.clock.now())
        await settle(trader)
        assert trader.portfolio.orders[entry.order_id].status is OrderStatus.SUBMITTED
