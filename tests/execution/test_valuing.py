"""Prices of what is held: asked for at the same time, and no longer than need be."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.models import Quote
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.valuing import quoted, value
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from tests.bad_days.requests import single
from tests.bad_days.stage import AAPL, MSFT, Day, a_day

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ibkr_trader.core.models import Contract

D = Decimal
TICKS = ("tickPrice", "tickSize", "tickString", "tickGeneric")


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Day]:
    """A gateway that a desk has bought AAPL and MSFT on, and left."""
    async with a_day(tmp_path) as opened:
        opened.exchange.market.set_quote(MSFT, bid=D("299.98"), ask=D("300.02"))
        async with opened.open_desk():
            for symbol in ("AAPL", "MSFT"):
                await opened.desk.submit_order(single(symbol=symbol), wait=Wait.FILLED)
        yield opened


def contract(day: Day, con_id: int) -> Contract:
    return day.trader.portfolio.positions[con_id].contract


def asked(day: Day) -> int:
    return len(day.wire.sent("reqMktData"))


async def test_a_review_prices_what_is_held_and_once_is_enough(floor: Day) -> None:
    async with floor.open_desk():
        before, trader = asked(floor), floor.trader
        assert [one.con_id for one in trader.outlook.unvalued] == [AAPL, MSFT]
        await trader.study(contract(floor, AAPL), timeout=3)
        assert asked(floor) == before + 2
        assert trader.outlook.unvalued == []
        assert trader.outlook.pnl.net is not None
        await trader.study(contract(floor, AAPL), timeout=3)
        assert asked(floor) == before + 2


async def test_what_only_closes_waits_for_nothing_else(floor: Day) -> None:
    async with floor.open_desk():
        before = asked(floor)
        await floor.trader.study(contract(floor, AAPL), timeout=3, opens=False)
        assert asked(floor) == before + 1


async def test_after_a_lost_link_they_are_asked_for_again(floor: Day) -> None:
    async with floor.open_desk():
        await value(floor.trader, floor.trader.outlook.unvalued, timeout=3)
        assert floor.trader.outlook.unvalued == []
        floor.faults.arm(Fault(when=When(names=TICKS, times=0, answers=True), act=rules.Drop()))
        await floor.lose_link()
        await floor.wait(20)
        assert [one.con_id for one in floor.trader.outlook.unvalued] == [AAPL, MSFT]


async def test_outside_trading_hours_the_last_price_is_enough(floor: Day) -> None:
    """Nobody quotes a side, which a quote waits for; the worth of what is held needs none."""
    async with floor.open_desk():
        tape = floor.exchange.market.tape(MSFT)
        assert tape.close is not None
        floor.exchange.market.set_quote(MSFT, bid=None, ask=None, last=D(300))
        at = floor.time.monotonic()
        async with asyncio.timeout(0.1):  # in which no time passes
            await quoted(
                floor.trader,
                contract(floor, AAPL),
                beside=[contract(floor, MSFT)],
                timeout=3,
            )
        assert floor.time.monotonic() == at
        assert floor.trader.portfolio.marks[MSFT] == 300


async def test_what_stays_silent_is_waited_for_so_long_and_is_unknown(floor: Day) -> None:
    async with floor.open_desk():
        floor.faults.arm(Fault(when=When(names=TICKS, times=0, answers=True), act=rules.Drop()))
        at = floor.time.monotonic()
        async with floor.meanwhile(within=10):
            await value(floor.trader, floor.trader.outlook.unvalued, timeout=3)
        assert 3 <= floor.time.monotonic() - at <= 5  # for both of them together
        assert floor.trader.outlook.pnl.net is None


async def test_a_link_that_is_down_is_told(floor: Day) -> None:
    async with floor.open_desk():
        wanted = [contract(floor, MSFT)]
        floor.trader.market._connection.close()  # type: ignore[attr-defined]
        with pytest.raises(BrokerUnavailable):
            await value(floor.trader, wanted, timeout=3)


async def test_a_quote_that_is_given_is_a_price(floor: Day) -> None:
    async with floor.open_desk():
        one = contract(floor, MSFT)
        quote = Quote(contract=one, at=floor.time.now(), last=D(7), close=D(8))
        floor.trader.outlook.confirm(MSFT, quote)
        portfolio = floor.trader.portfolio
        assert (portfolio.marks[MSFT], portfolio.closes[MSFT].price) == (D(7), D(8))
