"""1.A: sessions that begin wrong, end at midnight, or are not alone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ibkr_trader.adapters.ibkr.connection import ClientIdInUse
from ibkr_trader.cli.exits import Exit, classify
from ibkr_trader.core.enums import OrderStatus, TimeInForce
from ibkr_trader.core.errors import (
    BrokerUnavailable,
    RiskCheckError,
    TraderError,
)
from ibkr_trader.core.events import CoverEvent, DriftEvent, ErrorEvent, FillEvent
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.account_requests import StartApi
from ibkr_trader.sim.orders import OrderTerms
from tests.bad_days.bad_lines import another_link, break_off, inject, line_of
from tests.bad_days.judges import assert_sound, strangers_touched
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, Day, a_day
from tests.limits import roomy

if TYPE_CHECKING:
    from pathlib import Path

    from ibkr_trader.core.models import OrderRequest

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = datetime(2026, 11, 23, 10, tzinfo=NEW_YORK)
SENT = ("placeOrder", "modifyOrder", "cancelOrder", "globalCancel")


def to_last(limit: str) -> OrderRequest:
    """An order that outlives its day."""
    return msgspec.structs.replace(single(limit=limit), time_in_force=TimeInForce.GTC)


# -- midnight ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shares", [4, 10])
async def test_f_a09_a_fill_that_midnight_took_is_drift_and_nothing_is_invented(
    shares: int, tmp_path: Path
) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk():
            (order,) = await day.accepted(to_last("149"))
        await day.trade("single", shares)
        await day.wait_until(MONDAY, step=7_200)
        assert list(day.exchange.orders.executions()) == []  # who asks now hears of none
        sent = len(day.wire.sent(*SENT))
        async with day.open_desk() as desk:
            told = [event for event in day.news(DriftEvent) if event.subject == "position AAPL"]
            assert [(one.ours, one.theirs) for one in told] == [("0", str(shares))]
            await day.wait(10)
            assert (await desk.get_order_status(order.order_id)).status.is_closed is (shares == 10)
            assert any(event.is_serious for event in day.news(CoverEvent)), "a person must look"
            assert not day.news(FillEvent), "what the broker does not tell is not made up"
            assert_sound(day, AAPL, is_protected=False)
        async with day.open_desk():
            await day.wait(10)
            again = [event for event in day.news(DriftEvent) if event.subject == "position AAPL"]
            assert again == told, "it is counted once, and known from then on"
            assert_sound(day, AAPL, is_protected=False)
        assert len(day.wire.sent(*SENT)) == sent


async def test_f_a09_an_order_half_of_which_midnight_took_opens_nothing_more(
    tmp_path: Path,
) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk():
            await day.accepted(to_last("149"))
        await day.trade("single", 4)
        await day.wait_until(MONDAY, step=7_200)
        async with day.open_desk() as desk:
            with pytest.raises(RiskCheckError, match="restated the position in AAPL"):
                async with day.meanwhile():
                    await desk.submit_order(single(1))


async def test_f_a09_absence_proves_nothing_on_another_day(tmp_path: Path) -> None:
    """Had it traded, its executions were forgotten by now: nobody can know, so it counts."""
    async with a_day(tmp_path) as day:
        async with day.open_desk():
            day.faults.arm(*rules.swallow())
            (order,) = await day.sent(single())
        await day.wait_until(MONDAY, step=7_200)
        async with day.open_desk() as desk:
            await day.wait(120, step=5)
            assert (await desk.get_order_status(order.order_id)).status is OrderStatus.UNKNOWN
            with pytest.raises(RiskCheckError, match="Nobody knows whether order"):
                async with day.meanwhile():
                    await desk.submit_order(single(1))
            asked = len(day.wire.sent("reqAllOpenOrders"))
            await day.wait(1800, step=30)
            assert len(day.wire.sent("reqAllOpenOrders")) - asked <= 30, "ever more rarely"
        assert len(day.wire.sent("placeOrder")) == 1


async def test_f_a09_the_same_silence_within_the_day_is_proof(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk():
            day.faults.arm(*rules.swallow())
            (order,) = await day.sent(single())
        async with day.open_desk() as desk:
            await day.wait(10)
            assert (await desk.get_order_status(order.order_id)).status is OrderStatus.NOT_SENT


# -- a session that begins and tells nothing ---------------------------------------------------

ENDS = (
    *("openOrderEnd", "completedOrdersEnd", "execDetailsEnd", "positionEnd"),
    "accountDownloadEnd",
)


@pytest.mark.parametrize("end", ENDS)
async def test_f_a15_an_answer_that_never_ends_is_not_an_empty_one(day: Day, end: str) -> None:
    """Of five answers one does not end: nothing is known, and nothing is opened, until it does."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await inject(day, f"never-end {end}")
    break_off(day)
    await day.wait(60)
    assert len(day.wire.sent("startApi")) == 2, "the line is well: it is the answer that is missing"
    assert not day.trader.outlook.is_synced
    sent = len(day.wire.sent("placeOrder"))
    with pytest.raises(TraderError):
        async with day.meanwhile():
            await day.desk.submit_order(single(1, limit="149"))
    assert len(day.wire.sent("placeOrder")) == sent
    assert_sound(day, AAPL)  # what was known is kept, and nobody believes in an empty account
    await inject(day, "lift")
    await day.wait(15)
    assert day.trader.outlook.is_synced
    async with day.meanwhile():
        await day.desk.submit_order(single(1, limit="149"))
    assert len(day.wire.sent("placeOrder")) == sent + 1


