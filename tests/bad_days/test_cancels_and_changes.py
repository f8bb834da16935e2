"""1.C: cancelling and modifying, when something else happens at the same time."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.enums import OrderStatus, Side, TradingState
from ibkr_trader.core.errors import OrderRejectedError, OutcomeUnknown, RiskCheckError
from ibkr_trader.core.events import DriftEvent, GroupEvent, ModifyRejectEvent, StateEvent
from ibkr_trader.core.ids import is_twin
from ibkr_trader.execution.placing import Wait, route
from ibkr_trader.portfolio.protection import protections
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from tests.bad_days.judges import assert_sound
from tests.bad_days.requests import bracket, single, trail
from tests.bad_days.stage import AAPL, Day

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order

CLOSED = OrderStatus.CANCELLED


async def resting(day: Day, quantity: int = 10, *, limit: str = "149") -> Order:
    """Place an entry that waits below the market."""
    return await day.desk.submit_order(single(quantity, limit=limit))


async def held(day: Day, quantity: int = 10) -> None:
    """Hold AAPL under a bracket whose entry has filled."""
    await day.desk.submit_group(bracket(quantity), wait=Wait.FILLED)
    await day.quiet()
    assert_sound(day, AAPL)


@pytest.mark.parametrize("filled", [0, 4, 10])
@pytest.mark.parametrize("late", ["", "execDetails", "orderStatus"])
async def test_f_c01_cancel_fill_race(day: Day, filled: int, late: str) -> None:
    order = await resting(day)
    day.faults.arm(*rules.fill_wins_cancel(Decimal(filled)))
    if late:
        day.faults.arm(Fault(when=When(names=(late,), times=0), act=rules.Delay(seconds=2)))
    async with day.meanwhile():
        await day.desk.cancel_order(order.order_id)
    await day.wait(3)
    ended = await day.desk.get_order_status(order.order_id)
    assert ended.status is (OrderStatus.FILLED if filled == 10 else CLOSED)
    assert ended.filled == day.ledger.held(AAPL) == filled
    assert_sound(day, AAPL, is_protected=False)


@pytest.mark.parametrize("filled", [4, 10])
async def test_f_c01_an_entry_that_fills_while_it_is_cancelled_is_protected(
    day: Day, filled: int
) -> None:
    entry, *_ = await day.desk.submit_group(bracket(limit="149"))
    day.faults.arm(*rules.fill_wins_cancel(Decimal(filled)))
    async with day.meanwhile():
        await day.desk.cancel_order(entry.order_id)
    await day.wait(2)
    assert day.ledger.held(AAPL) == filled
    assert_sound(day, AAPL)


async def test_f_c02_a_cancel_that_nobody_answers_leaves_the_order_working(day: Day) -> None:
    await held(day)
    day.faults.arm(Fault(when=When(names=("cancelOrder",), times=0), act=rules.Drop()))
    target = day.order("target").terms.order_ref
    with pytest.raises(OutcomeUnknown):
        async with day.meanwhile():
            await day.desk.cancel_order(target)
    order = await day.desk.get_order_status(target)
    assert not order.status.is_closed
    assert_sound(day, AAPL)


async def test_f_c03_10147_for_an_order_that_exists_is_a_question(day: Day) -> None:
    order = await resting(day)
    day.faults.arm(*rules.cancel_refused(10147))
    async with day.meanwhile():
        with pytest.raises(OutcomeUnknown):
            await day.desk.cancel_order(order.order_id)
    assert not (await day.desk.get_order_status(order.order_id)).status.is_closed
    await day.quote("148.90", "148.95")
    assert day.ledger.held(AAPL) == 10
    assert_sound(day, AAPL, is_protected=False)


async def test_f_c04_a_cancel_that_overtakes_its_order_is_sent_again(day: Day) -> None:
    day.faults.arm(*rules.ack_delay(3))
    (order,) = await day.sent(single(limit="149"))
    async with day.meanwhile():  # it comes alive after its cancel was refused
        ended = await day.desk.cancel_order(order.order_id)
    assert ended.status is CLOSED
    assert len(day.wire.sent("cancelOrder")) == 2
    assert day.order(order.order_id).status.is_closed
    assert_sound(day, AAPL, is_protected=False)


@pytest.mark.parametrize("filled", [4, 10])
async def test_f_c05_modify_fill_race(day: Day, filled: int) -> None:
    order = await resting(day)
    day.faults.arm(*rules.fill_wins_modify(Decimal(filled)))
    async with day.meanwhile():
        await day.desk.modify_order(order.order_id, limit_price=Decimal("149.20"))
    await day.wait(2)
    now = await day.desk.get_order_status(order.order_id)
    assert now.filled == day.ledger.held(AAPL) == filled
    assert (now.status is OrderStatus.FILLED) == (filled == 10)
    assert_sound(day, AAPL, is_protected=False)


async def test_f_c05_a_size_below_what_has_traded_is_refused(day: Day) -> None:
    order = await resting(day)
    day.faults.arm(*rules.fill_wins_modify(Decimal(6)))
    with pytest.raises(OrderRejectedError):
        async with day.meanwhile():
            await day.desk.modify_order(order.order_id, quantity=Decimal(5))
    now = await day.desk.get_order_status(order.order_id)
    assert now.filled == 6
    assert now.remaining == 4
    assert_sound(day, AAPL, is_protected=False)


async def test_f_c06_a_change_counts_once_the_broker_shows_it(day: Day) -> None:
    await held(day)
    stop = day.order("stop").terms.order_ref
    slow = When(names=("openOrder",), order="*-stop", times=0)
    day.faults.arm(Fault(when=slow, act=rules.Delay(seconds=5)))
    async with day.trying(day.desk.modify_order(stop, stop_price=Decimal(147))):
        await day.wait(3)
        before = await day.desk.get_order_status(stop)
        assert before.spec.stop_price == 145
        assert before.desired is not None
        assert before.desired.stop_price == 147
        await day.wait(5)
    after = await day.desk.get_order_status(stop)
    assert after.spec.stop_price == 147
    assert after.desired is None
    assert_sound(day, AAPL)


async def test_f_c08_a_stop_whose_change_is_refused_works_on(day: Day) -> None:
    await held(day)
    stop = day.order("stop").terms.order_ref
    day.faults.arm(*rules.reject(201, "Order rejected - reason:Price", name="modifyOrder"))
    with pytest.raises(OrderRejectedError):
        async with day.meanwhile():
            await day.desk.modify_order(stop, stop_price=Decimal(147))
    now = await day.desk.get_order_status(stop)
    assert not now.status.is_closed
    assert now.spec.stop_price == 145
    assert_sound(day, AAPL)


async def test_f_c08_a_stop_that_its_refused_change_has_killed_is_replaced(day: Day) -> None:
    await held(day)
    stop = day.order("stop").terms.order_ref
    day.faults.arm(*rules.reject(201, "Order rejected - reason:Price", name="modifyOrder"))
    async with day.trying(day.desk.modify_order(stop, stop_price=Decimal(147))):
        await day.quiet()
        await day.broker_cancel("stop")
    await day.wait(3)
    assert_sound(day, AAPL)


@pytest.mark.parametrize("limits", [("147.5", "148"), ("147.5", "148", "148.5")])
async def test_f_c09_a_refusal_is_not_of_a_change_that_a_halt_has_kept_here(
    day: Day, limits: tuple[str, ...]
) -> None:
    """The first leaves at once; the others wait, each in the place of the one before."""
    order = await resting(day, limit="147")
    for limit in limits:
        change = ModifyOrder(order_id=order.order_id, limit_price=Decimal(limit), origin="cli")
        await route(day.trader, change)
        await day.quiet()
    day.trader.halter.stop("enough", origin="a test", keeps_entries=True)
    await day.wait(1.2, step=0.2)
    (refused,) = day.news(ModifyRejectEvent)
    assert "HALTED" in refused.reason
    now = await day.desk.get_order_status(order.order_id)
    assert (now.status, now.desired) == (OrderStatus.SUBMITTED, None)
    assert now.spec.limit_price == day.order(order.order_id).terms.limit_price == Decimal("147.5")
    for session in day.server.lines.sessions(client_id=1):
        session.talk.refuse(order.spec.broker_order_id, 201, "Order rejected - reason: margin")
    day.server.lines.flush()
    await day.quiet()
    ended = await day.desk.get_order_status(order.order_id)
    assert ended.status is OrderStatus.REJECTED


async def test_f_c10_a_change_by_hand_is_taken_over_and_not_fought(day: Day) -> None:
    await held(day)
    await day.hand_modify("stop", stop_price=Decimal(140))
    await day.wait(10)
    stop = await day.desk.get_order_status(day.order("stop").terms.order_ref)
    assert stop.spec.stop_price == 140
    assert day.order("stop").stop_price == 140
    assert not day.wire.sent("modifyOrder", "cancelOrder")
    assert_sound(day, AAPL)


async def test_f_c10_an_exit_made_too_large_by_hand_is_cut(day: Day) -> None:
    await held(day)
    await day.hand_modify("target", quantity=Decimal(20))
    await day.wait(3)
    assert_sound(day, AAPL)


async def test_f_c11_a_stop_cancelled_by_hand_is_put_back(day: Day) -> None:
    await held(day)
    await day.hand_cancel("stop")
    await day.wait(3)
    assert_sound(day, AAPL)


async def test_f_c11_a_stop_that_the_broker_takes_away_is_put_back(day: Day) -> None:
    await held(day)
    await day.broker_cancel("stop")
    await day.wait(3)
    assert_sound(day, AAPL)
    assert any("without a stop" in event.message for event in day.news(GroupEvent))


async def test_f_c12_cancelling_everything_of_ours_is_no_global_cancel(day: Day) -> None:
    await held(day)
    await day.hand_order(Side.BUY, 5, limit="140")
    await resting(day)
    async with day.meanwhile():
        for order in await day.desk.get_open_orders():
            if not order.is_foreign:
                await day.desk.cancel_order(order.order_id)
    await day.wait(3)
    assert not day.wire.sent("globalCancel")
    assert [order.client_id for order in day.ledger.live()] == [0]
    assert_sound(day, AAPL, is_protected=False)


async def test_f_c12_a_global_cancel_by_somebody_else_leaves_nothing_naked(day: Day) -> None:
    await held(day)
    await resting(day)
    await day.others(lambda now: day.exchange.cancel_all(now=now))
    await day.wait(10)
    assert_sound(day, AAPL)


def twins(day: Day, name: str) -> list[Order]:
    """Return what the desk knows to live beside its order of that name."""
    found = day.trader.portfolio.orders.values()
    return [one for one in found if is_twin(one.order_id) and one.spec.reference == name]


def living(day: Day, name: str) -> list[int]:
    """Return the permanent ids of the orders under a name that work at the exchange."""
    return [one.perm_id for one in day.ledger.called(name) if not one.status.is_closed]


async def assert_safe(day: Day, name: str) -> None:
    """Judge that nothing opens until a person has looked, and that an alarm says why."""
    assert [event for event in day.news(DriftEvent) if event.subject == name]
    (state,) = day.news(StateEvent)
    assert state.state is TradingState.REDUCING
    assert any("another with permId" in one.message for one in day.trader.alarming.standing)
    with pytest.raises(RiskCheckError, match="another with permId"):
        await day.desk.submit_order(single(limit="147"))


async def test_f_c07_the_second_of_two_orders_under_one_name_is_taken_away(day: Day) -> None:
    order = await resting(day)
    one = day.order(order.order_id).perm_id
    await day.others(lambda now: day.exchange.tws_acts.double(one, now=now))
    await day.lose_link()
    await day.wait(10)
    assert living(day, order.order_id) == [one], "what was known stays"
    await assert_safe(day, order.order_id)
    assert len(day.wire.sent("placeOrder")) == 1  # neither is sent a second time


@pytest.mark.parametrize("is_told", [False, True])
async def test_f_c07_a_stop_that_lives_twice_turns_nothing_round(
    day: Day, *, is_told: bool
) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.quiet()
    stop = day.order("stop")
    if is_told:  # under a number of its own client's, TWS tells of it at once
        number, twin = day.exchange.orders.next_order_id(1), stop.terms
        alone = msgspec.structs.replace(twin, parent_id=0, oca_group="", oca_type=0)
        await day.others(lambda now: day.exchange.place(1, number, terms=alone, now=now))
        await day.wait(5)
    else:
        await day.others(lambda now: day.exchange.tws_acts.double(stop.perm_id, now=now))
        async with day.meanwhile():
            await day.trader.drift.freshen(0)  # as whoever asks of a trader that runs
        await day.wait(2)
    assert living(day, stop.terms.order_ref) == [stop.perm_id]
    await assert_safe(day, stop.terms.order_ref)
    await day.until(lambda: not twins(day, stop.terms.order_ref))
    assert_sound(day, AAPL)
    await day.quote("140.00", "140.02")
    assert day.ledger.held(AAPL) == 0
    assert_sound(day, AAPL)


async def test_f_c07_a_twin_whose_cancel_is_refused_counts_and_stays_told(day: Day) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.quiet()
    stop = day.order("stop")
    refused = rules.Reject(code=10147, text="OrderId {id} that needs to be cancelled is not found.")
    day.faults.arm(Fault(when=When(names=("cancelOrder",), times=0), act=refused))
    await day.others(lambda now: day.exchange.tws_acts.double(stop.perm_id, now=now))
    await day.lose_link()
    await day.wait(20)
    (twin,) = twins(day, stop.terms.order_ref)
    (guard,) = protections(day.trader.portfolio).values()
    assert guard.surplus == 10
    assert not guard.is_exact
    assert "1-stop a second time" in dict(guard.remarks)[twin.order_id]
    assert len(day.wire.sent("cancelOrder")) < 10, "it is not asked for without an end"
    await assert_safe(day, stop.terms.order_ref)
    assert len(living(day, stop.terms.order_ref)) == 2
    day.faults.lift()
    await day.lose_link()
    await day.until(lambda: not twins(day, stop.terms.order_ref))
    assert living(day, stop.terms.order_ref) == [stop.perm_id]
    assert_sound(day, AAPL)


async def test_f_c09_a_trailing_stop_is_moved_once_a_second_at_most(day: Day) -> None:
    await day.desk.submit_order(single(), wait=Wait.FILLED)
    await day.accepted(trail(is_managed=True))
    for n in range(100):
        price = Decimal(150) + Decimal(n) / 20
        await day.quote(f"{price:.2f}", f"{price + Decimal('0.02'):.2f}")
        await day.wait(0.1)
    moments = [entry.at for entry in day.wire.sent("modifyOrder")]
    assert 5 <= len(moments) <= 11
    gaps = [(later - sooner).total_seconds() for sooner, later in pairwise(moments)]
    assert min(gaps) >= 0.99
    await day.wait(2)
    assert_sound(day, AAPL)
