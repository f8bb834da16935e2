"""The present picture, and the guard's view of it.

Folds every event into the portfolio, the exposure and the history of submissions, and
keeps what a review needs beside them: contract details, the age of each quote, whether
the desk is in sync. It only listens: nothing here sends or writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta, tzinfo
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.trading_day import exchange_time
from ibkr_trader.execution.attribution import Attribution
from ibkr_trader.execution.price_memory import PriceMemory
from ibkr_trader.execution.risk_book import RiskBook, state_of
from ibkr_trader.portfolio.currency import currency_of
from ibkr_trader.portfolio.exposure import ExposureIndex
from ibkr_trader.portfolio.heat import HeatIndex
from ibkr_trader.portfolio.ledger_fold import priced
from ibkr_trader.portfolio.pnl import DayPnl
from ibkr_trader.portfolio.positions import position_events
from ibkr_trader.portfolio.state import PortfolioState
from ibkr_trader.risk.arming import Arming
from ibkr_trader.risk.correlated import CorrelatedIndex
from ibkr_trader.risk.history import History
from ibkr_trader.risk.limits import RiskLimits, SymbolLimitRegistry
from ibkr_trader.risk.view import AgedQuote, RiskView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from ibkr_trader.core.enums import TradingState
    from ibkr_trader.core.models import (
        Contract,
        ContractDetails,
        GroupId,
        Order,
        OrderId,
        Quote,
    )
    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.execution.ports import Clock, MarketData

DAY = timedelta(days=1)
_SHORTEST_DAY = timedelta(hours=23)  # the one on which the clocks go forward


class RiskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The limits a trader runs under; a read-only desk sends nothing at all.

    `zone` is where the account's day rolls; `arming` says whether real money is at stake.
    """

    limits: RiskLimits = RiskLimits()
    symbol_limits: SymbolLimitRegistry = SymbolLimitRegistry()
    is_readonly: bool = False
    arming: Arming = Arming()
    zone: tzinfo = UTC


