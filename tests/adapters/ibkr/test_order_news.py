"""What each message means for an order: the table that keeps a code from closing a live one."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from ibkr_trader.adapters.ibkr import messages as m
from ibkr_trader.adapters.ibkr.error_codes import ERROR_RULES
from ibkr_trader.adapters.ibkr.order_news import family_of
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from tests.adapters.ibkr.conftest import Rig
from tests.adapters.ibkr.orders import SINGLE, approved, placed, spec, submit
from tests.adapters.ibkr.stub_gateway import execution, open_order, order_status

LIVE = (ev.WarningEvent, ev.ErrorEvent)  # what leaves an order as it is


def orders(rig: Rig, mark: int = 0) -> list[ev.OrderEvent]:
    return [event for event in rig.events[mark:] if isinstance(event, ev.OrderEvent)]


async def code(rig: Rig, number: int, *, order: int = 5) -> list[ev.OrderEvent]:
    mark = len(rig.events)
    rig.gateway.send(4, 2, order, number, f"text of {number}", "")
    await rig.settle()
    return orders(rig, mark)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("Submitted", ev.StatusEvent),
        ("PreSubmitted", ev.StatusEvent),
        ("PendingCancel", ev.CancelRequestEvent),
        ("Cancelled", ev.CancelEvent),
        ("ApiCancelled", ev.CancelEvent),
        ("Inactive", ev.HoldEvent),
        ("Filled", ev.DoneEvent),
        ("SomethingNew", ev.WarningEvent),
    ],
)
async def test_each_status_is_one_event(status: str, kind: type[ev.OrderEvent], rig: Rig) -> None:
    await rig.broker.send(submit(spec()))
    rig.gateway.send(*order_status(5, status, held_for="trigger"))
    await rig.settle()
    (event,) = orders(rig)
    assert type(event) is kind
    assert event.order_id == SINGLE
    if isinstance(event, ev.StatusEvent):
        assert event.is_working == (status == "Submitted")
        assert event.held_for == "trigger"


@pytest.mark.parametrize("status", ["PendingSubmit", "ApiPending"])
async def test_an_order_that_is_on_its_way_is_no_news(status: str, rig: Rig) -> None:
    await rig.broker.send(submit(spec()))
    rig.gateway.send(*open_order(5, status, ref=SINGLE))
    rig.gateway.send(*order_status(5, status))
    await rig.settle()
    assert not orders(rig)
    (event,) = await code(rig, 201)
    assert isinstance(event, ev.RejectEvent)


@pytest.mark.parametrize("status", ["Filled", "Cancelled", "ApiCancelled", "Inactive"])
async def test_terms_of_an_order_that_is_over_are_no_acceptance(status: str, rig: Rig) -> None:
    await rig.broker.send(submit(spec()))
    rig.gateway.send(*open_order(5, status, ref=SINGLE))
    await rig.settle()
    assert not orders(rig)


async def test_a_what_if_is_no_order(rig: Rig) -> None:
    message = list(open_order(7, "PreSubmitted"))
    at = message.index("PreSubmitted")
    message[at - 1] = 1
    rig.gateway.send(*message)
    await rig.settle()
    assert not orders(rig)


async def test_a_fill_may_come_before_any_acknowledgement(rig: Rig) -> None:
    await rig.broker.send(submit(spec()))
    rig.gateway.send(59, 1, "0001.01.01", "1.05", "USD", "", "", "")
    rig.gateway.send(*execution(5, "0001.01.01", ref=SINGLE))
    await rig.settle()
    fill, commission = orders(rig)
    assert isinstance(fill, ev.FillEvent)
    assert isinstance(commission, ev.CommissionEvent)
    assert commission.fill_id == fill.fill.fill_id == "0001.01"
    (event,) = await code(rig, 201)
    assert isinstance(event, ev.RejectEvent), "REJECT may come late; the fold keeps what filled"


async def test_a_fill_of_an_order_that_nobody_knows_is_never_dropped(rig: Rig) -> None:
    rig.gateway.send(*execution(0, "0009.01.01", ref="", perm_id=4711, client_id=0))
    event = await rig.until(ev.FillEvent)
    assert event.order_id == "foreign-4711"


@pytest.mark.parametrize("flag", [0, 1])
async def test_a_fill_says_whether_the_broker_has_liquidated(rig: Rig, flag: int) -> None:
    rig.gateway.send(*execution(0, "0009.01.01", side="SLD", liquidation=flag, client_id=0))
    event = await rig.until(ev.FillEvent)
    assert event.fill.is_liquidation is bool(flag)


async def test_a_cancel_by_a_number_that_two_have_ends_neither(rig: Rig) -> None:
    """Which of them has ended is for the statuses to say: they name a permanent id."""
    await rig.broker.send(submit(spec()))
    rig.gateway.send(*open_order(5, ref=SINGLE))
    rig.gateway.send(*open_order(5, ref=SINGLE, perm_id=999))
    await rig.settle()
    told = [event.order_id for event in orders(rig)]
    assert told == [SINGLE, "twin-999"]
    assert not [event for event in await code(rig, 202) if isinstance(event, ev.CancelEvent)]
    rig.gateway.send(*order_status(5, "Cancelled", perm_id=999))
    assert (await rig.until(ev.CancelEvent)).order_id == "twin-999"


async def test_a_correction_is_the_same_fill_in_a_higher_revision() -> None:
    assert family_of("0000e0d5.6576a4f2.01.01") == ("0000e0d5.6576a4f2.01", 1)
    assert family_of("0000e0d5.6576a4f2.01.02") == ("0000e0d5.6576a4f2.01", 2)
    assert family_of("odd") == ("odd", 0)


@pytest.mark.parametrize("number", [201, 203, 110, 321, 200, 103, 105, 382, 434, 10006, 10289])
async def test_a_new_order_is_refused(number: int, rig: Rig) -> None:
    await rig.broker.send(submit(spec()))
    (event,) = await code(rig, number)
    assert isinstance(event, ev.RejectEvent)
    assert event.code == number
    assert f"text of {number}" in event.reason


async def test_the_cancelled_that_follows_a_refusal_is_no_second_news(rig: Rig) -> None:
    await rig.broker.send(submit(spec()))
    await code(rig, 201)
    mark = len(rig.events)
    rig.gateway.send(*order_status(5, "Cancelled"))
    await rig.settle()
    assert not orders(rig, mark)


@pytest.mark.parametrize("number", [201, 110, 321, 105, 104, 2102, 10326])
async def test_a_refused_change_leaves_the_order_as_it_was(number: int, rig: Rig) -> None:
    await placed(rig)
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, limit_price=spec().limit_price)))
    (event,) = await code(rig, number)
    assert isinstance(event, ev.ModifyRejectEvent)


@pytest.mark.parametrize("number", [161, 10147, 10148, 135, 136])
async def test_a_refused_cancel_is_a_question_and_not_an_answer(number: int, rig: Rig) -> None:
    await placed(rig)
    await rig.broker.send(approved(CancelOrder(order_id=SINGLE)))
    (event,) = await code(rig, number)
    assert isinstance(event, ev.CancelRejectEvent)


@pytest.mark.parametrize(
    "number", [103, 105, 110, 321, 100, 399, 404, 434, 481, 2109, 2161, 10233, 10349]
)
async def test_a_live_order_stays_alive(number: int, rig: Rig) -> None:
    await placed(rig)
    assert [type(event) for event in await code(rig, number)] == [ev.WarningEvent]


async def test_a_thousand_unknown_codes_change_nothing(rig: Rig) -> None:
    await placed(rig)
    mark = len(rig.events)
    source = random.Random(1)  # noqa: S311 - a seeded sample
    codes = source.sample([n for n in range(1, 30_000) if n not in ERROR_RULES], 1000)
    for number in codes:
        rig.gateway.send(4, 2, 5, number, "?", "")
    await rig.settle()
    found = orders(rig, mark)
    assert len(found) == 1000
    assert all(isinstance(event, LIVE) for event in found)


async def test_pacing_leaves_a_new_order_unknown_and_is_serious(rig: Rig) -> None:
    await rig.broker.send(submit(spec()))
    (event,) = await code(rig, 100)
    assert isinstance(event, ev.UnknownEvent)
    assert any(error.is_serious and error.code == 100 for error in rig.seen(ev.ErrorEvent))


async def test_202_is_a_cancel_asked_for_or_not(rig: Rig) -> None:
    await placed(rig)
    (event,) = await code(rig, 202)
    assert isinstance(event, ev.CancelEvent)
    assert event.code == 202


async def test_a_change_that_crosses_the_end_of_its_order_stops_nothing(rig: Rig) -> None:
    """The other exit has traded: TWS calls the change of what is gone a number used twice."""
    await placed(rig)
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, limit_price=Decimal("151.00"))))
    rig.gateway.send(*order_status(5, "Cancelled"))
    await rig.until(ev.CancelEvent)
    (event,) = await code(rig, 103)
    assert isinstance(event, ev.ModifyRejectEvent)
    assert not [one for one in rig.seen(ev.ErrorEvent) if one.needs_look]
    await rig.settle()
    assert not rig.gateway.count(8), "nobody doubts which numbers are free"


async def test_a_duplicate_id_asks_the_gateway_for_a_better_one(rig: Rig) -> None:
    await rig.broker.send(submit(spec()))
    await code(rig, 103)
    await rig.gateway.heard(8)
    rig.gateway.send(9, 1, 800)
    await rig.settle()
    assert rig.broker.reserve_order_ids(1, floor=1) == (800,)


async def test_the_size_that_the_broker_reduced_is_adopted(rig: Rig) -> None:
    await placed(rig)
    await code(rig, 481)
    mark = len(rig.events)
    rig.gateway.send(*open_order(5, ref=SINGLE, quantity=6))
    event = await rig.until(ev.AcceptEvent, after=mark)
    assert event.spec.quantity == 6


async def test_a_change_by_hand_in_tws_is_adopted(rig: Rig) -> None:
    await placed(rig)
    mark = len(rig.events)
    rig.gateway.send(*open_order(5, "PreSubmitted", ref=SINGLE, limit="149.0", warning="careful"))
    event = await rig.until(ev.AcceptEvent, after=mark)
    assert (str(event.spec.limit_price), event.warning) == ("149", "careful")


async def test_an_order_of_unknown_kind_counts_as_one_at_any_price(rig: Rig) -> None:
    rig.gateway.send(*open_order(9, ref="by hand", client_id=0, perm_id=31, type="PEG MKT"))
    event = await rig.until(ev.AcceptEvent)
    assert event.spec.order_type.value == "MARKET"
    assert "PEG MKT" in event.warning


async def test_the_account_and_its_positions_are_reported(rig: Rig) -> None:
    rig.gateway.send(6, 2, "NetLiquidation", "5000.25", "USD", "SIM0000001")
    rig.gateway.send(6, 2, "NetLiquidation", "1", "USD", "SIM0000002")
    rig.gateway.send(8, 1, "10:00")
    event = await rig.until(ev.AccountEvent)
    assert str(event.values.net_liquidation) == "5000.25"
    rig.gateway.send(61, 3, "SIM0000001", 1, "SPY", "OPT", "20261218", "500", "C", "100", "",
                     "USD", "SPY   261218C00500000", "SPY", "-2", "1234.0")  # fmt: skip
    report = await rig.until(ev.PositionReportEvent)
    assert (str(report.position.quantity), str(report.position.average_cost)) == ("-2", "12.34")


def test_messages_are_plain_values() -> None:
    assert m.End("positionEnd") == m.End("positionEnd", -1)


async def test_an_end_after_a_refusal_that_did_not_last_is_told(rig: Rig) -> None:
    """201 may be of a change: the order works on, and its cancel is news."""
    await placed(rig)
    assert isinstance((await code(rig, 201))[0], ev.RejectEvent)
    rig.gateway.send(*order_status(5, "Cancelled"))
    await rig.settle()
    assert not rig.seen(ev.CancelEvent), "what was refused has ended already"
    rig.gateway.send(*order_status(5, "Submitted"))
    rig.gateway.send(*order_status(5, "Cancelled"))
    await rig.settle()
    assert len(rig.seen(ev.CancelEvent)) == 1


async def test_the_first_of_two_changes_answers_only_itself(rig: Rig) -> None:
    """While the second is under way, a refusal is of it and not of the order."""
    await placed(rig)
    dearer = ModifyOrder(order_id=SINGLE, limit_price=Decimal(151))
    smaller = ModifyOrder(order_id=SINGLE, quantity=Decimal(5))  # a size waits for no second
    for change in (dearer, smaller):
        await rig.broker.send(approved(change))
    await rig.gateway.heard(3, times=3)
    mark = len(rig.events)
    rig.gateway.send(*open_order(5, ref=SINGLE, limit="151.0"))
    accepted = await rig.until(ev.AcceptEvent, after=mark)
    assert str(accepted.spec.limit_price) == "151"
    (event,) = await code(rig, 201)
    assert isinstance(event, ev.ModifyRejectEvent)
