"""1.D: executions, commissions and positions that come twice, late, or wrong."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import permutations
from typing import TYPE_CHECKING, Literal

import pytest

from ibkr_trader.core.enums import OrderStatus, Side, TradingState
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.core.events import DriftEvent, FillEvent, StateEvent
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from tests.bad_days.bad_lines import inject_now
from tests.bad_days.judges import assert_over, assert_sound
from tests.bad_days.requests import bracket
from tests.bad_days.stage import AAPL, Day, a_day

if TYPE_CHECKING:
    from pathlib import Path

NEWS = ("openOrder", "orderStatus", "execDetails", "commissionReport", "position")


def fills(day: Day) -> list[str]:
    """Return what the desk was told it has traded, each fill once."""
    told = day.news(FillEvent)
    return [f"{event.fill.fill_id}.{event.fill.revision}" for event in told]


async def assert_safe(day: Day, why: str) -> None:
    """Judge that nothing opens until a person has looked, and that an alarm says why."""
    (state,) = day.news(StateEvent)
    assert state.state is TradingState.REDUCING
    assert re.match(why, state.reason), state.reason
    told = [alarm.message for alarm in day.trader.alarming.standing]
    assert any(re.match(why, message) for message in told), told
    sent = len(day.wire.sent("placeOrder"))
    with pytest.raises(RiskCheckError, match="REDUCING"):
        await day.desk.submit_group(bracket())
    assert len(day.wire.sent("placeOrder")) == sent


async def held(day: Day, quantity: int = 10) -> None:
    """Hold AAPL under a bracket whose entry has filled."""
    await day.desk.submit_group(bracket(quantity), wait=Wait.FILLED)
    await day.quiet()
    assert_sound(day, AAPL)


async def test_f_d01_an_execution_told_twice_counts_once(day: Day) -> None:
    day.faults.arm(Fault(when=When(names=NEWS, times=0), act=rules.Repeat()))
    await held(day)
    assert len(fills(day)) == 1
    await day.lose_link()
    await day.wait(5)  # the answers to the questions of a reconnect tell it once more
    assert len(day.wire.told("execDetails")) >= 3
    assert len(fills(day)) == 1
    assert_sound(day, AAPL)


async def test_f_d01_an_execution_from_before_a_restart_counts_once(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk():
            await held(day)
        async with day.open_desk():
            await day.wait(3)
            assert len(fills(day)) == 1
            assert_sound(day, AAPL)


@pytest.mark.parametrize("how", ["live", "twice", "backwards"])
async def test_f_d02_a_correction_replaces_what_it_corrects(day: Day, how: str) -> None:
    await held(day)
    if how == "twice":
        day.faults.arm(Fault(when=When(names=("execDetails",)), act=rules.Repeat()))
    (first,) = day.ledger.executions(AAPL)
    await day.correct(first.exec_id, price="150.11")
    if how == "backwards":  # a second one overtakes the first
        swap = When(names=("execDetails",))
        day.faults.arm(Fault(when=swap, act=rules.Shuffle(order=(1, 0))))
        await day.correct(first.exec_id, price="150.12")
        await day.correct(first.exec_id, price="150.13")
    await day.wait(2)
    expected = Decimal("150.13" if how == "backwards" else "150.11")
    order = await day.desk.get_order_status(first.order_ref)
    assert order.filled == 10
    assert order.average_fill_price == expected
    assert_sound(day, AAPL)


async def test_f_d02_a_smaller_fill_leaves_a_smaller_protection(day: Day) -> None:
    await held(day)
    (first,) = day.ledger.executions(AAPL)
    await day.correct(first.exec_id, quantity="6")
    await day.wait(3)
    assert day.ledger.held(AAPL) == 6
    assert_sound(day, AAPL)


async def test_f_d03_a_busted_trade_takes_its_exits_along(day: Day) -> None:
    await held(day)
    (first,) = day.ledger.executions(AAPL)
    await day.bust(first.exec_id)
    await day.wait(3)
    assert day.ledger.held(AAPL) == 0
    assert day.ledger.live(AAPL) == ()
    assert_sound(day, AAPL)
    await assert_safe(day, r"AAPL: execution \S+ of BUY 10 @ 150.01 was taken back \(bust\)")


async def test_f_d03_what_was_busted_behind_a_lost_link_is_told_once_it_is_back(day: Day) -> None:
    await held(day)
    (first,) = day.ledger.executions(AAPL)
    await day.lose_link()
    await day.bust(first.exec_id)
    await day.wait(10)
    assert day.ledger.live(AAPL) == ()
    await assert_safe(day, r"AAPL: execution \S+ of BUY 10 @ 150.01 was taken back \(bust\)")


async def test_f_d03_who_has_looked_at_a_bust_trades_on(day: Day) -> None:
    await held(day)
    (first,) = day.ledger.executions(AAPL)
    await day.bust(first.exec_id)
    await day.wait(3)
    day.trader.halter.resume("looked at it", origin="cli")
    await day.lose_link()  # it is told again then, and is no news
    await day.wait(10)
    await held(day)


@pytest.mark.parametrize("how", ["none", "late", "dup", "unset"])
async def test_f_d04_a_fill_never_waits_for_its_commission(
    day: Day, how: Literal["none", "late", "dup", "unset"]
) -> None:
    day.faults.arm(*rules.commission(how, seconds=60))
    await held(day)
    entry = day.order("entry")
    ours = await day.desk.get_order_status(entry.terms.order_ref)
    assert ours.status is OrderStatus.FILLED
    assert ours.filled == 10
    assert ours.commission == (entry.commission if how == "dup" else 0)
    await day.wait(65, step=5)
    ours = await day.desk.get_order_status(entry.terms.order_ref)
    assert ours.commission == (entry.commission if how in {"dup", "late"} else 0)
    assert_sound(day, AAPL)


async def test_f_d02_a_correction_needs_nobody_to_look(day: Day) -> None:
    await held(day)
    (first,) = day.ledger.executions(AAPL)
    await day.correct(first.exec_id, quantity="6")
    await day.wait(3)
    assert day.news(StateEvent) == []


async def test_f_d05_an_overfill_is_counted_and_not_dropped(day: Day) -> None:
    await held(day)
    (first,) = day.ledger.executions(AAPL)
    await day.correct(first.exec_id, quantity="12")
    await day.wait(5)
    ours = await day.desk.get_order_status(first.order_ref)
    assert ours.filled == 12
    assert ours.spec.quantity == 10
    assert day.ledger.held(AAPL) == 12
    assert_sound(day, AAPL, is_protected=False)
    await assert_safe(day, "AAPL: 1-entry has traded 12, 2 more than was asked for")


@pytest.mark.parametrize("what", ["entry", "stop", "target"])
async def test_f_d06_a_fill_while_offline_is_told_once(day: Day, what: str) -> None:
    if what == "entry":
        await day.desk.submit_group(bracket(limit="149"))
    else:
        await held(day)
    before = len(fills(day))
    await day.lose_link()
    await day.trade(what)
    await day.wait(10)
    assert len(fills(day)) == before + 1
    assert day.ledger.held(AAPL) == (10 if what == "entry" else 0)
    assert_sound(day, AAPL)


@pytest.mark.parametrize("whose", ["own", "all"])
@pytest.mark.parametrize("closed", [4, 10])
async def test_f_d06_what_a_person_closed_while_offline_leaves_no_exit_too_large_whoever_is_told(
    day: Day, whose: str, closed: int
) -> None:
    """Where a client is told its own executions alone, the position says it."""
    await held(day)
    inject_now(day, f"executions {whose}")
    before = len(fills(day))
    await day.lose_link()
    await day.hand_close(closed)
    await day.wait(15)
    assert len(fills(day)) == before + (whose == "all"), "no execution is invented"
    assert day.ledger.held(AAPL) == 10 - closed
    assert_sound(day, AAPL)
    assert bool(day.news(DriftEvent)) is (whose == "own")


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_f_d07_a_position_before_its_execution_moves_nothing_twice(
    day: Day, order: tuple[int, ...]
) -> None:
    names = ("execDetails", "orderStatus", "position")
    when = When(names=names, nth=3)  # after the acknowledgement of the entry and its exits
    day.faults.arm(Fault(when=when, act=rules.Shuffle(order=order)))
    await day.desk.submit_group(bracket(), wait=Wait.NONE)
    await day.wait(3)
    assert not [event for event in day.news(DriftEvent) if event.subject.startswith("position")]
    assert_sound(day, AAPL)


async def test_f_d07_a_position_that_is_minutes_old_is_no_drift(day: Day) -> None:
    day.faults.arm(Fault(when=When(names=("position",), times=0), act=rules.Delay(seconds=180)))
    await held(day)
    await day.wait(200, step=10)
    assert not day.news(DriftEvent)
    assert_sound(day, AAPL)


async def test_f_d08_profit_comes_from_fills_whatever_average_cost_the_broker_has(
    day: Day,
) -> None:
    await held(day)
    (position,) = await day.desk.get_positions()
    cost = day.exchange.account.positions[AAPL].average_cost
    assert position.average_cost == Decimal("150.01") != cost  # theirs has the commission in it
    assert not day.news(DriftEvent)


@pytest.mark.parametrize("part", [10, 4])
async def test_f_d09_a_position_closed_by_hand_leaves_no_stop_behind(day: Day, part: int) -> None:
    await held(day)
    await day.hand_close(part)
    await day.wait(1)
    assert day.ledger.held(AAPL) == 10 - part
    await day.wait(2)
    assert_sound(day, AAPL)
    await day.quote("140.00", "140.02")  # the stop's price is reached, and nothing turns round
    assert day.ledger.held(AAPL) == 0


async def test_f_d09_a_position_turned_round_by_hand_is_not_made_larger(day: Day) -> None:
    await held(day)
    await day.hand_close(25)
    await day.wait(3)
    assert day.ledger.held(AAPL) == -15
    assert all(order.side is Side.BUY for order in day.ledger.live(AAPL))
    await day.quote("140.00", "140.02")
    assert day.ledger.held(AAPL) >= -15
    assert_sound(day, AAPL, is_protected=False)


async def test_f_d10_what_somebody_buys_by_hand_is_counted_and_left_alone(day: Day) -> None:
    await held(day)
    before = len(day.wire.sent("placeOrder", "modifyOrder", "cancelOrder"))
    await day.hand_order(Side.BUY, 7)
    await day.wait(3)
    (position,) = await day.desk.get_positions()
    assert position.quantity == day.ledger.held(AAPL) == 17
    assert len(day.wire.sent("placeOrder", "modifyOrder", "cancelOrder")) == before
    assert_sound(day, AAPL, is_protected=False)


async def test_f_d11_what_the_broker_liquidates_is_not_bought_or_sold_again(day: Day) -> None:
    await held(day)
    sent = len(day.wire.sent("placeOrder"))
    await day.others(lambda now: day.exchange.liquidator.liquidate(AAPL, now=now))
    await day.wait(15)
    assert_over(day)
    assert_sound(day, AAPL)
    assert len(day.wire.sent("placeOrder")) == sent, "nothing takes the place of what is gone"
    await assert_safe(day, "AAPL: liquidated by the broker, SELL 10 @ 149.99")


async def test_f_d11_a_liquidation_behind_a_lost_link_is_told_too(day: Day) -> None:
    await held(day)
    await day.lose_link()
    await day.others(lambda now: day.exchange.liquidator.liquidate(AAPL, now=now))
    await day.wait(10)
    assert_over(day)
    await assert_safe(day, "AAPL: liquidated by the broker, SELL 10 @ 149.99")
