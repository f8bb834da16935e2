"""A what-if on the wire: it cannot trade, it disturbs nothing, and every answer is told apart."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from ibkr_trader.adapters.ibkr.connection import LinkState
from ibkr_trader.adapters.ibkr.what_if import fill_in_question, proven_question
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OcaType, OrderType
from ibkr_trader.core.errors import BrokerUnavailable, InvariantBroken, OrderRejectedError
from ibkr_trader.core.models import OrderId, WhatIf
from tests.adapters.ibkr.conftest import Rig
from tests.adapters.ibkr.orders import bracket, field, hold, release, spec, submit
from tests.adapters.ibkr.stub_gateway import ACCOUNT, UNSET, open_order

PLACE = 3
NINE = ("0", "0", "1000000", "750.5", "375", "-1", "750.5", "375", "999999")
FIGURES = (*NINE, "1.0", UNSET, UNSET, "USD", "")


def answer(number: int, *figures: str) -> tuple[object, ...]:
    """Return what TWS says to a what-if: openOrder, flagged, with the state's figures."""
    message = list(open_order(number, "PreSubmitted"))
    at = message.index("PreSubmitted")
    message[at - 1] = 1
    message[at + 1 : at + 1 + len(figures)] = figures
    return tuple(message)


def answering(*messages: tuple[str, ...]) -> Any:
    """Answer each placeOrder with these figures, one message after the other."""
    return lambda fields: [answer(int(fields[1]), *figures) for figures in messages]


def refusing(code: int, text: str) -> Any:
    return lambda fields: [(4, 2, fields[1], code, text, "")]


async def test_the_answer_is_read_in_decimals_and_what_is_unset_is_none(rig: Rig) -> None:
    rig.gateway.answers[PLACE] = answering(FIGURES)
    told = await rig.broker.what_if(spec(), timeout=2)
    assert told == WhatIf(
        initial_margin=Decimal("750.5"),
        maintenance_margin=Decimal(375),
        equity_with_loan=Decimal(999999),
        initial_margin_change=Decimal("750.5"),
        commission=Decimal(1),
        commission_currency="USD",
    )


async def test_a_range_of_commissions_and_a_warning_come_through(rig: Rig) -> None:
    rig.gateway.answers[PLACE] = answering((*NINE, UNSET, "1.0", "2.5", "USD", "Mind this."))
    told = await rig.broker.what_if(spec(), timeout=2)
    assert (told.commission, told.min_commission, told.max_commission) == (
        None,
        Decimal(1),
        Decimal("2.5"),
    )
    assert told.warning == "Mind this."


async def test_an_answer_without_figures_is_not_the_answer_yet(rig: Rig) -> None:
    empty, blank = (*[UNSET] * 12, "", "Mind this."), ("",) * 9
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(rig.broker.what_if(spec(), timeout=5))
        number = int((await rig.gateway.heard(PLACE))[1])
        for figures in (empty, blank):
            rig.gateway.send(*answer(number, *figures))
            await rig.settle()
            assert not waiting.done()
        rig.gateway.send(*answer(number, *FIGURES))
    assert waiting.result().commission == 1
    assert waiting.result().warning == "Mind this."


async def test_what_was_said_counts_if_no_figures_come(rig: Rig) -> None:
    rig.gateway.answers[PLACE] = answering((*[UNSET] * 9, "1.0", "", "", "USD", "no margin"))
    told = await rig.broker.what_if(spec(), timeout=0.2)
    assert told == WhatIf(commission=Decimal(1), commission_currency="USD", warning="no margin")


async def test_the_frame_asks_about_the_order_alone_and_is_nobodys(rig: Rig) -> None:
    rig.gateway.answers[PLACE] = answering(FIGURES)
    _, _, stop = bracket()
    tied = msgspec.structs.replace(stop, oca_group="k7qav-17", oca_type=OcaType.REDUCE)
    await rig.broker.what_if(tied, timeout=2)
    asked = await rig.gateway.heard(PLACE)
    await rig.broker.send(submit(tied_alone := msgspec.structs.replace(stop, parent_id=None)))
    placed = await rig.gateway.heard(PLACE, times=2)
    assert field(asked, "ref") == ""
    assert field(asked, "oca") == ""
    assert (field(asked, "parent"), field(asked, "transmit")) == ("0", "1")
    assert (field(asked, "account"), field(asked, "tif")) == (ACCOUNT, "GTC")
    assert int(asked[1]) != tied_alone.broker_order_id
    different = [(was, now) for was, now in zip(asked[2:], placed[2:], strict=True) if was != now]
    assert different == [("", tied_alone.order_id), ("1", "0")]  # its name, and the flag


