"""A closing outlives the process that began it: taken up, joined, or given up with a stop back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.models import GroupId, OrderId
from ibkr_trader.execution.closing import NotClosed, close_contract
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from tests.execution.parts import AAPL, INSTALL, FallibleBroker, Floor, FullDisk
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract
    from ibkr_trader.execution.trader import Trader

NIGHT = 6.5 * 3600  # seconds from 10:00 to half an hour after the close
NEXT_DAY = 72 * 3600  # from Friday to Monday


async def leave_in_the_middle(floor: Floor, journal: MemoryJournal, *, after: str = "stop") -> None:
    """Hold a bracket, and lose the broker for good once an exit is gone."""
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        broker = trader.broker
        assert isinstance(broker, FallibleBroker)

        def lose(event: ev.CancelEvent) -> None:
            broker.is_gone = broker.is_gone or after in event.order_id

        trader.bus.subscribe(ev.CancelEvent, lose)
        with pytest.raises(NotClosed, match="whoever reaches the broker next goes on"):
            await close_contract(trader, contract_of(trader), timeout=5, cause="d7")


def contract_of(trader: Trader) -> Contract:
    return trader.portfolio.positions[AAPL].contract


async def ended(trader: Trader) -> None:
    assert await trader.until(lambda p: True if not p.closings else None, timeout=5)


@pytest.mark.parametrize("after", ["target", "stop"])
async def test_the_next_process_goes_on_until_it_is_flat(after: str) -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await leave_in_the_middle(floor, journal, after=after)
    told: list[str] = []
    async with floor.trader(journal=journal) as trader:
        trader.bus.subscribe(ev.GroupEvent, lambda event: told.append(event.message))
        await ended(trader)
        assert (dict(trader.portfolio.positions), dict(trader.portfolio.orders)) == ({}, {})
    assert "AAPL is closed, as was asked before" in told
    orders = (m for _, m in journal.messages() if isinstance(m, ev.NewOrderEvent))
    assert {one.correlation_id for one in orders if one.spec.role is OrderRole.CLOSE} == {"d7"}


async def test_nobody_leaves_while_nothing_protects_and_nothing_closes() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await leave_in_the_middle(floor, journal)
    async with floor.trader(journal=journal) as trader:
        await trader.closer.idle()
        roles = {order.spec.role for order in trader.portfolio.orders.values()}
        assert roles == ({OrderRole.CLOSE} if trader.portfolio.positions else set())


@pytest.mark.parametrize(
    ("passed", "why"), [(NIGHT, "its market is closed now"), (NEXT_DAY, "decide again")]
)
async def test_what_comes_too_late_puts_the_stop_back_and_says_so(passed: float, why: str) -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await leave_in_the_middle(floor, journal)
    floor.clock.advance(passed)
    async with floor.trader(journal=journal) as trader:
        await ended(trader)
        (stop,) = trader.portfolio.orders.values()
        assert (stop.spec.role, stop.spec.stop_price) == (
            OrderRole.STOP,
            bracket().stop_loss.stop_price,
        )
        assert stop.spec.quantity == trader.portfolio.positions[AAPL].quantity == 10
    (end,) = (m for _, m in journal.messages() if isinstance(m, ev.CloseEndEvent))
    assert why in end.message
    assert end.message.endswith("its stop is put back")


async def test_a_stop_that_the_market_has_passed_is_closed_instead() -> None:
    """It would have done so itself, had it been there."""
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await leave_in_the_middle(floor, journal)
    floor.clock.advance(NEXT_DAY)
    floor.quote("139.99", "140.01")
    async with floor.trader(journal=journal) as trader:
        await ended(trader)
        assert (dict(trader.portfolio.positions), dict(trader.portfolio.orders)) == ({}, {})


async def test_what_hangs_until_after_the_close_gets_its_stop_back() -> None:
    """The same process, and the link that was lost comes back at night."""
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        broker = trader.broker
        assert isinstance(broker, FallibleBroker)

        def lose(event: ev.CancelEvent) -> None:
            broker.is_gone = broker.is_gone or "stop" in event.order_id

        trader.bus.subscribe(ev.CancelEvent, lose)
        with pytest.raises(NotClosed):
            await close_contract(trader, contract_of(trader), timeout=5)
        floor.clock.advance(NIGHT)
        broker.is_gone = False
        await trader.recovery.synchronize()
        await ended(trader)
        (stop,) = trader.portfolio.orders.values()
        assert (stop.spec.role, int(stop.spec.quantity)) == (OrderRole.STOP, 10)


async def test_asked_again_on_another_day_it_is_closed_all_the_same() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await leave_in_the_middle(floor, journal)
    floor.clock.advance(NEXT_DAY)
    async with floor.trader(journal=journal) as trader:
        await close_contract(trader, contract_of(trader), timeout=5)
        assert (dict(trader.portfolio.positions), dict(trader.portfolio.orders)) == ({}, {})


async def test_a_position_that_somebody_else_closed_ends_it_without_an_order() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await leave_in_the_middle(floor, journal)
    floor.exchange.hand.close(AAPL, now=floor.clock.now())
    async with floor.trader(journal=journal) as trader:
        await ended(trader)
        assert (dict(trader.portfolio.positions), dict(trader.portfolio.orders)) == ({}, {})
        assert trader.portfolio.order(OrderId("k7qav-2-close.2")) is None


async def test_it_is_on_record_before_the_first_cancel_and_the_stop_before_it_goes() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        await close_contract(trader, contract_of(trader), timeout=5)
    kinds = [
        ("cancel", m.order_id)
        if isinstance(m, CancelOrder)
        else ("close", m.stop and m.stop.order_id)
        for _, m in journal.messages()
        if isinstance(m, CancelOrder | ev.CloseRequestEvent)
    ]
    assert kinds == [
        ("close", None),
        ("cancel", "k7qav-1-target"),
        ("close", "k7qav-1-stop"),
        ("cancel", "k7qav-1-stop"),
    ]


async def test_s32_a_full_disk_keeps_nobody_from_closing() -> None:
    floor, journal = Floor(), FullDisk(INSTALL)
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        journal.is_full = True
        await close_contract(trader, contract_of(trader), timeout=5)
        assert (dict(trader.portfolio.positions), dict(trader.portfolio.orders)) == ({}, {})
        journal.is_full = False


async def test_a_contract_that_has_vanished_is_closed_by_its_number() -> None:
    """Nobody can name it any more, and its hours are unknown: that must not lock anybody in."""
    floor, journal = Floor(), MemoryJournal(INSTALL)
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        contract = contract_of(trader)
        request = ev.CloseRequestEvent(
            at=floor.clock.now(),
            group_id=GroupId("k7qav-9"),
            contract=type(contract)(symbol="GONE", con_id=AAPL),
            account="SIM0000001",
        )
        trader.record.write([request])
    async with floor.trader(journal=journal) as trader:
        await ended(trader)
        assert not trader.portfolio.positions
