"""The same commands, the same events: what any broker behind the port must do."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.enums import OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.models import OrderId
from ibkr_trader.sim.translate import terms_of
from tests.contract.conftest import AAPL_ID, Opener, Pit
from tests.contract.orders import NOW, bracket, limit, order, settled, submit

# -- single orders ----------------------------------------------------------------------------


async def test_a_market_order_fills(pit: Pit) -> None:
    spec = order(pit, 1)
    await pit.send(submit(spec))
    await pit.until(ev.CommissionEvent)
    assert pit.story(spec.order_id) == [
        "accepted 10",
        "held, 0 filled",
        "fill BUY 10 at 150.01",
        "done 10 at 150.01",
        "commission 1",
    ]
    report = await pit.until(ev.PositionReportEvent)
    assert report.position.quantity == 10


async def test_a_limit_order_rests_and_then_fills(pit: Pit) -> None:
    spec = limit(pit, 1, "149.00")
    await pit.send(submit(spec))
    await pit.until(ev.StatusEvent, lambda event: event.is_working)
    assert pit.story(spec.order_id)[-2:] == ["accepted 10 149", "working, 0 filled"]
    pit.quote("148.90", "148.95")
    await pit.until(ev.CommissionEvent)
    assert pit.story(spec.order_id)[-3:] == [
        "fill BUY 10 at 149",
        "done 10 at 149",
        "commission 1",
    ]


async def test_a_stop_is_held_until_it_triggers(pit: Pit) -> None:
    spec = order(pit, 1, side=Side.SELL, order_type=OrderType.STOP, stop_price=Decimal(145))
    await pit.send(submit(spec))
    held = await pit.until(ev.StatusEvent, lambda event: event.held_for == "trigger")
    assert not held.is_working
    pit.quote("144.80", "144.90", last="144.85")
    fill = await pit.until(ev.FillEvent)
    assert (fill.fill.side, fill.fill.price) == (Side.SELL, Decimal("144.80"))
    await pit.until(ev.DoneEvent)


async def test_partial_fills_against_the_size_that_is_quoted(pit: Pit) -> None:
    pit.quote("149.99", "150.01", size=4)
    spec = limit(pit, 1, "150.01")
    await pit.send(submit(spec))
    await pit.until(ev.StatusEvent, lambda event: event.filled == 4)
    pit.quote("149.99", "150.01", size=50)
    await pit.until(ev.DoneEvent)
    await settled(pit)
    fills = [line for line in pit.story(spec.order_id) if line.startswith("fill")]
    assert fills == ["fill BUY 4 at 150.01", "fill BUY 6 at 150.01"]
    assert "working, 4 filled" in pit.story(spec.order_id)


async def test_an_order_that_cannot_be_paid_is_rejected(pit: Pit) -> None:
    spec = order(pit, 1, quantity=Decimal(1_000_000))
    await pit.send(submit(spec))
    event = await pit.until(ev.RejectEvent)
    assert (event.order_id, event.code) == (spec.order_id, 201)
    await settled(pit)
    assert not [line for line in pit.story(spec.order_id) if line.startswith(("Cancel", "fill"))]


async def test_a_price_between_ticks_is_rejected(pit: Pit) -> None:
    spec = limit(pit, 1, "149.005")
    await pit.send(submit(spec))
    assert (await pit.until(ev.RejectEvent)).code == 110


# -- changes and cancels ------------------------------------------------------------------------


async def test_a_change_is_confirmed_by_the_new_terms(pit: Pit) -> None:
    spec = limit(pit, 1, "149.00")
    await pit.send(submit(spec))
    await pit.until(ev.StatusEvent, lambda event: event.is_working)
    await settled(pit)
    mark = len(pit.events)
    await pit.send(
        ModifyOrder(order_id=spec.order_id, limit_price=Decimal("148.50"), quantity=Decimal(20))
    )
    event = await pit.until(ev.AcceptEvent, after=mark)
    assert (event.spec.limit_price, event.spec.quantity) == (Decimal("148.50"), Decimal(20))
    assert (event.spec.order_id, event.spec.group_id) == (spec.order_id, spec.group_id)
    (open_order,) = (await pit.broker.snapshot()).open_orders
    assert open_order.spec.quantity == 20


async def test_a_refused_change_leaves_the_old_terms(pit: Pit) -> None:
    spec = limit(pit, 1, "149.00")
    await pit.send(submit(spec))
    await pit.until(ev.StatusEvent, lambda event: event.is_working)
    await pit.send(ModifyOrder(order_id=spec.order_id, limit_price=Decimal("148.001")))
    event = await pit.until(ev.ModifyRejectEvent)
    assert (event.order_id, event.code) == (spec.order_id, 110)
    (open_order,) = (await pit.broker.snapshot()).open_orders
    assert (open_order.status, open_order.spec.limit_price) == (
        OrderStatus.SUBMITTED,
        Decimal(149),
    )


async def test_a_filled_order_cannot_be_changed(pit: Pit) -> None:
    spec = order(pit, 1)
    await pit.send(submit(spec))
    await pit.until(ev.DoneEvent)
    await pit.send(ModifyOrder(order_id=spec.order_id, quantity=Decimal(20)))
    assert (await pit.until(ev.ModifyRejectEvent)).code == 104


async def test_a_cancel(pit: Pit) -> None:
    spec = limit(pit, 1, "149.00")
    await pit.send(submit(spec))
    await pit.until(ev.StatusEvent, lambda event: event.is_working)
    mark = len(pit.events)
    await pit.send(CancelOrder(order_id=spec.order_id))
    await pit.until(ev.CancelEvent, lambda event: event.code == 202)
    assert pit.story(spec.order_id, after=mark) == ["CancelRequest", "Cancel 0", "Cancel 202"]
    snapshot = await pit.broker.snapshot()
    assert snapshot.open_orders == ()
    (closed,) = snapshot.completed_orders
    assert (closed.order_id, closed.status) == (spec.order_id, OrderStatus.CANCELLED)


async def test_cancelling_what_is_over_is_harmless(pit: Pit) -> None:
    spec = order(pit, 1)
    await pit.send(submit(spec))
    await pit.until(ev.CommissionEvent)
    before = pit.story(spec.order_id)
    await pit.send(CancelOrder(order_id=spec.order_id))
    await settled(pit)
    assert pit.story(spec.order_id) == before


async def test_an_order_that_nobody_knows_cannot_be_changed(pit: Pit) -> None:
    with pytest.raises(BrokerUnavailable, match="not been seen"):
        await pit.send(ModifyOrder(order_id=OrderId("k7qav-9-single"), quantity=Decimal(1)))


# -- brackets -----------------------------------------------------------------------------------


async def test_a_bracket_fills_and_its_exits_start_to_work(pit: Pit) -> None:
    entry, target, stop = bracket(pit, 1)
    await pit.send(submit(entry, target, stop))
    await pit.until(
        ev.StatusEvent, lambda event: event.order_id == target.order_id and event.is_working
    )
    await settled(pit)
    assert pit.story(entry.order_id)[-3:] == [
        "fill BUY 10 at 150.01",
        "done 10 at 150.01",
        "commission 1",
    ]
    assert pit.story(target.order_id) == [
        "accepted 10 155",
        "held child, 0 filled",
        "accepted 10 155",
        "working, 0 filled",
    ]
    assert pit.story(stop.order_id) == [
        "accepted 10 145",
        "held child,trigger, 0 filled",
        "accepted 10 145",
        "held trigger, 0 filled",
    ]


@pytest.mark.parametrize("winner", ["target", "stop"])
async def test_one_exit_fills_and_the_other_is_cancelled(winner: str, pit: Pit) -> None:
    entry, target, stop = bracket(pit, 1)
    await pit.send(submit(entry, target, stop))
    await pit.until(
        ev.StatusEvent,
        lambda event: event.order_id == stop.order_id and event.held_for == "trigger",
    )
    if winner == "target":
        pit.quote("155.10", "155.20", last="155.15")
        won, lost = target, stop
    else:
        pit.quote("144.80", "144.90", last="144.85")
        won, lost = stop, target
    await pit.until(ev.DoneEvent, lambda event: event.order_id == won.order_id)
    await pit.until(ev.CancelEvent, lambda event: event.order_id == lost.order_id)
    snapshot = await pit.broker.snapshot()
    assert snapshot.open_orders == ()
    assert snapshot.positions == ()
    assert len(snapshot.fills) == 2


async def test_a_cancelled_entry_takes_its_exits_along(pit: Pit) -> None:
    entry, target, stop = bracket(pit, 1, order_type=OrderType.LIMIT, limit_price=Decimal("149.00"))
    await pit.send(submit(entry, target, stop))
    await pit.until(ev.StatusEvent, lambda event: event.is_working)
    await pit.send(CancelOrder(order_id=entry.order_id))
    for spec in (entry, target, stop):
        await pit.until(ev.CancelEvent, lambda event, spec=spec: event.order_id == spec.order_id)  # type: ignore[misc] # mypy cannot infer a lambda with a default
    assert (await pit.broker.snapshot()).open_orders == ()


async def test_a_stop_of_a_bracket_is_moved(pit: Pit) -> None:
    entry, target, stop = bracket(pit, 1)
    await pit.send(submit(entry, target, stop))
    await pit.until(
        ev.StatusEvent,
        lambda event: event.order_id == stop.order_id and event.held_for == "trigger",
    )
    mark = len(pit.events)
    await pit.send(ModifyOrder(order_id=stop.order_id, stop_price=Decimal("147.50")))
    event = await pit.until(ev.AcceptEvent, lambda e: e.order_id == stop.order_id, after=mark)
    assert event.spec.stop_price == Decimal("147.50")
    assert event.spec.parent_id in {None, entry.order_id}
    pit.quote("147.00", "147.10", last="147.05")
    await pit.until(ev.DoneEvent, lambda e: e.order_id == stop.order_id)
    await pit.until(ev.CancelEvent, lambda e: e.order_id == target.order_id)


# -- the snapshot ---------------------------------------------------------------------------------


async def test_the_snapshot_of_a_new_account(pit: Pit) -> None:
    snapshot = await pit.broker.snapshot()
    assert (snapshot.account, snapshot.epoch) == ("SIM0000001", 1)
    assert (snapshot.open_orders, snapshot.completed_orders) == ((), ())
    assert (snapshot.fills, snapshot.positions) == ((), ())
    assert snapshot.values is not None
    assert snapshot.values.net_liquidation == Decimal(1_000_000)
    assert snapshot.values.day_trades_left == -1  # as many as one likes


async def test_the_snapshot_of_a_bracket_at_work(pit: Pit) -> None:
    entry, target, stop = bracket(pit, 1)
    await pit.send(submit(entry, target, stop))
    await pit.until(ev.CommissionEvent)
    snapshot = await pit.broker.snapshot()
    assert {o.order_id: (o.status, o.held_for) for o in snapshot.open_orders} == {
        target.order_id: (OrderStatus.SUBMITTED, ""),
        stop.order_id: (OrderStatus.PRESUBMITTED, "trigger"),
    }
    for found, sent in zip(snapshot.open_orders, (target, stop), strict=True):
        assert found.spec.role is sent.role
        assert found.spec.group_id == sent.group_id
        assert found.spec.time_in_force is TimeInForce.GTC
        assert found.spec.broker_order_id == sent.broker_order_id
        assert found.client_id == 1
        assert found.perm_id > 0
        assert not found.is_foreign
    (done,) = snapshot.completed_orders
    assert (done.order_id, done.status, done.filled) == (
        entry.order_id,
        OrderStatus.FILLED,
        Decimal(10),
    )
    assert done.average_fill_price == Decimal("150.01")
    (fill,) = snapshot.fills
    assert (fill.order_id, fill.quantity, fill.price) == (
        entry.order_id,
        Decimal(10),
        Decimal("150.01"),
    )
    assert (fill.commission, fill.revision) == (Decimal(1), 1)
    (position,) = snapshot.positions
    assert (position.contract.con_id, position.quantity) == (AAPL_ID, Decimal(10))


async def test_a_fill_has_the_same_id_live_and_in_every_snapshot(pit: Pit) -> None:
    await pit.send(submit(order(pit, 1)))
    live = await pit.until(ev.FillEvent)
    for _ in range(2):
        (fill,) = (await pit.broker.snapshot()).fills
        assert (fill.fill_id, fill.revision) == (live.fill.fill_id, live.fill.revision)


async def test_an_order_of_somebody_else_is_foreign(pit: Pit) -> None:
    theirs = limit(pit, 1, "140.00", order_id=OrderId("by-hand"), broker_order_id=77)
    pit.exchange.place(2, 77, terms=terms_of(theirs, parent_number=0, transmit=True), now=NOW)
    (found,) = (await pit.broker.snapshot()).open_orders
    assert found.is_foreign
    assert found.order_id == f"foreign-{found.perm_id}"
    assert (found.client_id, found.spec.broker_order_id) == (2, 77)
    with pytest.raises(BrokerUnavailable):
        await pit.send(CancelOrder(order_id=found.order_id))


async def test_the_cancel_of_all_takes_back_what_others_placed_too(pit: Pit) -> None:
    theirs = limit(pit, 1, "140.00", order_id=OrderId("by-hand"), broker_order_id=77)
    pit.exchange.place(2, 77, terms=terms_of(theirs, parent_number=0, transmit=True), now=NOW)
    spec = limit(pit, 1, "149.00")
    await pit.send(submit(spec))
    await pit.until(ev.StatusEvent, lambda event: event.is_working)
    assert len((await pit.broker.snapshot()).open_orders) == 2
    await pit.send(CancelOrder(order_id=OrderId("everything"), is_of_all=True))
    await pit.until(ev.CancelEvent)
    assert (await pit.broker.snapshot()).open_orders == ()


async def test_order_ids_are_fresh_and_above_the_floor(pit: Pit) -> None:
    first, second = pit.broker.reserve_order_ids(2, floor=1)
    assert second == first + 1
    assert pit.broker.reserve_order_ids(1, floor=100) == (100,)
    assert pit.broker.reserve_order_ids(1, floor=1) == (101,)


async def test_a_new_order_below_a_number_that_was_used_is_refused(pit: Pit) -> None:
    """Nobody has used it; what gets out is sent all the same, and hears what TWS thinks of it."""
    low, high = pit.broker.reserve_order_ids(2, floor=1)
    await pit.send(submit(limit(pit, 1, "149.00", broker_order_id=high)))
    await pit.until(ev.StatusEvent, lambda event: event.is_working)
    late = limit(pit, 2, "148.00", broker_order_id=low)
    await pit.send(submit(late), reduces=True)
    refused = await pit.until(ev.RejectEvent)
    assert (refused.order_id, refused.code) == (late.order_id, 103)
    assert [o.spec.broker_order_id for o in (await pit.broker.snapshot()).open_orders] == [high]


async def test_an_order_is_taken_though_another_client_has_used_far_higher_numbers(
    pit: Pit,
) -> None:
    """TWS takes none of ours below those that it told us of, whoever placed them."""
    theirs = limit(pit, 1, "140.00", order_id=OrderId("theirs"), broker_order_id=77)
    pit.exchange.place(2, 77, terms=terms_of(theirs, parent_number=0, transmit=True), now=NOW)
    await pit.broker.snapshot()
    spec = limit(pit, 1, "149.00")
    await pit.send(submit(spec))
    working = await pit.until(ev.OrderEvent, lambda event: event.order_id == spec.order_id)
    assert isinstance(working, ev.AcceptEvent)


# -- the next process -----------------------------------------------------------------------------


async def test_the_next_process_finds_the_orders_and_can_change_them(reopen: Opener) -> None:
    async with reopen() as first:
        entry, target, stop = bracket(first, 1)
        await first.send(submit(entry, target, stop))
        await first.until(ev.CommissionEvent)
    async with reopen() as second:
        snapshot = await second.broker.snapshot()
        assert {o.order_id for o in snapshot.open_orders} == {target.order_id, stop.order_id}
        assert [f.order_id for f in snapshot.fills] == [entry.order_id]
        (number,) = second.broker.reserve_order_ids(1, floor=1)
        assert number > stop.broker_order_id
        mark = len(second.events)
        await second.send(ModifyOrder(order_id=stop.order_id, stop_price=Decimal(146)))
        event = await second.until(
            ev.AcceptEvent, lambda e: e.order_id == stop.order_id, after=mark
        )
        assert event.spec.stop_price == Decimal(146)
        await second.send(CancelOrder(order_id=stop.order_id))
        await second.until(ev.CancelEvent, lambda e: e.order_id == stop.order_id)


async def test_events_end_when_the_broker_is_closed(reopen: Opener) -> None:
    async with reopen() as pit:
        await pit.send(submit(order(pit, 1)))
        await pit.until(ev.DoneEvent)
    with pytest.raises(BrokerUnavailable):
        await pit.broker.snapshot()
