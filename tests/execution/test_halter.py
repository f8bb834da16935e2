"""What a halt does at a desk, and what it never does; the gateway's books are the judge."""

from __future__ import annotations

import asyncio
import inspect
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from ibkr_trader.adapters.kill_flag import HaltFile
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side, TradingState
from ibkr_trader.core.errors import JournalError, RiskCheckError
from ibkr_trader.core.models import Order, OrderId
from ibkr_trader.execution import halter
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.trader import Trader
from ibkr_trader.orders.wishes import HALT
from ibkr_trader.risk.view import RiskView
from ibkr_trader.sim.orders import OrderTerms
from tests.execution.parts import AAPL, INSTALL, FallibleBroker, Floor, FullDisk, request
from tests.scenarios.crash_child import bracket

ACTIVE, REDUCING, HALTED = TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED


def states(journal: MemoryJournal) -> list[tuple[str, str, str]]:
    found = (message for _, message in journal.messages())
    return [(e.state, e.reason, e.origin) for e in found if isinstance(e, ev.StateEvent)]


def cancels(trader: Trader) -> list[str]:
    found = (message for _, message in trader.journal.messages())
    return [c.order_id for c in found if isinstance(c, CancelOrder) and c.origin == HALT]


async def until_gone(trader: Trader, *orders: Order) -> None:
    ids = {order.order_id for order in orders}
    assert await trader.until(lambda p: ids.isdisjoint(p.orders) or None, timeout=3)


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def denied(trader: Trader, quantity: int = 1) -> str:
    with pytest.raises(RiskCheckError) as refusal:
        await Desk(trader).submit_order(request(quantity, limit="149.00"))
    return "; ".join(one.message for one in refusal.value.breaches)


async def test_from_the_very_call_on_nothing_is_opened() -> None:
    journal = MemoryJournal(INSTALL)
    async with Floor().trader(journal=journal) as trader:
        trader.halter.stop("odd fills", origin="cli")
        assert trader.outlook.view().trading_state is HALTED
        assert states(journal) == [("HALTED", "odd fills", "cli")]
        assert "odd fills" in await denied(trader)


async def test_what_could_open_is_taken_back_and_what_protects_stays() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        _, target, stop = await desk.submit_group(bracket(), wait=Wait.FILLED)
        waiting = await desk.submit_group(bracket(limit=Decimal(146)))
        single = await desk.submit_order(request(3, limit="149.00"))
        trader.halter.stop("odd", origin="cli")
        await until_gone(trader, *waiting, single)
        assert set(trader.portfolio.orders) == {target.order_id, stop.order_id}
        assert sorted(cancels(trader)) == sorted([waiting[0].order_id, single.order_id])
        assert set(trader.halter.taken_back) == set(cancels(trader))


async def test_an_entry_that_filled_in_part_loses_its_rest_and_keeps_its_exits() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        floor.quote("149.99", "150.01", size=4)
        entry, *_ = await Desk(trader).submit_group(bracket())
        assert await trader.until(lambda p: AAPL in p.positions or None, timeout=3)
        held = trader.portfolio.positions[AAPL].quantity
        assert 0 < held < 10
        trader.halter.stop("odd", origin="cli")
        await until_gone(trader, entry)
        assert await trader.until(
            lambda p: (
                {(o.spec.role, int(o.remaining)) for o in p.orders.values()}
                == {(OrderRole.STOP, int(held)), (OrderRole.TARGET, int(held))}
                or None
            ),
            timeout=3,
        ), trader.portfolio.orders
        assert cancels(trader) == [entry.order_id]


async def test_keeping_entries_cancels_nothing_until_somebody_halts_harder() -> None:
    async with Floor().trader() as trader:
        order = await Desk(trader).submit_order(request(3, limit="149.00"))
        trader.halter.stop("soft", origin="cli", keeps_entries=True)
        await asyncio.sleep(2 * halter.LOOK)
        assert order.order_id in trader.portfolio.orders
        assert await denied(trader)
        trader.halter.stop("hard", origin="cli")
        await until_gone(trader, order)


