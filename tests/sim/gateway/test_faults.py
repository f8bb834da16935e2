"""Faults in force: what is lost, late, repeated, reordered, refused, or cut off."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from ib_insync import IB, MarketOrder

from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Behind, Cut, Delay, Drop, Fault, Repeat, When
from tests.sim.gateway.desk import (
    AAPL,
    EXEC,
    FEE,
    OPEN,
    STATUS,
    Desk,
    held,
    ids,
    limited,
    raw_messages,
    settle,
)


async def test_a_swallowed_order_never_was(desk: Desk, ib: IB) -> None:
    desk.server.faults.arm(*rules.swallow())
    said = raw_messages(ib)
    ib.placeOrder(AAPL, limited())
    await settle(desk, ib)
    assert ids(said, STATUS, OPEN, "4") == []
    assert desk.exchange.orders.working() == ()
    ib.placeOrder(AAPL, limited())  # it strikes once
    await settle(desk, ib)
    assert len(desk.exchange.orders.working()) == 1


async def test_a_late_order_is_overtaken_by_its_cancel(desk: Desk, ib: IB) -> None:
    desk.server.faults.arm(*rules.ack_delay(5))
    trade = ib.placeOrder(AAPL, limited())
    said = raw_messages(ib)
    ib.cancelOrder(trade.order)
    await settle(desk, ib)
    assert [fields[3] for fields in said if fields[0] == "4"] == ["10147"]
    desk.wait(4.9)
    assert desk.exchange.orders.working() == ()
    desk.wait(0.2)
    assert len(desk.exchange.orders.working()) == 1


async def test_a_fill_can_win_against_a_cancel(desk: Desk, ib: IB) -> None:
    trade = ib.placeOrder(AAPL, limited())
    await settle(desk, ib)
    desk.server.faults.arm(*rules.fill_wins_cancel(Decimal(4)))
    ib.cancelOrder(trade.order)
    await settle(desk, ib)
    assert held(desk) == 4
    (ended,) = desk.exchange.orders.completed()
    assert ended.status == "Cancelled"
    assert ended.filled == 4


@pytest.mark.parametrize("code", [161, 10147, 10148])
async def test_a_refused_cancel_leaves_the_order_working(desk: Desk, ib: IB, code: int) -> None:
    trade = ib.placeOrder(AAPL, limited())
    await settle(desk, ib)
    said = raw_messages(ib)
    desk.server.faults.arm(*rules.cancel_refused(code, order="entry"))
    ib.cancelOrder(trade.order)
    await settle(desk, ib)
    assert [fields[2:4] for fields in said if fields[0] == "4"] == [
        (str(trade.order.orderId), str(code))
    ]
    assert len(desk.exchange.orders.working()) == 1


async def test_a_change_is_told_from_a_new_order(desk: Desk, ib: IB) -> None:
    desk.server.faults.arm(*rules.reject(201, "no {id}", name="modifyOrder"))
    said = raw_messages(ib)
    trade = ib.placeOrder(AAPL, limited())
    await settle(desk, ib)
    trade.order.lmtPrice = 110
    ib.placeOrder(AAPL, trade.order)
    await settle(desk, ib)
    assert [fields[3:5] for fields in said if fields[0] == "4"] == [
        ("201", f"no {trade.order.orderId}")
    ]
    (working,) = desk.exchange.orders.working()
    assert working.terms.limit_price == 100


async def test_a_notice_follows_what_it_is_about(desk: Desk, ib: IB) -> None:
    warn = Fault(when=When(names=("placeOrder",)), act=rules.Warn(code=2161, text="capped"))
    desk.server.faults.arm(warn)
    said = raw_messages(ib)
    ib.placeOrder(AAPL, limited())
    await settle(desk, ib)
    assert ids(said, OPEN, STATUS, "4") == [OPEN, STATUS, OPEN, STATUS, "4"]


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        (rules.status_without_exec(), [OPEN, STATUS]),
        (rules.exec_without_status(), [EXEC, FEE]),
        (rules.commission("none"), [OPEN, STATUS, EXEC]),
        (rules.unanswered(), [EXEC, FEE]),
    ],
)
async def test_what_is_told_of_a_fill(
    desk: Desk, ib: IB, faults: tuple[Fault, ...], told: list[str]
) -> None:
    desk.server.faults.arm(*faults)
    said = raw_messages(ib)
    ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await settle(desk, ib)
    assert sorted(set(ids(said, OPEN, STATUS, EXEC, FEE))) == sorted(told)
    assert held(desk) == 10


async def test_the_answers_to_questions_are_true(desk: Desk, ib: IB) -> None:
    desk.server.faults.arm(*rules.status_without_exec())
    ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await settle(desk, ib)
    assert len(await ib.reqExecutionsAsync()) == 1
    lost = Fault(when=When(names=("execDetails",), answers=True), act=Drop())
    desk.server.faults.arm(lost)
    assert await ib.reqExecutionsAsync() == []


async def test_an_execution_can_come_before_the_order_is_known(desk: Desk, ib: IB) -> None:
    desk.server.faults.arm(*rules.exec_before_status())
    said = raw_messages(ib)
    ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await settle(desk, ib)
    found = ids(said, OPEN, STATUS, EXEC)
    assert found[0] == EXEC
    assert found.count(STATUS) == 2, "nothing is lost"


async def test_what_waits_for_another_order_waits_on(desk: Desk, ib: IB) -> None:
    when = When(names=("orderStatus",), order="a", times=0)
    desk.server.faults.arm(Fault(when=when, act=Behind(name="execDetails")))
    said = raw_messages(ib)
    one = ib.placeOrder(AAPL, limited("x-a"))
    two = ib.placeOrder(AAPL, MarketOrder("BUY", 1, orderRef="x-b"))
    await settle(desk, ib)
    numbers = [str(trade.order.orderId) for trade in (one, two)]
    assert {fields[1] for fields in said if fields[0] == STATUS} == {numbers[1]}
    assert desk.server.faults.lift() == 1
    await settle(desk, ib)
    assert {fields[1] for fields in said if fields[0] == STATUS} == set(numbers)


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ((1, 0), [1, 0, 2]),  # two are swapped, and it is over
        ((0, 0, 1), [0, 0, 1, 2]),  # one is repeated
        ((1,), [1, 2]),  # one is lost
        ((2, 0, 1), [2, 0, 1]),
        ((3, 0), []),  # four are waited for, and three come
    ],
)
async def test_messages_change_places(
    desk: Desk, ib: IB, places: tuple[int, ...], told: list[int]
) -> None:
    when = When(names=("execDetails",))
    desk.server.faults.arm(Fault(when=when, act=rules.Shuffle(order=places)))
    said = raw_messages(ib)
    trades = [ib.placeOrder(AAPL, MarketOrder("BUY", 1)) for _ in range(3)]
    await settle(desk, ib)
    numbers = [str(trade.order.orderId) for trade in trades]
    assert [numbers.index(fields[2]) for fields in said if fields[0] == EXEC] == told
    desk.server.faults.lift()
    await settle(desk, ib)
    assert len(ids(said, EXEC)) == (len(told) or 3), "what waited goes out at the end"


async def test_delay_and_repeat_go_together(desk: Desk, ib: IB) -> None:
    when = When(names=("commissionReport",), times=0)
    desk.server.faults.arm(
        Fault(when=when, act=Repeat(seconds=3)), Fault(when=when, act=Delay(seconds=2))
    )
    said = raw_messages(ib)
    ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await settle(desk, ib)
    told = []
    for _ in range(6):
        desk.wait(1)
        await settle(desk, ib)
        told.append(len(ids(said, FEE)))
    assert told == [0, 1, 1, 1, 2, 2]


async def test_a_commission_can_come_without_figures(desk: Desk, ib: IB) -> None:
    desk.server.faults.arm(*rules.commission("unset"))
    trade = ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await settle(desk, ib)
    assert trade.fills[0].commissionReport.commission > 1e300


@pytest.mark.parametrize(
    ("at", "exists", "told"), [("before", 0, 0), ("after", 1, 0), ("answered", 1, 1)]
)
@pytest.mark.parametrize("how", ["rst", "fin"])
async def test_a_connection_can_end_at_a_request(
    desk: Desk, ib: IB, how: Any, at: Any, exists: int, told: int
) -> None:
    lost = asyncio.Event()
    ib.disconnectedEvent += lost.set
    said = raw_messages(ib)
    cut = Fault(when=When(names=("placeOrder",), nth=2), act=Cut(how=how, at=at))
    desk.server.faults.arm(cut)
    ib.placeOrder(AAPL, limited("x-1"))
    await settle(desk, ib)
    said.clear()
    ib.placeOrder(AAPL, limited("x-2"))
    async with asyncio.timeout(5):
        await lost.wait()
    assert len(desk.exchange.orders.working()) == 1 + exists
    if how == "fin":  # what a reset leaves unread is the kernel's to decide
        assert bool(ids(said, OPEN)) == bool(told)
    again = await desk.connect(2)
    assert again.isConnected(), "and nobody else is cut off"


async def test_faults_are_told_and_lifted(desk: Desk, ib: IB) -> None:
    faults = desk.server.faults
    first, second = faults.arm(*rules.swallow(), *rules.commission("late", seconds=60))
    assert [one.number for one in faults.armed] == [first, second]
    ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await settle(desk, ib)
    assert [one.number for one in faults.armed] == [second], "a fault that has struck is gone"
    said = raw_messages(ib)
    ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await settle(desk, ib)
    assert (ids(said, FEE), faults.lift(second)) == ([], 1)
    await settle(desk, ib)
    assert ids(said, FEE) == [FEE], "what it held back goes out"
    assert (faults.lift(99), faults.armed, faults.is_idle) == (0, (), True)
