"""Which strategy everything belongs to, kept for one desk, and how far each of them may go.

A fold over the same events as the portfolio, so a restart knows it from the journal; and the
place where whoever runs strategies says which of them trade. It only listens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibkr_trader.core import events as ev
from ibkr_trader.core.origins import strategy_of
from ibkr_trader.core.trading_day import day_start
from ibkr_trader.portfolio.strategy_book import StrategyBook, belonging

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from ibkr_trader.core.models import Contract
    from ibkr_trader.core.tallies import StrategyDays
    from ibkr_trader.execution.ports import Clock
    from ibkr_trader.portfolio.state import PortfolioState
    from ibkr_trader.risk.envelope import Envelope


class Attribution:
    """What belongs to which strategy, for one desk.

    Args:
        clock: The desk's.
        zone: The exchange's, in which the account's day rolls.
        portfolio: Asked at every look: the account as it now stands.

    Attributes:
        book: As of the last event.
        envelopes: How far each strategy that trades may go, by its name.
    """

    def __init__(
        self, clock: Clock, zone: tzinfo, *, portfolio: Callable[[], PortfolioState]
    ) -> None:
        self._clock = clock
        self._zone = zone
        self._portfolio = portfolio
        self.book = StrategyBook()
        self.envelopes: dict[str, Envelope] = {}

    def hear(self, event: ev.BaseEvent, now: datetime) -> None:
        """Take note `now` of an event that is in the portfolio already."""
        if isinstance(event, ev.MarketEvent):  # the most frequent, and they move nothing
            return
        begins = self.book.since
        if isinstance(event, ev.OrderEvent):
            begins = day_start(event.at, self._zone)
        today = self.book.of_day(begins, now=now)
        self.book = today.after(event, self._portfolio(), begins=begins)

    def forget(self) -> None:
        """Let go of what the portfolio has let go of."""
        self.book = self.book.forgetting(self._portfolio())

    def facts(self) -> dict[str, Any]:
        """Return what a `RiskView` has of it, by its names."""
        now = self._clock.now()
        today = self.book.of_day(day_start(now, self._zone), now=now)
        return {"strategies": today, "envelopes": self.envelopes}

    def kept(self, portfolio: PortfolioState) -> StrategyDays:
        """Return what a checkpoint keeps, beside the portfolio that it keeps."""
        return self.book.forgetting(portfolio).kept

    def owner(self, con_id: int) -> str | None:
        """Return which strategy a contract belongs to, empty for nobody; None if it is free."""
        return self.book.owner(self._portfolio(), con_id)

    def objection(self, contract: Contract, origin: str) -> str:
        """Return why who asks may not touch what is held of a contract; empty if it may.

        Only strategies are bound: to what is their own, and to what nobody is in.
        """
        strategy, owner = strategy_of(origin), self.owner(contract.con_id)
        if not strategy or owner is None or owner == strategy:
            return ""
        return f"{belonging(contract, owner)}: the strategy {strategy} does not touch it"
