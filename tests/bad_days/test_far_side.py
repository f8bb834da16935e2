"""1.A: the gateway is there, and what is behind it is not: IBKR, the data, the right to trade."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.enums import OrderStatus, TradingState
from ibkr_trader.core.errors import (
    BrokerUnavailable,
    OrderRejectedError,
    RiskCheckError,
    TraderError,
)
from ibkr_trader.core.events import ConnectEvent, DisconnectEvent, ErrorEvent, FillEvent, StateEvent
from ibkr_trader.dashboard.scene import Light
from ibkr_trader.execution.closing import StillClosing, close_contract
from ibkr_trader.execution.placing import Wait, place, prepare
from tests.bad_days.bad_lines import Lamps, hang_up, inject, inject_now
from tests.bad_days.judges import assert_over, assert_sound, nakedness
from tests.bad_days.requests import bracket, single, trail
from tests.bad_days.stage import AAPL, Day

if TYPE_CHECKING:
    from collections.abc import Sequence

EVERYTHING = (
    *("reqAllOpenOrders", "reqCompletedOrders", "reqExecutions", "reqPositions"),
    "reqAccountUpdates",
)
LOST = pytest.mark.parametrize("code", ["1100", "2110"])


def asked(day: Day, names: Sequence[str] = EVERYTHING) -> list[int]:
    """How often each of these questions was asked so far."""
    return [len(day.wire.sent(name)) for name in names]


async def opens_nothing(day: Day) -> None:
    """Try to buy a share, and see that nothing leaves."""
    sent = len(day.wire.sent("placeOrder"))
    with pytest.raises(TraderError):
        async with day.meanwhile():
            await day.desk.submit_order(single(1, limit="149"))
    assert len(day.wire.sent("placeOrder")) == sent


async def opens(day: Day) -> None:
    """Buy a share, and find it at the exchange."""
    sent = len(day.wire.sent("placeOrder"))
    async with day.meanwhile():
        await day.desk.submit_order(single(1, limit="140"))
    assert len(day.wire.sent("placeOrder")) == sent + 1


# -- lost -------------------------------------------------------------------------------------


@LOST
async def test_f_a05_without_ibkr_nothing_is_opened_and_it_is_told_once(
    day: Day, code: str
) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    lamps = Lamps(day)
    await inject(day, code)
    await day.wait(600, step=10)  # nothing more happens for ten minutes
    (lost,) = day.news(DisconnectEvent)
    assert lost.reason.startswith(code)
    assert lamps.lit == (Light.UP, Light.DOWN)
    assert len(day.wire.sent("startApi")) == 1, "the socket is well, and stays"
    await opens_nothing(day)
    assert_sound(day, AAPL)
    await inject(day, "1102")
    await day.wait(3)
    assert lamps.lit == (Light.UP, Light.UP)
    await opens(day)


async def test_f_a05_what_is_heard_meanwhile_counts_at_once(day: Day) -> None:
    """TWS says that it has lost IBKR, and a fill comes all the same."""
    await day.desk.submit_group(bracket(limit="149"))
    for session in day.server.lines.sessions():
        session.talk.refuse(-1, 1100, "Connectivity between IB and TWS has been lost.")
    day.server.lines.flush()
    await day.quiet()
    assert day.news(DisconnectEvent)
    await day.trade("entry")
    assert len(day.news(FillEvent)) == 1
    (position,) = await day.desk.get_positions()
    assert position.quantity == day.ledger.held(AAPL) == 10


async def test_f_a05_what_nobody_can_name_meanwhile_is_denied_like_all_the_rest(day: Day) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)  # of AAPL: that one is known
    await inject(day, "1100")
    denied = []
    for symbol in ("AAPL", "MSFT"):
        async with asyncio.timeout(5), day.meanwhile():  # no question is waited for to its end
            with pytest.raises(RiskCheckError) as found:
                await day.desk.submit_order(single(1, symbol=symbol), without_stop=True)
        denied.append(found.value)
    known, unknown = denied
    assert [one.check for one in unknown.breaches] == ["knowledge", "trading_state"]
    assert unknown.breaches == known.breaches[:2]
    assert unknown.message == "; ".join(one.message for one in unknown.breaches).replace(".;", ";")
    assert unknown.hint == known.hint != ""
    await inject(day, "1102")
    await day.wait(3)
    async with day.meanwhile():
        await day.desk.submit_order(single(1, symbol="MSFT"), without_stop=True)
    assert_sound(day, AAPL)


async def test_f_a05_where_the_gateway_itself_is_gone_that_is_said(day: Day) -> None:
    hang_up(day)
    await day.quiet()
    with pytest.raises(BrokerUnavailable):
        await prepare(day.trader, single(1, symbol="MSFT"))


ENDS = pytest.mark.parametrize("end", ["1101", "1102", "fin", "ten minutes, then 1102"])


async def comes_back(day: Day, end: str) -> None:
    """End an outage in one of the ways in which it can end."""
    if end.startswith("ten"):
        await day.wait(600, step=10)
    if end == "fin":
        hang_up(day)
        await inject(day, "lift")
    else:
        await inject(day, end[-4:])
    await day.wait(5)


@ENDS
@pytest.mark.parametrize("shares", [4, 10])
async def test_f_a05_a_fill_in_the_gap_appears_once_and_no_more(
    day: Day, end: str, shares: int
) -> None:
    await day.desk.submit_group(bracket(limit="149"))
    await inject(day, "1100")
    await day.trade("entry", shares)
    await day.wait(5)
    assert not day.news(FillEvent), "nobody tells"
    before = asked(day)
    await comes_back(day, end)
    assert all(now > then for now, then in zip(asked(day), before, strict=True))
    (fill,) = day.news(FillEvent)
    assert fill.fill.quantity == shares
    assert len(day.wire.sent("placeOrder")) == 3
    assert_sound(day, AAPL)


@ENDS
@pytest.mark.parametrize("orders", ["work", "sit"])
async def test_f_a05_what_is_to_be_closed_meanwhile_keeps_its_stop_and_is_closed_after(
    day: Day, end: str, orders: str
) -> None:
    """No close may be sent by old knowledge, so no exit is taken away for it either."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await inject(day, f"1100 {orders}")
    (position,) = await day.desk.get_positions()
    with pytest.raises(StillClosing, match="its stop still works at the broker"):
        async with day.meanwhile():
            await close_contract(day.trader, position.contract, timeout=20)
    await day.wait(30)
    assert not nakedness(day, AAPL)
    await comes_back(day, end)
    await day.wait(10)
    assert_over(day)
    assert_sound(day, AAPL)


