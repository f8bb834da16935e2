"""What becomes of commands while they wait in the lanes for their turn."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.errors import BrokerUnavailable
from tests.adapters.ibkr.conftest import Rig
from tests.adapters.ibkr.orders import (
    SINGLE,
    approved,
    bracket,
    hold,
    placed,
    release,
    spec,
    stated,
    submit,
)
from tests.adapters.ibkr.stub_gateway import open_order


async def test_a_cancel_of_a_waiting_exit_follows_its_bracket(rig: Rig) -> None:
    hold(rig)
    entry, target, stop = bracket()
    await rig.broker.send(submit(entry, target, stop))
    await rig.broker.send(approved(CancelOrder(order_id=target.order_id)))
    release(rig)
    await rig.gateway.heard(4)
    sent = [fields[0] for fields in rig.gateway.received if fields[0] in {"3", "4"}]
    assert sent == ["3", "3", "3", "4"]


async def test_a_cancel_of_a_waiting_entry_withdraws_its_bracket(rig: Rig) -> None:
    hold(rig)
    specs = bracket()
    await rig.broker.send(submit(*specs))
    await rig.broker.send(approved(CancelOrder(order_id=specs[0].order_id)))
    release(rig)
    await rig.settle()
    assert [event.order_id for event in rig.seen(ev.NotSentEvent)] == [s.order_id for s in specs]
    assert rig.gateway.count(3) == rig.gateway.count(4) == 0


async def test_a_waiting_order_cannot_be_changed(rig: Rig) -> None:
    hold(rig)
    await rig.broker.send(submit(spec()))
    with pytest.raises(BrokerUnavailable, match="still waits to be sent"):
        await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, quantity=Decimal(5))))


async def test_a_cancel_withdraws_the_change_that_waits(rig: Rig) -> None:
    await placed(rig)
    hold(rig)
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, quantity=Decimal(5))))
    await rig.broker.send(approved(CancelOrder(order_id=SINGLE)))
    release(rig)
    await rig.gateway.heard(4)
    assert (await rig.until(ev.ModifyRejectEvent)).code == 0
    assert rig.gateway.count(3) == 1


async def test_a_change_that_is_withdrawn_leaves_the_one_before_it_on_the_wire(rig: Rig) -> None:
    await placed(rig)
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, quantity=Decimal(100))))
    await rig.gateway.heard(3, times=2)
    hold(rig)
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, limit_price=Decimal(151))))
    await rig.broker.send(approved(CancelOrder(order_id=SINGLE)))
    release(rig)
    await rig.gateway.heard(4)
    await rig.settle()
    assert rig.gateway.count(3) == 2
    assert not rig.seen(ev.ModifyRejectEvent), "a hundred may yet hold"
    rig.gateway.send(*open_order(5, ref=SINGLE, quantity=100))
    accepted = await rig.until(ev.AcceptEvent, lambda e: e.spec.quantity == Decimal(100))
    assert accepted.order_id == SINGLE


async def repriced(rig: Rig, *limits: str) -> None:
    for limit in limits:
        await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, limit_price=Decimal(limit))))


@pytest.mark.parametrize("limits", [("148",), ("147", "148")], ids=["one", "in another's place"])
@pytest.mark.parametrize("by", ["a halt", "a cancel"])
async def test_what_becomes_of_an_order_is_not_read_as_the_answer_to_a_change_that_never_left(
    rig: Rig, limits: tuple[str, ...], by: str
) -> None:
    await placed(rig)
    hold(rig)
    await repriced(rig, *limits)
    if by == "a halt":
        rig.broker.objection = lambda _: "HALTED"
    else:
        await rig.broker.send(approved(CancelOrder(order_id=SINGLE)))
    release(rig)
    assert (await rig.until(ev.ModifyRejectEvent)).code == 0
    if by == "a cancel":
        await rig.gateway.heard(4)
        rig.gateway.send(4, 2, 5, 10148, "OrderId 5 cannot be cancelled, state: PreSubmitted.", "")
        await rig.until(ev.CancelRejectEvent)
    rig.gateway.send(4, 2, 5, 201, "Order rejected - reason: margin", "")
    assert (await rig.until(ev.RejectEvent)).code == 201
    assert len(rig.seen(ev.ModifyRejectEvent)) == 1
    assert rig.gateway.count(3) == 1


async def test_an_order_that_is_refused_while_a_change_of_it_waits_is_refused(rig: Rig) -> None:
    await placed(rig)
    hold(rig)
    await repriced(rig, "148")
    rig.gateway.send(4, 2, 5, 201, "Order rejected - reason: margin", "")
    await rig.until(ev.RejectEvent)
    assert not rig.seen(ev.ModifyRejectEvent)


async def test_the_refusal_of_a_change_that_has_waited_is_of_the_change(rig: Rig) -> None:
    await placed(rig)
    hold(rig)
    await repriced(rig, "147", "148")
    release(rig)
    await rig.gateway.heard(3, times=2)
    rig.gateway.send(4, 2, 5, 201, "Order rejected - reason: price", "")
    assert (await rig.until(ev.ModifyRejectEvent)).code == 201
    assert not rig.seen(ev.RejectEvent)


async def test_a_change_that_was_answered_before_the_next_one_was_dropped_is_awaited_no_more(
    rig: Rig,
) -> None:
    await placed(rig)
    await repriced(rig, "147")
    await rig.gateway.heard(3, times=2)
    hold(rig)
    await repriced(rig, "148")
    rig.gateway.send(*open_order(5, ref=SINGLE, limit=147))
    await rig.until(ev.AcceptEvent, lambda e: e.spec.limit_price == Decimal(147))
    rig.broker.objection = lambda _: "HALTED"
    release(rig)
    assert (await rig.until(ev.ModifyRejectEvent)).reason == "HALTED"
    rig.gateway.send(4, 2, 5, 201, "Order rejected - reason: margin", "")
    await rig.until(ev.RejectEvent)


async def test_a_change_in_the_place_of_one_that_waits_asks_for_what_that_one_did(rig: Rig) -> None:
    await placed(rig)
    hold(rig)
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, quantity=Decimal(5))))
    await repriced(rig, "148")
    release(rig)
    await rig.gateway.heard(3, times=2)
    (_, last) = [fields for fields in rig.gateway.received if fields[0] == "3"]
    assert stated(last, "quantity limit") == {"quantity": "5", "limit": "148"}


async def test_a_lost_link_drops_what_waits_and_each_says_so(rig: Rig) -> None:
    await placed(rig)
    hold(rig)
    other = spec("close", 8)
    await rig.broker.send(submit(other, reduces=True))
    await rig.broker.send(approved(CancelOrder(order_id=SINGLE)))
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, quantity=Decimal(5))))
    rig.gateway.reset()
    assert (await rig.until(ev.NotSentEvent)).order_id == other.order_id
    assert (await rig.until(ev.ModifyRejectEvent)).code == 0
    assert (await rig.until(ev.CancelRejectEvent)).code == 0
    await rig.until(ev.ConnectEvent, lambda event: event.epoch == 2)
    await rig.settle()
    assert rig.gateway.count(3) == 1
    assert rig.gateway.count(4) == 0


async def test_a_kill_goes_before_the_cancels_that_wait(rig: Rig) -> None:
    await placed(rig, spec("entry", 5), spec("target", 6))
    hold(rig)
    await rig.broker.send(approved(CancelOrder(order_id=spec("entry").order_id)))
    await rig.broker.send(approved(CancelOrder(order_id=spec("target").order_id, origin="halt")))
    release(rig)
    await rig.gateway.heard(4, times=2)
    sent = [fields[2] for fields in rig.gateway.received if fields[0] == "4"]
    assert sent == ["6", "5"]


async def test_s12_what_opens_and_still_waits_when_the_desk_is_halted_never_leaves(
    rig: Rig,
) -> None:
    await placed(rig)
    hold(rig)
    entry, close = spec("entry", 8), spec("close", 9)
    wider = ModifyOrder(order_id=SINGLE, quantity=Decimal(50))
    await rig.broker.send(submit(entry))
    await rig.broker.send(submit(close, reduces=True))
    await rig.broker.send(approved(wider))
    rig.broker.objection = lambda contract: f"HALTED: {contract.symbol}"
    release(rig)
    assert (await rig.until(ev.NotSentEvent)).order_id == entry.order_id
    assert (await rig.until(ev.ModifyRejectEvent)).reason == "HALTED: AAPL"
    await rig.gateway.heard(3, times=2)
    assert [fields[1] for fields in rig.gateway.received if fields[0] == "3"] == ["5", "9"]


def numbers_sent(rig: Rig) -> list[str]:
    return [fields[1] for fields in rig.gateway.received if fields[0] == "3"]


async def test_an_entry_that_a_close_has_overtaken_never_leaves_and_says_why(rig: Rig) -> None:
    """Sent all the same, TWS would refuse its number (103), which halts whatever opens."""
    hold(rig)
    entry, close, later = spec("entry", 8), spec("close", 9), spec("entry", 10)
    await rig.broker.send(submit(entry))
    await rig.broker.send(submit(close, reduces=True))
    release(rig)
    told = await rig.until(ev.NotSentEvent)
    assert told.order_id == entry.order_id
    assert "order number 9 has left before number 8" in told.reason
    await rig.broker.send(submit(later))
    await rig.gateway.heard(3, times=2)
    assert numbers_sent(rig) == ["9", "10"], "what is asked for afterwards has a higher one"
    assert len(rig.seen(ev.NotSentEvent)) == 1


async def test_a_bracket_that_was_overtaken_stays_here_whole(rig: Rig) -> None:
    hold(rig)
    specs = bracket()
    await rig.broker.send(submit(*specs))
    await rig.broker.send(submit(spec("close", 9), reduces=True))
    release(rig)
    await rig.gateway.heard(3)
    await rig.settle()
    assert numbers_sent(rig) == ["9"]
    assert [event.order_id for event in rig.seen(ev.NotSentEvent)] == [s.order_id for s in specs]


async def test_nothing_comes_between_an_entry_and_its_exits(rig: Rig) -> None:
    """A close that is asked for while they are written goes behind them, as its number does."""

    def close_now(step: str) -> None:
        if step == "CP6" and rig.broker._on_frame is close_now:
            rig.broker._on_frame = rig.steps.append
            group.create_task(rig.broker.send(submit(spec("close", 8), reduces=True)))

    rig.broker._on_frame = close_now
    async with asyncio.TaskGroup() as group:
        await rig.broker.send(submit(*bracket()))
    await rig.gateway.heard(3, times=4)
    assert numbers_sent(rig) == ["5", "6", "7", "8"]


async def test_closes_leave_in_the_order_of_their_numbers_and_none_stays(rig: Rig) -> None:
    hold(rig)
    for number, reduces in ((6, True), (7, False), (8, True), (9, False), (10, True)):
        role = "close" if reduces else "entry"
        await rig.broker.send(submit(spec(role, number), reduces=reduces))
    release(rig)
    await rig.gateway.heard(3, times=3)
    await rig.settle()
    assert numbers_sent(rig) == ["6", "8", "10"]
    assert len(rig.seen(ev.NotSentEvent)) == 2


async def test_a_close_leaves_though_its_number_is_the_lower_one(rig: Rig) -> None:
    """It cannot come to that by our lanes; if it did, whoever gets out is not kept in."""
    await placed(rig, spec("entry", 9))
    await rig.broker.send(submit(spec("close", 8), reduces=True))
    await rig.gateway.heard(3, times=2)
    assert numbers_sent(rig) == ["9", "8"]


async def test_a_change_goes_by_its_old_number_whatever_has_left_since(rig: Rig) -> None:
    await placed(rig)
    await rig.broker.send(submit(spec("close", 9), reduces=True))
    wider = ModifyOrder(order_id=SINGLE, quantity=Decimal(50))
    await rig.broker.send(approved(wider))
    await rig.gateway.heard(3, times=3)
    assert numbers_sent(rig) == ["5", "9", "5"]
    assert not rig.seen(ev.ModifyRejectEvent)


async def test_what_has_left_counts_on_the_next_link_too(rig: Rig) -> None:
    """TWS counts by client, not by connection."""
    await placed(rig, spec("entry", 9))
    rig.gateway.reset()
    await rig.until(ev.ConnectEvent, lambda event: event.epoch == 2)
    await rig.broker.send(submit(spec("entry", 8)))
    assert "number 9" in (await rig.until(ev.NotSentEvent)).reason
    assert numbers_sent(rig) == ["9"]


async def test_an_overtaken_entry_is_cancelled_in_silence(rig: Rig) -> None:
    hold(rig)
    entry = spec("entry", 8)
    await rig.broker.send(submit(entry))
    await rig.broker.send(submit(spec("close", 9), reduces=True))
    await rig.broker.send(approved(CancelOrder(order_id=entry.order_id)))
    release(rig)
    await rig.gateway.heard(3)
    await rig.settle()
    assert [event.reason for event in rig.seen(ev.NotSentEvent)] == ["cancelled before it was sent"]
    assert rig.gateway.count(4) == 0


async def test_a_change_that_only_lowers_risk_passes_a_halt(rig: Rig) -> None:
    await placed(rig)
    rig.broker.objection = lambda _: "HALTED"
    smaller = ModifyOrder(order_id=SINGLE, quantity=Decimal(5))
    await rig.broker.send(approved(smaller, reduces=True))
    await rig.gateway.heard(3, times=2)


async def test_a_closed_order_is_not_changed_by_its_number(rig: Rig) -> None:
    await placed(rig)
    rig.gateway.send(3, 5, "Cancelled", 0, 10, 0, 905, 0, 0, 1, "", 0)
    await rig.until(ev.CancelEvent)
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, quantity=Decimal(5))))
    assert (await rig.until(ev.ModifyRejectEvent)).code == 104
    assert rig.gateway.count(3) == 1


async def test_a_change_that_waits_until_its_order_is_closed_never_leaves(rig: Rig) -> None:
    """Its number might be taken for that of a new order."""
    await placed(rig)
    hold(rig)
    await repriced(rig, "148")
    rig.gateway.send(3, 5, "Cancelled", 0, 10, 0, 905, 0, 0, 1, "", 0)
    await rig.until(ev.CancelEvent)
    release(rig)
    assert "closed" in (await rig.until(ev.ModifyRejectEvent)).reason
    await rig.settle()
    assert rig.gateway.count(3) == 1
