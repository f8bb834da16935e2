"""Runs shadows: strategies beside those that trade, whose orders are only worked out.

A shadow is asked about the very moments that the others were asked about, once what these have
decided is on its way, and sees in them what it would hold itself. What it decides and what its
orders would have traded goes on record, and nothing else is done. Whatever goes wrong in one
ends that shadow: it can delay or stop nothing that trades.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import JournalError
from ibkr_trader.execution.exchange_hours import exchange_now, is_trading
from ibkr_trader.execution.long_reading import every_message
from ibkr_trader.rules.shadow_asking import Around, asked
from ibkr_trader.rules.shadow_book import ShadowBook
from ibkr_trader.rules.shadow_recall import ShadowRecall

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from decimal import Decimal

    from ibkr_trader.core.models import ContractDetails, Quote
    from ibkr_trader.execution.moments import Moments
    from ibkr_trader.execution.studies import Studies
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.rules.moment import Moment, Trigger
    from ibkr_trader.rules.rule import Strategy
    from ibkr_trader.rules.taken import Taken

logger = logging.getLogger(__name__)
_MOST_UNWRITTEN = 1_000  # executions that wait for a journal that takes nothing
NOTHING_SEEN: Mapping[timedelta, Moment] = MappingProxyType({})


class ShadowDesk:
    """The shadows of one trader.

    Attributes:
        books: What each would hold, by the strategy's name.
    """

    def __init__(self, trader: Trader, studies: Studies, *, moments: Moments) -> None:
        self._trader = trader
        self._studies = studies
        self._moments = moments
        self._strategies: dict[str, Strategy] = {}
        self._known: dict[int, ContractDetails] = {}
        self._recalled: dict[tuple[str, str], ShadowBook] = {}
        self._unwritten: list[ev.WouldFillEvent] = []
        self.books: dict[str, ShadowBook] = {}
        trader.bus.subscribe(ev.PriceEvent, self._on_price)

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """The shadows, in the order in which they came."""
        return tuple(self._strategies.values())

    async def recall(self, strategies: Iterable[Strategy]) -> None:
        """Read what shadows would hold, of those that were some when the journal ended.

        The journal is read once for all of them that are not known yet.
        """
        known = self._trader.remembered.stages.shadow
        wanted = [
            one
            for one in strategies
            if (was := known.get(one.name)) is not None
            and was.version == one.version
            and (one.name, one.version) not in self._recalled
        ]
        if not wanted:
            return
        recalled = ShadowRecall.of(wanted)
        async for message in every_message(self._trader.journal):
            recalled = recalled.after(message)
        self._recalled.update(recalled.books)

    def admit(self, strategy: Strategy) -> None:
        """Take a shadow in, in place of one of its name."""
        book = self._recalled.pop((strategy.name, strategy.version), None)
        fresh = ShadowBook(strategy=strategy.name, version=strategy.version)
        self.books[strategy.name] = book if book is not None else fresh
        self._strategies[strategy.name] = strategy

    def dismiss(self, name: str) -> None:
        """Let a shadow go."""
        self._strategies.pop(name, None)
        self.books.pop(name, None)
        self._recalled = {key: book for key, book in self._recalled.items() if key[0] != name}

    def look(
        self,
        details: ContractDetails,
        trigger: Trigger,
        *,
        cause: str,
        seen: Mapping[timedelta, Moment] = NOTHING_SEEN,
        news: Taken | None = None,
        bar_size: timedelta | None = None,
    ) -> None:
        """Ask every shadow that trades the contract, and write down what it would do.

        Args:
            details: The contract.
            trigger: What sets the rules off.
            cause: The same for the record.
            seen: The moments that the others were asked about, by the size of their bars.
            news: The signal, if it is one.
            bar_size: Of the bar that is complete: only shadows with such bars are asked.
        """
        self._known[details.contract.con_id] = details
        for strategy in self.strategies:
            size = strategy.bar_size
            is_concerned = details.contract.symbol in strategy.symbols and strategy.at(trigger)
            if not is_concerned or bar_size not in {None, size}:
                continue
            try:
                moment = seen.get(size)
                if moment is None:
                    study = self._studies.study(details.contract.symbol, size)
                    moment = self._moments.at(details, trigger, study=study, news=news)
                self._ask(strategy, details, moment, cause=cause)
            except JournalError as error:
                logger.warning("what %s would do is not on record: %s", strategy.name, error)
            except Exception as error:  # noqa: BLE001 - the fence: a shadow costs only itself
                self._end(strategy.name, error)

    def _ask(
        self, strategy: Strategy, details: ContractDetails, moment: Moment, *, cause: str
    ) -> None:
        """Ask one shadow; its book moves once its decisions are on record."""
        book = self.books[strategy.name]
        holding = book.holding(details.contract, moment.mark)
        moment = msgspec.structs.replace(moment, holding=holding)
        around = Around(
            self._trader.remembered.rules,
            cause=cause,
            name=self._trader.new_group_id,
            marks=self._mark,
            multiplier=details.contract.multiplier,
            lot=details.min_size,
        )
        book, faults, decisions = asked(strategy, book, moment, around=around)
        events: list[ev.BaseEvent] = [*faults, *decisions]
        if decisions and moment.quote is not None and self._trades(details):
            book, fills = book.after(moment.quote, moment.now)
            events += fills
        if events:
            self._write_owed()
            self._trader.record.write(events)
        self.books[strategy.name] = book

    def _mark(self, symbol: str) -> Decimal | None:
        """What one of a symbol is worth that shadows were asked about; None if nobody knows."""
        of_it = (one for one in self._known.values() if one.contract.symbol == symbol)
        details = next(of_it, None)
        quote = self._trader.market.last_quote(details.contract.con_id) if details else None
        return quote.mark if quote is not None else None

    # -- the market --------------------------------------------------------------------------

    def _trades(self, details: ContractDetails) -> bool:
        """Whether the market is open by the exchange's time; unknown is open."""
        return is_trading(details, exchange_now(self._trader))

    def _on_price(self, event: ev.PriceEvent) -> None:
        """Let would-be orders meet the market; what trades is written down a moment later."""
        details = self._known.get(event.contract.con_id)
        if details is None or not self._trades(details):
            return
        for name, book in tuple(self.books.items()):
            if event.contract.symbol not in book.places:
                continue
            try:
                self._meet(name, event.quote, event.at)
            except Exception as error:  # noqa: BLE001 - the fence: a shadow costs only itself
                self._end(name, error)

    def _meet(self, name: str, quote: Quote, now: datetime) -> None:
        self.books[name], fills = self.books[name].after(quote, now)
        if not fills:
            return
        was_empty = not self._unwritten
        self._unwritten = [*self._unwritten, *fills][-_MOST_UNWRITTEN:]
        if was_empty:  # not within the delivery of a price: that must not wait for a disk
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        try:
            self._write_owed()
        except JournalError as error:
            logger.warning("what shadows would have traded is not on record: %s", error)

    def _write_owed(self) -> None:
        """Write the executions that wait, in their order, before anything newer.

        Raises:
            JournalError: If they could not be written; they wait on.
        """
        if self._unwritten:
            self._trader.record.write(self._unwritten)
            self._unwritten = []

    def _end(self, name: str, error: Exception) -> None:
        """Let a shadow go that has failed as a whole, and say so."""
        logger.error("the shadow %s is ended", name, exc_info=error)
        strategy = self._strategies[name]
        self.dismiss(name)
        message = f"{type(error).__name__}: {error}"
        event = ev.NoticeEvent(
            at=self._trader.clock.now(),
            origin=f"shadow/{name}",
            message=f"the shadow {strategy.version} is ended: {message}",
            is_serious=True,
        )
        asyncio.get_running_loop().call_soon(self._tell, event)

    def _tell(self, event: ev.NoticeEvent) -> None:
        try:
            self._trader.record.write([event])
        except JournalError as error:
            logger.warning("the end of a shadow is not on record: %s", error)
