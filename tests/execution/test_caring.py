"""What is adopted is what is held when its orders are looked at, not a question before."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import GroupId
from ibkr_trader.execution.caring import CannotAdopt, NothingHeld, prepare_adoption
from ibkr_trader.orders.cover_orders import Attach
from ibkr_trader.orders.exit_levels import Level, Wanted
from ibkr_trader.sim.broker import SimulatedBroker
from ibkr_trader.sim.market_data import SimulatedMarketData
from ibkr_trader.sim.orders import OrderTerms
from tests.execution.parts import AAPL, Floor
from tests.orders.samples import values

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from ibkr_trader.core.models import Contract, Quote
    from ibkr_trader.execution.trader import Trader

STOP = Wanted(stop=Level(price=Decimal(140)))


class SlowMarket(SimulatedMarketData):
    """Prices that take their time: something happens before the first of them comes."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def quote(self, contract: Contract, *, timeout: float) -> Quote | None:
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            await act()
        return await super().quote(contract, timeout=timeout)


class Hands:
    """A person who trades AAPL elsewhere."""

    def __init__(self, floor: Floor, trader: Trader, market: SlowMarket) -> None:
        self.floor, self.trader, self.market = floor, trader, market
        self._number = 0

    async def trade(self, quantity: int) -> None:
        """Buy, or sell what is negative, and let the desk hear of it."""
        before = self.held
        self._number += 1
        terms = OrderTerms(
            con_id=AAPL,
            action="BUY" if quantity > 0 else "SELL",
            quantity=abs(Decimal(quantity)),
            order_type="MKT",
        )
        self.floor.exchange.place(7, self._number, terms=terms, now=self.floor.clock.now())
        assert isinstance(self.trader.broker, SimulatedBroker)
        self.trader.broker.advance()
        await self.trader.recovery.synchronize()
        assert self.held == before + quantity

    @property
    def held(self) -> Decimal:
        position = self.trader.portfolio.positions.get(AAPL)
        return position.quantity if position is not None else Decimal(0)


@pytest.fixture
async def hands() -> AsyncIterator[Hands]:
    floor = Floor()
    async with floor.trader() as trader:
        market = SlowMarket(floor.exchange, clock=floor.clock)
        trader.market = market
        person = Hands(floor, trader, market)
        await person.trade(10)
        yield person


@pytest.mark.parametrize(("traded", "most", "size"), [(-4, None, 6), (5, None, 15), (-4, 8, 6)])
async def test_what_is_traded_while_prices_come_is_in_its_size_and_on_record(
    hands: Hands, traded: int, most: int | None, size: int
) -> None:
    hands.market.meanwhile = lambda: hands.trade(traded)
    limit = Decimal(most) if most is not None else None
    found = await prepare_adoption(hands.trader, "AAPL", STOP, most=limit)
    assert found.position is hands.trader.portfolio.positions[AAPL]
    assert values(found.held, found.size) == (size, size)
    assert isinstance(found.request, Attach)
    assert values(found.request.side, found.request.quantity) == (Side.SELL, size)


async def test_what_is_sold_while_prices_come_is_not_adopted(hands: Hands) -> None:
    hands.market.meanwhile = lambda: hands.trade(-10)
    with pytest.raises(NothingHeld, match="no AAPL is held"):
        await prepare_adoption(hands.trader, "AAPL", STOP)


async def test_what_is_turned_while_prices_come_is_not_adopted(hands: Hands) -> None:
    """The levels were meant for the other side."""
    hands.market.meanwhile = lambda: hands.trade(-15)
    with pytest.raises(CannotAdopt, match="AAPL was turned from 10 to -5 meanwhile") as caught:
        await prepare_adoption(hands.trader, "AAPL", STOP)
    assert caught.value.hint == "ibkr-trader positions"


async def test_what_is_to_be_closed_while_prices_come_is_not_adopted(hands: Hands) -> None:
    contract = hands.trader.portfolio.positions[AAPL].contract
    asked = ev.CloseRequestEvent(
        at=hands.floor.clock.now(),
        group_id=GroupId("k7qav-9"),
        contract=contract,
        account=hands.trader.account,
    )

    async def close() -> None:
        hands.trader.record.write([asked])

    hands.market.meanwhile = close
    with pytest.raises(CannotAdopt, match="AAPL is being closed"):
        await prepare_adoption(hands.trader, "AAPL", STOP)
