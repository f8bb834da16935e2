"""What-if orders: both brokers answer alike, and nothing is kept of the question."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.enums import OcaType, OrderType, Side
from ibkr_trader.core.errors import BrokerUnavailable, OrderRejectedError
from ibkr_trader.core.models import WhatIf
from tests.contract.conftest import Opener, Pit
from tests.contract.orders import bracket, limit, order, settled, submit


async def test_it_says_what_an_order_would_tie_up_and_cost(pit: Pit) -> None:
    answer = await pit.broker.what_if(limit(pit, 1, "150.00"), timeout=2)
    assert answer.initial_margin_change is not None
    assert Decimal(300) < answer.initial_margin_change < Decimal(1500)  # a part of 10 x 150
    assert answer.initial_margin == answer.initial_margin_change  # there was nothing before
    assert answer.equity_with_loan is not None
    assert answer.equity_with_loan > Decimal(900_000)
    assert (answer.commission, answer.commission_currency) == (Decimal(1), "USD")


async def test_nothing_is_kept_of_the_question(pit: Pit) -> None:
    spec = order(pit, 1)
    before = len(pit.events)
    await pit.broker.what_if(spec, timeout=2)
    pit.pulse()
    snapshot = await pit.broker.snapshot()
    assert (snapshot.open_orders, snapshot.completed_orders, snapshot.fills) == ((), (), ())
    assert snapshot.positions == ()
    assert pit.story(spec.order_id) == []
    assert not [e for e in pit.events[before:] if getattr(e, "order_id", "")]


async def test_its_number_is_used_up(pit: Pit) -> None:
    (first,) = pit.broker.reserve_order_ids(1, floor=1)
    await pit.broker.what_if(order(pit, 1), timeout=2)
    (last,) = pit.broker.reserve_order_ids(1, floor=1)
    assert last == first + 3  # the order's own, the question's


async def test_an_exit_is_asked_about_by_itself(pit: Pit) -> None:
    _, _, stop = bracket(pit, 1)
    alone = msgspec.structs.replace(stop, oca_group="k7qav-1", oca_type=OcaType.REDUCE)
    answer = await pit.broker.what_if(alone, timeout=2)
    assert answer.commission is not None


async def test_a_refusal_is_told_in_the_brokers_words(pit: Pit) -> None:
    with pytest.raises(OrderRejectedError, match="minimum price variation") as refused:
        await pit.broker.what_if(limit(pit, 1, "150.001"), timeout=2)
    assert refused.value.code == 110


async def test_an_order_beyond_the_account_is_answered_with_a_warning(pit: Pit) -> None:
    answer = await pit.broker.what_if(order(pit, 1, quantity=Decimal(900_000)), timeout=2)
    assert "margin" in answer.warning.lower() or "equity" in answer.warning.lower()


async def test_what_reduces_frees_margin(pit: Pit) -> None:
    await pit.send(submit(order(pit, 1)))
    await settled(pit)
    pit.pulse()
    spec = order(pit, 2, side=Side.SELL, order_type=OrderType.MARKET)
    answer = await pit.broker.what_if(spec, timeout=2)
    assert answer.initial_margin_change is not None
    assert answer.initial_margin_change < 0


async def test_questions_of_two_tasks_get_their_own_answers(pit: Pit) -> None:
    async def ask(n: int, quantity: int) -> WhatIf:
        return await pit.broker.what_if(order(pit, n, quantity=Decimal(quantity)), timeout=5)

    small, large = await asyncio.gather(ask(1, 10), ask(2, 1000))
    assert small.initial_margin_change is not None
    assert large.initial_margin_change is not None
    assert large.initial_margin_change > 50 * small.initial_margin_change


async def test_without_a_link_nobody_answers(reopen: Opener) -> None:
    async with reopen() as pit:
        await settled(pit)
        spec = order(pit, 1)
    with pytest.raises(BrokerUnavailable):
        await pit.broker.what_if(spec, timeout=1)
