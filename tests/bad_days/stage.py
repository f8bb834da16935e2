"""A whole desk on a gateway that misbehaves on purpose, and its judges.

The desk is the library's own, over TCP through the client library, with a journal on disk. The
gateway serves in the same process; `day.faults` makes it lose, delay or reorder what passes.
Time stands still, for the exchange and for the event loop alike, until `day.wait` lets it pass:
so every timer goes off when the story wants it, however slow the machine is.

Nothing is judged by what the desk believes, only by the exchange's ledger and the wire log; that
the desk's books agree with the ledger is one of the judgements.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from ibkr_trader.adapters.ibkr.connection import LinkSettings
from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import TraderError
from ibkr_trader.core.trading_day import NEW_YORK
from ibkr_trader.drills.acts import Broker, Floor, Hand
from ibkr_trader.drills.still_desk import DeskTerms, still_desk
from ibkr_trader.drills.still_gateway import StillGateway
from ibkr_trader.execution.outlook import RiskSettings
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.orders.cover_orders import CoverRules, Policy
from ibkr_trader.risk.limits import RiskLimits
from ibkr_trader.sim.exchange import ExchangeConfig
from tests.limits import roomy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path
    from typing import Any

    from ibkr_trader.core.enums import Side
    from ibkr_trader.core.models import Order, OrderRequest
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.orders.group import GroupRequest

E = TypeVar("E", bound=ev.BaseEvent)
START = datetime(2026, 11, 20, 15, tzinfo=UTC)  # a Friday, 10:00 in New York
ACCOUNT = "SIM0000001"
AAPL, MSFT = 265598, 272093
LIMITS = roomy()
WINDOW = "23:40-00:20"  # in which the gateway restarts, as in the settings


class Day(StillGateway):
    """The gateway's side of the story, and its time; `open_desk` puts a desk on it."""

    def __init__(self, config: ExchangeConfig, folder: Path) -> None:
        super().__init__(config)
        self.folder = folder
        self._hand, self._floor = Hand(self, AAPL), Floor(self, AAPL)
        self._broker = Broker(self)
        self._desk: Desk | None = None

    # -- who is there -------------------------------------------------------------------------

    @property
    def desk(self) -> Desk:
        """The desk that is open."""
        assert self._desk is not None
        return self._desk

    @property
    def trader(self) -> Trader:
        """Its trader."""
        return self.desk.trader

    @asynccontextmanager
    async def open_desk(
        self, *, limits: RiskLimits = LIMITS, policy: Policy = Policy.ALERT
    ) -> AsyncIterator[Desk]:
        """Open a desk as `app.open_desk` does; the second one of a day is a restart.

        `policy` is what it does about a position of ours that no stop covers.
        """
        terms = DeskTerms(
            journal=self.folder / "journal.db",
            risk=RiskSettings(limits=limits, zone=ZoneInfo(NEW_YORK)),
            protection=CoverRules(policy=policy),
            link=LinkSettings(port=self.server.port, client_id=1, restart_window=WINDOW),
            patience=10.0,
            equip=lambda _: None,
        )
        async with still_desk(self, terms) as desk:
            self._desk = desk
            try:
                yield desk
            finally:
                self._desk = None

    # -- orders and other people --------------------------------------------------------------

    def news(self, kind: type[E]) -> list[E]:
        """Return what the desk has heard or said of a kind."""
        return [event for event in self.heard if isinstance(event, kind)]

    async def accepted(self, request: OrderRequest | GroupRequest) -> tuple[Order, ...]:
        """Place what is asked for and wait until the broker has taken it."""
        prepared = await prepare(self.trader, request)
        return await place(self.trader, prepared, wait=Wait.ACCEPTED, timeout=10)

    async def sent(self, request: OrderRequest | GroupRequest) -> tuple[Order, ...]:
        """Send a request and wait for nothing but the wire."""
        prepared = await prepare(self.trader, request)
        orders = await place(self.trader, prepared, wait=Wait.NONE, timeout=10)
        await self.quiet()
        return orders

    @asynccontextmanager
    async def trying(self, work: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
        """Do `work` beside the block, whatever becomes of it."""

        async def try_it() -> None:
            with suppress(TraderError):
                await work

        async with alongside(try_it()):
            await self.quiet()
            yield

    async def broker_cancel(self, ref: str, *, reason: str = "by the broker") -> None:
        """Have the broker take one of our orders away."""
        await self._broker.cancel(ref, reason=reason)

    async def hand_modify(
        self, ref: str, *, quantity: Decimal | None = None, stop_price: Decimal | None = None
    ) -> None:
        """Change one of our orders in TWS."""
        await self._hand.modify(ref, quantity=quantity, stop_price=stop_price)

    async def hand_cancel(self, ref: str) -> None:
        """Cancel one of our orders in TWS."""
        await self._hand.cancel(ref)

    async def hand_close(self, quantity: int | None = None) -> None:
        """Close AAPL in TWS, or trade so much against it."""
        await self._hand.close(quantity)

    async def hand_order(self, side: Side, quantity: int, *, limit: str = "") -> None:
        """Place an order for AAPL in TWS."""
        await self._hand.order(side, quantity, limit=limit)

    async def trade(self, ref: str, quantity: int | None = None) -> None:
        """Make so much of a working order trade now."""
        await self._floor.trade(ref, quantity=quantity)

    async def both_trade(self, *refs: str) -> None:
        """Make several orders trade in one and the same moment."""
        await self._floor.trade(*refs)

    async def gap(self, price: str) -> None:
        """Have the market of AAPL leap."""
        await self._floor.gap(price)

    async def halt(self, *, on: bool = True) -> None:
        """Halt trading in AAPL, or let it go on."""
        await self._floor.halt(on=on)

    async def rise(self, start: str, end: str, *, steps: int = 6) -> None:
        """Move the market of AAPL from one price to another, a step each second."""
        await self._floor.rise(start, end, steps=steps)

    async def correct(self, exec_id: str, *, price: str = "", quantity: str = "") -> None:
        """Have the exchange correct an execution."""
        await self._broker.correct(exec_id, price=price, quantity=quantity)

    async def bust(self, exec_id: str) -> None:
        """Have the exchange take an execution back."""
        await self._broker.bust(exec_id)

    async def lose_link(self) -> None:
        """Break the desk's connection off; it comes back within seconds."""
        await self._broker.lose_link()

    def said(self, *words: str) -> list[str]:
        """Return what groups have said with one of `words` in it."""
        told = [event.message for event in self.news(ev.GroupEvent)]
        return [message for message in told if any(word in message for word in words)]

    # -- time and market ----------------------------------------------------------------------

    async def wait_until(self, moment: datetime, *, step: float = 1800) -> None:
        """Let time pass until a moment of the exchange's."""
        left = moment - self.clock.now()
        await self.wait(left.total_seconds(), step=step)

    async def quote(
        self, bid: str, ask: str, *, con_id: int = AAPL, size: int = 1000, last: str = ""
    ) -> None:
        """Set a market by hand, and let everybody act on it."""
        await Floor(self, con_id).quote(bid, ask, size=size, last=last)

    async def until(self, is_so: Callable[[], bool], *, within: float = 30) -> None:
        """Let seconds pass until something is so; it must be within so many."""
        for _ in range(int(within)):
            if is_so():
                return
            await self.wait(1)
        assert is_so(), f"not within {within:g} s"


@asynccontextmanager
async def a_day(folder: Path, *, config: ExchangeConfig | None = None) -> AsyncIterator[Day]:
    """Serve an exchange of its own whose time stands still, AAPL at 149.99 to 150.01."""
    day = Day(config or ExchangeConfig(opened_at=START), folder)
    day.exchange.market.set_quote(AAPL, bid=Decimal("149.99"), ask=Decimal("150.01"))
    async with day.serving():
        yield day