@ENDS
async def test_f_a05_a_close_goes_on_once_all_is_known_again_and_not_before(
    day: Day, end: str
) -> None:
    """Its cancels sit in the gateway, and are confirmed before the account is."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    (position,) = await day.desk.get_positions()
    inject_now(day, "1100 sit")  # nobody has heard of it yet
    async with day.trying(close_contract(day.trader, position.contract, timeout=900)):
        await day.wait(30)
        assert len(day.wire.sent("cancelOrder")) > 0
        await comes_back(day, end)
        await day.wait(10)
    assert_over(day)
    assert_sound(day, AAPL)


@ENDS
@pytest.mark.parametrize("orders", ["work", "sit"])
async def test_f_a05_an_order_of_the_last_moment_is_one_order(
    day: Day, end: str, orders: str
) -> None:
    """TWS has lost IBKR and we have not heard: the order arrives, or waits in the gateway."""
    prepared = await prepare(day.trader, single(limit="149"))
    inject_now(day, f"1100 {orders}")
    (order,) = await place(day.trader, prepared, wait=Wait.NONE, timeout=10)
    await day.wait(30)
    assert not (await day.desk.get_order_status(order.order_id)).status.is_closed
    await comes_back(day, end)
    await day.wait(20)
    ours = await day.desk.get_order_status(order.order_id)
    assert ours.status is (OrderStatus.SUBMITTED if day.ledger.live() else OrderStatus.NOT_SENT)
    assert len(day.wire.sent("placeOrder")) == 1
    assert_sound(day, AAPL, is_protected=False)


@ENDS
async def test_f_a05_a_cancel_meanwhile_ends_the_order_or_is_asked_for_again(
    day: Day, end: str
) -> None:
    (order,) = await day.accepted(single(limit="149"))
    await inject(day, "1100 sit")
    async with day.trying(day.desk.cancel_order(order.order_id)):
        await day.wait(15)
        await comes_back(day, end)
        await day.wait(20)
    assert day.ledger.live() == ()
    assert (await day.desk.get_order_status(order.order_id)).status is OrderStatus.CANCELLED
    assert_sound(day, AAPL)


# -- back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["1101", "1102"])
async def test_f_a06_prices_come_again_and_stops_move_only_with_them(day: Day, end: str) -> None:
    await day.desk.submit_order(single(), wait=Wait.FILLED)
    await day.accepted(trail(is_managed=True))
    await day.rise("150", "153")
    await inject(day, "1100")
    moved, lines_ = len(day.wire.sent("modifyOrder")), len(day.wire.sent("reqMktData"))
    await day.rise("153", "160")
    await day.wait(5)
    assert len(day.wire.sent("modifyOrder")) == moved, "nobody knows where the market is"
    await inject(day, end)
    await day.wait(2)
    again = len(day.wire.sent("reqMktData")) - lines_
    assert again == (1 if end == "1101" else 0)
    await day.rise("160", "161")
    await day.wait(2)
    assert len(day.wire.sent("modifyOrder")) > moved
    assert str(day.order("stop").stop_price or "") >= "156"
    assert_sound(day, AAPL)


async def test_f_a07_a_fill_of_the_gap_is_known_within_two_seconds(day: Day) -> None:
    await day.desk.submit_group(bracket(limit="149"))
    await inject(day, "1100")
    await day.trade("entry")
    await inject(day, "1102")
    await day.wait(2)
    assert len(day.news(FillEvent)) == 1
    assert [event.epoch for event in day.news(ConnectEvent)] == [1, 2]
    assert_sound(day, AAPL)


async def test_f_a07_a_link_that_flickers_ends_in_the_same_books(day: Day) -> None:
    await day.desk.submit_group(bracket(limit="149"))
    for n in range(6):
        await inject(day, "1100" if n % 2 else "2110")
        if n == 3:
            await day.trade("entry", 4)
        await inject(day, "1101" if n % 3 else "1102")
        await day.wait(0.1)
    await day.wait(10)
    assert day.trader.outlook.is_synced
    assert len(day.news(FillEvent)) == 1
    assert_sound(day, AAPL)


# -- somebody else has the data, or we may only look ---------------------------------------------


async def test_f_a18_who_has_lost_the_data_opens_nothing_and_moves_no_stop(day: Day) -> None:
    await day.desk.submit_order(single(), wait=Wait.FILLED)
    await day.accepted(trail(is_managed=True))
    await day.rise("150", "153")
    moved = len(day.wire.sent("modifyOrder"))
    await inject(day, "competing-session 120")
    await day.rise("153", "160")
    await opens_nothing(day)
    assert len(day.wire.sent("modifyOrder")) == moved
    assert any(event.code == 10197 for event in day.news(ErrorEvent))
    assert_sound(day, AAPL)
    await day.wait(120, step=5)
    await day.rise("160", "161")
    assert len(day.wire.sent("modifyOrder")) > moved
    await opens(day)
    assert_sound(day, AAPL)


async def test_f_a19_a_gateway_that_may_only_be_read_is_asked_once(day: Day) -> None:
    """It says so in one sentence, with the box to untick, and nothing more is opened."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await inject(day, "readonly")
    with pytest.raises(OrderRejectedError, match="Read-Only"):
        async with day.meanwhile():
            await day.desk.submit_order(single(1, limit="149"))
    (state,) = day.news(StateEvent)
    assert state.state is TradingState.REDUCING
    assert "untick Read-Only API in TWS" in state.reason
    await opens_nothing(day)
    await inject(day, "precaution off")
    day.trader.halter.resume("it is unticked", origin="somebody")
    await opens(day)
    assert_sound(day, AAPL)
