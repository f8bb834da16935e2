"""Looking again until every order is accounted for, and marking where a restart may begin."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus, TradingState
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.models import GroupId, OrderId, OrderSpec
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait, prepare
from ibkr_trader.portfolio.protection import opened_here
from tests.execution.parts import AAPL, DeafBroker, FallibleBroker, Floor, request
from tests.orders.samples import accepted, fill, filled, spec
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from ibkr_trader.execution.ports import BrokerSnapshot


pytestmark = pytest.mark.usefixtures("short_grace")


async def test_an_order_that_never_arrived_is_proven_so_by_the_next_process() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, deaf=True) as trader:
        prepared = await prepare(trader, request())
        await trader.router.route(prepared.command)
    async with floor.trader(journal=journal) as trader:
        await trader.recovery.settled(timeout=5)
        lost = trader.portfolio.closed[OrderId("k7qav-1-single")]
        assert lost.status is OrderStatus.NOT_SENT
        assert isinstance(trader.broker, FallibleBroker)
        assert trader.broker.sent == 0  # and nothing is ever sent again


async def test_on_the_same_link_absence_proves_nothing() -> None:
    floor = Floor()
    async with floor.trader(deaf=True) as trader:
        prepared = await prepare(trader, request())
        await trader.router.route(prepared.command)
        for _ in range(3):
            await trader.recovery.synchronize()
        order = trader.portfolio.orders[OrderId("k7qav-1-single")]
        assert order.status is OrderStatus.UNKNOWN
        assert isinstance(trader.broker, DeafBroker)
        assert trader.broker.sent == 1


async def test_a_lost_bracket_is_cancelled_by_every_number_it_was_given() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, deaf=True) as trader:
        prepared = await prepare(trader, bracket())
        await trader.router.route(prepared.command)
    numbers = [spec.broker_order_id for spec in _submitted(journal)]
    async with floor.trader(journal=journal) as trader:
        await trader.recovery.settled(timeout=5)
        ends = {order.status for order in trader.portfolio.closed.values()}
        assert ends <= {OrderStatus.NOT_SENT, OrderStatus.CANCELLED}
    asked = [m for _, m in journal.messages() if type(m).__name__ == "CancelOrder"]
    assert sorted(command.broker_order_id for command in asked) == numbers  # type: ignore[union-attr]


def _submitted(journal: MemoryJournal) -> list[OrderSpec]:
    return [m.spec for _, m in journal.messages() if isinstance(m, ev.NewOrderEvent)]


async def test_half_the_truth_is_none() -> None:
    async with Floor().trader() as trader:
        assert isinstance(trader.broker, FallibleBroker)
        trader.broker.is_gone = True
        with pytest.raises(BrokerUnavailable):
            await trader.recovery.synchronize()


async def test_a_restart_numbers_on_from_what_the_broker_has_seen() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        for price in ("149.00", "148.00"):
            await Desk(trader).submit_order(request(limit=price))
    # A journal restored from an old backup knows of none of them.
    async with floor.trader(journal=MemoryJournal("k7qav")) as trader:
        states = [m for _, m in trader.journal.messages() if isinstance(m, ev.StateEvent)]
        assert [state.state for state in states] == [TradingState.REDUCING]
        trader.halter.resume("it was put back on purpose", origin="test")
        order = await Desk(trader).submit_order(request(limit="147.00"))
        assert order.order_id == "k7qav-3-single"
        drift = {e.subject for e in trader.portfolio.drift.values()}
        assert drift <= {"k7qav-1-single", "k7qav-2-single"}


async def test_a_checkpoint_names_what_lives_with_its_whole_group() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
    (mark,) = [m for _, m in journal.messages() if isinstance(m, ev.CheckpointEvent)]
    assert mark.live == ("k7qav-1-entry", "k7qav-1-stop", "k7qav-1-target")
    assert [int(fill.quantity) for fill in mark.fills] == [10]
    assert len(mark.openings) == 1


async def test_what_was_opened_here_is_known_to_be_on_the_days_after() -> None:
    """Its executions are forgotten by then; the policy looks after it all the same."""
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
    for _ in range(2):
        floor.clock.advance(25 * 3600)
        async with floor.trader(journal=journal) as trader:
            held = trader.portfolio.positions[AAPL]
            assert opened_here(trader.portfolio, held) == 10
    (*_, mark) = [m for _, m in journal.messages() if isinstance(m, ev.CheckpointEvent)]
    assert not mark.fills
    assert mark.opened == {AAPL: 10}


async def test_a_new_link_is_followed_by_a_new_look() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        floor.sell_as_another_client(5, limit="160.00")
        assert isinstance(trader.broker, FallibleBroker)
        trader.broker.open()  # a second epoch on the same broker
        found = await trader.until(lambda p: p.orders or None, timeout=5)
        assert found is not None
        assert [order.is_foreign for order in found.values()] == [True]
        assert await trader.until(lambda _: trader.outlook.is_synced or None, timeout=5)


async def test_an_execution_heard_while_the_broker_was_asked_is_no_drift() -> None:
    """The answer was stated before it, and is older than what we know."""
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        whole = trader.broker.snapshot

        async def overtaken() -> BrokerSnapshot:
            stated = await whole()
            done = fill(4, "149.00", order_id=order.order_id, at=floor.clock.now())
            trader.intake.admit([filled(done)])
            return stated

        trader.broker.snapshot = overtaken  # type: ignore[method-assign]
        await trader.recovery.synchronize()
        assert trader.portfolio.positions[AAPL].quantity == 4
    assert not [m for _, m in journal.messages() if isinstance(m, ev.DriftEvent)]


async def test_a_change_made_while_the_broker_was_asked_is_not_ended_by_its_answer() -> None:
    """The answer was stated before it, and has the terms of before."""
    async with Floor().trader() as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        wanted = msgspec.structs.replace(order.spec, limit_price=Decimal("148.00"))
        whole = trader.broker.snapshot

        async def overtaken() -> BrokerSnapshot:
            stated = await whole()
            asked = ev.ModifyEvent(at=stated.at, order_id=order.order_id, spec=wanted)
            trader.record.write([asked])
            return stated

        trader.broker.snapshot = overtaken  # type: ignore[method-assign]
        await trader.recovery.synchronize()
        assert trader.portfolio.orders[order.order_id].desired == wanted


async def test_a_strangers_order_heard_of_while_the_broker_was_asked_stays() -> None:
    async with Floor().trader() as trader:
        whole = trader.broker.snapshot
        typed = spec(order_id=OrderId("foreign-77"), group=GroupId("foreign-77"))

        async def overtaken() -> BrokerSnapshot:
            stated = await whole()
            trader.intake.admit([accepted(typed, perm_id=77, is_foreign=True)])
            return stated

        trader.broker.snapshot = overtaken  # type: ignore[method-assign]
        await trader.recovery.synchronize()
        assert list(trader.portfolio.orders) == ["foreign-77"]


async def test_a_position_that_vanished_while_we_were_away_is_drift() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
    async with Floor().trader(journal=journal) as trader:  # an exchange that knows nothing of it
        assert not trader.portfolio.positions
    drift = [m for _, m in journal.messages() if isinstance(m, ev.DriftEvent)]
    assert ("position AAPL", "10", "0") in [(d.subject, d.ours, d.theirs) for d in drift]


async def test_so_it_is_for_a_process_that_reads_on_from_a_checkpoint(tmp_path: Path) -> None:
    floor, path = Floor(), tmp_path / "journal.db"
    journal = SqliteJournal(path, clock=floor.clock)
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
    journal.close()
    journal = SqliteJournal(path, clock=floor.clock)
    assert not [m for m in journal.resume() if isinstance(m, ev.FillEvent)]
    async with Floor().trader(journal=journal):
        pass
    drift = [m for _, m in journal.messages() if isinstance(m, ev.DriftEvent)]
    journal.close()
    assert [(d.subject, d.ours, d.theirs) for d in drift] == [("position AAPL", "10", "0")]
