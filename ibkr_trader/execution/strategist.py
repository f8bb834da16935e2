"""The part of a trader that decides by itself: signals, bars, prices and time, brought to rules.

It hears the market and asks the strategies; whatever they decide takes its turn with whatever
else goes on in the symbol. Prices come too often to ask at each: the newest of each contract is
looked at, a few times a second.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Stage
from ibkr_trader.core.errors import JournalError
from ibkr_trader.execution.moments import Moments
from ibkr_trader.execution.placing import QUOTE_TIMEOUT
from ibkr_trader.execution.rule_desk import RuleDesk
from ibkr_trader.execution.signal_desk import SignalDesk
from ibkr_trader.execution.studies import Studies
from ibkr_trader.execution.turns import Turns
from ibkr_trader.rules.moment import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from ibkr_trader.core.models import Bar, ContractDetails
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.rules.rule import Strategy

PACE = 0.25  # seconds between two looks at prices
TICK = 1.0  # seconds between two looks at the clock


class Strategist:
    """Runs the strategies of one trader; make it before the trader runs, which then has it.

    Attributes:
        trader: The one.
        turns: One thing at a time for each symbol.
        rules: The strategies, and what they decide.
        signals: The door of every signal.
        studies: The bars and indicators that rules look at.
    """

    def __init__(self, trader: Trader, *, timeout: float = 30.0) -> None:
        self.trader = trader
        self.turns = Turns()
        self.studies = Studies(trader)
        owner = trader.outlook.strategies.owner
        moments = Moments(trader, owner=lambda con_id: owner(con_id) or "")
        self.rules = RuleDesk(trader, self.studies, moments=moments, timeout=timeout)
        self.signals = SignalDesk(trader, self.rules, turns=self.turns)
        self.studies.on_bar = self._on_bar
        self._details: dict[int, ContractDetails] = {}
        self._moved: dict[int, None] = {}
        self._asked: set[tuple[int, Trigger, timedelta | None]] = set()
        self._is_moving = asyncio.Event()
        trader.strategist = self
        trader.bus.subscribe(ev.PriceEvent, self._on_price)
        trader.bus.subscribe(ev.PositionEvent, self._on_position)
        for work in (self.turns.work, self._follow_prices, self._follow_time, self._follow_losses):
            trader.own(work)

    async def admit(self, strategy: Strategy, stage: Stage) -> None:
        """Prepare a strategy and take it in; see `prepare`."""
        await self.prepare(strategy, stage)
        self.rules.admit(strategy, stage)

    async def prepare(
        self, strategy: Strategy, stage: Stage, *, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        """Learn and subscribe a strategy's symbols, and warm its indicators up.

        Of a shadow it is read what it would hold, unless it was read before.

        Raises:
            AmbiguousContract: If a symbol is not exactly one contract.
            BrokerUnavailable: If nobody answers.
        """
        for number, symbol in enumerate(strategy.symbols, start=1):
            tell(f"{strategy.name}: warming up {symbol}, {number} of {len(strategy.symbols)}")
            details = await self.trader.learn(symbol)
            self._details[details.contract.con_id] = details
            await self.trader.price(details.contract, timeout=QUOTE_TIMEOUT)
            await self.studies.warm_up(details, strategy.bar_size, strategy.indicators)
        if stage is Stage.SHADOW:
            await self.rules.shadow.recall([strategy])

    def settle_open(self) -> tuple[ev.BaseEvent, ...]:
        """Say what is to be said of what the last process left open, and return it.

        Signals first: their decisions are still known as open then.
        """
        return (*self.signals.settle_open(), *self.rules.settle_open())

    def ask(
        self, details: ContractDetails, trigger: Trigger, *, bar_size: timedelta | None = None
    ) -> None:
        """Have the rules asked about a contract when it is its turn.

        Whoever waits for it already will look at what is so then: nothing is asked twice, and
        a symbol that waits for the broker does not fill its lane.
        """
        question = (details.contract.con_id, trigger, bar_size)
        if question in self._asked:
            return

        async def look() -> None:
            self._asked.discard(question)
            cause = trigger.value
            weighed = self.rules.weigh(details, trigger, cause=cause, bar_size=bar_size)
            if weighed.events:
                try:
                    self.trader.record.write(weighed.events)
                except JournalError:  # not done, unless it only gets out; the desk says so
                    await self.rules.exit_unrecorded(weighed)
                    return
                await self.rules.act(weighed)
            shadow = self.rules.shadow
            shadow.look(details, trigger, cause=cause, seen=weighed.moments, bar_size=bar_size)

        if self.turns.offer(details.contract.symbol, look):
            self._asked.add(question)

    def _wanted(self, trigger: Trigger) -> list[ContractDetails]:
        """The contracts of which a rule waits for `trigger`."""
        strategies = (*self.rules.strategies, *self.rules.shadows)
        symbols = {name for one in strategies if one.at(trigger) for name in one.symbols}
        return [one for one in self._details.values() if one.contract.symbol in symbols]

    def _on_bar(self, details: ContractDetails, size: timedelta, _: Bar) -> None:
        self.ask(details, Trigger.BAR, bar_size=size)

    def _on_price(self, event: ev.PriceEvent) -> None:
        if event.contract.con_id in self._details:
            self._moved[event.contract.con_id] = None
            self._is_moving.set()

    def _on_position(self, event: ev.PositionEvent) -> None:
        details = self._details.get(event.position.contract.con_id)
        if details is not None and details in self._wanted(Trigger.POSITION):
            self.ask(details, Trigger.POSITION)

    async def _follow_prices(self) -> None:
        """Ask about what has moved, the newest price of each alone."""
        while True:
            await self._is_moving.wait()
            self._is_moving.clear()
            moved, self._moved = self._moved, {}
            for details in self._wanted(Trigger.PRICE):
                if details.contract.con_id in moved:
                    self.ask(details, Trigger.PRICE)
            await asyncio.sleep(PACE)

    async def _renew(self) -> None:
        """Take up what was learned of contracts since: a new day has new hours."""
        for con_id, known in tuple(self._details.items()):
            details = self.trader.outlook.details(con_id)
            if details is not None and details is not known:
                self._details[con_id] = details
                await self.studies.renew(details)

    async def _follow_time(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            await self._renew()
            self.studies.complete()
            for details in self._wanted(Trigger.TIME):
                self.ask(details, Trigger.TIME)

    async def _follow_losses(self) -> None:
        """Mend bars after a lost link; beside the clock, for history takes its time."""
        while True:
            await asyncio.sleep(TICK)
            await self.studies.mend()