async def test_reducing_cancels_nothing() -> None:
    async with Floor().trader() as trader:
        order = await Desk(trader).submit_order(request(3, limit="149.00"))
        trader.halter.reduce("three rejects", origin="breaker")
        await asyncio.sleep(2 * halter.LOOK)
        assert order.order_id in trader.portfolio.orders
        assert "three rejects" in await denied(trader)


async def test_a_symbol_is_halted_alone() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        ours = await desk.submit_order(request(3, limit="149.00"))
        other = msgspec.structs.replace(request(3, limit="380.00"), symbol="MSFT")
        theirs = await desk.submit_order(other)
        trader.halter.stop("odd", origin="cli", symbol="AAPL")
        await until_gone(trader, ours)
        assert set(trader.portfolio.orders) == {theirs.order_id}
        assert "AAPL is HALTED" in await denied(trader)
        await desk.submit_order(msgspec.structs.replace(other, limit_price=Decimal(381)))


async def test_halting_again_records_nothing_more() -> None:
    journal = MemoryJournal(INSTALL)
    async with Floor().trader(journal=journal) as trader:
        for reason in ("first", "second", "third"):
            trader.halter.stop(reason, origin="cli")
        assert states(journal) == [("HALTED", "first", "cli")]


async def test_what_turns_up_alive_is_taken_back_too_and_once_in_each_life() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        order = await Desk(trader).submit_order(request(3, limit="149.00"))
        at = floor.clock.now()
        trader.record.witness([ev.UnknownEvent(at=at, order_id=order.order_id, reason="lost")])
        broker, send = trader.broker, trader.broker.send
        sent: list[str] = []

        async def swallow(approved: object) -> None:
            sent.append(approved.command.order_id)  # type: ignore[attr-defined] # only cancels come here

        broker.send = swallow  # type: ignore[method-assign] # the wire loses it
        trader.halter.stop("odd", origin="cli")
        await turns()
        for _ in range(3):
            trader.halter.wake.set()
            await turns()
        assert sent == [order.order_id]
        broker.send = send  # type: ignore[method-assign] # and is whole again
        trader.record.witness([ev.AcceptEvent(at=at, order_id=order.order_id, spec=order.spec)])
        await until_gone(trader, order)
        assert cancels(trader) == [order.order_id] * 2


async def test_a_cancel_that_is_refused_is_asked_for_again_but_not_at_once() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        order = await Desk(trader).submit_order(request(3, limit="149.00"))
        broker = trader.broker
        assert isinstance(broker, FallibleBroker)
        broker.is_gone = True
        trader.halter.stop("odd", origin="cli")
        await turns()
        for _ in range(5):
            trader.halter.wake.set()
            await turns()
        assert cancels(trader) == [order.order_id]
        broker.is_gone = False
        floor.clock.advance(halter.AGAIN)
        trader.halter.wake.set()
        await until_gone(trader, order)
        assert cancels(trader) == [order.order_id] * 2


async def test_who_only_looks_sends_nothing() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    async with floor.trader(journal=journal) as trader:
        order = await Desk(trader).submit_order(request(3, limit="149.00"))
        trader.guardian.duty = Duty.NONE
        trader.halter.stop("odd", origin="cli")
        await asyncio.sleep(2 * halter.LOOK)
        assert order.order_id in trader.portfolio.orders
    async with floor.trader(journal=journal) as trader:  # who changes things does
        await until_gone(trader, order)


async def test_a_strangers_order_is_left_alone() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        floor.sell_as_another_client(3, limit="155.00")
        await trader.recovery.synchronize()
        trader.halter.stop("odd", origin="cli")
        await asyncio.sleep(2 * halter.LOOK)
        assert len(trader.portfolio.orders) == 1
        assert cancels(trader) == []


