"""What recovery does about orders in doubt: it asks, cancels once, and stays in doubt itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.errors import BrokerUnavailable, OutcomeUnknown, RiskCheckError
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution import placing, recovery
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait, prepare, settle
from ibkr_trader.risk.verdict import Denied
from ibkr_trader.sim.broker import SimulatedBroker
from tests.execution import parts
from tests.execution.parts import AAPL, FallibleBroker, Floor, request
from tests.limits import roomy
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from ibkr_trader.execution.ports import BrokerSnapshot
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.risk.verdict import Approved


pytestmark = pytest.mark.usefixtures("short_grace")


async def lost_bracket(trader: Trader) -> tuple[OrderId, ...]:
    """Send a bracket into silence."""
    prepared = await prepare(trader, bracket())
    ids = tuple(spec.order_id for spec in prepared.command.orders)
    trader.groups.add(prepared.group, ids)
    await trader.router.route(prepared.command)
    return ids


async def test_unknown_stays_unknown_though_its_cancel_is_asked_for() -> None:
    floor = Floor()
    async with floor.trader(deaf=True, ack_timeout=60) as trader:
        ids = await lost_bracket(trader)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(_outcome(trader, ids))
            await asyncio.sleep(0)
            await trader.recovery.synchronize()  # as after a reconnect
        assert set(waiting.result()) == set(ids)
        assert {o.status for o in trader.portfolio.orders.values()} == {OrderStatus.UNKNOWN}


async def _outcome(trader: Trader, ids: tuple[OrderId, ...]) -> tuple[OrderId, ...]:
    with pytest.raises(OutcomeUnknown) as unknown:
        await settle(trader, ids, wait=Wait.ACCEPTED, timeout=5)
    return unknown.value.order_ids


async def test_nothing_is_opened_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "SETTLE_TIMEOUT", 0.05)
    floor = Floor()
    async with floor.trader(deaf=True, ack_timeout=60) as trader:
        await lost_bracket(trader)
        await trader.recovery.synchronize()
        prepared = await prepare(trader, request(3, limit="149.00"))
        verdict = await trader.router.route(prepared.command)
        assert isinstance(verdict, Denied)
        assert "knowledge" in {breach.check for breach in verdict.breaches}


async def test_a_new_link_is_looked_at_at_once_though_an_order_is_in_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An absence must wait its grace; a position that may have no stop must not."""
    floor = Floor()
    async with floor.trader(deaf=True) as trader:
        monkeypatch.setattr(recovery, "GRACE", timedelta(minutes=1))
        await lost_bracket(trader)
        await trader.recovery.synchronize()  # it is nowhere, and will be looked for again
        await asyncio.sleep(0)
        assert isinstance(trader.broker, FallibleBroker)
        trader.broker.open()
        await trader.until(lambda p: p.link.epoch == 2 or None, timeout=1)
        assert await trader.until(lambda _: trader.outlook.is_synced or None, timeout=1)


def on_line(monkeypatch: pytest.MonkeyPatch, *, epoch: int, dialled: int) -> None:
    """Have everything asked anew, on a connection that began with the epoch `dialled`."""

    async def taken(self: FallibleBroker) -> BrokerSnapshot:
        whole = await SimulatedBroker.snapshot(self)
        return msgspec.structs.replace(whole, epoch=epoch, dialled=dialled)

    monkeypatch.setattr(FallibleBroker, "snapshot", taken)


