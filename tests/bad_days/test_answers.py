"""1.B: what the broker answers to an order, and what it only seems to say."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters.ibkr.error_codes import ERROR_RULES
from ibkr_trader.adapters.ibkr.lanes import Lane, Parcel
from ibkr_trader.core.enums import OrderStatus, Side, TradingState
from ibkr_trader.core.errors import OrderRejectedError, RiskCheckError
from ibkr_trader.core.events import StateEvent
from ibkr_trader.drills.still_gateway import CLOCKWORK
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from ibkr_trader.sim.gateway.wire import Way
from tests.bad_days.bad_lines import line_of
from tests.bad_days.gateway_words import codes, line, say, say_status
from tests.bad_days.judges import assert_over, assert_sound
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, START, Day, a_day
from tests.limits import roomy

if TYPE_CHECKING:
    from pathlib import Path

    from ibkr_trader.core.models import Order

PENNY = 600000003  # moves by hundredths of a cent below a dollar, by cents above


async def resting(day: Day, quantity: int = 10) -> Order:
    """Place an entry that waits below the market."""
    return await day.desk.submit_order(single(quantity, limit="149"))


async def still_works(day: Day, order: Order) -> None:
    """Judge that the order lives, counts, trades and can be ended, whatever was said of it."""
    believed = await day.desk.get_order_status(order.order_id)
    assert not believed.status.is_closed
    assert believed.remaining == day.order(order.order_id).remaining
    assert len(day.wire.sent("placeOrder")) == 1
    await day.quote("148.90", "148.95")
    await day.wait(1)
    assert day.ledger.held(AAPL) == order.spec.quantity
    assert_sound(day, AAPL, is_protected=False)


# -- B09: prices between two steps ----------------------------------------------------------------


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
async def test_f_b09_every_price_leaves_on_its_step_to_the_side_that_costs_nothing(
    day: Day, side: Side
) -> None:
    """A limit is no worse than asked, a stop no further away; the exchange refuses any other."""
    is_buy = side is Side.BUY
    limit, stop, target = (
        ("149.106", "145.104", "155.103") if is_buy else ("151.104", "155.106", "145.108")
    )
    await day.desk.submit_group(bracket(side=side, limit=limit, stop=stop, target=target))
    entry, protection, goal = (day.order(role).terms for role in ("entry", "stop", "target"))
    found = (entry.limit_price, protection.aux_price, goal.limit_price)
    wanted = ("149.10", "145.11", "155.11") if is_buy else ("151.11", "155.10", "145.10")
    assert found == tuple(map(Decimal, wanted))
    assert not codes(day)


async def test_f_b09_below_a_dollar_the_step_is_another(tmp_path: Path) -> None:
    cheap = roomy(min_price=Decimal("0.1"))
    async with a_day(tmp_path) as day, day.open_desk(limits=cheap) as desk:
        await desk.submit_order(single(symbol="PENY", limit="0.41237"))
        (sent,) = day.ledger.live(PENNY)
        assert sent.terms.limit_price == Decimal("0.4123")


@pytest.mark.parametrize("ref", ["*-entry", "*-stop"])
async def test_f_b09_110_is_a_refusal_and_no_warning(day: Day, ref: str) -> None:
    """Both client libraries call it a warning, and go on believing in an order that is not."""
    text = "The price does not conform to the minimum price variation for this contract."
    day.faults.arm(*rules.reject(110, text, order=ref))
    with pytest.raises(OrderRejectedError, match="minimum price variation"):
        async with day.meanwhile():
            await day.accepted(bracket(limit="149"))
    await day.wait(5)
    assert_over(day)
    assert_sound(day, AAPL)


# -- B12, B13, B20: codes that say nothing of the order they name ---------------------------------


@pytest.mark.parametrize("code", [103, 104, 105, 100])
async def test_f_b12_a_refusal_of_another_request_leaves_a_working_order_working(
    day: Day, code: int
) -> None:
    order = await resting(day)
    await say(day, code, order.order_id)
    await still_works(day, order)


@pytest.mark.parametrize("is_new", [True, False])
async def test_f_b12_a_number_used_twice_stops_openings_and_is_never_used_again(
    day: Day, is_new: bool
) -> None:
    """Nobody knows any more which numbers are free: a person has to look first."""
    order = await resting(day)
    if is_new:
        day.faults.arm(*rules.reject(103, "Duplicate order ID."))
        with pytest.raises(OrderRejectedError, match="Duplicate"):
            async with day.meanwhile():
                await day.desk.submit_order(single(limit="148"))
    else:
        await say(day, 103, order.order_id, "Duplicate order ID.")
    (state,) = day.news(StateEvent)
    assert state.state is TradingState.REDUCING
    assert "was used before" in state.reason
    sent = len(day.wire.sent("placeOrder"))
    with pytest.raises(RiskCheckError, match="was used before"):
        await day.desk.submit_order(single(limit="147"))
    assert len(day.wire.sent("placeOrder")) == sent
    async with day.meanwhile():
        await day.desk.cancel_order(order.order_id)
    day.trader.halter.resume("the other program was ended", origin="test")
    used = {entry.key for entry in day.wire.sent("placeOrder")}
    again = await resting(day)
    assert day.wire.sent("placeOrder", ref=again.order_id)[0].key not in used
    assert day.wire.sent("reqIds")


@pytest.mark.parametrize("is_bracket", [False, True])
async def test_f_b12_an_entry_that_a_close_overtakes_is_not_sent_and_stops_nothing(
    day: Day, is_bracket: bool
) -> None:
    """TWS takes no number below one that it has had, though nobody ever used it."""
    async with day.meanwhile():
        await day.desk.submit_group(bracket(), wait=Wait.FILLED)
        again = await day.desk.submit_order(single(symbol="MSFT", limit="418"))
        await day.desk.cancel_order(again.order_id)
    connection = line_of(day)
    frame = connection.encode(lambda api: api.reqMarketDataType(1))
    for _ in range(40):  # what openings and data may have of this second
        connection.put(Parcel(Lane.DATA, (frame,)))
    alone = single(symbol="MSFT", limit="417")
    linked = bracket(symbol="MSFT", limit="417", stop="400", target="440")
    held_back = await day.sent(linked if is_bracket else alone)
    (held,) = day.trader.portfolio.positions.values()
    async with day.trying(close_contract(day.trader, held.contract, timeout=20)):
        assert day.ledger.held(AAPL) == 0, "it has not waited for the second to pass"
        assert not day.wire.sent("placeOrder", ref=held_back[0].order_id)
        await day.wait(3)
    for order in held_back:
        believed = await day.desk.get_order_status(order.order_id)
        assert believed.status is OrderStatus.NOT_SENT
        assert "TWS takes none out of turn" in believed.reason
        assert not day.wire.sent("placeOrder", ref=order.order_id)
    assert not day.news(StateEvent), "103 would have stopped all openings until a person looks"
    (later,) = await day.accepted(single(symbol="MSFT", limit="416"))
    numbers = [entry.key.order_id for entry in day.wire.sent("placeOrder") if entry.key]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == later.spec.broker_order_id
    assert_sound(day, AAPL)


@pytest.mark.parametrize("is_taken", [True, False])
async def test_f_b13_too_fast_leaves_a_new_order_unknown_until_it_is_looked_up(
    day: Day, is_taken: bool
) -> None:
    text = "Max rate of messages per second has been exceeded"
    act = rules.Warn(code=100, text=text) if is_taken else rules.Reject(code=100, text=text)
    day.faults.arm(Fault(when=When(names=("placeOrder",)), act=act))
    if is_taken:  # and nothing more is heard of it
        day.faults.arm(*rules.unanswered())
    (order,) = await day.sent(single(limit="149"))
    believed = await day.desk.get_order_status(order.order_id)
    assert believed.status is OrderStatus.UNKNOWN
    day.faults.lift()
    await day.lose_link()
    await day.wait(30)
    ended = await day.desk.get_order_status(order.order_id)
    assert ended.status is (OrderStatus.SUBMITTED if is_taken else OrderStatus.NOT_SENT)
    assert len(day.wire.sent("placeOrder")) == 1
    assert_sound(day, AAPL)


async def test_f_b13_three_strikes_end_the_session_and_nothing_is_sent_again(day: Day) -> None:
    placed = When(names=("placeOrder",), times=2)
    strike = rules.Reject(code=100, text="Max rate of messages per second has been exceeded")
    day.faults.arm(Fault(when=placed, act=strike))
    day.faults.arm(Fault(when=When(names=("placeOrder",)), act=rules.Cut(how="fin")))
    wanted = {"AAPL": "149", "MSFT": "418", "INTC": "23.50"}  # one a symbol: more are denied
    sent = [(await day.sent(single(symbol=name, limit=at)))[0] for name, at in wanted.items()]
    await day.wait(30)
    ended = [await day.desk.get_order_status(order.order_id) for order in sent]
    assert {order.status for order in ended} == {OrderStatus.NOT_SENT}
    assert len(day.wire.sent("placeOrder")) == 3
    assert_over(day)
    assert_sound(day, AAPL)


async def test_f_b13_of_our_own_we_never_come_near_what_tws_takes(day: Day) -> None:
    """50 a second; data has a share, and an order and its cancel do not wait behind it."""
    connection = line_of(day)
    frame = connection.encode(lambda api: api.reqMarketDataType(1))
    await resting(day)  # so that AAPL's price is there: a new symbol's waits its turn
    begun = len(day.wire)
    for _ in range(300):
        connection.put(Parcel(Lane.DATA, (frame,)))
    await day.quiet()
    async with day.meanwhile(within=15):
        order = await day.desk.submit_order(single(limit="148"))
        await day.desk.cancel_order(order.order_id)
    await day.wait(25)
    ours = [e for e in day.wire.entries[begun:] if e.way is Way.IN and e.name not in CLOCKWORK]
    each_second = Counter(entry.at.replace(microsecond=0) for entry in ours)
    assert len(ours) > 300
    assert max(each_second.values()) <= 45
    first, last = (day.wire.sent(name)[-1].at for name in ("placeOrder", "cancelOrder"))
    assert (last - first).total_seconds() <= 1
    assert (first - ours[0].at).total_seconds() <= 2  # its turn comes within one; behind all: ten


# -- B16: not allowed, no permission, no data -----------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (203, "The security is not available or allowed for this account."),
        (460, "No trading permissions."),
    ],
)
async def test_f_b16_what_the_account_may_not_trade_is_refused_once_and_not_tried_again(
    day: Day, code: int, text: str
) -> None:
    day.faults.arm(*rules.reject(code, text))
    with pytest.raises(OrderRejectedError, match=text) as told:
        async with day.meanwhile():
            await day.desk.submit_order(single(limit="149"))
    assert told.value.code == code
    await day.wait(30, step=5)
    assert len(day.wire.sent("placeOrder")) == 1
    assert_over(day)
    assert_sound(day, AAPL)


async def test_f_b16_without_data_nothing_is_bought_at_the_market(day: Day) -> None:
    with pytest.raises(RiskCheckError, match="NOPE"):
        async with day.meanwhile():
            await day.desk.submit_order(single(symbol="NOPE"))
    assert not day.wire.sent("placeOrder")
    assert 354 in codes(day)


# -- B18: Inactive --------------------------------------------------------------------------------


async def test_f_b18_an_order_that_is_called_inactive_counts_and_lives_again(day: Day) -> None:
    order = await resting(day)
    await say_status(day, order.order_id, "Inactive")
    believed = await day.desk.get_order_status(order.order_id)
    assert believed.status is OrderStatus.INACTIVE
    assert not believed.status.is_closed
    await day.wait(120, step=10)
    await say_status(day, order.order_id, "Submitted")
    assert (await day.desk.get_order_status(order.order_id)).status is OrderStatus.SUBMITTED
    await still_works(day, order)


async def test_f_b18_an_inactive_order_uses_up_its_limit_and_can_be_ended(tmp_path: Path) -> None:
    tight = roomy(max_position_size=Decimal(12))
    async with a_day(tmp_path) as day, day.open_desk(limits=tight) as desk:
        order = await resting(day)
        await say_status(day, order.order_id, "Inactive")
        with pytest.raises(RiskCheckError, match="12"):
            await desk.submit_order(single(3, limit="148"))
        async with day.meanwhile():
            await desk.cancel_order(order.order_id)
        assert_over(day)
        await desk.submit_order(single(3, limit="148"))


# -- B20, B21: remarks ----------------------------------------------------------------------------


@pytest.mark.parametrize("becomes", ["live", "dead"])
async def test_f_b20_10349_decides_nothing(day: Day, becomes: str) -> None:
    """The order goes live after it, or it does not: the status says which."""
    text = "Order TIF was set to DAY based on order preset."
    remark = rules.Warn(code=10349, text=text)
    day.faults.arm(Fault(when=When(names=("placeOrder",)), act=remark))
    (order,) = await day.accepted(single(limit="149"))
    assert (await day.desk.get_order_status(order.order_id)).status is OrderStatus.SUBMITTED
    if becomes == "live":
        await still_works(day, order)
        return
    await day.broker_cancel(order.order_id)
    ended = await day.desk.get_order_status(order.order_id)
    assert ended.status is OrderStatus.CANCELLED
    assert_over(day)


async def test_f_b20_every_order_says_how_long_it_is_good_for(day: Day) -> None:
    await day.desk.submit_group(bracket(limit="149"))
    sent = [entry.message for entry in day.wire.sent("placeOrder")]
    assert [one.order.tif for one in sent if isinstance(one, PlaceOrder)] == ["DAY", "GTC", "GTC"]


async def test_f_b20_a_thousand_codes_that_nobody_knows_change_no_order(day: Day) -> None:
    order = await resting(day)
    before = await day.desk.get_order_status(order.order_id)
    number, draw = day.order(order.order_id).order_id, random.Random(20)  # noqa: S311 - the same draw every time
    known = set(ERROR_RULES)
    for code in draw.sample([code for code in range(20_000) if code not in known], 1000):
        line(day).refuse(number, code, f"text of {code}")
    day.server.pulse()
    await day.quiet()
    after = await day.desk.get_order_status(order.order_id)
    assert (after.status, after.spec, after.filled) == (before.status, before.spec, before.filled)
    await still_works(day, order)


async def test_f_b21_an_order_that_waits_for_the_opening_works_and_counts(day: Day) -> None:
    """Nothing is opened while the market is closed; an exit may wait there for its morning."""
    await day.desk.submit_order(single(), wait=Wait.FILLED)
    await day.wait_until(START.replace(hour=22))  # a Friday evening
    with pytest.raises(RiskCheckError, match="AAPL is closed"):
        await day.desk.submit_order(single(limit="149"))
    (exit_order,) = await day.accepted(single(side=Side.SELL, limit="151"))
    assert 399 in codes(day)
    believed = await day.desk.get_order_status(exit_order.order_id)
    assert believed.status is OrderStatus.PRESUBMITTED
    assert believed.remaining == 10
    with pytest.raises(RiskCheckError):  # a second one would sell what the first may sell
        await day.desk.submit_order(single(side=Side.SELL, limit="152"))
    await day.wait_until(START.replace(day=23, hour=14, minute=31), step=7200)
    await day.quote("151.10", "151.12")
    assert_over(day)
    assert_sound(day, AAPL)