class _AgedQuotes(Mapping[int, AgedQuote]):
    """Every quote with its age at one moment, made when it is asked for.

    A review asks for one or two of them, and there may be a hundred.
    """

    def __init__(
        self, heard: Mapping[int, float], market: MarketData, memory: PriceMemory, *, now: float
    ) -> None:
        self._heard = heard
        self._market = market
        self._memory = memory
        self._now = now
        self._made: dict[int, AgedQuote] = {}  # a review asks for the same one again and again

    def __getitem__(self, con_id: int) -> AgedQuote:
        known = self._made.get(con_id)
        if known is None:
            known = self._made[con_id] = self._make(con_id)
        return known

    def _make(self, con_id: int) -> AgedQuote:
        heard, quote = self._heard[con_id], self._market.last_quote(con_id)
        if quote is None:
            raise KeyError(con_id)
        age = timedelta(seconds=max(0.0, self._now - heard))
        return AgedQuote(quote, age, self._memory.jump(con_id, self._now))

    def __iter__(self) -> Iterator[int]:
        for con_id in self._heard:
            if self._market.last_quote(con_id) is not None:
                yield con_id

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Outlook:
    """What the desk sees.

    Attributes:
        portfolio: The account as it now stands.
        history: What went out lately.
        book: What risk remembers beside it.
        strategies: Which strategy everything belongs to.
        misled: Asked at every look: the open groups of positions that the broker has restated.
    """

    def __init__(
        self,
        *,
        bus: EventBus,
        clock: Clock,
        account: str,
        settings: RiskSettings,
        market: MarketData,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._account = account
        self._settings = settings
        self._market = market
        self.portfolio = PortfolioState()
        self._exposure = ExposureIndex.of(self.portfolio)
        self._correlated = CorrelatedIndex()
        self._pnl = DayPnl()
        self._heat = HeatIndex()
        self.history = History()
        self.book = RiskBook(settings, clock)
        self.book.order = self._order
        self.strategies = Attribution(clock, settings.zone, portfolio=lambda: self.portfolio)
        self.misled: Callable[[], tuple[GroupId, ...]] = tuple
        self._memory = PriceMemory()
        # Epochs, because a snapshot can overtake the news of the link it was taken on.
        self._connected = self._lost = self._synced = 0
        self._details: dict[int, ContractDetails] = {}
        self._heard: dict[int, float] = {}
        bus.subscribe(ev.BaseEvent, self._see)

    @property
    def is_synced(self) -> bool:
        """Whether everything was asked and answered on the connection that stands."""
        return self._synced >= max(self._connected, 1) and self._synced > self._lost

    @property
    def recent(self) -> PortfolioState:
        """The picture without what is more than a day old: that is in the journal.

        By the exchange's time: by a clock that runs ahead, what the broker still tells is old.
        """
        return self.portfolio.begin_day(self.exchange_now - DAY)

    @property
    def exchange_now(self) -> datetime:
        """The exchange's time now, aware and in UTC, whatever this machine's clock says."""
        return exchange_time(self._clock.now(), self.book.clock_skew)

    def learn(self, details: ContractDetails) -> None:
        """Keep what the broker says of a contract."""
        self._details[details.contract.con_id] = details
        self.book.learn_industries({details.contract.symbol: details.industry})

    def details(self, con_id: int) -> ContractDetails | None:
        """Return what is known of a contract, or None."""
        return self._details.get(con_id)

    def degrade(self, reason: str, *, cause: str = "journal") -> None:
        """Allow only what reduces risk because of `cause`, until it is called with no reason."""
        self.book.degrade(cause, reason)

    def unpriced(self) -> list[Contract]:
        """Return the contracts whose working orders nobody can value yet."""
        self._exposure = self._exposure.follow(self.portfolio)
        quotes = self._quotes()
        wanted = {con_id for con_id in self._exposure.unpriced if con_id not in quotes}
        found = {o.spec.contract.con_id: o.spec.contract for o in self.portfolio.orders.values()}
        return [found[con_id] for con_id in sorted(wanted) if con_id in found]

    def confirm(self, con_id: int, quote: Quote | None = None) -> None:
        """Take note that a contract's quote has just been asked for and given."""
        self._heard[con_id] = self._clock.monotonic()
        if quote is not None:
            now = self._clock.now()
            self._roll(now)
            self.portfolio = priced(self.portfolio, con_id, quote, at=now)

    @property
    def pnl(self) -> DayPnl:
        """The day's profit and loss, as of now."""
        self._roll(self._clock.now())
        self._pnl = self._pnl.follow(self.portfolio, self._pnl.since)
        return self._pnl

    @property
    def is_readonly(self) -> bool:
        """Whether the desk is set to only look."""
        return self._settings.is_readonly

    @property
    def zone(self) -> tzinfo:
        """The exchange's zone, in which the account's day rolls."""
        return self._settings.zone

    @property
    def trading_state(self) -> TradingState:
        """What the whole desk allows now."""
        return state_of(self.book, is_synced=self.is_synced)[0]

    @property
    def limits(self) -> RiskLimits:
        """The limits that hold for every symbol."""
        return self._settings.limits

    @property
    def unvalued(self) -> list[Contract]:
        """The contracts that the day's result needs a price of that nobody has given.

        What was heard of before the link broke off says nothing of now.
        """
        quotes = self._quotes()
        found = self.pnl.contracts
        return [
            one.contract
            for con_id, one in sorted(found.items())
            if one.net is None or (one.quantity and con_id not in quotes)
        ]

    def replay(self, events: Iterable[ev.BaseEvent]) -> None:
        """Fold the journal's events into the picture, telling nobody."""
        now = self._clock.now()
        for event in events:
            self.portfolio = self.portfolio.apply(event)
            self.book.hear(event, now)
            self.strategies.hear(event, now)
            if isinstance(event, ev.NewOrderEvent):
                self.history = self.history.after(event)
            elif isinstance(event, ev.CheckpointEvent):
                self.history = History.restored(event)
        self.portfolio = self.recent
        self.strategies.forget()
        self._exposure = ExposureIndex.of(self.portfolio)

    def view(self) -> RiskView:
        """Return everything a review may look at, as of now."""
        self._exposure = self._exposure.follow(self.portfolio)
        self._correlated = self._correlated.follow(
            self._exposure,
            matrix=self.book.correlations,
            threshold=self._settings.limits.correlation_threshold,
            sectors=self.book.sectors,
            currency=currency_of(self.portfolio),
        )
        self._heat = self._heat.follow(
            self.portfolio, self._exposure, no_stop=self._settings.limits.max_stop_distance
        )
        return RiskView(
            now=self._clock.now(),
            account=self._account,
            allowed_accounts=frozenset({self._account}),
            portfolio=self.portfolio,
            exposure=self._exposure,
            correlated=self._correlated,
            pnl=self.pnl,
            heat=self._heat,
            quotes=self._quotes(),
            details=self._details,
            misled=self.misled(),
            unhalted=self._memory.unhalted,
            limits=self._settings.limits,
            history=self.history,
            is_synced=self.is_synced,
            is_readonly=self._settings.is_readonly,
            **self.book.facts(is_synced=self.is_synced, pnl=self.pnl),
            **self.strategies.facts(),
        )

    def _order(self, order_id: OrderId) -> Order | None:
        return self.portfolio.order(order_id)

    def _quotes(self) -> Mapping[int, AgedQuote]:
        return _AgedQuotes(self._heard, self._market, self._memory, now=self._clock.monotonic())

    def _roll(self, now: datetime) -> None:
        """Begin the account's day anew if it is over: from what all was worth just before.

        So it comes before the first news of the new day is folded, not when somebody asks next.
        """
        since = self._pnl.since
        if timedelta(0) <= now - since < _SHORTEST_DAY:
            return
        begins = self.book.day_start(now)
        if begins != since:
            over = self._pnl.follow(self.portfolio, since)
            self._pnl = over.follow(self.portfolio, begins)

    def _see(self, event: ev.BaseEvent) -> None:
        if isinstance(event, ev.PositionEvent):  # made below, of what is folded already
            return
        now = self._clock.now()
        self._roll(now)
        before = self.portfolio
        self.portfolio = before.apply(event)
        self.book.hear(event, now)
        self.strategies.hear(event, now)
        match event:
            case ev.FillEvent():
                for change in position_events(before, self.portfolio, event):
                    self._bus.publish(change)
            case ev.NewOrderEvent():
                self.history = self.history.after(event)
            case ev.PriceEvent():
                heard = self._heard[event.contract.con_id] = self._clock.monotonic()
                self._memory.hear(event, heard)
            case ev.ConnectEvent(epoch=epoch):
                self._connected = max(self._connected, epoch)
            case ev.DisconnectEvent(epoch=epoch):
                self._lost = max(self._lost, epoch)
                self._heard.clear()  # prices from before the gap say nothing of after it
                self._memory.forget()
            case ev.SyncEvent(epoch=epoch):
                self._synced = max(self._synced, epoch)
            case _:
                pass