@pytest.mark.parametrize("end", ENDS)
async def test_f_a15_no_desk_opens_on_half_an_answer(end: str, tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await desk.submit_group(bracket(), wait=Wait.FILLED)
        await inject(day, f"never-end {end}")
        failed: list[str] = []

        async def begin() -> None:
            try:
                async with day.open_desk():
                    failed.append("it opened")
            except BrokerUnavailable as error:
                failed.append(error.message)

        async with alongside(begin()):
            await day.until(lambda: bool(failed))
        assert f"({end} is missing)" in failed[0]


# -- who else is there ------------------------------------------------------------------------


async def test_f_a10_a_client_id_in_use_is_named_and_no_other_is_taken(day: Day) -> None:
    second = another_link(day, client_id=1)
    with pytest.raises(ClientIdInUse, match="client id 1 is in use") as refused:
        await second.open()
    assert "IBKR_CLIENT_ID could not change the orders" in refused.value.hint
    assert classify(refused.value) == ("gateway_unreachable", Exit.UNREACHABLE)
    asked = [e.message for e in day.wire.sent("startApi")]
    assert [one.client_id for one in asked if isinstance(one, StartApi)] == [1, 1]
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    assert_sound(day, AAPL)


async def test_f_a10_an_id_that_is_taken_for_a_while_is_waited_for(day: Day) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await inject(day, "326-then-close 5")
    break_off(day)
    await day.wait(120, step=2)
    assert day.trader.outlook.is_synced
    asked = [e.message for e in day.wire.sent("startApi")]
    assert [one.client_id for one in asked if isinstance(one, StartApi)] == [1] * 7
    assert_sound(day, AAPL)


async def test_f_a10_a_running_desk_waits_for_its_own_client_id(day: Day) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    line_of(day).settings = msgspec.structs.replace(line_of(day).settings, backoff=2.0)
    break_off(day)
    other = another_link(day, client_id=1)
    await other.open()  # somebody was quicker
    await day.wait(120)
    assert not day.trader.outlook.is_synced
    assert any("client id 1 is in use" in event.message for event in day.news(ErrorEvent))
    asked = [e.message for e in day.wire.sent("startApi")]
    assert {one.client_id for one in asked if isinstance(one, StartApi)} == {1}
    other.close()
    await day.wait(70)
    assert day.trader.outlook.is_synced
    assert_sound(day, AAPL)


async def test_f_a17_another_clients_order_counts_and_is_never_touched(tmp_path: Path) -> None:
    narrow = roomy(max_position_size=Decimal(15))
    async with a_day(tmp_path) as day, day.open_desk(limits=narrow) as desk:
        (ours,) = await day.accepted(single(5, limit="140"))
        number = ours.spec.broker_order_id  # of client 7 it is another order
        terms = OrderTerms(
            con_id=AAPL,
            action="BUY",
            quantity=Decimal(10),
            order_type="LMT",
            limit_price=Decimal(149),
        )
        await day.others(lambda now: day.exchange.place(7, number, terms=terms, now=now))
        await day.wait(310, step=10)
        with pytest.raises(RiskCheckError, match="15"):
            await desk.submit_order(single(1))
        (theirs,) = [o for o in await desk.get_open_orders() if o.is_foreign]
        with pytest.raises(TraderError):
            async with day.meanwhile():
                await desk.cancel_order(theirs.order_id)
        await desk.cancel_order(ours.order_id)
        assert [o.key.client_id for o in day.ledger.live()] == [7]
        await day.others(lambda now: day.exchange.forcing.trade(theirs.perm_id, now=now))
        await day.wait(10)
        assert day.ledger.held(AAPL) == 10
        assert_sound(day, AAPL, is_protected=False)
        assert strangers_touched(day) == ""


async def test_f_a21_a_gateway_that_begins_anew_gets_no_number_twice(tmp_path: Path) -> None:
    """Reset, it offers 1 again; our journal knows better."""
    async with a_day(tmp_path) as first, first.open_desk() as desk:
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        used = {e.key.order_id for e in first.wire.sent("placeOrder") if e.key is not None}
    async with a_day(tmp_path) as day, day.open_desk():
        await day.wait(10)
        await day.sent(single(1, symbol="MSFT"))
        (again,) = [e.key.order_id for e in day.wire.sent("placeOrder") if e.key is not None]
    assert again > max(used)


@pytest.mark.parametrize("how", ["lower", "same"])
async def test_f_a21_a_number_that_the_gateway_offers_again_is_not_used_again(
    day: Day, how: str
) -> None:
    await day.desk.submit_group(bracket(limit="149"))
    await inject(day, f"next-valid-id {how} --times 0")
    break_off(day)
    await day.wait(10)
    (order,) = await day.accepted(single(1, limit="140"))
    keys = [e.key for e in day.wire.sent("placeOrder")]
    assert len(set(keys)) == len(keys) == 4
    assert not day.wire.sent("modifyOrder"), "a number used again would change a live order"
    assert order.spec.broker_order_id == max(key.order_id for key in keys if key is not None)
    assert_sound(day, AAPL)


async def test_f_a21_a_leap_to_the_end_of_all_numbers_opens_nothing_and_says_so(day: Day) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await inject(day, "next-valid-id huge --times 0")
    break_off(day)
    await day.wait(10)
    sent = len(day.wire.sent("placeOrder"))
    with pytest.raises(BrokerUnavailable, match="order ids have reached"):
        await day.desk.submit_order(single(1, limit="149"))
    assert len(day.wire.sent("placeOrder")) == sent
    stop = day.order("stop")
    await day.desk.modify_order(stop.terms.order_ref, stop_price=Decimal(146))
    await day.wait(3)
    assert day.order("stop").terms.aux_price == 146, "what is there can be looked after"
    assert_sound(day, AAPL)


async def test_f_a21_numbers_end_before_the_integer_does(day: Day) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    line_of(day).session.next_order_id = 2**31 - 10_000
    sent = len(day.wire.sent("placeOrder"))
    with pytest.raises(BrokerUnavailable, match="order ids have reached"):
        await day.desk.submit_order(single(1, limit="149"))
    assert len(day.wire.sent("placeOrder")) == sent
    assert_sound(day, AAPL)
