"""A trader with strategies on an exchange in this process, and signals for it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, SignalAction, Stage
from ibkr_trader.core.signals import Claim
from ibkr_trader.execution.strategist import Strategist
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.rules.admission import Admission
from ibkr_trader.rules.strategy_text import read_strategy
from tests.execution.parts import AAPL, INSTALL, Floor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from ibkr_trader.execution.ports import Journal
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.portfolio.state import PortfolioState

T = TypeVar("T")
E = TypeVar("E", bound=ev.BaseEvent)

ENTRY = """
name = "prediction-entry"
symbols = ["AAPL"]

[[rule]]
name = "PredictionEntry"
when = "signal.action == 'BUY' and signal.confidence > 0.85"
priority = 1
[rule.open]
side = "long"
size = "10"
stop_loss = "3%"
take_profit = "9%"

[[rule]]
name = "PredictionExit"
when = "signal.action == 'SELL' and position.is_long"
[rule.close_all]
only = "long"

[[rule]]
name = "ShortEntry"
when = "signal.action == 'SHORT' and signal.confidence > 0.85"
[rule.open]
side = "short"
size = "10"
stop_loss = "3%"
take_profit = "9%"
"""


class StrategyFloor(Floor):
    """An exchange, and a trader that runs strategies on it."""

    @asynccontextmanager
    async def strategist(
        self, *texts: str, journal: Journal | None = None, **admission: Any
    ) -> AsyncIterator[Strategist]:
        """Run a trader with the strategies of `texts`, all of them live."""
        made: list[Strategist] = []

        def equip(trader: Trader) -> None:
            made.append(Strategist(trader, timeout=5.0))

        async with self.trader(journal=journal, equip=equip):
            (strategist,) = made
            strategist.signals.admission = Admission(**admission)
            strategist.settle_open()
            for text in texts:
                await strategist.admit(read_strategy(text), Stage.LIVE)
            yield strategist

    def claim(self, action: str = "BUY", **fields: Any) -> Claim:
        """Return a signal of AAPL as its source hands it over now."""
        usual = {
            "source": "test",
            "signal_id": "s1",
            "ticker": "AAPL",
            "confidence": Decimal("0.91"),
            "price": Decimal("150.00"),
            "issued_at": self.clock.now(),
        }
        return Claim(action=SignalAction(action), **{**usual, **fields})

    async def filled(self, desk: Strategist, quantity: int) -> None:
        """Let the exchange act until so many are held."""
        trader = desk.trader

        def is_held(now: PortfolioState) -> bool | None:
            position = now.positions.get(AAPL)
            return True if position is not None and position.quantity == quantity else None

        self.move(trader, "149.99", "150.01")
        assert await trader.until(is_held, timeout=5), trader.portfolio.positions

    async def closing(
        self, desk: Strategist, work: Awaitable[T], *, bid: str = "149.99", ask: str = "150.01"
    ) -> T:
        """Let the exchange act for as long as `work` takes."""
        trader, over = desk.trader, asyncio.Event()

        async def act() -> None:
            while not over.is_set():
                self.move(trader, bid, ask)
                await asyncio.sleep(0)

        async with alongside(act()):
            try:
                return await work
            finally:
                over.set()


def dies(desk: Strategist, *, signal_id: str = "s9", **fields: Any) -> None:
    """Put a signal and what was decided on record, as a process does that dies right then."""
    now = desk.trader.clock.now()
    usual = {
        "decision_id": f"{INSTALL}-99",
        "rule": "PredictionExit",
        "wish": "close",
        "terms": {"symbol": "AAPL", "only": "BUY"},
        "words": "close AAPL",
    }
    taken = ev.PredictionSignalEvent(
        at=now,
        ticker="AAPL",
        source="test",
        signal_id=signal_id,
        issued_at=now,
        signal="SELL",
        confidence=Decimal("0.9"),
    )
    decision = ev.DecisionEvent(
        **{**usual, **fields},
        at=now,
        strategy="prediction-entry",
        version="v1",
        ticker="AAPL",
        cause=taken.name,
    )
    desk.trader.record.write([taken, decision])


def told(journal: Journal, kind: type[E]) -> list[E]:
    """Return the events of a kind that are on record."""
    return [message for _, message in journal.messages() if isinstance(message, kind)]


def entries(source: Journal | Strategist) -> list[ev.NewOrderEvent]:
    """Return every entry that was ever sent."""
    journal = source.trader.journal if isinstance(source, Strategist) else source
    return [one for one in told(journal, ev.NewOrderEvent) if one.spec.role is OrderRole.ENTRY]
