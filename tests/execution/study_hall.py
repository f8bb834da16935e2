"""A trader's studies on an exchange in this process, and a market whose history a test rules."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.models import Bar, ContractDetails, Quote
from ibkr_trader.execution.studies import Studies
from ibkr_trader.sim.market_data import SimulatedMarketData
from tests.execution.parts import START, Floor

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import Contract
    from ibkr_trader.execution.trader import Trader

MINUTE = timedelta(minutes=1)
SMA, OTHER = ("sma", (Decimal(3),)), ("sma", (Decimal(5),))
VWAP: tuple[str, tuple[Decimal, ...]] = ("vwap", ())


class Market(SimulatedMarketData):
    """The simulator's, which can refuse its history, hold it back, and counts who asks."""

    asked = 0
    was_asked: asyncio.Event
    refuses: BrokerUnavailable | None = None
    gate: asyncio.Event | None = None
    knows: tuple[Bar, ...] = ()  # instead of what the exchange has from then on

    async def sold(self, contract: Contract) -> int:
        """How much was traded that day."""
        quote = await self.quote(contract, timeout=1)
        assert quote is not None
        assert quote.volume is not None
        return int(quote.volume)

    async def bars(
        self, contract: Contract, *, duration: str, bar_size: str, timeout: float | None = None
    ) -> tuple[Bar, ...]:
        self.asked += 1
        self.was_asked.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.refuses is not None:
            raise self.refuses
        bars = await super().bars(contract, duration=duration, bar_size=bar_size, timeout=timeout)
        return (*(b for b in bars if not self.knows or b.at < self.knows[0].at), *self.knows)


class Hall:
    """A trader's studies, every bar that they have told of, and the market behind them."""

    def __init__(self, floor: Floor, trader: Trader, details: ContractDetails) -> None:
        self.floor, self.trader, self.details = floor, trader, details
        self.market = Market(floor.exchange, clock=floor.clock)
        self.market.was_asked = asyncio.Event()
        trader.market = self.market
        self.studies = Studies(trader)
        self.told: list[Bar] = []
        self.studies.on_bar = lambda _details, _size, bar: self.told.append(bar)

    def tick(self, seconds: float, price: str, *, volume: int | None = None) -> None:
        """Let a trade happen so long after the start, and the day's volume be so much then."""
        at = START + timedelta(seconds=seconds)
        quote = Quote(
            contract=self.details.contract,
            at=at,
            last=Decimal(price),
            volume=None if volume is None else Decimal(volume),
        )
        self.trader.bus.publish(ev.PriceEvent(at=at, contract=quote.contract, quote=quote))

    def bar(self) -> Bar | None:
        """The last bar that counts."""
        study = self.studies.study("AAPL", MINUTE)
        assert study is not None
        return study.bar

    def value(self, key: tuple[str, tuple[Decimal, ...]] = SMA) -> Decimal | None:
        study = self.studies.study("AAPL", MINUTE)
        assert study is not None
        return study.value(key)


def forming(details: ContractDetails, *, at: datetime = START) -> Bar:
    """Return a bar as the broker has it, which may be under way."""
    open_, high, low, close, volume = (Decimal(n) for n in (151, 153, 147, 151, 700))
    return Bar(
        contract=details.contract,
        at=at,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=volume,
    )


async def hall(floor: Floor, trader: Trader) -> Hall:
    details = await trader.learn("AAPL")
    await trader.price(details.contract, timeout=1)
    return Hall(floor, trader, details)