# -- it lasts ------------------------------------------------------------------------------------


async def test_no_restart_and_no_checkpoint_resumes() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    async with floor.trader(journal=journal) as trader:
        trader.halter.stop("odd", origin="cli")
        trader.halter.stop("odd too", origin="cli", symbol="MSFT", keeps_entries=True)
    for _ in range(2):  # a good end has marked a resting point
        async with floor.trader(journal=journal) as trader:
            assert "odd" in await denied(trader)
            held = trader.outlook.book.switch.held
            assert [(key, e.reason, e.keeps_entries) for key, e in held.items()] == [
                ("", "odd", False), ("MSFT", "odd too", True),
            ]  # fmt: skip


async def test_it_holds_when_the_disk_is_full_and_is_written_later() -> None:
    journal = FullDisk(INSTALL)
    async with Floor().trader(journal=journal) as trader:
        order = await Desk(trader).submit_order(request(3, limit="149.00"))
        journal.is_full = True
        trader.halter.stop("odd", origin="cli")
        assert "odd" in await denied(trader)
        await until_gone(trader, order)  # a cancel needs no disk
        journal.is_full = False
        trader.record.write([])
        await denied(trader)
        assert ("HALTED", "odd", "cli") in states(journal)


async def test_a_person_resumes_with_a_reason_on_record() -> None:
    journal = MemoryJournal(INSTALL)
    async with Floor().trader(journal=journal) as trader:
        trader.halter.stop("odd", origin="drawdown")
        assert trader.halter.resume("checked", origin="cli") == ""
        assert trader.outlook.view().trading_state is ACTIVE
        assert states(journal)[-1] == ("ACTIVE", "checked", "cli")
        await Desk(trader).submit_order(request(1, limit="149.00"))
        assert trader.halter.taken_back == {}


async def test_what_cannot_be_recorded_is_not_resumed() -> None:
    journal = FullDisk(INSTALL)
    async with Floor().trader(journal=journal) as trader:
        trader.halter.stop("odd", origin="cli")
        journal.is_full = True
        with pytest.raises(JournalError):
            trader.halter.resume("checked", origin="cli")
        assert trader.outlook.view().trading_state is HALTED


async def test_resuming_everything_leaves_a_symbol_halted() -> None:
    async with Floor().trader() as trader:
        trader.halter.stop("odd", origin="cli")
        trader.halter.stop("odd", origin="cli", symbol="AAPL")
        trader.halter.resume("checked", origin="cli")
        assert "AAPL is HALTED" in await denied(trader)
        trader.halter.resume("checked", origin="cli", symbol="AAPL")
        await Desk(trader).submit_order(request(1, limit="149.00"))


# -- at the last moment, and flat ----------------------------------------------------------------


async def test_what_was_approved_and_waits_meets_an_objection(tmp_path: Path) -> None:
    async with Floor().trader() as trader:
        order = await Desk(trader).submit_order(request(3, limit="149.00"))
        contract = order.spec.contract
        other = (await trader.learn("MSFT")).contract
        assert trader.halter.objection(contract) == ""
        trader.halter.stop("odd", origin="cli", symbol="AAPL")
        assert trader.halter.objection(contract) == "HALTED: odd"
        assert trader.halter.objection(other) == ""
        trader.halter.watch(flag := HaltFile(tmp_path / "HALT"))
        flag.put("all", origin="cli")
        assert trader.halter.objection(other) == "HALTED: all"
        trader.halter.stop("everything", origin="cli")
        assert trader.halter.objection(other) == "HALTED: everything"


async def test_flatten_closes_everything_and_takes_back_the_rest() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        waiting = await desk.submit_order(request(3, limit="149.00"))
        short = msgspec.structs.replace(request(2, side=Side.SELL), symbol="MSFT")
        await desk.submit_order(short, wait=Wait.FILLED)
        trader.halter.stop("day is over", origin="daily_loss", flatten=True)
        assert await trader.until(lambda p: not (p.positions or p.orders) or None, timeout=5)
        done = trader.portfolio.order(waiting.order_id)
        assert done is not None
        assert done.status is OrderStatus.CANCELLED