async def test_a_number_is_used_once(rig: Rig) -> None:
    rig.gateway.answers[PLACE] = answering(FIGURES)
    await rig.broker.what_if(spec(number=1), timeout=2)
    asked = await rig.gateway.heard(PLACE)
    assert rig.broker.reserve_order_ids(1, floor=1) == (int(asked[1]) + 1,)


async def test_nothing_is_told_of_it(rig: Rig) -> None:
    rig.gateway.answers[PLACE] = answering(FIGURES)
    before = len(rig.events)
    await rig.broker.what_if(spec(), timeout=2)
    rig.gateway.answers[PLACE] = refusing(201, "Order rejected - reason:no")
    with pytest.raises(OrderRejectedError):
        await rig.broker.what_if(spec(), timeout=2)
    await rig.settle()
    kinds = {type(event) for event in rig.events[before:]}
    assert kinds == {ev.ErrorEvent}  # the mark of `settle`
    assert len(rig.events) == before + 1


@pytest.mark.parametrize("code", [201, 110, 10311, 321, 103])
async def test_every_error_for_its_number_is_a_refusal(code: int, rig: Rig) -> None:
    rig.gateway.answers[PLACE] = refusing(code, "the reason")
    with pytest.raises(OrderRejectedError, match=f"{code} the reason") as refused:
        await rig.broker.what_if(spec(), timeout=2)
    assert (refused.value.code, refused.value.reason) == (code, "the reason")
    assert refused.value.order_id == spec().order_id


@pytest.mark.parametrize("code", [100, 124, 10063])
async def test_an_error_that_says_nothing_of_the_order_is_no_answer(code: int, rig: Rig) -> None:
    rig.gateway.answers[PLACE] = refusing(code, "not now")
    with pytest.raises(BrokerUnavailable, match="not now"):
        await rig.broker.what_if(spec(), timeout=2)


async def test_a_remark_is_no_refusal(rig: Rig) -> None:
    def remark(fields: list[str]) -> list[tuple[object, ...]]:
        number = int(fields[1])
        return [(4, 2, number, 399, "it waits for the opening", ""), answer(number, *FIGURES)]

    rig.gateway.answers[PLACE] = remark
    told = await rig.broker.what_if(spec(), timeout=2)
    assert told.warning == "it waits for the opening"
    assert told.commission == 1


async def test_silence_is_bounded_and_a_late_answer_goes_nowhere(rig: Rig) -> None:
    with pytest.raises(BrokerUnavailable, match=r"did not finish its answer to what BUY 10 AAPL"):
        await rig.broker.what_if(spec(), timeout=0.05)
    late = int((await rig.gateway.heard(PLACE))[1])
    rig.gateway.answers[PLACE] = lambda fields: [
        answer(late, *NINE, "9.0", "", "", "USD", ""),
        answer(int(fields[1]), *FIGURES),
    ]
    assert (await rig.broker.what_if(spec(), timeout=2)).commission == 1


async def test_one_leaves_in_a_second_and_orders_do_not_wait_for_it(rig: Rig) -> None:
    rig.gateway.answers[PLACE] = answering(FIGURES)
    await rig.broker.what_if(spec(), timeout=2)
    async with asyncio.TaskGroup() as group:
        group.create_task(rig.broker.what_if(spec(), timeout=5))
        await asyncio.sleep(0)
        assert len(rig.connection.lanes) == 1
        await rig.broker.send(submit(spec(number=77)))
        assert len(rig.connection.lanes) == 1  # the order has left, the question waits on
        assert (await rig.gateway.heard(PLACE, times=2))[1] == "77"
    assert rig.gateway.count(PLACE) == 3


async def test_orders_that_wait_beside_it_leave_first(rig: Rig) -> None:
    rig.gateway.answers[PLACE] = answering(FIGURES)
    rig.connection.lanes.is_open = False
    async with asyncio.TaskGroup() as group:
        group.create_task(rig.broker.what_if(spec(), timeout=5))
        await asyncio.sleep(0)
        await rig.broker.send(submit(spec(number=77)))
        assert len(rig.connection.lanes) == 2
        rig.connection.lanes.is_open = True
        await rig.broker.send(submit(spec("entry", number=78)))
    await rig.gateway.heard(PLACE, times=3)
    asked = [fields[1] for fields in rig.gateway.received if fields[0] == str(PLACE)]
    assert asked[:2] == ["77", "78"]


