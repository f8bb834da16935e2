"""Bars and indicators over a lost link: what was missed is asked for, and no fragment counts."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import DataRefused
from ibkr_trader.execution.studies import Studies
from tests.bad_days.stage import AAPL, a_day
from tests.execution.parts import START, Floor
from tests.execution.study_hall import MINUTE, SMA, VWAP, forming, hall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ibkr_trader.core.models import Bar
    from ibkr_trader.execution.trader import Trader
    from tests.bad_days.stage import Day


def lose_link(trader: Trader) -> None:
    trader.bus.publish(ev.DisconnectEvent(at=trader.clock.now(), epoch=1, reason="cut"))


async def test_after_a_lost_link_history_tells_what_was_missed() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        here.tick(10, "150")
        lose_link(trader)
        floor.clock.advance(170)
        here.studies.complete()
        await here.studies.mend()
        assert not here.told, "a bar without its last ticks is none"
        here.market.knows = tuple(forming(here.details, at=START + n * MINUTE) for n in range(3))
        asked = here.market.asked
        here.tick(171, "152")
        await here.studies.mend()
        await here.studies.mend()
        assert here.market.asked == asked + 1
        last = here.bar()
        assert last is not None
        assert last.at == START + MINUTE  # both that were missed are there
        here.tick(180, "149")
        (bar,) = here.told
        assert (bar.at, bar.open, bar.high) == (START + 2 * MINUTE, Decimal(151), Decimal(153))


async def test_without_history_after_a_lost_link_no_fragment_is_a_bar() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        here.tick(10, "150")
        here.market.refuses = DataRefused("162 no such history")
        value = here.value()
        lose_link(trader)
        floor.clock.advance(50)
        here.tick(50, "151")
        await here.studies.mend()
        for second in (55, 60, 120):
            here.tick(second, "152")
        assert [bar.at for bar in here.told] == [START + MINUTE]
        assert value is not None


async def test_a_link_that_is_lost_while_history_is_on_its_way_is_mended_again() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        here.market.gate = asyncio.Event()
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            tasks.create_task(here.studies.warm_up(here.details, MINUTE, [SMA]))
            await here.market.was_asked.wait()
            lose_link(trader)
            here.market.gate.set()
        assert here.market.asked == 1
        here.tick(1, "150")
        here.tick(61, "150")
        assert not here.told
        await here.studies.mend()
        assert here.market.asked == 2
        here.tick(62, "150")
        here.tick(120, "150")
        assert here.told


@asynccontextmanager
async def studied(folder: Path) -> AsyncIterator[Tape]:
    """Study AAPL on a gateway, from the beginning of a minute on."""
    async with a_day(folder) as day, day.open_desk():
        tape = Tape(day)
        async with day.meanwhile():
            details = await day.trader.learn("AAPL")
            await day.trader.price(details.contract, timeout=5)
            await day.quiet()
            await tape.studies.warm_up(details, MINUTE, [VWAP])
        await tape.to_the_minute()
        tape.told.clear()
        yield tape


class Tape:
    """What trades on a day over TCP, and the bars that come of it."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.told: list[Bar] = []
        self.studies = Studies(day.trader)
        self.studies.on_bar = lambda _details, _size, bar: self.told.append(bar)

    @property
    def volumes(self) -> list[Decimal | None]:
        return [bar.volume for bar in self.told]

    def trade(self, price: str, size: int) -> None:
        """Let others trade."""
        market = self.day.exchange.market
        market.print_trade(AAPL, price=Decimal(price), size=Decimal(size))
        self.day.server.pulse()

    async def to_the_minute(self) -> None:
        """Let the rest of the minute pass."""
        await self.day.wait(60 - self.day.trader.clock.now().second)
        self.studies.complete()


async def test_over_tcp_what_trades_is_counted(tmp_path: Path) -> None:
    async with studied(tmp_path) as tape:
        for price, size in (("150", 300), ("151", 200)):
            tape.trade(price, size)
            await tape.to_the_minute()
        assert tape.volumes == [300, 200]


async def test_over_tcp_a_lost_link_makes_no_fragment(tmp_path: Path) -> None:
    async with studied(tmp_path) as tape:
        day = tape.day
        tape.trade("151", 10)
        await day.wait(10)
        await day.lose_link()
        tape.trade("170", 5_000)  # nobody hears of it
        await day.until(lambda: not day.trader.outlook.is_synced)
        await day.until(lambda: day.trader.outlook.is_synced)
        await day.wait(2)
        async with day.meanwhile():
            await tape.studies.mend()
        tape.trade("151", 70)
        await tape.to_the_minute()
        tape.trade("151", 80)
        await tape.to_the_minute()
        seam, last = tape.volumes
        assert seam is not None
        assert seam > 5_000  # what history has of that minute, and the 70
        assert last == 80