async def test_flatten_of_a_symbol_leaves_the_others() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        other = msgspec.structs.replace(request(2), symbol="MSFT")
        await desk.submit_order(other, wait=Wait.FILLED)
        trader.halter.stop("odd", origin="daily_loss", symbol="AAPL", flatten=True)
        assert await trader.until(lambda p: AAPL not in p.positions or None, timeout=5)
        assert [p.contract.symbol for p in trader.portfolio.positions.values()] == ["MSFT"]


async def test_s14_asked_for_again_and_again_it_is_flat_and_never_turned_round() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        for _ in range(5):
            trader.halter.stop("odd", origin="daily_loss", flatten=True)
            await asyncio.sleep(0)
        assert await trader.until(lambda p: not (p.positions or p.orders) or None, timeout=5)
        trader.halter.stop("odd", origin="daily_loss", flatten=True)
        await asyncio.sleep(2 * halter.LOOK)
        assert [int(e.shares) for e in floor.exchange.orders.executions()] == [10, 10]


async def test_what_cannot_be_closed_is_told() -> None:
    floor, told = Floor(), []
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        trader.bus.subscribe(ev.ErrorEvent, lambda event: told.append(event.message))
        floor.clock.advance(6.5 * 3600)  # 16:30 in New York
        trader.halter.stop("odd", origin="daily_loss", flatten=True)
        assert await trader.until(lambda _: True if told else None, timeout=3)
        assert "the market of AAPL is closed" in told[0]
        assert {o.spec.role for o in trader.portfolio.orders.values()} == {
            OrderRole.STOP, OrderRole.TARGET,
        }  # fmt: skip


async def test_looking_for_what_is_to_be_cancelled_reviews_nothing() -> None:
    async with Floor().trader() as trader:
        order = await Desk(trader).submit_order(request(3, limit="149.00"))

        view, asked = trader.outlook.view, []

        def viewed() -> RiskView:
            asked.append(Path(inspect.stack()[1].filename).name)
            return view()

        trader.outlook.view = viewed  # type: ignore[method-assign] # it takes a while, and is built often
        trader.halter.stop("odd", origin="cli")
        await until_gone(trader, order)
        assert "halter.py" not in asked


async def test_an_order_that_nobody_knows_is_no_reason_to_stop() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        trader.halter.stop("odd", origin="cli")
        reject = ev.CancelRejectEvent(
            at=floor.clock.now(), order_id=OrderId("k7qav-9-entry"), code=0, reason="?"
        )
        trader.record.witness([reject])
        await turns()
        assert cancels(trader) == []


async def test_a_stop_larger_than_what_it_ends_is_cut_and_not_left_to_open() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        desk = Desk(trader)
        order = await desk.submit_order(
            msgspec.structs.replace(
                request(50, side=Side.SELL), order_type=OrderType.STOP, stop_price=Decimal(145)
            )
        )
        terms = OrderTerms(
            con_id=AAPL, action="BUY", quantity=Decimal(10), order_type="LMT",
            limit_price=Decimal(151),
        )  # fmt: skip
        floor.exchange.place(7, 1, terms=terms, now=floor.clock.now())  # somebody buys ten
        await trader.recovery.synchronize()
        assert trader.portfolio.positions[AAPL].quantity == 10
        trader.halter.stop("enough", origin="cli")
        cut = await trader.until(
            lambda p: ((o := p.orders.get(order.order_id)) and o.spec.quantity == 10) or None,
            timeout=3,
        )
        assert cut
        floor.move(trader, "139.00", "139.02")
        assert await trader.until(lambda p: not p.positions or None, timeout=2)
        assert not floor.exchange.account.positions.get(AAPL) or not (
            floor.exchange.account.positions[AAPL].quantity
        )