async def test_a_question_that_an_order_has_overtaken_is_asked_under_a_new_number(
    rig: Rig,
) -> None:
    """TWS takes no number out of turn, and would refuse the order that was only asked about."""
    rig.gateway.answers[PLACE] = answering(FIGURES)
    rig.connection.lanes.is_open = False
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(rig.broker.what_if(spec(), timeout=5))
        await asyncio.sleep(0)
        (number,) = rig.broker.reserve_order_ids(1, floor=1)
        rig.connection.lanes.is_open = True
        await rig.broker.send(submit(spec(number=number)))
    assert asked.result().commission == 1
    sent = [int(fields[1]) for fields in rig.gateway.received if fields[0] == str(PLACE)]
    assert sent == [number, number + 1]


async def test_a_question_that_is_overtaken_again_and_again_is_given_up_in_time(rig: Rig) -> None:
    async def ask() -> None:
        with pytest.raises(BrokerUnavailable, match="did not finish"):
            await rig.broker.what_if(spec(), timeout=0.1)

    hold(rig)
    async with asyncio.TaskGroup() as group:
        group.create_task(ask())
        for _ in range(3):
            for _ in range(5):  # by then it has been asked, again
                await asyncio.sleep(0)
            (number,) = rig.broker.reserve_order_ids(1, floor=1)
            await rig.broker.send(submit(spec(number=number)))
            release(rig)
            hold(rig)
    release(rig)
    await rig.gateway.heard(PLACE, times=3)
    sent = [field(fields, "ref") for fields in rig.gateway.received if fields[0] == str(PLACE)]
    assert sent == [spec().order_id] * 3, "the question itself has never left"


async def test_a_question_that_nobody_waits_for_does_not_leave(rig: Rig) -> None:
    rig.gateway.answers[PLACE] = answering(FIGURES)
    await rig.broker.what_if(spec(), timeout=2)
    with pytest.raises(BrokerUnavailable):
        await rig.broker.what_if(spec(), timeout=0.05)
    assert not len(rig.connection.lanes)
    assert rig.gateway.count(PLACE) == 1


async def test_a_link_that_is_lost_ends_the_wait(rig: Rig) -> None:
    def reset(_: list[str]) -> list[tuple[object, ...]]:
        rig.gateway.reset()
        return []

    rig.gateway.answers[PLACE] = reset
    with pytest.raises(BrokerUnavailable, match="failed"):
        await rig.broker.what_if(spec(), timeout=5)


async def test_where_ibkr_is_away_nobody_is_asked(rig: Rig) -> None:
    rig.gateway.send(4, 2, -1, 1100, "lost", "")
    await rig.until(ev.DisconnectEvent)
    assert rig.connection.state is LinkState.DEGRADED
    with pytest.raises(BrokerUnavailable, match="degraded"):
        await rig.broker.what_if(spec(), timeout=1)
    assert not rig.gateway.count(PLACE)


async def test_what_cannot_be_sent_cannot_be_asked(rig: Rig) -> None:
    with pytest.raises(InvariantBroken, match="the quantity"):
        await rig.broker.what_if(spec(quantity=Decimal("NaN")), timeout=1)
    assert not rig.gateway.count(PLACE)


def test_an_order_never_passes_for_a_question() -> None:
    with pytest.raises(InvariantBroken, match="as a question"):
        proven_question(SimpleNamespace(whatIf=False), encode=lambda _: "3\0")


@pytest.mark.parametrize(
    "encode",
    [
        lambda _: "3\0AAPL\0",  # the flag is left out
        lambda order: f"3\0{int(not order.whatIf)}\0",  # turned round
        lambda order: f"3\0{int(order.whatIf)}\0{int(order.whatIf)}\0",  # and something else
    ],
)
def test_a_frame_that_does_not_say_so_does_not_leave(encode: Any) -> None:
    with pytest.raises(InvariantBroken, match="does not say"):
        proven_question(SimpleNamespace(whatIf=True), encode=encode)


def test_a_question_is_filled_in_with_its_flag_and_without_a_name(rig: Rig) -> None:
    order = rig.connection.library.order()
    named = msgspec.structs.replace(
        spec(order_type=OrderType.MARKET, limit_price=None), order_id=OrderId("what-if")
    )
    fill_in_question(named, order)
    assert (order.whatIf, order.orderRef, order.transmit, order.parentId) == (True, "", True, 0)