async def test_an_absence_counts_on_a_new_connection_and_not_for_being_asked_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After 1102, or what nobody could read, the gateway is still the one that has the order."""
    floor = Floor()
    async with floor.trader(deaf=True, ack_timeout=60) as trader:
        entry, *_ = await lost_bracket(trader)
        on_line(monkeypatch, epoch=2, dialled=1)
        for _ in range(3):
            await trader.recovery.synchronize()
        assert trader.portfolio.orders[entry].status is OrderStatus.UNKNOWN
        on_line(monkeypatch, epoch=3, dialled=3)
        await trader.recovery.synchronize()
        assert trader.portfolio.orders[entry].status is OrderStatus.UNKNOWN, "once is no proof"
        await trader.recovery.synchronize()
        assert trader.portfolio.closed[entry].status is OrderStatus.NOT_SENT


async def test_what_was_acknowledged_once_is_over_if_it_is_missing_when_asked_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    floor = Floor()
    async with floor.trader(deaf=True, ack_timeout=60) as trader:
        entry, *_ = await lost_bracket(trader)
        terms, now = trader.portfolio.orders[entry].spec, floor.clock.now()
        trader.intake.admit(
            [
                ev.AcceptEvent(at=now, order_id=entry, spec=terms, perm_id=9),
                ev.UnknownEvent(at=now, order_id=entry, reason="a refused cancel"),
            ]
        )
        on_line(monkeypatch, epoch=2, dialled=1)
        for _ in range(2):
            await trader.recovery.synchronize()
        assert trader.portfolio.closed[entry].status is OrderStatus.CANCELLED


async def test_its_cancel_is_asked_for_once_on_each_link() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, deaf=True, ack_timeout=60) as trader:
        ids = await lost_bracket(trader)
        for _ in range(5):
            await trader.recovery.synchronize()
            now = floor.clock.now()
            for one in ids:
                gone = ev.CancelRejectEvent(at=now, order_id=one, code=10147, reason="not found")
                trader.intake.admit([gone])
    asked = [m.order_id for _, m in journal.messages() if isinstance(m, CancelOrder)]
    assert sorted(asked) == sorted(ids)


@pytest.mark.parametrize("is_answered", [True, False], ids=["refused", "unanswered"])
async def test_what_comes_alive_after_its_cancel_went_nowhere_is_taken_back(
    is_answered: bool,
) -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, deaf=True, ack_timeout=60) as trader:
        entry, *_ = ids = await lost_bracket(trader)
        await trader.recovery.synchronize()
        for one in ids if is_answered else ():
            gone = ev.CancelRejectEvent(
                at=floor.clock.now(), order_id=one, code=10147, reason="not found"
            )
            trader.intake.admit([gone])
        terms = trader.portfolio.orders[entry].spec
        alive = ev.AcceptEvent(at=floor.clock.now(), order_id=entry, spec=terms, perm_id=9)
        trader.intake.admit([alive, alive])

        def asked() -> int:
            messages = (message for _, message in journal.messages())
            return sum(isinstance(m, CancelOrder) and m.order_id == entry for m in messages)

        assert await trader.until(lambda _: asked() > 1 or None, timeout=1)
    assert asked() == 2, "once each, however often it is heard of"


def cancels(journal: MemoryJournal, order_id: OrderId) -> list[str]:
    """By whom the cancel of an order was asked for, in order."""
    messages = (message for _, message in journal.messages())
    return [m.origin for m in messages if isinstance(m, CancelOrder) and m.order_id == order_id]


def heard_of(floor: Floor, order_id: OrderId, *, perm_id: int = 77) -> ev.StatusEvent:
    now = floor.clock.now()
    return ev.StatusEvent(at=now, order_id=order_id, is_working=True, perm_id=perm_id)


async def test_the_first_word_of_what_is_unwanted_is_enough() -> None:
    """It may be the only one for hours: an order that rests at the exchange says nothing."""
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, deaf=True, ack_timeout=60) as trader:
        await asyncio.sleep(0.01)  # every task of the trader has begun to wait
        prepared = await prepare(trader, request(limit="149.00"))
        await trader.router.route(prepared.command)
        (order_id,) = trader.portfolio.orders
        now = floor.clock.now()
        trader.record.witness([ev.UnknownEvent(at=now, order_id=order_id, reason="no answer")])
        await trader.router.route(CancelOrder(order_id=order_id, origin="cli"))
        trader.intake.admit([heard_of(floor, order_id)])
        recalled = OrderStatus.PENDING_CANCEL
        assert await trader.until(
            lambda p: p.orders[order_id].status is recalled or None, timeout=1
        )
    assert cancels(journal, order_id) == ["cli", "recovery"]


async def test_what_could_not_be_taken_back_is_taken_back_on_the_next_link() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        gone_by_now(trader, order.order_id)
        assert isinstance(trader.broker, FallibleBroker)
        trader.broker.is_gone = True  # in the same breath as the words of the order
        trader.intake.admit([heard_of(floor, order.order_id, perm_id=order.perm_id)])
        in_vain = "the link is disconnected"
        assert await trader.until(
            lambda p: p.orders[order.order_id].reason == in_vain or None, timeout=1
        )
        assert cancels(journal, order.order_id) == ["recovery"]
        trader.broker.is_gone = False
        for _ in range(3):  # on this link it has been tried
            await trader.recovery.synchronize()
            await asyncio.sleep(0.01)
        assert cancels(journal, order.order_id) == ["recovery"]
        trader.broker.open()
        ended = await trader.until(lambda p: p.closed.get(order.order_id), timeout=2)
        assert ended is not None
        assert ended.status is OrderStatus.CANCELLED
    assert cancels(journal, order.order_id) == ["recovery"] * 2
    assert not floor.exchange.orders.working()


def gone_by_now(trader: Trader, order_id: OrderId) -> None:
    """Have the desk believe that it was asked away before the broker has spoken of it."""
    portfolio = trader.portfolio
    unseen = msgspec.structs.replace(
        portfolio.orders[order_id], perm_id=0, status=OrderStatus.UNKNOWN, is_unwanted=True
    )
    orders = {**portfolio.orders, order_id: unseen}
    trader.outlook.portfolio = msgspec.structs.replace(portfolio, orders=orders)


async def test_a_refused_cancel_leaves_a_doubt_and_is_looked_up() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        now = floor.clock.now()
        trader.record.write([ev.CancelRequestEvent(at=now, order_id=order.order_id)])
        refused = ev.CancelRejectEvent(
            at=now, order_id=order.order_id, code=10148, reason="cannot be cancelled"
        )
        trader.intake.admit([refused])
        doubted = trader.portfolio.orders[order.order_id]
        assert doubted.status is OrderStatus.UNKNOWN

        def is_known(portfolio: object) -> bool | None:
            found = trader.portfolio.orders[order.order_id]
            return True if found.status is OrderStatus.SUBMITTED else None

        assert await trader.until(is_known, timeout=2)


async def test_a_cancel_that_cannot_be_sent_does_not_stop_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The order was placed under another client id, and only who placed it can cancel it."""
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        asked = ev.CancelRequestEvent(at=floor.clock.now(), order_id=order.order_id)
        trader.record.write([asked])

    async def refuse(self: FallibleBroker, approved: Approved) -> None:
        message = "was not placed by client 2, and only who placed it can change it"
        raise BrokerUnavailable(message)

    monkeypatch.setattr(FallibleBroker, "send", refuse)
    async with floor.trader(journal=journal) as trader:
        assert trader.outlook.is_synced
        assert order.order_id in trader.portfolio.orders


