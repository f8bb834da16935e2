"""The closings of one trader: each carried on until it is over, whoever began it.

The intention is on record before the first cancel goes out, so a closing outlives the
process that began it: whoever opens the desk next takes it up again, in sync with the
broker, and goes on; or, if it cannot be closed any more (the market is closed, the day is
over), sees to it that a stop is there again. There is one closing for each contract: who
asks for a second one joins the first.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, SubmitOrders
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.errors import AmbiguousContract, BrokerUnavailable
from ibkr_trader.core.trading_day import exchange_time, session_at
from ibkr_trader.execution.exchange_hours import exchange_now
from ibkr_trader.execution.placing import QUOTE_TIMEOUT
from ibkr_trader.orders.asking import SLOWLY
from ibkr_trader.orders.closing import KIND, Closing, stop_under
from ibkr_trader.portfolio.flattening import flatten
from ibkr_trader.portfolio.ledger_fold import quantity_of, subject_of
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from ibkr_trader.core.models import Contract, Order, OrderId, OrderSpec, Session
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.orders.closing import ClosingStep
    from ibkr_trader.portfolio.state import PortfolioState

EXPLAINED = 5.0  # seconds that the broker may take to say what a position is made of
_PROTECTED = "; its stop still works at the broker"
_BARE = ", and the position is UNPROTECTED"
_GOES_ON = "; the closing goes on when the link is back: whoever reaches the broker next goes on"
_A_DAY = timedelta(hours=12)  # what is asked for is of today, where nobody knows the hours


class Run:
    """One closing under way, and what those who wait for it are told.

    Attributes:
        request: As it is on record.
        is_resumed: It was interrupted: another process began it, or the link was lost.
        is_forced: It is closed whatever day it was asked for: no stop could be put back.
        touched: Every order that was waited for.
        is_over: It has ended; `trouble` says why the position is still open, if it is.
        is_stalled: It waits for the broker to be in sync again; `trouble` says so.
        is_resting: Only an order that the broker has is left: nothing is lost by leaving.
    """

    def __init__(self, request: ev.CloseRequestEvent, *, is_resumed: bool) -> None:
        self.request = request
        self.is_resumed = is_resumed
        self.closing = Closing.of(request)
        self.touched: dict[OrderId, None] = {}
        self.trouble = ""
        self.is_over = self.is_stalled = self.is_resting = self.is_forced = False
        self.news = asyncio.Condition()

    async def tell(self) -> None:
        """Wake whoever waits."""
        async with self.news:
            self.news.notify_all()

    async def heard(self) -> None:
        """Wait until there is something to say: it is over, or stands still."""
        async with self.news:
            await self.news.wait_for(lambda: self.is_over or self.is_stalled)

    async def may_be_left(self) -> None:
        """Wait until leaving does no harm: it is over, or the rest is up to others."""
        async with self.news:
            await self.news.wait_for(lambda: self.is_over or self.is_stalled or self.is_resting)


class Closer:
    """Runs the closings of one trader; `work` owns their tasks.

    Attributes:
        goes_on: Whether it takes up what others began; not where nothing may be sent.
    """

    goes_on = True

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._runs: dict[int, Run] = {}
        self._intended: dict[int, ev.CloseRequestEvent] = {}  # on record, and not begun
        self._queue: asyncio.Queue[Run] = asyncio.Queue()
        self._syncs = 0
        trader.bus.subscribe(ev.SyncEvent, self._note_sync)

    def begin(self, contract: Contract, *, origin: str = KIND, cause: str = "") -> Run:
        """Return the closing of `contract`: the one under way, or a new one, on record now."""
        trader = self._trader
        known = self._runs.get(contract.con_id)
        if known is not None:
            if known.is_resumed:  # decided again, today
                known.is_resumed = False
                known.request = msgspec.structs.replace(known.request, at=trader.clock.now())
                trader.record.attempt([known.request], is_vital=True)
            return known
        request = self._intended.pop(contract.con_id, None)
        if request is None:
            request = self._put_on_record(contract, origin=origin, cause=cause)
        return self._enter(Run(request, is_resumed=False))

    def intend(self, contract: Contract) -> None:
        """Put the closing of `contract` on record, for who takes its exits away by other means.

        Nobody puts them back from now on, and who comes next goes on if this process ends.
        `begin` is to follow.
        """
        portfolio, con_id = self._trader.portfolio, contract.con_id
        if con_id in portfolio.closings:
            return
        here = [o for o in portfolio.orders.values() if o.spec.contract.con_id == con_id]
        stop = stop_under(quantity_of(portfolio, con_id), here)
        self._intended[con_id] = self._put_on_record(contract, stop=stop)

    def resume(self) -> None:
        """Take up what others began and could not end; the desk must be in sync."""
        if not self.goes_on or self._trader.outlook.view().is_readonly:
            return
        for request in tuple(self._trader.portfolio.closings.values()):
            self._enter(Run(request, is_resumed=True))

    def runs(self) -> tuple[Run, ...]:
        """Return the closings under way."""
        return tuple(self._runs.values())

    async def work(self) -> None:
        """Carry out what is begun, each closing beside the others; never returns."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                run = await self._queue.get()
                tasks.create_task(self._carry_out(run))

    async def idle(self) -> None:
        """Wait until no closing would leave a position unprotected if nobody went on."""
        for run in self.runs():
            await run.may_be_left()

    def _note_sync(self, _: ev.SyncEvent) -> None:
        self._syncs += 1

    def _put_on_record(
        self,
        contract: Contract,
        *,
        origin: str = KIND,
        cause: str = "",
        stop: OrderSpec | None = None,
    ) -> ev.CloseRequestEvent:
        trader = self._trader
        request = ev.CloseRequestEvent(
            at=trader.clock.now(),
            group_id=trader.new_group_id(),
            contract=contract,
            account=trader.account,
            stop=stop,
            origin=origin,
            correlation_id=cause,
        )
        trader.record.attempt([request], is_vital=True)
        return request

    def _enter(self, run: Run) -> Run:
        self._runs[run.request.contract.con_id] = run
        self._queue.put_nowait(run)
        return run

    async def _carry_out(self, run: Run) -> None:
        trader, contract = self._trader, run.request.contract
        if run.is_resumed:
            with contextlib.suppress(BrokerUnavailable, AmbiguousContract):
                await trader.study(contract, timeout=QUOTE_TIMEOUT, opens=False)
        while not run.is_over:
            before, syncs = _standing(trader.portfolio, contract.con_id), self._syncs
            step = flatten(run.closing, trader.portfolio, objection=self._objection(run))
            if _placed(step):
                if await self._is_explained(contract):
                    continue
                objection, portfolio = self._objection(run), trader.portfolio
                step = flatten(run.closing, portfolio, objection=objection, as_stated=True)
            if not trader.outlook.is_synced:
                # Nothing new may go out yet: no exit is taken away before what comes in its place.
                await self._stall(run, syncs, kept={})
                continue
            self._remember(run, step)
            stood = dict(trader.portfolio.orders)
            unsent, is_lost = await self._send(step, cause=run.request.correlation_id)
            await asyncio.sleep(0)  # whatever a step brings, everybody else gets a turn
            if is_lost:
                kept = {name: stood[name] for name in unsent if name in stood}
                await self._stall(run, syncs, kept=kept)
            elif step.is_over and not self._must_close(run, step):
                self._end(run, step)
            elif not step.commands:
                await run.tell()
                await self._wait(run, before)
        await run.tell()

    async def _wait(self, run: Run, before: Hashable) -> None:
        """Wait for news; without any, ask again after a while for what was refused.

        A person who lets TWS take orders again tells us nothing.
        """
        has_moved = _moved_on(run.request.contract.con_id, before)
        if await self._trader.until(has_moved, timeout=SLOWLY.total_seconds()) is None:
            run.closing = run.closing.asking_again()

    async def _is_explained(self, contract: Contract) -> bool:
        """Wait while the broker states another position than its executions make, and is asked.

        What was closed a moment ago, by an execution that is told late, must not be closed again.
        Whoever wants out waits no longer than `EXPLAINED`: then as much as both have is closed.
        False if there is nothing to wait for.
        """
        subject = subject_of(contract)
        if subject not in self._trader.portfolio.drift:
            return False
        found = await self._trader.until(
            lambda portfolio: subject not in portfolio.drift or None, timeout=EXPLAINED
        )
        return found is not None

    def _objection(self, run: Run) -> str:
        """Why a closing cannot go on, begun when it could; empty if it can."""
        now, asked_at, sessions = exchange_now(self._trader), run.request.at, self._sessions(run)
        if not run.is_resumed:  # asked for here, perhaps by a clock that is behind
            skew = self._trader.outlook.book.clock_skew
            asked_at = max(asked_at, exchange_time(asked_at, skew))
        today = session_at(sessions, now)
        if today is None and sessions:
            return "its market is closed now"
        is_of_today = asked_at >= (today.opens if today is not None else now - _A_DAY)
        if run.is_forced or is_of_today:
            return ""
        return f"it was asked for on {asked_at:%Y-%m-%d}: decide again"

    def _must_close(self, run: Run, step: ClosingStep) -> bool:
        """Whether the stop cannot be put back because the market is beyond it already.

        It would have closed the position by now, so that is what is done.
        """
        portfolio, placed = self._trader.portfolio, _placed(step)
        is_refused = any(not is_live(portfolio, order_id) for order_id in placed)
        is_open = session_at(self._sessions(run), exchange_now(self._trader)) is not None
        if run.is_forced or not (is_refused and is_open) or _has_closer(portfolio, run):
            return False
        run.is_forced = True
        return True

    def _sessions(self, run: Run) -> tuple[Session, ...]:
        details = self._trader.outlook.details(run.request.contract.con_id)
        return details.liquid_sessions if details is not None else ()

    def _remember(self, run: Run, step: ClosingStep) -> None:
        """Put on record which stop is about to go, before it goes."""
        run.touched |= dict.fromkeys(step.waiting_for)
        run.closing, run.is_resting = step.closing, step.is_resting
        run.is_stalled = False
        if step.closing.stop != run.request.stop:
            run.request = msgspec.structs.replace(run.request, stop=step.closing.stop)
            self._trader.record.attempt([run.request], is_vital=True)

    async def _send(self, step: ClosingStep, *, cause: str) -> tuple[tuple[OrderId, ...], bool]:
        """Route what is asked for; return which cancels never left, and if the broker was gone."""
        unsent: list[OrderId] = []
        is_lost = False
        for command in step.commands:
            try:
                caused = msgspec.structs.replace(command, correlation_id=cause)
                await self._trader.router.route(caused)
            except BrokerUnavailable:  # the others are on record at least
                is_lost = True
                if isinstance(command, CancelOrder):
                    unsent.append(command.order_id)
        return tuple(unsent), is_lost

    async def _stall(self, run: Run, syncs: int, *, kept: Mapping[OrderId, Order]) -> None:
        """Say that the link is gone, and wait until everything is known again.

        An order whose cancel never left is `kept`: it works at the broker as it did before.
        """
        symbol = label(run.request.contract)
        run.is_stalled = True
        run.trouble = f"{symbol} is not closed: the broker is gone in the middle of it"
        if quantity_of(self._trader.portfolio, run.request.contract.con_id):
            has_stop = _has_stop(self._trader.portfolio, run, kept=kept)
            run.trouble += _PROTECTED if has_stop else _BARE
        run.trouble += _GOES_ON
        await run.tell()
        await self._trader.until(lambda _: True if self._syncs > syncs else None, timeout=None)
        run.is_resumed = True

    def _end(self, run: Run, step: ClosingStep) -> None:
        trader = self._trader
        if step.trouble:
            run.trouble = f"{label(run.request.contract)} is not closed: {step.trouble}"
            if any(not is_live(trader.portfolio, order_id) for order_id in _placed(step)):
                run.trouble += " (that failed too: the position is UNPROTECTED)"
        else:
            run.trouble = ""
        run.is_over, run.is_stalled = True, False
        del self._runs[run.request.contract.con_id]
        end = ev.CloseEndEvent(
            at=trader.clock.now(), group_id=run.request.group_id, message=run.trouble
        )
        trader.record.attempt([end], is_vital=True)
        if run.is_resumed:
            message = run.trouble or f"{label(run.request.contract)} is closed, as was asked before"
            told = ev.GroupEvent(
                at=end.at,
                group_id=end.group_id,
                message=message,
                is_serious=bool(run.trouble),
            )
            trader.record.witness([told])


