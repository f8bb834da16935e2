"""1.E: orders that look after each other, when one of them goes its own way."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.enums import OcaType, OrderStatus, Side, TimeInForce
from ibkr_trader.core.errors import OrderRejectedError, RiskCheckError
from ibkr_trader.core.events import CoverEvent
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.scaling import add, prepare_addition
from ibkr_trader.orders.cover_orders import Policy
from ibkr_trader.orders.linked_orders import ScaleInRequest
from ibkr_trader.orders.oco_legs import OnRace
from ibkr_trader.sim.exchange import BracketMode, ExchangeConfig
from ibkr_trader.sim.floor_rules import Rejection
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Cut, Fault, When
from tests.bad_days.judges import assert_over, assert_sound, nakedness, orphans
from tests.bad_days.requests import bracket, either, exits, single, trail
from tests.bad_days.stage import AAPL, START, Day, a_day

if TYPE_CHECKING:
    from pathlib import Path

OVER = {OrderStatus.NOT_SENT, OrderStatus.CANCELLED, OrderStatus.REJECTED}
MODES = list(BracketMode)


async def held(day: Day, quantity: int = 10) -> None:
    """Hold AAPL under a bracket whose entry has filled."""
    await day.desk.submit_group(bracket(quantity), wait=Wait.FILLED)
    await day.quiet()
    assert_sound(day, AAPL)


async def bare(day: Day, quantity: int = 10) -> None:
    """Hold AAPL with nothing that protects it."""
    await day.desk.submit_order(single(quantity), wait=Wait.FILLED)
    await day.quiet()
    assert day.ledger.held(AAPL) == quantity


async def refuse(day: Day, ref: str, *, times: int = 1) -> None:
    """Have the exchange refuse the next orders of such a name."""
    rejection = Rejection(ref=ref, times=times)
    await day.others(lambda now: day.exchange.broker_acts.reject(rejection, now=now))


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_f_e01_a_bracket_that_is_cut_off_half_sent_never_trades(day: Day, lost: int) -> None:
    cut = When(names=("placeOrder",), nth=lost)
    day.faults.arm(Fault(when=cut, act=Cut()))
    await day.sent(bracket())
    await day.wait(30)
    assert_over(day)
    assert {order.status for order in day.trader.portfolio.closed.values()} <= OVER
    assert not day.trader.portfolio.orders
    assert len(day.wire.sent("placeOrder")) <= 3
    assert_sound(day, AAPL)


async def test_f_e02_exits_of_a_refused_entry_go_too(day: Day) -> None:
    await refuse(day, "*-entry")
    with pytest.raises(OrderRejectedError):
        async with day.meanwhile():
            await day.desk.submit_group(bracket())
    await day.wait(5)
    assert_over(day)
    assert_sound(day, AAPL)


async def test_f_e02_exits_that_outlive_their_entry_are_cancelled(day: Day) -> None:
    await day.desk.submit_group(bracket(limit="149"))
    # The broker keeps the exits, and all that is heard is that the entry is no more.
    entry = day.order("entry")
    news = When(names=("error",), order="entry")
    day.faults.arm(Fault(when=news, act=rules.Drop()))
    await day.broker_cancel("entry")
    await day.wait(5)
    assert day.order(entry.terms.order_ref).status.is_closed
    assert day.ledger.live() == ()
    assert_sound(day, AAPL)


async def test_f_e03_an_entry_whose_stop_is_refused_is_taken_back(day: Day) -> None:
    await refuse(day, "*-stop")
    async with day.trying(day.desk.submit_group(bracket(limit="149"))):
        await day.wait(5)
    assert day.ledger.live() == ()
    assert_sound(day, AAPL)


@pytest.mark.parametrize("times", [1, 2])
async def test_f_e03_a_filled_entry_whose_stop_is_refused_is_protected(
    day: Day, times: int
) -> None:
    await refuse(day, "*-stop*", times=times)
    async with day.trying(day.desk.submit_group(bracket())):
        await day.wait(10)
    assert day.said("without a stop")
    assert day.ledger.held(AAPL) == (10 if times == 1 else 0)  # twice in vain: it is closed
    assert_sound(day, AAPL)


async def test_f_e04_exits_whose_entry_the_gateway_has_lost_do_not_stand_alone(day: Day) -> None:
    day.faults.arm(*rules.swallow(order="entry"))
    async with day.trying(day.desk.submit_group(bracket())):
        await day.wait(40)
    assert_over(day)
    (entry,) = day.trader.portfolio.orders.values()
    assert entry.status is OrderStatus.UNKNOWN  # nobody has denied having it
    await day.lose_link()
    await day.wait(30)
    assert (await day.desk.get_order_status(entry.order_id)).status is OrderStatus.NOT_SENT
    assert_sound(day, AAPL)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("then", ["completes", "is cancelled", "is stopped out"])
async def test_f_e05_a_partly_filled_entry_is_protected(
    mode: BracketMode, then: str, tmp_path: Path
) -> None:
    config = ExchangeConfig(opened_at=START, bracket_mode=mode)
    async with a_day(tmp_path, config=config) as day, day.open_desk():
        await day.desk.submit_group(bracket(limit="149"))
        await day.trade("entry", 4)
        await day.wait(3)
        assert day.ledger.held(AAPL) == 4
        assert not orphans(day, AAPL)
        entry = day.order("entry").terms.order_ref
        if mode is BracketMode.HELD:  # so that the exits awake, its rest is taken back
            assert day.order(entry).status.is_closed
            assert not nakedness(day, AAPL)
        elif then == "completes":
            await day.trade("entry", 6)
        elif then == "is cancelled":
            async with day.meanwhile():
                await day.desk.cancel_order(entry)
        else:
            await day.quote("144.90", "144.95")
        await day.wait(10)
        assert_sound(day, AAPL)


async def test_f_e06_a_partly_filled_entry_that_the_broker_cancels_stays_protected(
    day: Day,
) -> None:
    await day.desk.submit_group(bracket(limit="149"))
    await day.trade("entry", 4)
    await day.broker_cancel("entry")
    await day.wait(5)
    assert day.ledger.held(AAPL) == 4
    assert_sound(day, AAPL)


@pytest.mark.parametrize("on_race", list(OnRace))
async def test_f_e07_both_exits_of_a_group_trade(day: Day, on_race: OnRace) -> None:
    await bare(day)
    await day.others(lambda now: day.exchange.broker_acts.slow_oca(1, 2, 3, now=now))
    await day.sent(exits(on_race=on_race))
    await day.both_trade("stop", "target")
    assert day.ledger.held(AAPL) == -10
    async with day.meanwhile():
        await day.wait(10)
    assert day.said("both", "too many", "surplus")
    assert day.ledger.held(AAPL) == (0 if on_race is OnRace.FLATTEN else -10)
    assert_sound(day, AAPL, is_protected=False)


async def test_f_e07_both_exits_trade_while_nobody_is_there(day: Day) -> None:
    await bare(day)
    await day.others(lambda now: day.exchange.broker_acts.slow_oca(1, 2, 3, now=now))
    await day.sent(exits())
    await day.lose_link()
    await day.both_trade("stop", "target")
    await day.wait(20)
    assert day.ledger.held(AAPL) == 0
    assert_sound(day, AAPL)


async def test_f_e07_both_entries_trade(day: Day) -> None:
    await day.others(lambda now: day.exchange.broker_acts.slow_oca(1, 2, 3, now=now))
    await day.sent(either())
    await day.both_trade("entry", "entry.2")
    await day.wait(10)
    assert day.ledger.held(AAPL) == 0  # the one has undone the other, and nothing is added
    assert day.ledger.live() == ()
    assert_sound(day, AAPL)


@pytest.mark.parametrize("oca_type", list(OcaType))
async def test_f_e08_a_partial_fill_leaves_the_group_no_larger_than_the_position(
    day: Day, oca_type: OcaType
) -> None:
    await bare(day)
    await day.sent(exits(oca_type=oca_type))
    await day.trade("target", 4)
    await day.wait(5)
    assert day.ledger.held(AAPL) == 6
    assert not orphans(day, AAPL)
    assert_sound(day, AAPL, is_protected=oca_type is not OcaType.CANCEL)


async def test_f_e09_a_group_whose_second_leg_is_refused_is_taken_back(day: Day) -> None:
    await refuse(day, "*.2")
    async with day.trying(day.accepted(either())):
        await day.wait(10)
    assert day.ledger.live() == ()
    assert_sound(day, AAPL)


async def test_f_e10_protection_outlives_the_session(day: Day) -> None:
    await held(day)
    await day.wait(24 * 3600, step=1800)
    assert [order.terms.tif for order in day.ledger.live(AAPL)] == ["GTC", "GTC"]
    assert_sound(day, AAPL)


async def test_f_e10_protection_that_ends_with_the_session_is_missed(day: Day) -> None:
    await day.desk.submit_group(bracket(exits=TimeInForce.DAY), wait=Wait.FILLED)
    await day.wait(7 * 3600, step=600)
    await day.wait(10)
    assert day.said("without a stop")


async def scale_in(day: Day) -> None:
    """Ask for 6 more at 149, which then wait."""
    request = ScaleInRequest(symbol="AAPL", quantity=Decimal(6), limit_price=Decimal(149))
    addition = await prepare_addition(day.trader, request)
    await add(day.trader, addition, wait=Wait.NONE, timeout=10)
    await day.quiet()


async def test_f_e11_exits_follow_a_scale_in_after_each_fill(day: Day) -> None:
    await held(day)
    await scale_in(day)
    await day.wait(2)
    assert_sound(day, AAPL)  # nothing has filled yet, and nothing has grown
    for more, total in ((2, 12), (4, 16)):
        await day.trade("entry.2", more)
        await day.wait(5)
        assert day.ledger.held(AAPL) == total
        assert_sound(day, AAPL)


async def test_f_e11_a_stop_that_triggers_in_the_middle_of_a_scale_in_turns_nothing(
    day: Day,
) -> None:
    await held(day)
    await scale_in(day)
    await day.trade("entry.2", 2)
    await day.quote("144.00", "144.05")
    await day.wait(10)
    assert day.ledger.held(AAPL) >= 0
    assert_sound(day, AAPL)


@pytest.mark.parametrize("how", ["sold in TWS", "sized here"])
@pytest.mark.parametrize("before", [0, 2])
async def test_f_e11_a_scale_in_that_rests_goes_once_its_exits_stop_following(
    day: Day, how: str, before: int
) -> None:
    """What somebody has sized does not grow: the scale-in would fill beside it, with no stop."""
    first, *exits = await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await scale_in(day)
    if before:
        await day.trade("entry.2", before)
        await day.wait(5)
    if how == "sold in TWS":
        await day.hand_order(Side.SELL, 4)
    else:
        async with day.meanwhile():
            for order in exits:
                await day.desk.modify_order(order.order_id, quantity=Decimal(6))
    await day.wait(3)
    assert [order for order in day.ledger.live(AAPL) if order.side is Side.BUY] == []
    assert len(day.said("would not follow")) == 1
    left = 10 + before - (4 if how == "sold in TWS" else 0)
    assert day.ledger.held(AAPL) == left
    assert_sound(day, AAPL, is_protected=how == "sold in TWS")
    again = ScaleInRequest(symbol="AAPL", quantity=Decimal(5))
    entry, *_ = await day.desk.submit_group(again)
    assert entry.spec.group_id != first.spec.group_id  # with exits of its own
    await day.wait(3)
    assert day.ledger.held(AAPL) == left + 5
    assert_sound(day, AAPL, is_protected=how == "sold in TWS")


async def test_f_e12_a_stop_that_the_broker_turns_into_a_trail_while_we_are_away(day: Day) -> None:
    await bare(day)
    await day.sent(trail(activation="152"))
    before = day.ledger.live(AAPL)[0].stop_price
    await day.lose_link()
    await day.quote("152.50", "152.52")
    await day.quote("156.00", "156.02")
    await day.wait(10)
    (stop,) = day.ledger.live(AAPL)
    assert stop.stop_price is not None
    assert before is not None
    assert stop.stop_price > before
    assert_sound(day, AAPL)


async def test_f_e13_a_gap_through_the_stop_ends_the_position_far_away(day: Day) -> None:
    await held(day)
    await day.gap("120")
    await day.wait(3)
    assert day.ledger.held(AAPL) == 0
    assert day.ledger.executions(AAPL)[-1].price < 121
    assert_sound(day, AAPL)


@pytest.mark.parametrize("policy", list(Policy))
async def test_f_e13_a_stop_limit_that_a_gap_leaves_behind_protects_nothing(
    policy: Policy, tmp_path: Path
) -> None:
    async with a_day(tmp_path) as day, day.open_desk(policy=policy):
        await bare(day)
        await day.sent(single(side=Side.SELL, stop="145", limit="144.50"))
        await day.gap("140")
        assert day.ledger.held(AAPL) == 10
        await day.wait(20)
        assert day.news(CoverEvent)[0].covered == 0  # it is said, whatever is done about it
        assert day.ledger.held(AAPL) == (0 if policy is Policy.FLATTEN else 10)
        if policy is Policy.ATTACH:
            assert any(order.terms.order_type == "STP" for order in day.ledger.live(AAPL))
        assert_sound(day, AAPL, is_protected=False)


async def test_f_e14_a_managed_trail_leaves_a_stop_behind_when_it_dies(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk():
            await bare(day)
            await day.sent(trail(is_managed=True))
            await day.rise("150", "156")
        (stop,) = day.ledger.live(AAPL)
        assert stop.stop_price is not None
        assert stop.stop_price > 148
        await day.gap("140")
        assert day.ledger.held(AAPL) == 0


async def test_f_e15_a_managed_stop_never_meets_the_market_by_itself(day: Day) -> None:
    await bare(day)
    await day.sent(trail(amount="1", is_managed=True))
    slow = When(names=("modifyOrder",), times=0)
    day.faults.arm(Fault(when=slow, act=rules.Delay(seconds=2)))
    await day.rise("150", "153")
    await day.quote("151.90", "151.92")  # through the stop that is on its way
    await day.wait(10)
    stops = [entry.message.order.aux_price for entry in day.wire.sent("modifyOrder")]  # type: ignore[union-attr]
    assert stops == sorted(stops)
    assert_sound(day, AAPL)


async def test_f_e16_nothing_opens_against_an_entry_that_works(day: Day) -> None:
    await day.desk.submit_order(single(limit="149"))
    before = len(day.wire.sent("placeOrder"))
    with pytest.raises(RiskCheckError):
        await day.desk.submit_order(single(side=Side.SELL, limit="151"))
    assert len(day.wire.sent("placeOrder")) == before
    assert_sound(day, AAPL)
