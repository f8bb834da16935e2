"""What ends a position, at any broker behind the port: groups, trails, touches, times."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.enums import OcaType, OrderStatus, OrderType
from ibkr_trader.core.models import Adjustment, Order, OrderSpec
from tests.contract.conftest import START, Opener, Pit
from tests.contract.orders import bracket, exit_, followed, held, settled, submit

D = Decimal
T = OrderType


def target(pit: Pit, n: int = 1, price: int = 155, **terms: Any) -> OrderSpec:
    return exit_(pit, n, "target", order_type=T.LIMIT, limit_price=D(price), **terms)


def stop(pit: Pit, n: int = 1, price: int = 145, **terms: Any) -> OrderSpec:
    return exit_(pit, n, "stop", order_type=T.STOP, stop_price=D(price), **terms)


async def open_orders(pit: Pit) -> dict[str, Order]:
    return {one.order_id: one for one in (await pit.broker.snapshot()).open_orders}


async def working(pit: Pit, *specs: OrderSpec) -> None:
    """Send orders, and wait until the broker has told of each."""
    await pit.send(submit(*specs), reduces=True)
    for spec in specs:
        await pit.until(ev.StatusEvent, lambda e, spec=spec: e.order_id == spec.order_id)  # type: ignore[misc] # mypy cannot infer a lambda with a default
    await settled(pit)


# -- groups -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OcaType)
async def test_the_exits_of_a_group_end_each_other(kind: OcaType, pit: Pit) -> None:
    await held(pit)
    terms: dict[str, Any] = {"oca_group": "k7qav-1-x1", "oca_type": kind}
    high, low = target(pit, **terms), stop(pit, **terms)
    await working(pit, high, low)
    found = await open_orders(pit)
    assert {(o.spec.oca_group, o.spec.oca_type) for o in found.values()} == {("k7qav-1-x1", kind)}
    pit.quote("155.10", "155.20", size=4)
    await pit.until(ev.FillEvent, lambda e: e.order_id == high.order_id)
    await settled(pit)
    if kind is OcaType.CANCEL:  # at the first fill, be it a partial one
        await pit.until(ev.CancelEvent, lambda e: e.order_id == low.order_id)
    else:
        left = (await open_orders(pit))[low.order_id]
        assert (left.spec.quantity, followed(pit, low).spec.quantity) == (D(6), D(6))
        assert not followed(pit, low).is_overridden
    pit.quote("155.10", "155.20", size=50)
    await pit.until(ev.DoneEvent, lambda e: e.order_id == high.order_id)
    await pit.until(ev.CancelEvent, lambda e: e.order_id == low.order_id)
    snapshot = await pit.broker.snapshot()
    assert (snapshot.open_orders, snapshot.positions) == ((), ())


async def test_a_member_of_a_group_that_we_named_can_be_changed(pit: Pit) -> None:
    await held(pit)
    terms: dict[str, Any] = {"oca_group": "k7qav-1-x1", "oca_type": OcaType.REDUCE}
    high, low = target(pit, **terms), stop(pit, **terms)
    await working(pit, high, low)
    pit.quote("155.10", "155.20", size=4)
    await pit.until(ev.AcceptEvent, lambda e: e.spec.quantity == 6)
    pit.quote("150", "150.02", size=4)
    await settled(pit)
    await pit.send(ModifyOrder(order_id=low.order_id, stop_price=D(147)), reduces=True)
    await pit.until(ev.AcceptEvent, lambda e: e.spec.stop_price == 147)
    found = (await open_orders(pit))[low.order_id].spec
    assert (found.quantity, found.oca_group, found.oca_type) == (D(6), "k7qav-1-x1", OcaType.REDUCE)
    pit.quote("146.90", "147", last="146.95", size=50)
    await pit.until(ev.CancelEvent, lambda e: e.order_id == high.order_id)
    assert (await pit.broker.snapshot()).positions == ()


# -- trails -------------------------------------------------------------------------------------


@pytest.mark.parametrize("trail", [{"trail_amount": D(3)}, {"trail_percent": D(2)}])
async def test_a_trail_follows_the_market_and_ends_the_position(
    trail: dict[str, Any], pit: Pit
) -> None:
    await held(pit)
    trailing = exit_(pit, 1, order_type=T.TRAIL, **trail)
    await working(pit, trailing)
    began = (await open_orders(pit))[trailing.order_id].spec
    assert (began.order_type, began.trail_amount, began.trail_percent) == (
        T.TRAIL, trail.get("trail_amount"), trail.get("trail_percent"),
    )  # fmt: skip
    pit.quote("159.99", "160.01", last="160")
    pit.quote("157.99", "158.01", last="158")
    came = (await open_orders(pit))[trailing.order_id].spec
    assert began.stop_price is not None
    assert came.stop_price is not None
    assert came.stop_price - began.stop_price > 9
    assert not followed(pit, trailing).is_overridden
    pit.quote("156.00", "156.02", last="156")
    await pit.until(ev.DoneEvent, lambda e: e.order_id == trailing.order_id)


async def test_a_change_of_a_trail_leaves_its_stop_where_it_has_come_to(pit: Pit) -> None:
    await held(pit)
    trailing = exit_(pit, 1, order_type=T.TRAIL, trail_amount=D(3), stop_price=D(147))
    await working(pit, trailing)
    pit.quote("159.99", "160.01", last="160")
    pit.quote("158.99", "159.01", last="159")
    came = (await open_orders(pit))[trailing.order_id].spec.stop_price
    assert came is not None
    assert came > 150
    await pit.send(ModifyOrder(order_id=trailing.order_id, quantity=D(5)), reduces=True)
    await pit.until(ev.AcceptEvent, lambda e: e.spec.quantity == 5)
    now = (await open_orders(pit))[trailing.order_id].spec
    assert (now.quantity, now.stop_price) == (D(5), came)


async def test_a_trailing_limit_keeps_its_limit_behind_its_stop(pit: Pit) -> None:
    await held(pit)
    trailing = exit_(
        pit, 1, order_type=T.TRAIL_LIMIT, trail_amount=D(3), stop_price=D(147),
        limit_price=D("146.5"),
    )  # fmt: skip
    await working(pit, trailing)
    began = (await open_orders(pit))[trailing.order_id].spec
    assert (began.order_type, began.stop_price, began.limit_price) == (
        T.TRAIL_LIMIT, D(147), D("146.5"),
    )  # fmt: skip
    pit.quote("159.99", "160.01", last="160")
    came = (await open_orders(pit))[trailing.order_id].spec
    assert came.stop_price is not None
    assert came.limit_price is not None
    assert (came.stop_price > 150, came.stop_price - came.limit_price) == (True, D("0.5"))
    await pit.send(ModifyOrder(order_id=trailing.order_id, quantity=D(5)), reduces=True)
    await pit.until(ev.AcceptEvent, lambda e: e.spec.quantity == 5)
    now = (await open_orders(pit))[trailing.order_id].spec
    assert (now.stop_price, now.limit_price) == (came.stop_price, came.limit_price)
    pit.quote("156.80", "156.82", last="156.8")
    await pit.until(ev.DoneEvent, lambda e: e.order_id == trailing.order_id)


# -- touches ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "prices", "paid"),
    [
        (T.MARKET_IF_TOUCHED, {}, "155.10"),
        (T.LIMIT_IF_TOUCHED, {"limit_price": D("154.5")}, "155.10"),
    ],
)
async def test_what_waits_for_a_touch(
    kind: OrderType, prices: dict[str, Decimal], paid: str, pit: Pit
) -> None:
    await held(pit)
    touched = exit_(pit, 1, "target", order_type=kind, stop_price=D(155), **prices)
    await working(pit, touched)
    found = (await open_orders(pit))[touched.order_id]
    assert (found.spec.order_type, found.spec.stop_price, found.spec.limit_price) == (
        kind, D(155), prices.get("limit_price"),
    )  # fmt: skip
    assert found.status is OrderStatus.PRESUBMITTED
    pit.quote("155.10", "155.20", last="155.15")
    fill = await pit.until(ev.FillEvent, lambda e: e.order_id == touched.order_id)
    assert fill.fill.price == D(paid)


# -- stops that turn into something else --------------------------------------------------------


@pytest.mark.parametrize(
    "adjustment",
    [
        Adjustment(trigger=D(155), order_type=T.STOP, stop_price=D(150)),
        Adjustment(
            trigger=D(155), order_type=T.STOP_LIMIT, stop_price=D(150), limit_price=D(149)
        ),
        Adjustment(trigger=D(155), order_type=T.TRAIL, stop_price=D(150), trail_amount=D(4)),
    ],
)  # fmt: skip
async def test_a_stop_turns_into_what_it_was_told_to(adjustment: Adjustment, pit: Pit) -> None:
    await held(pit)
    protection = stop(pit, adjustment=adjustment)
    await working(pit, protection)
    before = (await open_orders(pit))[protection.order_id].spec
    assert (before.order_type, before.stop_price, before.adjustment) == (T.STOP, D(145), adjustment)
    pit.quote("155.10", "155.12", last="155.11")
    await pit.until(ev.AcceptEvent, lambda e: e.spec.adjustment is None, after=len(pit.events) - 1)
    await settled(pit)
    after = followed(pit, protection)
    assert (after.spec.order_type, after.spec.adjustment) == (adjustment.order_type, None)
    assert after.spec.stop_price is not None
    assert after.spec.stop_price >= D(150)
    assert (after.spec.limit_price, after.spec.trail_amount) == (
        adjustment.limit_price, adjustment.trail_amount,
    )  # fmt: skip
    assert not after.is_overridden, "nobody did it by hand"
    assert (await open_orders(pit))[protection.order_id].spec.order_type is adjustment.order_type


async def test_a_stop_that_is_moved_keeps_what_it_turns_into(pit: Pit) -> None:
    await held(pit)
    adjustment = Adjustment(
        trigger=D(155), order_type=T.TRAIL, stop_price=D(152), trail_percent=D(2)
    )  # fmt: skip
    protection = stop(pit, adjustment=adjustment)
    await working(pit, protection)
    await pit.send(ModifyOrder(order_id=protection.order_id, stop_price=D(147)), reduces=True)
    await pit.until(ev.AcceptEvent, lambda e: e.spec.stop_price == 147)
    assert (await open_orders(pit))[protection.order_id].spec.adjustment == adjustment


# -- times --------------------------------------------------------------------------------------


async def test_an_exit_at_a_time_ends_the_position_and_its_group(pit: Pit) -> None:
    await held(pit)
    terms: dict[str, Any] = {"oca_group": "k7qav-1-x1", "oca_type": OcaType.REDUCE}
    after = START + timedelta(hours=5, minutes=45)
    timed = exit_(pit, 1, "timed", good_after=after, **terms)
    low = stop(pit, **terms)
    await working(pit, timed, low)
    found = (await open_orders(pit))[timed.order_id]
    assert (found.spec.good_after, found.spec.role) == (after, timed.role)
    pit.wait_until(after - timedelta(seconds=1))
    assert len(await open_orders(pit)) == 2
    pit.wait_until(after)
    await pit.until(ev.DoneEvent, lambda e: e.order_id == timed.order_id)
    await pit.until(ev.CancelEvent, lambda e: e.order_id == low.order_id)
    assert (await pit.broker.snapshot()).positions == ()


async def test_an_exit_that_joined_a_brackets_group_can_be_resized(pit: Pit) -> None:
    family = bracket(pit, 1)
    await pit.send(submit(*family))
    await pit.until(ev.CommissionEvent)
    await settled(pit)
    group = (await open_orders(pit))[family[2].order_id].spec
    timed = exit_(
        pit, 1, "timed", good_after=START + timedelta(hours=5), oca_group=group.oca_group,
        oca_type=group.oca_type,
    )  # fmt: skip
    await working(pit, timed)
    await pit.send(ModifyOrder(order_id=timed.order_id, quantity=D(7)), reduces=True)
    await settled(pit)
    found = (await open_orders(pit))[timed.order_id].spec
    assert (found.quantity, found.oca_group) == (D(7), group.oca_group)


# -- by hand ------------------------------------------------------------------------------------


async def test_what_somebody_changes_in_tws_is_adopted_and_shown(pit: Pit) -> None:
    await held(pit)
    protection = stop(pit)
    await working(pit, protection)
    perm_id = (await open_orders(pit))[protection.order_id].perm_id
    pit.act(lambda exchange, now: exchange.hand.modify(perm_id, stop_price=D(140), now=now))
    await pit.until(ev.AcceptEvent, lambda e: e.spec.stop_price == 140)
    order = followed(pit, protection)
    assert (order.spec.stop_price, order.is_overridden) == (D(140), True)
    assert (order.spec.role, order.is_foreign) == (protection.role, False)


async def test_what_somebody_closes_in_tws_is_told_as_his_order(pit: Pit) -> None:
    await held(pit)
    pit.act(lambda exchange, now: exchange.hand.close(265598, now=now))
    await settled(pit)
    snapshot = await pit.broker.snapshot()
    assert snapshot.positions == ()
    (foreign,) = [fill for fill in snapshot.fills if fill.order_id.startswith("foreign-")]
    assert foreign.quantity == 10


# -- after the entry has filled -----------------------------------------------------------------


async def test_the_next_process_changes_each_exit_of_a_bracket(reopen: Opener) -> None:
    """Neither the entry that has filled nor the group that TWS made of them is named."""
    async with reopen() as first:
        entry, high, low = bracket(first, 1)
        await first.send(submit(entry, high, low))
        await first.until(ev.CommissionEvent)
        await settled(first)
    async with reopen() as second:
        await second.broker.snapshot()
        changes: list[tuple[OrderSpec, dict[str, Any]]] = [
            (high, {"limit_price": D(156)}),
            (low, {"stop_price": D(146)}),
        ]
        for spec, change in changes:
            mark = len(second.events)
            await second.send(ModifyOrder(order_id=spec.order_id, **change))
            event = await second.until(
                ev.AcceptEvent, lambda e, spec=spec: e.order_id == spec.order_id, after=mark  # type: ignore[misc] # mypy cannot infer a lambda with a default
            )  # fmt: skip
            assert all(getattr(event.spec, name) == value for name, value in change.items())
        assert not [e for e in second.events if isinstance(e, ev.ModifyRejectEvent)]
        second.quote("156.10", "156.20", last="156.15")
        await second.until(ev.CancelEvent, lambda e: e.order_id == low.order_id)
