"""The trader: one set of parts around one account, and the owner of every task.

`async with trader.running():` restores what the journal knows, starts the tasks, brings
broker and journal into one picture, and ends it all again. Projections run inside the
delivery of each event; one that raises stops the trader, whoever published the event, and
leaves the orders at the broker as they are.

A part that needs a task of its own says `trader.own(part.work)` before the trader runs.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.ids import make_group_id
from ibkr_trader.execution.ack_watch import AckWatch
from ibkr_trader.execution.alarming import Alarming
from ibkr_trader.execution.arming_watch import ArmingWatch
from ibkr_trader.execution.breaker_watch import BreakerWatch
from ibkr_trader.execution.bus import EventBus
from ibkr_trader.execution.cap_watch import CapWatch
from ibkr_trader.execution.closer import Closer
from ibkr_trader.execution.drift_watch import DriftWatch
from ibkr_trader.execution.fill_watch import FillWatch
from ibkr_trader.execution.group_runner import GroupRunner
from ibkr_trader.execution.guardian import Duty, Guardian
from ibkr_trader.execution.halter import Halter
from ibkr_trader.execution.handlers import HandlerRelay
from ibkr_trader.execution.intake import Intake
from ibkr_trader.execution.killing import keep_halts
from ibkr_trader.execution.loss_watch import LossWatch
from ibkr_trader.execution.outlook import Outlook
from ibkr_trader.execution.record import Record
from ibkr_trader.execution.recovery import Recovery
from ibkr_trader.execution.remembered import Remembered
from ibkr_trader.execution.router import OrderRouter
from ibkr_trader.execution.stop_trails import StopTrails
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.execution.thrift import is_spared
from ibkr_trader.execution.twin_watch import TwinWatch
from ibkr_trader.execution.valuing import quoted
from ibkr_trader.orders.cover_orders import CoverRules
from ibkr_trader.portfolio.horizon import is_past
from ibkr_trader.portfolio.lost_orders import named

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable

    from ibkr_trader.core.models import Contract, ContractDetails, GroupId, Quote
    from ibkr_trader.execution.egress import Egress
    from ibkr_trader.execution.outlook import RiskSettings
    from ibkr_trader.execution.ports import Broker, Clock, Journal, MarketData
    from ibkr_trader.execution.strategist import Strategist
    from ibkr_trader.portfolio.state import PortfolioState
    from ibkr_trader.risk.guard import RiskGuard

R = TypeVar("R")
Work: TypeAlias = "Callable[[], Coroutine[Any, Any, None]]"
_LEAVE = 1.0  # seconds for what is still to be sent
_FINISH = 8.0  # seconds for a closing that would leave a position without its stop


class Trader:
    """The parts of one account's desk, wired once.

    Attributes:
        bus, record, router, groups, recovery, closer, guardian, halter, arming, trails,
            remembered, alarming: The shell's own.
        broker, market, journal, clock: What stands behind the ports.
        outlook: The present picture, and the guard's view of it.
        client_id: Ours at the gateway; orders of a lost journal of ours carry it. 0: unknown.
        finish_within: Seconds to go on with a closing at the end, before it is left to the next.
        strategist: Decides by itself; None where nothing does.
        egress: Tells others what happens; None where nobody is told.
    """

    client_id = 0
    finish_within = _FINISH
    strategist: Strategist | None = None
    egress: Egress | None = None

    def __init__(
        self,
        *,
        broker: Broker,
        market: MarketData,
        journal: Journal,
        clock: Clock,
        account: str,
        guard: RiskGuard,
        settings: RiskSettings,
        ack_timeout: float = 30.0,
        protection: CoverRules = CoverRules(),  # noqa: B008 - a frozen value
        duty: Duty = Duty.TRIM,
        handlers: Iterable[object] = (),
        reach: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.broker, self.market, self.journal, self.clock = broker, market, journal, clock
        self.account = account
        self.bus = EventBus()
        self.outlook = Outlook(
            bus=self.bus, clock=clock, account=account, settings=settings, market=market
        )
        self.record = Record(journal, self.bus, on_failure=self.outlook.degrade)
        self.intake = self._own_intake(reach)
        self.router = OrderRouter(
            broker=broker,
            guard=guard,
            record=self.record,
            journal=journal,
            view=self.outlook.view,
            reach=reach,
        )
        self.groups = self._own_groups()
        self.recovery = Recovery(
            broker=broker,
            journal=journal,
            clock=clock,
            record=self.record,
            intake=self.intake,
            outlook=self.outlook,
            router=self.router,
        )
        self.closer = Closer(self)
        self.halter = Halter(self)
        self.losses = LossWatch(self)
        BreakerWatch(self).attach()
        self.arming = ArmingWatch(self)
        self.guardian = Guardian(self, protection, duty)
        self._works = self._own_works(ack_timeout)
        self.trails = StopTrails(self)
        self.recovery.trails = self.trails.kept
        self.remembered = Remembered(self.bus)
        self.recovery.remembered = self.remembered.kept
        self.alarming = Alarming(self)
        for handler in handlers:
            HandlerRelay(handler, lambda: self.portfolio).attach(self.bus)

    def own(self, work: Work) -> None:
        """Run `work` for as long as the trader runs; what it raises ends the trader.

        It begins before the first snapshot is in, and is cancelled at the end.
        """
        self._works.append(work)

    async def _fail(self) -> None:
        """Raise what a projection raised, wherever the event came from."""
        raise await self.bus.failure()

    def _own_intake(self, reach: Callable[[str], None]) -> Intake:
        return Intake(
            self.record,
            bus=self.bus,
            reach=reach,
            named=self._named,
            is_past=lambda fill: is_past(fill, self.portfolio, now=self.outlook.exchange_now),
        )

    def _own_groups(self) -> GroupRunner:
        groups = GroupRunner(
            bus=self.bus,
            record=self.record,
            router=self.router,
            clock=self.clock,
            portfolio=lambda: self.portfolio,
            details=self.outlook.details,
            yields=lambda command: is_spared(command, self.outlook),
            looks=lambda: self.guardian.duty is Duty.NONE,
            skew=lambda: self.outlook.book.clock_skew,
        )
        self.outlook.misled = lambda: groups.misled
        return groups

    def _own_works(self, ack_timeout: float) -> list[Work]:
        FillWatch(self).attach()
        CapWatch(self).attach()
        acks = AckWatch(
            bus=self.bus,
            record=self.record,
            clock=self.clock,
            portfolio=lambda: self.portfolio,
            look_up=self.recovery.synchronize,
            timeout=ack_timeout,
        )
        self.drift = DriftWatch(
            bus=self.bus,
            clock=self.clock,
            outlook=self.outlook,
            look_up=self.recovery.synchronize,
        )
        return [
            self.intake.work,
            self.groups.work,
            self.groups.watch,
            acks.work,
            self.drift.work,
            self.recovery.work,
            self.recovery.recall,
            self.closer.work,
            self.guardian.work,
            TwinWatch(self).work,
            self.halter.work,
            self.losses.work,
            self._fail,
        ]

    @property
    def portfolio(self) -> PortfolioState:
        """The account as it now stands."""
        return self.outlook.portfolio

    def _named(self, event: ev.OrderEvent) -> ev.OrderEvent:
        return named(self.portfolio, event)

    def new_group_id(self) -> GroupId:
        """Return the stem of a new group's order ids."""
        return make_group_id(self.journal.state.install, self.journal.next_group())

    async def learn(self, symbol: str, *, currency: str = "USD") -> ContractDetails:
        """Resolve `symbol` to one contract and keep what the broker says of it.

        Raises:
            AmbiguousContract: If it names none, or more than one.
            BrokerUnavailable: If nobody answers.
        """
        details = await self.market.resolve(symbol, currency=currency)
        self.outlook.learn(details)
        return details

    async def study(
        self, contract: Contract, *, timeout: float, opens: bool = True
    ) -> Quote | None:
        """Learn what a review needs: the contract's details, its price, and what else is unpriced.

        An order that works in another contract counts at its worst, and that needs a price too.
        So does all that is held, for the day's result, unless nothing is to be opened.

        Raises:
            AmbiguousContract: If the contract cannot be named any more.
            BrokerUnavailable: If nobody answers.
        """
        if self.outlook.details(contract.con_id) is None:
            await self.learn(ticker(contract), currency=contract.currency)
        others = {one.con_id: one for one in self.outlook.unpriced()}
        if opens:
            others |= {one.con_id: one for one in self.outlook.unvalued}
        others.pop(contract.con_id, None)
        if not others:
            return await self.price(contract, timeout=timeout)
        return await quoted(self, contract, beside=others.values(), timeout=timeout)

    async def price(self, contract: Contract, *, timeout: float) -> Quote | None:
        """Return a current quote, which the guard may then rely on; None if none comes."""
        quote = await self.market.quote(contract, timeout=timeout)
        if quote is not None:
            self.outlook.confirm(contract.con_id, quote)
        return quote

    async def until(
        self, check: Callable[[PortfolioState], R | None], *, timeout: float | None
    ) -> R | None:
        """Wait until `check` finds something in the portfolio; None after `timeout` seconds.

        Without a timeout the caller's own must end the wait.
        """
        changed = asyncio.Event()
        unsubscribe = self.bus.subscribe(ev.BaseEvent, lambda _: changed.set())
        try:
            async with asyncio.timeout(timeout):
                while (found := check(self.portfolio)) is None:
                    changed.clear()
                    await changed.wait()
                return found
        except TimeoutError:
            return check(self.portfolio)
        finally:
            unsubscribe()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Trader]:
        """Run every task for as long as the block lasts, in sync from the first line on.

        Raises:
            BrokerUnavailable: If the broker does not tell the whole truth at the start.
            JournalError: If the journal is damaged or cannot be written.
        """
        history = self.recovery.restore(self.groups, self.bus)
        self.guardian.remember(history)
        self.trails.restore(history)
        self.remembered.restore(history)
        async with alongside(
            self.intake.listen(self.broker.events()), *(work() for work in self._works)
        ):
            await self.recovery.start()
            self.closer.resume()
            await self.guardian.begin()
            self.losses.look()
            try:
                yield self
            finally:  # what a group has asked for must not be lost with an error of the caller's
                self.losses.look()  # a command may end before the watch has looked at its prices
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.finish_within):
                        await keep_halts(self)
                        await self.halter.flattener.idle()
                        await self.closer.idle()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LEAVE):
                        await self.intake.drained()
                        await self.groups.idle()
                        await self.guardian.idle()
                await self.alarming.part()
            self.recovery.checkpoint()
