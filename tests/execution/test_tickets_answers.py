"""What the broker says of a ticket: an answer, a refusal or silence, and nothing is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderType
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.models import OrderSpec, WhatIf
from ibkr_trader.execution.placing import prepare
from ibkr_trader.execution.tickets import LIFETIME, MOST_ASKED, ask_broker
from ibkr_trader.execution.trader import Trader
from tests.execution.parts import FallibleBroker, Floor, request
from tests.execution.test_tickets import bracket
from tests.risk.world import D


@pytest.fixture
async def trader() -> AsyncIterator[Trader]:
    async with Floor().trader() as running:
        yield running


async def test_the_broker_is_asked_about_entries_only(trader: Trader) -> None:
    prepared = await prepare(trader, bracket())
    (answer,) = await ask_broker(trader, prepared.command)
    assert answer.order_id == prepared.command.orders[0].order_id
    assert answer.what_if is not None
    assert answer.what_if.commission == 1
    assert not answer.is_refused
    assert not trader.portfolio.orders


async def test_a_refusal_and_a_silence_are_answers_too(trader: Trader) -> None:
    prepared = await prepare(trader, bracket())
    entry = msgspec.structs.replace(
        prepared.command.orders[0], order_type=OrderType.LIMIT, limit_price=D("150.001")
    )
    command = SubmitOrders(group_id=entry.group_id, orders=(entry,))
    (answer,) = await ask_broker(trader, command)
    assert answer.is_refused
    assert (answer.code, answer.what_if) == (110, None)


class Mute(FallibleBroker):
    asked = 0

    async def what_if(self, spec: OrderSpec, *, timeout: float) -> WhatIf:
        self.asked += 1
        message = "nobody answers"
        raise BrokerUnavailable(message)


async def test_who_does_not_answer_is_not_asked_again(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = await prepare(trader, request(1, limit="140"))
    (spec,) = prepared.command.orders
    many = SubmitOrders(group_id=spec.group_id, orders=(spec,) * 9)
    assert len(await ask_broker(trader, many)) == MOST_ASKED
    monkeypatch.setattr(trader.broker, "what_if", Mute.what_if.__get__(trader.broker))
    monkeypatch.setattr(trader.broker, "asked", 0, raising=False)
    (answer,) = await ask_broker(trader, many)
    assert (answer.words, answer.is_refused, answer.what_if) == ("nobody answers", False, None)


def test_a_minute_is_a_minute() -> None:
    assert timedelta(minutes=1) == LIFETIME
    assert Decimal("0.005") * 150 == Decimal("0.75")
