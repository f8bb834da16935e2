"""A whole trader on an exchange in this process, and a broker that fails on purpose."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.errors import BrokerUnavailable, JournalError
from ibkr_trader.core.models import OrderRequest
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.outlook import RiskSettings
from ibkr_trader.execution.skew_watch import in_step
from ibkr_trader.execution.trader import Trader
from ibkr_trader.orders.cover_orders import CoverRules
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.sim.broker import SimulatedBroker
from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.market_data import SimulatedMarketData
from ibkr_trader.sim.orders import OrderTerms
from ibkr_trader.sim.universe import load_universe
from tests.limits import roomy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.core.models import Order
    from ibkr_trader.execution.ports import BrokerSnapshot, Journal

START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday, 10:00 in New York
AAPL = 265598
INSTALL = "k7qav"
LIMITS = roomy()


class Floor:
    """One exchange whose time stands still, with AAPL at 149.99 to 150.01."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.exchange = Exchange(ExchangeConfig(opened_at=START), load_universe(START.date()))
        self.quote("149.99", "150.01")

    def quote(self, bid: str, ask: str, *, size: int = 1000) -> None:
        """Set the market of AAPL; it acts at the next `advance`."""
        self.exchange.market.set_quote(
            AAPL,
            bid=Decimal(bid),
            ask=Decimal(ask),
            bid_size=Decimal(size),
            ask_size=Decimal(size),
            last=Decimal(bid),
        )

    def sell_as_another_client(self, quantity: int, *, limit: str) -> None:
        """Place an order that is not ours."""
        terms = OrderTerms(
            con_id=AAPL,
            action="SELL",
            quantity=Decimal(quantity),
            order_type="LMT",
            limit_price=Decimal(limit),
        )
        self.exchange.place(7, 1, terms=terms, now=self.clock.now())

    @asynccontextmanager
    async def trader(
        self,
        *,
        journal: Journal | None = None,
        handlers: Iterable[object] = (),
        guard: RiskGuard | None = None,
        ack_timeout: float = 5.0,
        deaf: bool = False,
        protection: CoverRules | None = None,
        duty: Duty = Duty.TRIM,
        equip: Callable[[Trader], object] = lambda _: None,
    ) -> AsyncIterator[Trader]:
        """Run a trader on the exchange; `deaf` gives it a broker that never answers.

        `equip` gives it parts of its own before it runs.
        """
        kind = DeafBroker if deaf else FallibleBroker
        journal = journal or MemoryJournal(INSTALL)
        broker = kind(self.exchange, clock=self.clock, install=journal.state.install)
        broker.open()
        trader = Trader(
            broker=broker,
            market=SimulatedMarketData(self.exchange, clock=self.clock),
            journal=journal,
            clock=self.clock,
            account="SIM0000001",
            guard=guard or RiskGuard(),
            settings=RiskSettings(limits=LIMITS),
            ack_timeout=ack_timeout,
            protection=protection or CoverRules(),
            duty=duty,
            handlers=handlers,
        )
        trader.outlook.book.skew = in_step
        equip(trader)
        async with trader.running():
            yield trader
            broker.close()

    def move(self, trader: Trader, bid: str, ask: str) -> None:
        """Move the market, and let the exchange act on it."""
        self.quote(bid, ask)
        assert isinstance(trader.broker, SimulatedBroker)
        trader.broker.advance()


class FallibleBroker(SimulatedBroker):
    """The exchange in process, until `is_gone` is set: then nothing can be sent or asked.

    It is set by itself once `gone_at` commands were sent.
    """

    is_gone = False
    gone_at: int | None = None
    sent = 0

    async def send(self, approved: Approved) -> None:
        if self.is_gone:
            message = "the link is disconnected"
            raise BrokerUnavailable(message)
        self.sent += 1
        await super().send(approved)
        if self.sent == self.gone_at:
            self.is_gone = True

    async def snapshot(self) -> BrokerSnapshot:
        if self.is_gone:
            message = "the link is disconnected"
            raise BrokerUnavailable(message)
        return await super().snapshot()


class DeafBroker(FallibleBroker):
    """Takes every order and says nothing about it, ever."""

    async def send(self, approved: Approved) -> None:
        del approved
        self.sent += 1


class FullDisk(MemoryJournal):
    """A journal whose disk can be full."""

    is_full = False

    def append(self, messages: Sequence[Command | BaseEvent]) -> int:
        if self.is_full:
            message = "no space left on the disk"
            raise JournalError(message)
        return super().append(messages)


async def take_away(trader: Trader, *orders: Order) -> None:
    """Let the broker cancel `orders` by itself, as nobody here asked for."""
    for order in orders:
        number = order.spec.broker_order_id
        command = CancelOrder(order_id=order.order_id, broker_order_id=number)
        await trader.broker.send(Approved(command=command, at=START, reduces=True))
    ids = {order.order_id for order in orders}
    assert await trader.until(lambda p: ids.isdisjoint(p.orders) or None, timeout=2)


def request(quantity: int = 10, *, side: Side = Side.BUY, limit: str | None = None) -> OrderRequest:
    """Ask for AAPL, at the market or at a limit."""
    return OrderRequest(
        symbol="AAPL",
        side=side,
        quantity=Decimal(quantity),
        order_type=OrderType.LIMIT if limit else OrderType.MARKET,
        limit_price=Decimal(limit) if limit else None,
    )
