"""1.C: a cancel that came to nothing is not asked for again where nobody here wants it any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core.enums import Care, OrderStatus
from ibkr_trader.core.events import CancelRequestEvent, CareEvent
from ibkr_trader.core.models import OrderId
from ibkr_trader.orders.cover_orders import Policy
from ibkr_trader.orders.wishes import RECOVERY
from ibkr_trader.sim.events import StatusShown
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Cut, Fault, When
from ibkr_trader.sim.orders import SimStatus
from tests.bad_days.bad_lines import break_off
from tests.bad_days.judges import assert_sound, nakedness
from tests.bad_days.requests import single
from tests.bad_days.stage import AAPL, Day, a_day
from tests.bad_days.test_unanswered_cancels import cancels, hold

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from ibkr_trader.sim.events import SimEvent
    from ibkr_trader.sim.exchange import Exchange


async def show(day: Day, role: str, status: SimStatus) -> None:
    """Say something of an order, as TWS does while somebody cancels it there."""
    key = day.order(role).key

    def put(exchange: Exchange, now: datetime) -> Iterable[SimEvent]:
        pit = exchange.tws_acts._pit
        shown = pit.put(msgspec.structs.replace(pit.ledger.orders[key], status=status))
        return [StatusShown(at=now, order=shown)]

    day.server.act(put)
    await day.wait(2)


async def lose_cancel(day: Day) -> str:
    """Ask for the end of the stop; the link goes as it leaves, and the next one swallows it."""
    name = day.order("stop").terms.order_ref
    day.faults.arm(Fault(when=When(names=("cancelOrder",)), act=Cut()))
    async with day.trying(day.desk.cancel_order(name)):
        day.faults.arm(Fault(when=When(names=("cancelOrder",)), act=rules.Drop()))
        await day.wait(40)
    assert (await day.desk.get_order_status(name)).status.is_open
    return name


async def another_link(day: Day) -> None:
    break_off(day)
    await day.wait(60)
    assert day.trader.outlook.is_synced


@pytest.mark.parametrize("is_told", [True, False])
async def test_one_of_somebody_at_tws_that_came_to_nothing_is_his(
    day: Day, is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hold(day)
    await show(day, "stop", SimStatus.PENDING_CANCEL)
    name = day.order("stop").terms.order_ref
    await day.trader.recovery.synchronize()
    assert (await day.desk.get_order_status(name)).status is OrderStatus.PENDING_CANCEL
    if not is_told:
        monkeypatch.setattr(day.server.engine.floor, "_publish", lambda _: None)
    await show(day, "stop", SimStatus.PRE_SUBMITTED)
    monkeypatch.undo()
    await another_link(day)
    assert cancels(day) == []
    assert (await day.desk.get_order_status(name)).status is not OrderStatus.PENDING_CANCEL
    assert_sound(day, AAPL)


async def test_a_single_order_of_which_it_is_so_works_on(day: Day) -> None:
    (order,) = await day.accepted(single(limit="149"))
    await show(day, "single", SimStatus.PENDING_CANCEL)
    await show(day, "single", SimStatus.SUBMITTED)
    await another_link(day)
    assert cancels(day) == []
    known = await day.desk.get_order_status(order.order_id)
    assert known.status is OrderStatus.SUBMITTED


@pytest.mark.parametrize("care", list(Care))
async def test_who_decides_about_the_position_keeps_its_stop(care: Care, tmp_path: Path) -> None:
    async with a_day(tmp_path) as day, day.open_desk(policy=Policy.ATTACH):
        await hold(day)
        await lose_cancel(day)
        position = day.trader.portfolio.positions[AAPL]
        decided = CareEvent(
            at=day.clock.now(),
            contract=position.contract,
            care=care,
            held=position.quantity,
            origin="cli",
        )
        day.trader.record.write([decided])
        before = cancels(day)
        await another_link(day)
        assert cancels(day) == before
        assert not nakedness(day, AAPL)


async def test_what_everybody_sees_at_work_for_minutes_is_not_cancelled_by_a_link(day: Day) -> None:
    await hold(day)
    name = await lose_cancel(day)
    before = cancels(day)
    await day.wait(900, step=30)
    await another_link(day)
    assert cancels(day) == before
    assert (await day.desk.get_order_status(name)).status.is_open
    assert_sound(day, AAPL)


async def test_and_by_the_next_link_at_once_it_is(day: Day) -> None:
    await hold(day)
    await lose_cancel(day)
    day.faults.lift()
    await another_link(day)
    assert cancels(day)[-1] == "stop"


async def test_one_of_recoverys_own_is_decided_anew_by_the_next_process(tmp_path: Path) -> None:
    """It was asked for while half of a group seemed to be missing; all of it is there."""
    async with a_day(tmp_path) as day:
        async with day.open_desk():
            await hold(day)
            name = OrderId(day.order("stop").terms.order_ref)
            asked = CancelRequestEvent(at=day.clock.now(), order_id=name, origin=RECOVERY)
            day.trader.record.write([asked])
        async with day.open_desk():
            await day.wait(20)
            assert cancels(day) == []
            assert_sound(day, AAPL)
