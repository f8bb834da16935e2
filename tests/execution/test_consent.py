"""A person agrees to what is opened on a live desk: by typing, or with yes once it is armed."""

from __future__ import annotations

import pytest

from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.errors import TraderError
from ibkr_trader.execution.arming_watch import GRANTED
from ibkr_trader.execution.consent import agreed, asked_by
from ibkr_trader.execution.placing import prepare, route
from tests.execution.arming_stage import Person, arm, live
from tests.execution.parts import START, request


async def test_the_account_is_typed_for_one_command() -> None:
    async with live() as desk:
        person = Person()
        with asked_by(person):
            assert await desk.opens()
            assert not desk.watch.arming(as_typed=False).is_armed(START)
        assert person.asked == [
            "BUY 10 AAPL goes to the LIVE account SIM0000001. Type the account's id to send it:"
        ]
        assert not await desk.opens(11), "the next command is asked again"


async def test_a_wrong_id_sends_nothing() -> None:
    async with live() as desk:
        with asked_by(Person(answer="SIM0000002")), pytest.raises(TraderError, match="else"):
            await desk.opens()
        assert not desk.trader.portfolio.orders


async def test_what_was_typed_holds_for_a_minute() -> None:
    async with live() as desk:
        with asked_by(Person()):
            assert await desk.opens()
            desk.shelf.pass_on(GRANTED)
            assert not desk.is_armed


async def test_nobody_is_asked_where_nobody_sits() -> None:
    async with live() as desk:
        person = Person(is_attended=False)
        with asked_by(person):
            assert not await desk.opens()
        assert person.asked == []


async def test_an_armed_desk_asks_for_a_yes_once_a_command() -> None:
    async with live() as desk:
        arm(desk)
        person = Person()
        with asked_by(person):
            assert await desk.opens()
            command = (await prepare(desk.trader, request(11, limit="139"))).command
            await agreed(desk.trader, command)
        assert person.asked == ["BUY 10 AAPL goes to the LIVE account SIM0000001. Send it?"]
        with asked_by(Person(answer=None)), pytest.raises(TraderError, match="no"):
            await desk.opens(12)


async def test_what_lowers_risk_is_never_asked_about() -> None:
    async with live() as desk:
        person = Person()
        with asked_by(person):
            assert await desk.opens()
        (order_id,) = desk.trader.portfolio.orders
        nobody = Person(answer=None)
        with asked_by(nobody):
            smaller = ModifyOrder(order_id=order_id, quantity=request(5).quantity)
            await agreed(desk.trader, smaller)
            await agreed(desk.trader, CancelOrder(order_id=order_id))
            await route(desk.trader, CancelOrder(order_id=order_id))
        assert nobody.asked == []


async def test_a_change_that_opens_more_is_asked_about() -> None:
    async with live() as desk:
        with asked_by(Person()):
            assert await desk.opens()
        (order_id,) = desk.trader.portfolio.orders
        person = Person(answer="no")
        larger = ModifyOrder(order_id=order_id, quantity=request(20).quantity)
        with asked_by(person), pytest.raises(TraderError):
            await route(desk.trader, larger)
        assert person.asked[0].startswith(f"The change of {order_id} goes to the LIVE account")
