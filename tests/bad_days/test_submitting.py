"""1.B: what becomes of an order that was sent, when its callbacks go astray."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.enums import OrderStatus, Side
from ibkr_trader.core.errors import OrderRejectedError, OutcomeUnknown, RiskCheckError
from ibkr_trader.core.events import AlarmEvent, FillEvent, WarningEvent
from ibkr_trader.execution.cap_watch import PRICE_CAPPED
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.floor_rules import Rejection
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from tests.bad_days.judges import assert_over, assert_sound
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, Day, a_day
from tests.limits import roomy

if TYPE_CHECKING:
    from pathlib import Path

LOCT = 600000005  # its short sales wait until shares are found
TOLD = ("orderStatus", "execDetails", "commissionReport")


async def test_f_b01_an_order_that_is_swallowed_is_unknown_and_never_sent_again(day: Day) -> None:
    day.faults.arm(*rules.swallow())
    with pytest.raises(OutcomeUnknown):
        async with day.meanwhile():
            await day.desk.submit_order(single())
    await day.wait(60)
    (order,) = await day.desk.get_open_orders()
    assert order.status is OrderStatus.UNKNOWN
    await day.lose_link()
    await day.wait(30)  # on a new connection its absence can be proven
    assert (await day.desk.get_order_status(order.order_id)).status is OrderStatus.NOT_SENT
    assert len(day.wire.sent("placeOrder")) == 1
    assert_over(day)
    assert_sound(day, AAPL)


async def test_an_entry_nobody_answers_for_weighs_more_than_what_is_refused_of_its_exits(
    day: Day,
) -> None:
    """Whoever hears of a refusal alone orders again, and has it twice."""
    day.faults.arm(*rules.swallow(order="entry"))
    with pytest.raises(OutcomeUnknown, match=r"no answer about \S+-entry.*rejected") as unknown:
        async with day.meanwhile():
            await day.desk.submit_group(bracket())
    assert "entry" in [name.rpartition("-")[2] for name in unknown.value.order_ids]


async def test_a_refused_exit_says_that_its_entry_stands(day: Day) -> None:
    refusal = Rejection(ref="*-stop*", times=1)
    await day.others(lambda now: day.exchange.broker_acts.reject(refusal, now=now))
    with pytest.raises(OrderRejectedError) as refused:
        async with day.meanwhile():
            await day.desk.submit_group(bracket())
    assert [name.rpartition("-")[2] for name in refused.value.standing] == ["entry"]
    await day.wait(10)
    assert_sound(day, AAPL)


async def test_f_b02_an_acknowledgement_that_comes_late_revives_the_order(day: Day) -> None:
    day.faults.arm(*rules.ack_delay(40))
    with pytest.raises(OutcomeUnknown):
        async with day.meanwhile():
            await day.desk.submit_order(single(limit="149"))
    await day.wait(60)
    (order,) = await day.desk.get_open_orders()
    assert order.status is OrderStatus.SUBMITTED
    assert len(day.wire.sent("placeOrder")) == 1
    assert_sound(day, AAPL)


async def test_f_b03_a_fill_before_the_acknowledgement_counts(day: Day) -> None:
    day.faults.arm(*rules.exec_before_status(order="entry"))
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.wait(2)
    assert day.ledger.held(AAPL) == 10
    day.faults.lift()
    await day.wait(2)
    assert_sound(day, AAPL)


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
async def test_f_b05_callbacks_in_any_order_end_in_the_same_books(
    day: Day, order: tuple[int, ...]
) -> None:
    """Accepted, executed, filled, charged: in every order, with the first of them twice (B04)."""
    fault = Fault(when=When(names=TOLD), act=rules.Shuffle(order=(*order, order[0])))
    day.faults.arm(fault)
    await day.sent(single())
    await day.wait(2)
    (ours,) = day.trader.portfolio.closed.values()
    theirs = day.order(ours.order_id)
    assert ours.status is OrderStatus.FILLED
    assert ours.filled == theirs.filled == 10
    assert ours.commission == theirs.commission
    assert len(day.news(FillEvent)) == 1
    assert_sound(day, AAPL, is_protected=False)


async def test_f_b04_a_late_repeat_of_an_old_status_changes_nothing(day: Day) -> None:
    again = Fault(
        when=When(names=("openOrder", "orderStatus"), times=0), act=rules.Repeat(seconds=4)
    )
    day.faults.arm(again)
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.wait(10)
    assert (await day.desk.get_order_status("1-entry")).status is OrderStatus.FILLED
    assert_sound(day, AAPL)


async def test_f_b06_an_execution_without_a_status_is_a_fill(day: Day) -> None:
    day.faults.arm(*rules.exec_without_status())
    await day.sent(bracket())
    await day.wait(2)
    (position,) = await day.desk.get_positions()
    assert position.quantity == day.ledger.held(AAPL) == 10
    assert (await day.desk.get_order_status("1-entry")).status is OrderStatus.FILLED
    assert len(day.wire.sent("placeOrder")) == 3


async def test_f_b07_a_status_without_its_execution_is_looked_up(day: Day) -> None:
    day.faults.arm(*rules.status_without_exec())
    await day.desk.submit_group(bracket(), wait=Wait.NONE)
    await day.wait(10)
    (fill,) = day.news(FillEvent)
    assert fill.fill.quantity == 10
    assert_sound(day, AAPL)


@pytest.mark.parametrize("ref", ["*-entry", "*-target", "*-single"])
async def test_f_b08_a_rejection_is_said_in_the_brokers_words(day: Day, ref: str) -> None:
    rejection = Rejection(ref=ref, text="Order rejected - reason:No margin.")
    await day.others(lambda now: day.exchange.broker_acts.reject(rejection, now=now))
    is_single = ref == "*-single"
    request = single(limit="149") if is_single else bracket(limit="149")
    with pytest.raises(OrderRejectedError, match="No margin"):
        async with day.meanwhile():
            await day.accepted(request)
    await day.wait(5)
    assert_over(day)
    assert_sound(day, AAPL)


async def test_f_b10_an_exit_that_the_broker_caps_works_at_its_bound_and_a_person_is_called(
    day: Day,
) -> None:
    acts = day.exchange.floor_acts
    await day.others(lambda now: acts.cap(AAPL, sell=Decimal("149.50"), now=now))
    await day.desk.submit_order(single(), wait=Wait.FILLED)
    await day.sent(single(side=Side.SELL, stop="149"))
    await day.quote("148.00", "148.02")
    await day.wait(3)
    assert day.ledger.held(AAPL) == 10  # it works at the bound, and finds nobody
    (order,) = await day.desk.get_open_orders()
    (noted,) = day.news(WarningEvent)
    assert (noted.code, noted.order_id) == (PRICE_CAPPED, order.order_id)
    (told,) = [event for event in day.news(AlarmEvent) if not event.is_over]
    assert told.message.startswith("AAPL: 2-single may never fill, the broker holds it to a price")
    assert_sound(day, AAPL, is_protected=False)


async def test_f_b10_an_entry_that_the_broker_caps_calls_nobody(day: Day) -> None:
    acts = day.exchange.floor_acts
    await day.others(lambda now: acts.cap(AAPL, buy=Decimal("149.00"), now=now))
    await day.sent(single())
    await day.wait(3)
    assert [event.code for event in day.news(WarningEvent)] == [PRICE_CAPPED]
    assert not day.news(AlarmEvent)
    assert day.ledger.held(AAPL) == 0


async def test_f_b19_a_size_that_the_broker_cuts_is_the_size(day: Day) -> None:
    await day.desk.submit_group(bracket(limit="149"))
    await day.hand_modify("entry", quantity=Decimal(6))
    await day.trade("entry")
    await day.wait(5)
    assert day.ledger.held(AAPL) == 6
    assert_sound(day, AAPL)


async def test_f_b17_a_short_sale_waits_for_its_shares_and_counts_meanwhile(day: Day) -> None:
    (order,) = await day.accepted(single(side=Side.SELL, symbol="LOCT"))
    waiting = await day.desk.get_order_status(order.order_id)
    assert (waiting.status, waiting.held_for) == (OrderStatus.PRESUBMITTED, "locate")
    assert waiting.remaining == 10
    await day.wait(70, step=5)
    assert day.ledger.positions() == {LOCT: -10}
    assert (await day.desk.get_order_status(order.order_id)).status is OrderStatus.FILLED
    assert_sound(day, LOCT, is_protected=False)


async def test_f_b17_what_is_hard_to_borrow_is_not_even_sent(tmp_path: Path) -> None:
    """As TWS tells it of each: 3 for AAPL, 2 for what must be located, 1 for what is not there."""
    picky = roomy(min_shortable=Decimal("2.5"))
    async with a_day(tmp_path) as day, day.open_desk(limits=picky) as desk:
        for symbol, figure in (("LOCT", 2), ("HARD", 1)):
            with pytest.raises(RiskCheckError, match=f"{symbol} is hard .* TWS counts {figure}"):
                await desk.submit_order(single(side=Side.SELL, symbol=symbol))
        assert not day.wire.sent("placeOrder")
        await desk.submit_order(single(side=Side.SELL))
        assert len(day.wire.sent("placeOrder")) == 1


async def test_f_b17_a_short_sale_whose_shares_come_with_its_cancel(day: Day) -> None:
    (order,) = await day.accepted(single(side=Side.SELL, symbol="LOCT"))
    late = Fault(when=When(names=("cancelOrder",)), act=rules.Delay(seconds=2))
    day.faults.arm(late)
    async with day.trying(day.desk.cancel_order(order.order_id)):
        await day.others(lambda now: day.exchange.broker_acts.find_shares(LOCT, now=now))
        await day.wait(5)
    assert day.ledger.positions() == {LOCT: -10}
    assert (await day.desk.get_order_status(order.order_id)).status is OrderStatus.FILLED
    assert_sound(day, LOCT, is_protected=False)
