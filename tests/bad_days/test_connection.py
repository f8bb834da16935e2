"""1.A: the socket breaks, stands still, or carries what nobody can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.events import FillEvent, NotSentEvent
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.sim.gateway.fault_rules import Cut, Fault, When
from tests.bad_days.bad_lines import break_off
from tests.bad_days.judges import assert_over, assert_sound, repeats
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, Day, a_day
from tests.limits import roomy

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal


def cut(name: str, at: Literal["before", "after", "answered"], *, nth: int = 1) -> Fault:
    """The connection is broken off at the n-th message of that name."""
    return Fault(when=When(names=(name,), nth=nth), act=Cut(at=at))


async def sent_into_the_void(day: Day, *faults: Fault, limit: str = "") -> str:
    """Send an order while faults are in force; return its id."""
    day.faults.arm(*faults)
    (order,) = await day.sent(single(limit=limit))
    return order.order_id


# -- before it left, and after ----------------------------------------------------------------


@pytest.mark.parametrize("how", ["rst", "fin"])
async def test_f_a01_an_order_that_never_arrived_is_not_sent_once_that_is_proven(
    day: Day, how: Literal["rst", "fin"]
) -> None:
    lost = Fault(when=When(names=("placeOrder",)), act=Cut(how=how))
    name = await sent_into_the_void(day, lost)
    assert (await day.desk.get_order_status(name)).status is not OrderStatus.NOT_SENT
    await day.wait(4)  # connected again and asked: one look in vain proves nothing
    assert (await day.desk.get_order_status(name)).status is OrderStatus.UNKNOWN
    await day.wait(10)
    assert (await day.desk.get_order_status(name)).status is OrderStatus.NOT_SENT
    await day.wait(60, step=5)
    assert len(day.wire.sent("placeOrder")) == 1
    assert_over(day)
    assert_sound(day, AAPL)


@pytest.mark.parametrize("at", ["before", "after"])
async def test_f_a01_a_close_that_the_link_took_along_ends_flat_all_the_same(
    day: Day, at: Literal["before", "after"]
) -> None:
    """It is planned anew from what is held then, under another name: once, and never twice."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    day.faults.arm(Fault(when=When(names=("placeOrder", "modifyOrder")), act=Cut(at=at)))
    (position,) = await day.desk.get_positions()
    async with day.trying(close_contract(day.trader, position.contract, timeout=60)):
        await day.wait(60)
    assert_over(day)
    assert_sound(day, AAPL)


@pytest.mark.parametrize("shares", [0, 4, 10])
async def test_f_a02_an_order_that_arrived_and_was_never_acknowledged_is_adopted(
    day: Day, shares: int
) -> None:
    name = await sent_into_the_void(day, cut("placeOrder", "after"), limit="149")
    if shares:
        await day.trade("single", shares)
    await day.wait(15)
    ours, theirs = await day.desk.get_order_status(name), day.order(name)
    assert ours.perm_id == theirs.perm_id
    assert ours.filled == theirs.filled == shares
    assert ours.status.is_closed is (shares == 10)
    assert len(day.news(FillEvent)) == (1 if shares else 0)
    assert len(day.wire.sent("placeOrder")) == 1
    assert_sound(day, AAPL, is_protected=False)


async def test_f_a03_a_link_that_breaks_in_the_same_moment_leaves_a_doubt(day: Day) -> None:
    """The call returns, and nothing has left: the socket was dead already, and we had not heard."""
    prepared = await prepare(day.trader, single())
    break_off(day)
    (order,) = await place(day.trader, prepared, wait=Wait.NONE, timeout=10)
    assert order.status is OrderStatus.PENDING
    await day.quiet()
    await day.wait(4)
    assert (await day.desk.get_order_status(order.order_id)).status is OrderStatus.UNKNOWN
    await day.wait(10)
    assert (await day.desk.get_order_status(order.order_id)).status is OrderStatus.NOT_SENT
    assert not day.wire.sent("placeOrder")
    assert_over(day)
    assert_sound(day, AAPL)


async def test_f_a04_what_still_waited_is_not_sent_and_the_rest_is_accounted_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eighty orders thirty leave at once and thirty a second later; the 38th breaks the link."""
    many = roomy(max_working_per_side=80, max_working=90, max_openings_per_day=80)
    async with a_day(tmp_path, monkeypatch) as day, day.open_desk(limits=many):
        await eighty_orders(day)


async def eighty_orders(day: Day) -> None:
    day.faults.arm(cut("placeOrder", "before", nth=38))
    names: list[str] = []
    for cents in range(80):
        prepared = await prepare(day.trader, single(1, limit=f"100.{cents:02}"))
        (order,) = await place(day.trader, prepared, wait=Wait.NONE, timeout=1)
        names.append(order.order_id)
    await day.wait(1)
    waiting = [event.order_id for event in day.news(NotSentEvent)]
    assert len(waiting) >= 20, "they never left, and that is certain at once"
    assert sorted(waiting) == sorted(names[-len(waiting) :])
    await day.wait(30)
    assert len(day.ledger.live()) == 37
    unsent = {event.order_id for event in day.news(NotSentEvent)}
    assert len(unsent) == 43
    assert not {order.terms.order_ref for order in day.ledger.live()} & unsent
    assert [o for o in await day.desk.get_open_orders() if o.status is OrderStatus.UNKNOWN] == []
    assert repeats(day) == ""
    assert_sound(day, AAPL)


# -- it does not come back at once ------------------------------------------------------------


async def test_f_a11_x(day: Day) -> None:
    pass
