"""Prices are asked for of whatever is held or works."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.models import Contract, Quote
from ibkr_trader.execution import watchlist
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.execution.trader import Trader
from ibkr_trader.execution.watchlist import Watchlist
from tests.execution.parts import AAPL, Floor, request


class Asked:
    """The market data of a trader, every question on record; the first `misses` are in vain."""

    def __init__(self, trader: Trader, *, misses: int = 0) -> None:
        self.quotes: list[int] = []
        self.learned: list[str] = []
        self._misses = misses
        self._quote, self._resolve = trader.market.quote, trader.market.resolve
        self._changed = asyncio.Event()
        trader.market.quote = self.quote  # type: ignore[method-assign] # a listener in between
        trader.market.resolve = self.resolve  # type: ignore[method-assign,assignment] # as above

    async def quote(self, contract: Contract, *, timeout: float) -> Quote | None:
        self.quotes.append(contract.con_id)
        self._changed.set()
        if len(self.quotes) == self._misses:
            return None
        if len(self.quotes) < self._misses:
            raise BrokerUnavailable("no link")
        return await self._quote(contract, timeout=timeout)

    async def resolve(self, symbol: str, **more: str) -> object:
        self.learned.append(symbol)
        return await self._resolve(symbol, currency=more["currency"])

    async def count(self, number: int) -> None:
        async with asyncio.timeout(20):
            while len(self.quotes) < number:
                self._changed.clear()
                await self._changed.wait()


async def test_what_is_held_or_works_is_watched_once() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        desk, watch = Desk(trader), Watchlist(trader)
        assert watch.wanted == []
        await desk.submit_order(request(), wait=Wait.FILLED)
        await desk.submit_order(request(limit="140.00"))
        assert [contract.con_id for contract in watch.wanted] == [AAPL]
        asked = Asked(trader)
        async with alongside(watch.work()):
            await asked.count(1)
            await asyncio.sleep(0)
            trader.bus.publish(ev.SyncEvent(at=floor.clock.now(), epoch=2))
            await asyncio.sleep(0)
        assert (asked.quotes, asked.learned) == ([AAPL], ["AAPL"])
        assert watch.wanted == []


async def test_hours_are_learned_again_on_another_day() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        watch, asked = Watchlist(trader), Asked(trader)
        async with alongside(watch.work()):
            await asked.count(1)
            await asyncio.sleep(0)
            assert watch.wanted == []
            floor.clock.advance(timedelta(days=1).total_seconds())
            assert [contract.con_id for contract in watch.wanted] == [AAPL]


async def test_what_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchlist, "AGAIN", 0.02)
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        watch, asked = Watchlist(trader), Asked(trader, misses=2)
        async with alongside(watch.work()):
            await asked.count(3)
            await asyncio.sleep(0)
        assert watch.wanted == []
