"""What a story plays on: the gateway, the desk, and the others; and what it writes down.

A story says what it does (`did`) and what must then be so (`must`). It never has to wait for real
time: whatever needs time is given some, in small steps, until it is done.
"""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ibkr_trader.core.errors import InvariantBroken, TraderError
from ibkr_trader.drills.acts import Broker, Floor, Hand
from ibkr_trader.drills.still_desk import DeskTerms, still_desk
from ibkr_trader.execution.tasks import alongside

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from ibkr_trader.config import Settings
    from ibkr_trader.drills.evidence import Evidence
    from ibkr_trader.drills.still_gateway import StillGateway
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.sim.gateway.ledger_view import LedgerView

    Companion = Callable[[Trader], Awaitable[None]]

T = TypeVar("T")
_HALF = Decimal("0.01")  # of the spread
_STEP = 0.25  # seconds between two looks whether something is done
_PATIENCE = 180.0  # seconds of the exchange's for anything that a story waits for


class Skipped(Exception):
    """The settings leave no room for this drill: it says nothing about them, good or bad."""


class Stuck(Exception):
    """Something that a story waited for has not come."""


class Step(msgspec.Struct, frozen=True):
    """One line of what was done, with the exchange's time (UTC)."""

    at: datetime
    text: str


class Scene:
    """One drill under way.

    Attributes:
        gateway: The sandboxed gateway; nothing passes there but by the story.
        settings: The user's, as they are in the sandbox.
        evidence: What its books show.
        symbol, con_id: What is traded.
        size: How many shares an entry is for.
        base: Where the market stands at the beginning.
        hand, floor, broker: A person at TWS, the market, the broker.
        steps: What was done.
        complaints: What should have been so, and was not.
    """

    def __init__(
        self,
        gateway: StillGateway,
        terms: DeskTerms,
        *,
        settings: Settings,
        evidence: Evidence,
        symbol: str,
        size: int,
    ) -> None:
        self.gateway, self.settings, self.evidence = gateway, settings, evidence
        self.symbol, self.size = symbol, size
        self.con_id = _stock(gateway, symbol)
        mark = gateway.exchange.market.tape(self.con_id).mark
        self.base = Decimal(1) if mark is None else round(mark, 2)
        # From here on the market moves when the story says so, and not before.
        gateway.exchange.market.set_quote(
            self.con_id, bid=self.base - _HALF, ask=self.base + _HALF, last=self.base
        )
        self.hand, self.floor = Hand(gateway, self.con_id), Floor(gateway, self.con_id)
        self.broker = Broker(gateway)
        self.steps: list[Step] = []
        self.complaints: list[str] = []
        self.companion: Companion | None = None
        self._terms = terms
        self._stack = AsyncExitStack()
        self._desk: Desk | None = None
        self._lives = 0

    @property
    def desk(self) -> Desk:
        """The desk that is open.

        Raises:
            InvariantBroken: If none is.
        """
        if self._desk is None:
            raise InvariantBroken("no desk is open in this drill")
        return self._desk

    @property
    def trader(self) -> Trader:
        """Its trader."""
        return self.desk.trader

    @property
    def ledger(self) -> LedgerView:
        """The exchange's own books."""
        return self.gateway.ledger

    @property
    def held(self) -> int:
        """How many shares the exchange says are held, below zero for a short position."""
        return int(self.ledger.held(self.con_id))

    @property
    def client_id(self) -> int:
        """What the desk calls itself at the gateway."""
        return self._terms.link.client_id

    @property
    def folder(self) -> Path:
        """Where the desk keeps its state."""
        return self._terms.journal.parent

    def did(self, text: str) -> None:
        """Write down what was done."""
        self.steps.append(Step(self.gateway.clock.now(), text))

    def must(self, is_so: object, why: str) -> None:
        """Complain in the words of `why` unless it is so."""
        if not is_so:
            self.complaints.append(why)

    async def start(self) -> None:
        """Open the desk, on the journal that the last one has left.

        Raises:
            TraderError: If it cannot be opened, or its companion has nothing to go by.
        """
        self._lives += 1
        opened = still_desk(self.gateway, self._terms)
        async with alongside(self.gateway.pass_if_stuck()):
            self._desk = await self._stack.enter_async_context(opened)
        await self.gateway.quiet()
        if self.companion is not None:
            await self.doing(self.companion(self.trader))
        self.did("the desk starts" if self._lives == 1 else "the desk starts again")

    async def stop(self) -> None:
        """Close the desk in good order."""
        if self._desk is None:
            return
        self.did("the desk ends")
        self._desk = None
        await self._closed()

    async def kill(self) -> None:
        """End the desk as SIGKILL does: not another word on the wire, none on the disk."""
        self.did("the desk is killed")
        self._desk = None
        self.gateway.cut()
        left = self._terms.journal.with_name(f"journal-{self._lives}.db")
        for end in ("", "-wal"):
            source = self._terms.journal.with_name(f"{self._terms.journal.name}{end}")
            if source.exists():
                shutil.copyfile(source, left.with_name(f"{left.name}{end}"))
        with suppress(TraderError):  # whatever it still says, nobody hears
            await self._closed()
        self._terms = msgspec.structs.replace(self._terms, journal=left)

    async def _closed(self) -> None:
        """Close what is open; whoever wants to finish something first may need some time."""
        async with alongside(self.gateway.pass_if_stuck()):
            await self._stack.aclose()

    async def doing(self, work: Awaitable[T], *, within: float = _PATIENCE) -> T:
        """Do `work`, and let time pass until it is done; what it raises comes out.

        Raises:
            Stuck: If it takes longer than `within` seconds of the exchange's time.
        """
        done: list[T] = []

        async def do_it() -> None:
            done.append(await work)

        async with alongside(do_it()):
            await self.gateway.quiet()
            left = within
            while not done:
                if left <= 0:
                    raise Stuck(f"nothing came of it within {within:g} s")
                left -= _STEP
                await self.gateway.wait(_STEP)
        return done[0]

    async def trying(self, work: Coroutine[Any, Any, object]) -> str:
        """Do `work`, and return the first reason why it failed; nothing if it did not."""
        try:
            await self.doing(work)
        except TraderError as error:
            return error.message.partition("; ")[0]
        return ""


def _stock(gateway: StillGateway, symbol: str) -> int:
    found = [
        one for one in gateway.exchange.universe if one.symbol == symbol and one.sec_type == "STK"
    ]
    if len(found) != 1:
        raise Skipped(f"{symbol} is not one of the simulator's stocks")
    return found[0].con_id
