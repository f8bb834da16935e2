"""Sizes from a whole desk: the broker's prices and bars, the journal's trips."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.models import Bar, Contract, OrderRequest
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.sizing import record_of, size
from ibkr_trader.risk.sizing import AtrRisk, CannotSize, FixedRisk, Kelly
from ibkr_trader.risk.volatility import PERIOD
from ibkr_trader.rules.bar_sizes import duration_for
from ibkr_trader.sim.market_data import SimulatedMarketData
from tests.execution.parts import Floor, request

HUNDRED = FixedRisk(amount=Decimal(100))
STOP = OrderRequest(
    symbol="AAPL",
    quantity=Decimal(1),
    side=Side.SELL,
    order_type=OrderType.STOP,
    stop_price=Decimal(145),
)


async def test_the_market_is_the_entry_where_no_limit_is_given() -> None:
    async with Floor().trader() as trader:
        found = await size(trader, HUNDRED, request(), stop=STOP)
        assert found.quantity == 19  # bought at 150.01
        assert (await size(trader, HUNDRED, request(limit="150"), stop=STOP)).quantity == 20


async def test_a_trail_stands_behind_the_entry_on_either_side() -> None:
    async with Floor().trader() as trader:
        trail = msgspec.structs.replace(
            STOP, order_type=OrderType.TRAIL, stop_price=None, trail_amount=Decimal(4)
        )
        entry = request(limit="150")
        assert (await size(trader, HUNDRED, entry, stop=trail)).quantity == 25
        percent = msgspec.structs.replace(trail, trail_amount=None, trail_percent=Decimal(2))
        assert (await size(trader, HUNDRED, entry, stop=percent)).quantity == 33
        short = msgspec.structs.replace(entry, side=Side.SELL)
        above = msgspec.structs.replace(trail, side=Side.BUY)
        assert (await size(trader, HUNDRED, short, stop=above)).quantity == 25


async def test_the_average_range_comes_from_daily_bars() -> None:
    async with Floor().trader() as trader:
        rule = AtrRisk(multiple=Decimal(2), risk=HUNDRED)
        found = await size(trader, rule, request(limit="150"), stop=None)
        assert found.stop is not None
        assert found.quantity * (150 - found.stop) <= 100


class Far(SimulatedMarketData):
    """The simulator's market data, which notes how far back it is asked."""

    durations: tuple[str, ...] = ()

    async def bars(self, contract: Contract, **words: Any) -> tuple[Bar, ...]:
        self.durations += (words["duration"],)
        return await super().bars(contract, **words)


async def test_the_average_range_settles_over_three_periods_whatever_tws_counts() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        trader.market = market = Far(floor.exchange, clock=floor.clock)
        rule = AtrRisk(multiple=Decimal(2), risk=HUNDRED)
        await size(trader, rule, request(limit="150"), stop=None)
    assert market.durations == (duration_for(3 * PERIOD, timedelta(days=1)),)


async def test_an_entry_by_a_stop_is_sized_from_its_trigger() -> None:
    async with Floor().trader() as trader:
        breakout = msgspec.structs.replace(
            request(), order_type=OrderType.STOP, stop_price=Decimal(155)
        )
        assert (await size(trader, HUNDRED, breakout, stop=STOP)).quantity == 10


async def test_an_account_whose_worth_nobody_states_has_no_size() -> None:
    async with Floor().trader() as trader:
        trader.outlook.portfolio = msgspec.structs.replace(trader.portfolio, values=None)
        with pytest.raises(CannotSize, match="has not stated"):
            await size(trader, HUNDRED, request(), stop=STOP)


async def test_trips_are_read_from_the_journal_and_strangers_left_out() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        desk = Desk(trader, timeout=5)
        assert (await record_of(trader)).count == 0
        await desk.submit_order(request(), wait=Wait.FILLED)
        assert (await record_of(trader)).count == 0
        floor.move(trader, "155.00", "155.02")
        out = msgspec.structs.replace(request(), side=Side.SELL)
        await desk.submit_order(out, wait=Wait.FILLED)
        record = await record_of(trader)
        assert (record.wins, record.losses) == (1, 0)
        costs = [m for _, m in journal.messages() if isinstance(m, ev.CommissionEvent)]
        assert len(costs) == 2
        paid = sum((one.commission for one in costs), Decimal(0))
        assert record.average_win == 10 * (Decimal("155.00") - Decimal("150.01")) - paid
        with pytest.raises(CannotSize, match="1 trips are on record"):
            await size(trader, Kelly(), request(), stop=STOP)
