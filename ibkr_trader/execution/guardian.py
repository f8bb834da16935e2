"""Keeps positions covered, and no more than covered: runs the cover policy of one trader.

Looks again after every news of orders and positions, and with each beat of its own; what
the policy wants goes down the order path, never from inside a delivery. It looks only while
everything is known; where the broker's word on a position and our ledger disagree, nothing
is done until that is settled (`drift_watch.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import DataType
from ibkr_trader.core.errors import BrokerUnavailable, JournalError, TraderError
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.trading_day import session_at
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.placing import QUOTE_TIMEOUT
from ibkr_trader.orders.cover_orders import KIND, Attach, CoverRules, Market, Policy
from ibkr_trader.orders.cover_policy import CoverPolicy
from ibkr_trader.orders.cover_rules import SETTLE
from ibkr_trader.orders.cover_scene import Action, Flatten, Look
from ibkr_trader.portfolio.protection import flat, scenes, standings
from ibkr_trader.risk.verdict import Denied

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import Contract
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.portfolio.protection import Standing
    from ibkr_trader.portfolio.state import PortfolioState

BEAT = 1.0  # seconds between two looks when nothing happens
TICK = 0.1  # and while something falls due
_AT_ONCE = timedelta(0)
_CLOSE_TIMEOUT = 30.0
_MANY = 1_000  # orders remembered before those that are long gone are forgotten


class Duty(StrEnum):
    """How much a guardian does."""

    NONE = "none"  # nothing: a command that only looks changes nothing
    TRIM = "trim"  # take away exits that no position stands behind any more
    FULL = "full"  # and whatever the settings say about what no stop covers


class Guardian:
    """Runs the policy; `work` owns its tasks.

    Attributes:
        duty: How much it does, from the next look on.
        rules: How positions are to be protected.
    """

    def __init__(self, trader: Trader, rules: CoverRules, duty: Duty) -> None:
        self.duty = duty
        self._trader = trader
        self._policy = CoverPolicy(rules=rules)
        self.rules = rules
        self._wake = asyncio.Event()
        self._is_looking = asyncio.Lock()
        self._is_fresh = False  # the broker has told everything since the last look
        self._seen: Mapping[int, Standing] = {}  # how each contract stood at the last look
        self._errands: dict[int, Flatten | Look] = {}  # by con_id: at most one waits for each
        self._has_errand = asyncio.Event()
        trader.bus.subscribe(ev.OrderEvent, self._hear)
        trader.bus.subscribe(ev.SyncEvent, self._told)
        trader.bus.subscribe(ev.DisconnectEvent, self._part)
        for kind in (ev.PositionReportEvent, ev.CloseEndEvent, ev.CareEvent):
            trader.bus.subscribe(kind, lambda _: self._wake.set())

    @property
    def policy(self) -> CoverPolicy:
        """The policy as it now stands, with what it has heard."""
        return self._policy

    def remember(self, history: Iterable[ev.BaseEvent]) -> None:
        """Take up what the journal says of the purpose of orders."""
        for event in history:
            if isinstance(event, ev.OrderEvent):
                self._policy = self._policy.hear(event)

    async def begin(self) -> None:
        """Look for the first time, when the broker has told everything."""
        await self.look()

    async def work(self) -> None:
        """Look whenever there is news or something falls due; never returns."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._run_errands())
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TICK if self._is_waiting() else BEAT):
                        await self._wake.wait()
                self._wake.clear()
                await self.look()

    async def idle(self) -> None:
        """Wait until no surplus of exits waits to be taken away."""
        for _ in range(round(SETTLE.total_seconds() / TICK) + 1):
            if not any(watch.surplus_seen for watch in self._policy.watches.values()):
                return
            await asyncio.sleep(TICK)
            await self.look()

    async def look(self) -> None:
        """Let the policy see how things stand, and do what it wants.

        What the broker has just told whole is at rest: nothing needs to settle first.
        """
        trader = self._trader
        async with self._is_looking:
            view = trader.outlook.view()
            if self.duty is Duty.NONE or not view.is_synced or view.is_readonly:
                return
            rules = self.rules
            if self.duty is not Duty.FULL:
                rules = msgspec.structs.replace(rules, policy=Policy.ALERT)
            policy = self._remembered(view.portfolio)
            policy = msgspec.structs.replace(policy, rules=rules)
            markets = open_markets(trader) if rules.policy is Policy.ATTACH else {}
            settle, self._is_fresh = (_AT_ONCE if self._is_fresh else SETTLE), False
            news = self._news(view.portfolio, policy)
            step = policy.step(scenes(view.portfolio, markets, found=news), view.now, settle=settle)
            self._policy = step.policy
            if step.events:
                trader.record.witness(step.events)
            for action in step.actions:
                await self._carry_out(action)

    def _news(self, portfolio: PortfolioState, policy: CoverPolicy) -> dict[int, Standing]:
        """The contracts that stand otherwise than at the last look, and those that are watched."""
        before, now = self._seen, standings(portfolio)
        self._seen = now
        news = {con_id: one for con_id, one in now.items() if before.get(con_id) != one}
        for con_id in policy.watches:
            if con_id in now:
                news[con_id] = now[con_id]
            elif con_id in before:
                news[con_id] = flat(before[con_id].contract)
        return news

    def _remembered(self, portfolio: PortfolioState) -> CoverPolicy:
        """The policy, without what it has heard of orders that are long gone."""
        if self._policy.known.size <= _MANY:
            return self._policy
        return self._policy.knowing_only((*portfolio.orders, *portfolio.closed))

    async def _carry_out(self, action: Action) -> None:
        match action:
            case Flatten() | Look():
                self._errands[action.contract.con_id] = action
                self._has_errand.set()
            case Attach():
                command = action.order(self._trader.new_group_id(), self._trader.account)
                await self._route(command, action.contract)
            case _:
                order = self._trader.portfolio.order(action.order_id)
                if order is not None and not order.status.is_closed:
                    await self._route(action, order.spec.contract)

    async def _route(self, command: Command, contract: Contract) -> None:
        name = "a stop" if isinstance(command, SubmitOrders) else command.order_id
        try:
            verdict = await self._trader.router.route(command)
        except (BrokerUnavailable, JournalError) as error:
            self._tell(contract, f"{name} could not be placed or changed: {error.message}")
            return
        if isinstance(verdict, Denied):
            self._tell(contract, f"{name} was denied: {verdict.reasons}")

    async def _run_errands(self) -> None:
        """Do what takes its time, one after the other."""
        while True:
            self._has_errand.clear()
            if not self._errands:
                await self._has_errand.wait()
                continue
            errand = self._errands.pop(next(iter(self._errands)))
            try:
                if isinstance(errand, Look):
                    await self._trader.study(errand.contract, timeout=QUOTE_TIMEOUT, opens=False)
                else:
                    await close_contract(
                        self._trader, errand.contract, timeout=_CLOSE_TIMEOUT, origin=KIND
                    )
            except TraderError as error:
                self._tell(errand.contract, error.message)
            self._wake.set()

    def _is_waiting(self) -> bool:
        return self.duty is not Duty.NONE and self._policy.is_waiting

    def _told(self, _: ev.SyncEvent) -> None:
        self._is_fresh = True
        self._wake.set()

    def _part(self, _: ev.DisconnectEvent) -> None:
        self._policy = self._policy.parted()

    def _hear(self, event: ev.OrderEvent) -> None:
        self._policy = self._policy.hear(event)
        self._wake.set()

    def _tell(self, contract: Contract, message: str) -> None:
        position = self._trader.portfolio.positions.get(contract.con_id)
        event = ev.CoverEvent(
            at=self._trader.clock.now(),
            contract=contract,
            held=position.quantity if position is not None else ZERO,
            covered=ZERO,
            message=f"{label(contract)}: {message}",
            is_serious=True,
        )
        self._trader.record.witness([event])


def open_markets(trader: Trader) -> dict[int, Market]:
    """Return the markets that are open, two-sided, live, fresh and not halted, by con_id."""
    view = trader.outlook.view()
    found: dict[int, Market] = {}
    for con_id, aged in view.quotes.items():
        quote, details = aged.quote, view.details.get(con_id)
        if details is None or quote.bid is None or quote.ask is None or not quote.is_two_sided:
            continue
        is_open = session_at(details.liquid_sessions, view.exchange_now) is not None
        is_live = quote.data_type is DataType.LIVE or view.limits.allow_delayed_quotes
        if is_open and is_live and not quote.halted and aged.age <= view.limits.max_quote_age:
            found[con_id] = Market(details.bands, quote.bid, quote.ask)
    return found
