"""Plan and apply, adopt and release, on days on which somebody else trades beside us."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.core.enums import OrderStatus, Side
from ibkr_trader.core.errors import OutcomeUnknown, RiskCheckError
from ibkr_trader.core.events import CheckpointEvent
from ibkr_trader.execution import caring
from ibkr_trader.execution.day_end import DayEndPlan, Due, end_day, survey
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.reconciling import carry_out_step, keep, look, moved_since
from ibkr_trader.orders.cover_orders import Policy
from ibkr_trader.orders.exit_levels import Level, Wanted
from ibkr_trader.orders.linked_orders import ScaleInRequest
from ibkr_trader.portfolio.plan_steps import StepKind
from ibkr_trader.sim.gateway import fault_rules as rules
from tests.bad_days.judges import nakedness
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, Day, a_day

if TYPE_CHECKING:
    from pathlib import Path

    from ibkr_trader.execution.reconciling import Look

CLIENT = 1
STOP = Wanted(stop=Level(fraction=Decimal("0.03")))
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)  # the machine's


async def seen(day: Day) -> Look:
    """Look, while time passes as it must."""
    async with day.meanwhile(within=20):
        return await look(day.trader)


async def applied(day: Day, found: Look) -> list[str]:
    """Carry a plan out, and return the steps that were needed."""
    done = []
    for step in found.plan.doable:
        order = await carry_out_step(day.trader, step, cause="plan", timeout=10)
        done += [step.id] if order is not None else []
    await day.quiet()
    return done


def kinds(found: Look) -> set[StepKind]:
    return {step.kind for step in found.plan.steps}


async def hand_close_unseen(day: Day) -> None:
    """Have a person close AAPL while the guardian keeps its hands off."""
    day.trader.guardian.duty = Duty.NONE
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.hand_close()


async def test_exits_that_a_manual_close_left_go_as_planned(day: Day) -> None:
    await hand_close_unseen(day)
    found = await seen(day)
    assert kinds(found) == {StepKind.CANCEL}
    assert len(day.ledger.live(AAPL)) == 2
    # The first takes the other along: what is not needed any more is left out.
    assert len(await applied(day, found)) >= 1
    assert day.ledger.live(AAPL) == ()
    assert (await seen(day)).plan.steps == ()


async def test_a_partial_sale_by_hand_is_followed_as_planned(day: Day) -> None:
    day.trader.guardian.duty = Duty.NONE
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.hand_order(Side.SELL, 4)
    found = await seen(day)
    assert kinds(found) == {StepKind.RESIZE}
    await applied(day, found)
    assert nakedness(day, AAPL) == ""
    assert {order.remaining for order in day.ledger.live(AAPL)} == {Decimal(6)}


async def test_a_plan_does_not_hold_once_anything_has_moved(day: Day) -> None:
    await hand_close_unseen(day)
    found = await seen(day)
    kept = keep(day.trader, found, now=NOW)
    assert list(moved_since(kept, day.trader, await seen(day))) == []
    await day.hand_order(Side.BUY, 3)
    moved = list(moved_since(kept, day.trader, await seen(day)))
    assert "The position in AAPL was 0 and is 3." in moved
    assert any(one.startswith("Planned by now: resize-1-stop") for one in moved)
    assert any(one.startswith("No longer planned: cancel-1-stop") for one in moved)


async def test_what_the_market_has_settled_meanwhile_is_not_done(day: Day) -> None:
    await hand_close_unseen(day)
    found = await seen(day)
    await day.hand_order(Side.BUY, 10)  # so the exits have something to end again
    assert await applied(day, found) == []
    assert len(day.ledger.live(AAPL)) == 2


async def test_an_unknown_order_is_told_and_never_sent_again(day: Day) -> None:
    day.faults.arm(*rules.swallow())
    with pytest.raises(OutcomeUnknown):
        async with day.meanwhile():
            await day.desk.submit_order(single())
    found = await seen(day)
    (step,) = found.plan.steps
    assert (step.kind, step.action, step.next) == (
        StepKind.UNKNOWN,
        None,
        "ibkr-trader why 1-single",
    )
    await day.lose_link()
    await day.wait(10)  # on a new connection a second look proves that it was never there
    assert (await seen(day)).plan.steps == ()
    (order,) = day.trader.portfolio.closed.values()
    assert order.status is OrderStatus.NOT_SENT
    assert len(day.wire.sent("placeOrder")) == 1


async def test_a_lost_journal_s_orders_are_told_as_such_and_not_touched(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await desk.submit_group(bracket(), wait=Wait.FILLED)
        for path in tmp_path.glob("journal*"):
            path.unlink()
        sent = len(day.wire.sent("placeOrder", "modifyOrder", "cancelOrder"))
        async with day.open_desk(policy=Policy.ATTACH):
            found = await seen(day)
            assert kinds(found) == {StepKind.LOST, StepKind.FOREIGN}
            # They can be taken over, and never are by themselves: see `test_lost_journal.py`.
            assert {step.kind for step in found.plan.doable} == {StepKind.LOST}
            await day.wait(60)
            assert all(order.is_foreign for order in day.trader.portfolio.orders.values())
            assert len(day.ledger.live(AAPL)) == 2
        assert len(day.wire.sent("placeOrder", "modifyOrder", "cancelOrder")) == sent


async def test_what_is_adopted_is_protected_over_a_restart_and_closed_by_its_stop(
    tmp_path: Path,
) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk(policy=Policy.ATTACH):
            await day.hand_order(Side.BUY, 10)
            await day.wait(20)  # nobody looks after what was opened elsewhere
            assert day.ledger.live(AAPL) == ()
            found = await caring.prepare_adoption(day.trader, "AAPL", STOP)
            await caring.adopt(day.trader, found, timeout=10)
            await day.quiet()
            assert nakedness(day, AAPL) == ""
        async with day.open_desk(policy=Policy.ATTACH) as desk:
            await day.broker_cancel("stop")
            await day.until(lambda: nakedness(day, AAPL) == "", within=15)
            more = ScaleInRequest(symbol="AAPL", quantity=Decimal(5))
            await desk.submit_group(more, wait=Wait.FILLED)
            await day.until(lambda: nakedness(day, AAPL) == "", within=5)
            await day.gap("140")
            await day.wait(2)
            assert day.ledger.held(AAPL) == 0
            assert day.trader.portfolio.cares == {}


async def test_adopting_twice_places_nothing_more(day: Day) -> None:
    await day.hand_order(Side.BUY, 10)
    for _ in range(2):
        found = await caring.prepare_adoption(day.trader, "AAPL", STOP)
        await caring.adopt(day.trader, found, timeout=10)
    assert len(day.wire.sent("placeOrder")) == 1


async def test_an_exit_that_may_be_live_is_not_placed_beside(day: Day) -> None:
    await day.hand_order(Side.BUY, 10)
    day.faults.arm(*rules.swallow())
    found = await caring.prepare_adoption(day.trader, "AAPL", STOP)
    with pytest.raises(OutcomeUnknown):
        async with day.meanwhile():
            await caring.adopt(day.trader, found, timeout=10)
    assert day.trader.portfolio.cares == {}
    with pytest.raises(caring.CannotAdopt, match="may be live"):
        async with day.meanwhile():
            await caring.prepare_adoption(day.trader, "AAPL", STOP)


async def test_what_is_released_stays_so_over_restarts_and_checkpoints(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk(policy=Policy.ATTACH) as desk:
            await desk.submit_group(bracket(), wait=Wait.FILLED)
            await caring.release(day.trader, "AAPL")
        for _ in range(2):
            async with day.open_desk(policy=Policy.ATTACH) as desk:
                await day.wait(3)
        async with day.open_desk(policy=Policy.ATTACH) as desk:
            marks = [m for _, m in day.trader.journal.messages() if isinstance(m, CheckpointEvent)]
            assert [len(mark.cares) for mark in marks] == [1, 1, 1]
            sent = len(day.wire.sent("placeOrder", "modifyOrder", "cancelOrder"))
            await day.hand_order(Side.SELL, 4)
            await day.hand_cancel("stop")  # its group would put it there again
            await day.wait(60)
            assert len(day.wire.sent("placeOrder", "modifyOrder", "cancelOrder")) == sent
            assert (await seen(day)).plan.differing == ()
            with pytest.raises(RiskCheckError, match="was released"):
                await desk.submit_group(bracket())
            (end,) = await survey(day.trader, ExchangeCalendar(), DayEndPlan(at_once=True))
            await end_day(day.trader, [end], timeout=10)
            assert (end.due, end.is_well, int(day.ledger.held(AAPL))) == (Due.RELEASED, True, 6)


async def test_adopting_what_was_released_brings_the_desk_back(day: Day) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await caring.release(day.trader, "AAPL")
    await day.hand_order(Side.SELL, 4)
    await day.wait(5)
    assert nakedness(day, AAPL)
    found = await caring.prepare_adoption(day.trader, "AAPL", Wanted())
    await caring.adopt(day.trader, found, timeout=10)
    await day.until(lambda: nakedness(day, AAPL) == "", within=3)


async def test_a_release_ends_with_the_position_and_leaves_no_orphans(day: Day) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await caring.release(day.trader, "AAPL")
    await day.hand_close()
    await day.wait(2)
    assert day.trader.portfolio.cares == {}
    assert day.ledger.live(AAPL) == ()