async def test_an_entry_that_filled_unheard_keeps_its_exits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It filled after we left; days later the broker tells of no execution any more."""
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(limit=Decimal("149.00")))
    floor.quote("148.90", "148.95")
    floor.clock.advance(3600)
    floor.exchange.advance(floor.clock.now())
    floor.clock.advance(3 * 24 * 3600)
    whole = FallibleBroker.snapshot

    async def forgetful(self: FallibleBroker) -> BrokerSnapshot:
        return msgspec.structs.replace(await whole(self), completed_orders=(), fills=())

    monkeypatch.setattr(FallibleBroker, "snapshot", forgetful)
    async with floor.trader(journal=journal) as trader:
        await trader.groups.idle()
        await trader.intake.drained()
        assert trader.portfolio.positions[AAPL].quantity == 10
        roles = {order.spec.role for order in trader.portfolio.orders.values()}
        assert roles == {OrderRole.TARGET, OrderRole.STOP}
    assert not [m for _, m in journal.messages() if isinstance(m, CancelOrder)]


async def test_a_repetition_is_noticed_across_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = roomy(duplicate_window=timedelta(minutes=5))
    monkeypatch.setattr(parts, "LIMITS", limits)
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
    for _ in range(2):
        floor.clock.advance(90)
        async with floor.trader(journal=journal):
            pass
    floor.quote("149.99", "150.01")
    async with floor.trader(journal=journal) as trader:
        with pytest.raises(RiskCheckError, match="repeats"):
            await Desk(trader).submit_order(request())