def _moved_on(con_id: int, before: Hashable) -> Callable[[PortfolioState], bool | None]:
    return lambda portfolio: _standing(portfolio, con_id) != before or None


def _standing(portfolio: PortfolioState, con_id: int) -> Hashable:
    """What a closing looks at: it is asked again when this changes."""
    orders = (
        (order.order_id, order.status, order.remaining)
        for order in portfolio.orders.values()
        if order.spec.contract.con_id == con_id
    )
    return quantity_of(portfolio, con_id), tuple(orders)


def _has_stop(portfolio: PortfolioState, run: Run, *, kept: Mapping[OrderId, Order]) -> bool:
    """Whether stops would end what is held; those that are `kept` count as they stood before."""
    position = portfolio.positions[run.request.contract.con_id]
    return protection(position, {**portfolio.orders, **kept}.values()).is_covered


def _has_closer(portfolio: PortfolioState, run: Run) -> bool:
    """Whether a closing order of its own was tried already."""
    ids = portfolio.groups.get(run.request.group_id, ())
    orders = (portfolio.order(order_id) for order_id in ids)
    return any(one is not None and one.spec.role is OrderRole.CLOSE for one in orders)


def _placed(step: ClosingStep) -> tuple[OrderId, ...]:
    """The orders that the step wanted placed: the stop that goes back."""
    submits = (c for c in step.commands if isinstance(c, SubmitOrders))
    return tuple(spec.order_id for submit in submits for spec in submit.orders)


def is_live(portfolio: PortfolioState, order_id: OrderId) -> bool:
    """Whether the order is known and can still trade."""
    order = portfolio.order(order_id)
    return order is not None and not order.status.is_closed
