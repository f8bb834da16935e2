"""A trader's clerk with a dashboard before him: what it asks, and what it is shown."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ibkr_trader.adapters.control import Call, Done, Failed
from ibkr_trader.cli import logs
from ibkr_trader.cli.board import Board
from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.remote import Sent
from ibkr_trader.cli.serving import Clerk
from ibkr_trader.cli.trader_card import TraderCard
from ibkr_trader.config import load
from ibkr_trader.core.models import Order
from ibkr_trader.dashboard.scene import Glimpse
from ibkr_trader.execution.desk import Desk
from tests.execution.parts import Floor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ibkr_trader.execution.trader import Trader


class Screen:
    """A client that reads, or does not."""

    def __init__(self) -> None:
        self.reads = True
        self.glimpses: list[Glimpse] = []
        self.offered = 0
        self._offered = asyncio.Event()

    def stream(self, payload: bytes) -> bool:
        self.offered += 1
        self._offered.set()
        if self.reads:
            self.glimpses.append(msgspec.json.decode(payload, type=Glimpse))
        return self.reads

    async def until_offered(self, times: int) -> None:
        """Wait until glimpses were offered so often in all."""
        async with asyncio.timeout(10):
            while self.offered < times:
                self._offered.clear()
                await self._offered.wait()


class Seat(NamedTuple):
    """A clerk, and who sits before him."""

    trader: Trader
    desk: Desk
    clerk: Clerk
    screen: Screen
    card: TraderCard

    async def ask(self, command: str, **options: str) -> dict[str, Any] | Failure:
        """Have a command carried out, as it comes over the line, and return its document."""
        made = Call(command=f"screen.{command}", options={**options}, json=True)
        answer = await self.clerk.serve(made, self.screen)  # type: ignore[arg-type] # as much of a client as it needs
        if isinstance(answer, Done):
            sent = msgspec.json.decode(answer.reply, type=Sent)
            return msgspec.json.decode(sent.data, type=dict[str, Any])
        assert isinstance(answer, Failed)
        return msgspec.json.decode(answer.failure, type=Failure)

    async def weigh(self, order: Order | str, **typed: str) -> dict[str, Any]:
        """Have new terms of an order weighed."""
        name = order if isinstance(order, str) else order.order_id
        found = await self.ask(
            "weigh", order=name, **({"quantity": "", "limit": "", "stop": ""} | typed)
        )
        assert isinstance(found, dict), found
        return found


@asynccontextmanager
async def seat(folder: Path, *, keeps: bool = True) -> AsyncIterator[Seat]:
    """Open a trader with a clerk; unless it `keeps` something for screens, nobody may watch."""
    settings = load({"profile": "sim", "data_dir": str(folder)})
    logs.start(folder)
    try:
        async with Floor().trader() as trader:
            desk, card = Desk(trader), TraderCard(trader)
            if keeps:
                card.board = Board(trader)
            yield Seat(trader, desk, Clerk(desk, settings, card), Screen(), card)
    finally:
        logs.stop()
