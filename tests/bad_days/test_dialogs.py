"""1.B11: TWS holds an order back behind a dialog and says nothing, or a precaution speaks."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.errors import BrokerUnavailable, OrderRejectedError, OutcomeUnknown
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.spoiling import garbage
from ibkr_trader.sim.precautions import Precautions
from tests.bad_days.bad_lines import hang_up
from tests.bad_days.gateway_words import codes
from tests.bad_days.judges import assert_over, assert_sound
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL

if TYPE_CHECKING:
    from tests.bad_days.stage import Day


@pytest.mark.parametrize("released", [True, False])
async def test_f_b11_an_order_that_a_dialog_in_tws_holds_is_unknown_until_it_is_released(
    day: Day, released: bool
) -> None:
    day.faults.arm(*rules.ack_delay(300) if released else rules.swallow())
    with pytest.raises(OutcomeUnknown, match=r"dialog in TWS|precaution") as told:
        async with day.meanwhile():
            await day.desk.submit_order(single(limit="149"))
    assert "bypass" not in str(told.value).lower()
    await day.wait(5)
    (order,) = await day.desk.get_open_orders()
    assert order.status is OrderStatus.UNKNOWN
    await day.wait(320, step=10)
    (order,) = await day.desk.get_open_orders()
    assert order.status is (OrderStatus.SUBMITTED if released else OrderStatus.UNKNOWN)
    assert len(day.wire.sent("placeOrder")) == 1


async def test_f_b11_a_precaution_that_speaks_is_a_refusal_that_names_the_setting(
    day: Day,
) -> None:
    acts, most = day.exchange.floor_acts, Precautions(size_limit=Decimal(5))
    await day.others(lambda now: acts.set_up(most, now=now))
    with pytest.raises(OrderRejectedError, match=r"[Pp]recautionary") as told:
        async with day.meanwhile():
            await day.desk.submit_order(single(limit="149"))
    assert "bypass" not in str(told.value).lower()
    assert_over(day)
    assert_sound(day, AAPL)


@pytest.mark.parametrize("renewed", ["not", "garbage", "1102"])
async def test_f_b11_a_close_that_a_dialog_holds_is_not_made_twice_on_the_link_that_it_took(
    day: Day, renewed: str
) -> None:
    """Whatever makes us ask everything again: the gateway that has it is still the same."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    day.faults.arm(*rules.ack_delay(120, order="close"))
    (position,) = await day.desk.get_positions()
    async with day.trying(close_contract(day.trader, position.contract, timeout=300)):
        await day.wait(20)
        if renewed == "garbage":
            for session in day.server.lines.sessions():
                session.talk.say_raw(garbage(64), name=renewed)
            day.server.lines.flush()
        elif renewed == "1102":
            for code in (1100, 1102):
                for session in day.server.lines.sessions():
                    session.talk.refuse(-1, code, "Connectivity between IB and TWS")
                day.server.lines.flush()
                await day.quiet()
        await day.wait(60, step=5)
        (close,) = (o for o in await day.desk.get_open_orders() if o.spec.role is OrderRole.CLOSE)
        assert close.status is OrderStatus.UNKNOWN
        await day.wait(90, step=5)
    assert day.ledger.held(AAPL) == 0
    assert_over(day)
    assert_sound(day, AAPL)


@pytest.mark.parametrize("times", [1, 2])
async def test_f_b11_a_cancel_that_could_not_leave_forgets_none_that_was_asked_for_before(
    day: Day, times: int
) -> None:
    """A cancel of what a dialog holds finds nothing: it is asked again once that is let go."""
    day.faults.arm(*rules.ack_delay(120))
    (order,) = await day.sent(single(limit="149"))
    await day.wait(20)
    with pytest.raises(OutcomeUnknown):
        async with day.meanwhile():
            await day.desk.cancel_order(order.order_id)
    hang_up(day)
    await day.quiet()
    if times == 2:
        with pytest.raises(BrokerUnavailable):
            await day.desk.cancel_order(order.order_id)
    await day.wait(200, step=5)
    assert not day.ledger.live(AAPL)
    assert_over(day)
    assert_sound(day, AAPL)


async def test_f_b11_a_close_does_not_wait_for_an_entry_that_a_dialog_holds(day: Day) -> None:
    """Let go after all, it comes too late: a higher number has passed it."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    day.faults.arm(*rules.ack_delay(90, order="single"))
    await day.sent(single(3))
    (position,) = await day.desk.get_positions()
    async with day.trying(close_contract(day.trader, position.contract, timeout=150)):
        await day.wait(30, step=5)
        held = day.ledger.held(AAPL)
        await day.wait(200, step=5)
    assert held == 0, "before anybody has let it go"
    assert 103 in codes(day)
    assert day.ledger.held(AAPL) == 0
    assert_over(day)
    assert_sound(day, AAPL)
