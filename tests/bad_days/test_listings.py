"""1.F10: a contract gets another ticker, another number, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.errors import RiskCheckError, TraderError
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.placing import Wait
from tests.bad_days.judges import assert_over, assert_sound
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, MSFT, Day

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract

SENT = ("placeOrder", "modifyOrder", "cancelOrder")


async def held(day: Day) -> Contract:
    """Hold AAPL under a bracket, and let nothing more be sent from here on."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.quiet()
    (position,) = await day.desk.get_positions()
    return position.contract


async def closed(day: Day) -> None:
    """End whatever is held, as `close` does, and find nothing left."""
    (position,) = await day.desk.get_positions()
    async with day.meanwhile():
        await close_contract(day.trader, position.contract, timeout=10)
    await day.wait(3)
    assert_over(day)
    assert_sound(day, AAPL)


async def test_f_f10_another_ticker_is_the_same_position_and_the_same_orders(day: Day) -> None:
    await held(day)
    before = len(day.wire.sent(*SENT))
    acts = day.exchange.listing_acts
    await day.others(lambda now: acts.rename(AAPL, symbol="APLX", now=now))
    await day.lose_link()
    await day.wait(30)
    assert len(day.wire.sent(*SENT)) == before
    assert_sound(day, AAPL)
    await closed(day)
    await day.desk.submit_order(single(5, symbol="APLX"), wait=Wait.FILLED)
    assert day.ledger.positions() == {AAPL: 5}
    assert [one.contract.con_id for one in await day.desk.get_positions()] == [AAPL]
    assert_sound(day, AAPL, is_protected=False)


async def test_f_f10_what_is_delisted_is_frozen_and_said(day: Day) -> None:
    contract = await held(day)
    acts = day.exchange.listing_acts
    before = len(day.wire.sent("placeOrder"))
    await day.others(lambda now: acts.delist(AAPL, now=now))
    await day.wait(120, step=2)
    placed = len(day.wire.sent("placeOrder"))
    assert placed - before <= 3  # it was tried to put the stop back, and not for ever
    assert day.said("AAPL")
    with pytest.raises(TraderError):
        async with day.meanwhile():
            await day.desk.submit_order(single(5))
    with pytest.raises(TraderError):
        async with day.meanwhile():
            await close_contract(day.trader, contract, timeout=10)
    await day.wait(60, step=2)
    assert len(day.wire.sent("placeOrder")) - placed <= 1
    assert day.ledger.positions() == {AAPL: 10}
    assert not day.ledger.live()
    assert_sound(day, AAPL, is_protected=False)


async def test_f_f10_a_position_under_another_number_is_taken_over_and_opens_nothing(
    day: Day,
) -> None:
    await held(day)
    await day.desk.submit_order(single(5, symbol="MSFT"), wait=Wait.FILLED)
    acts = day.exchange.listing_acts
    await day.others(lambda now: acts.convert(AAPL, into=MSFT, now=now))
    before = len(day.wire.sent("placeOrder"))
    with pytest.raises(RiskCheckError, match=r"The broker holds 15 MSFT, our books 5"):
        await day.desk.submit_order(single(1, symbol="MSFT"))
    await day.wait(30)
    assert len(day.wire.sent("placeOrder")) == before
    assert day.ledger.positions() == {MSFT: 15}
    assert_sound(day, MSFT, is_protected=False)
    with pytest.raises(TraderError):
        async with day.meanwhile():
            await day.desk.submit_order(single(1))
