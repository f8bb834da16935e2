"""Feeds order events and prices to the groups they concern, and their commands to the router.

A group decides, purely; this runs it. Reactions are computed while the event is being
delivered, so a group sees every event in order; its commands wait in a queue, because
the order path must not run inside a delivery.

Where the broker has restated a position that no execution explains (a split, or a trade nobody
told), the groups in it know neither what they hold nor what it is worth: they place and enlarge
nothing any more, and say so.

While the link to the broker is down, or what is there is not known yet, groups go on hearing
of their orders and ask for nothing: the links at the broker are in charge then.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.contracts import label
from ibkr_trader.core.errors import BrokerUnavailable, JournalError
from ibkr_trader.core.events import (
    CheckpointEvent,
    ConnectEvent,
    DenyEvent,
    DisconnectEvent,
    DriftEvent,
    GroupEvent,
    MarketEvent,
    NewOrderEvent,
    OrderEvent,
    SyncEvent,
    SystemEvent,
    TimeEvent,
)
from ibkr_trader.core.trading_day import exchange_time
from ibkr_trader.execution.command_queue import CommandQueue
from ibkr_trader.execution.command_words import asked, denial
from ibkr_trader.execution.exchange_hours import is_trading
from ibkr_trader.execution.restated import RestatedGroups
from ibkr_trader.execution.skew_watch import in_step
from ibkr_trader.orders.group import ORDER_TYPES, Follower, Forgetful
from ibkr_trader.portfolio.caring import is_left_alone
from ibkr_trader.portfolio.enlarging import enlarged, is_needless
from ibkr_trader.risk.verdict import Denied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.core.models import Contract, ContractDetails, GroupId, OrderId
    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.execution.ports import Clock
    from ibkr_trader.execution.record import Record
    from ibkr_trader.execution.router import OrderRouter
    from ibkr_trader.orders.group import OrderGroup, Step
    from ibkr_trader.portfolio.state import PortfolioState

logger = logging.getLogger(__name__)
HEARTBEAT = 0.25  # seconds: half the grace that groups give the broker
PACE = timedelta(seconds=1)  # between two changes of prices in one contract, by all that follow it


class GroupRunner:
    """Holds the open groups of this process."""

    def __init__(
        self,
        *,
        bus: EventBus,
        record: Record,
        router: OrderRouter,
        clock: Clock,
        portfolio: Callable[[], PortfolioState],
        details: Callable[[int], ContractDetails | None] = lambda _: None,
        yields: Callable[[Command], bool] = lambda _: False,
        looks: Callable[[], bool] = lambda: False,
        skew: Callable[[], timedelta | None] = in_step,
    ) -> None:
        self._details, self._skew = details, skew
        self._yields = yields  # what is left out without a word: the group asks again
        self._looks = looks  # whether this process only looks: then nothing is asked for
        self._record, self._router, self._clock = record, router, clock
        self._portfolio = portfolio
        self._groups: dict[GroupId, OrderGroup] = {}
        self._resting: set[GroupId] = set()  # those for which time alone changes nothing
        self._by_order: dict[OrderId, GroupId] = {}
        self._followers: dict[int, dict[GroupId, None]] = {}  # by con_id, longest unmoved first
        self._followed: dict[GroupId, frozenset[Contract]] = {}
        self._awake: set[GroupId] = set()  # those that follow outside regular hours, too
        self._moved_at: dict[int, datetime] = {}
        self._unsent_at: dict[GroupId, datetime] = {}  # when it could last send nothing
        self._broken: list[tuple[GroupId, str]] = []
        self._restated = RestatedGroups(portfolio)
        # Epochs, because a snapshot can overtake the news of the link it was taken on.
        self._connected = self._lost = self._synced = 0
        self._commands = CommandQueue()
        bus.subscribe(OrderEvent, self._react)
        bus.subscribe(MarketEvent, self._tick)
        bus.subscribe(SystemEvent, self._link)

    @property
    def followed(self) -> frozenset[Contract]:
        """The contracts whose prices some group acts on: somebody must subscribe to them."""
        return frozenset().union(*self._followed.values())

    def add(self, group: OrderGroup, orders: Iterable[OrderId]) -> Callable[[], None]:
        """Look after `group` from now on; events of `orders` are its business.

        Returns:
            What forgets it again if none of `orders` was ever announced: then no news
            would close it.
        """
        mine = tuple(orders)
        self._groups[group.group_id] = group
        self._resting.discard(group.group_id)
        for order_id in mine:
            self._by_order[order_id] = group.group_id
        if isinstance(group, Follower):
            self._followed[group.group_id] = group.follows
            if group.outside_rth:
                self._awake.add(group.group_id)
            for contract in group.follows:
                self._followers.setdefault(contract.con_id, {})[group.group_id] = None

        def disown() -> None:
            if all(self._portfolio().order(order_id) is None for order_id in mine):
                self.drop(group.group_id)

        return disown

    def get(self, group_id: GroupId) -> OrderGroup | None:
        """Return the group as it now stands, or None once it is closed and forgotten."""
        return self._groups.get(group_id)

    @property
    def blind(self) -> tuple[GroupId, ...]:
        """The open groups that are wrong about what they hold: the broker has restated it."""
        return self._restated.among(self._groups)

    @property
    def misled(self) -> tuple[GroupId, ...]:
        """Those of them whose position nobody has taken over as it is now."""
        return self._restated.untended(self._groups)

    @property
    def open_ids(self) -> tuple[GroupId, ...]:
        """Return the groups that are not over, though all their orders may be."""
        return tuple(self._groups)

    def restore(self, history: Iterable[BaseEvent]) -> None:
        """Rebuild the open groups from their order events.

        Commands are dropped: they were sent then, or never. What is still undone once the
        broker has told how things stand is asked for again.
        """
        opened: dict[GroupId, list[NewOrderEvent]] = {}
        history = tuple(history)
        for event in history:
            if isinstance(event, NewOrderEvent):
                opened.setdefault(event.spec.group_id, []).append(event)
        for opened_id, news in opened.items():
            if news[0].kind in ORDER_TYPES:
                self._rebuild(opened_id, news)
        begun: set[GroupId] = set()
        for event in history:
            if isinstance(event, NewOrderEvent):
                begun.add(event.spec.group_id)
            self._replay(event, begun)

    async def work(self) -> None:
        """Route what groups ask for, one command after the other; never returns."""
        while True:
            group_id, command = await self._commands.get()
            try:
                await self._carry_out(group_id, command)
            finally:
                self._commands.done()

    async def watch(self) -> None:
        """Let time pass for the groups, so that what is overdue is asked for; never returns."""
        while True:
            await asyncio.sleep(HEARTBEAT)
            self._beat(self._clock.now())

    async def idle(self) -> None:
        """Wait until everything that groups have asked for is routed."""
        await self._commands.join()

    @property
    def _is_synced(self) -> bool:
        return self._synced >= max(self._connected, 1) and self._synced > self._lost

    # -- from events to groups ---------------------------------------------------------------

    def _react(self, event: OrderEvent) -> None:
        spec = event.spec if isinstance(event, (NewOrderEvent, DenyEvent)) else None
        if spec is not None and spec.group_id in self._groups:
            self._by_order[event.order_id] = spec.group_id  # one that replaces another
        group_id = self._by_order.get(event.order_id)
        if group_id is not None:
            self._run(group_id, event)

    def _tick(self, event: MarketEvent) -> None:
        if not self._is_synced:
            return
        for group_id in tuple(self._followers.get(event.contract.con_id, ())):
            if self._is_trading(event, group_id):
                self._run(group_id, event)

    def _is_trading(self, event: MarketEvent, group_id: GroupId) -> bool:
        """Whether the contract's exchange is open, for a group that minds; unknown is open."""
        details, at = self._details(event.contract.con_id), exchange_time(event.at, self._skew())
        return is_trading(details, at, is_awake=group_id in self._awake)

    def _beat(self, at: datetime) -> None:
        if not self._is_synced:
            return
        event = TimeEvent(at=at)
        for group_id in tuple(self._groups):
            if self._restated.is_past(group_id):
                self.drop(group_id)
            for command in () if self._looks() else self._restated.to_take_back(group_id):
                self._commands.put(group_id, command)
            if group_id not in self._resting:
                self._run(group_id, event)

    def _link(self, event: SystemEvent) -> None:
        match event:
            case ConnectEvent(epoch=epoch):
                self._connected = max(self._connected, epoch)
            case DisconnectEvent(epoch=epoch):
                self._lost = max(self._lost, epoch)
                for group_id in tuple(self._groups):
                    self._run(group_id, event)  # what it has seen and asked for is of the past
            case SyncEvent(epoch=epoch):
                self._synced = max(self._synced, epoch)
                self._unsent_at.clear()
                self._report()
                self._beat(event.at)  # what was not asked for meanwhile is due
            case DriftEvent():
                self._restated.note(event, self._groups)
            case _:
                pass

    def _report(self) -> None:
        while self._broken and self._is_synced:
            self._tell(*self._broken.pop())

    def _run(self, group_id: GroupId, event: BaseEvent) -> None:
        step = self._step(group_id, event)
        if step is None:
            return
        for command in step.commands:
            if self._may_ask(group_id, command, event.at):
                self._commands.put(group_id, command)
            else:
                self._forget(group_id, command)
        if step.events:
            self._record.witness(step.events)

    def _step(self, group_id: GroupId, event: BaseEvent) -> Step | None:
        group = self._groups.get(group_id)
        if group is None:
            return None
        try:
            step = group.react(event)
            is_closed = step.group.is_closed
        except Exception as error:
            logger.exception("the policy of %s raised; nobody looks after it now", group_id)
            self.drop(group_id)
            self._broken.append((group_id, f"its policy failed ({type(error).__name__})"))
            self._report()
            return None
        if is_closed:
            self.drop(group_id)
            return step
        self._groups[group_id] = step.group
        if step.is_at_rest:
            self._resting.add(group_id)
        else:
            self._resting.discard(group_id)
        return step

    def drop(self, group_id: GroupId) -> None:
        """Look after a group no longer; its orders stay as they are."""
        self._groups.pop(group_id, None)
        self._awake.discard(group_id)
        self._resting.discard(group_id)
        self._by_order = {o: g for o, g in self._by_order.items() if g != group_id}
        for contract in self._followed.pop(group_id, frozenset()):
            self._followers[contract.con_id].pop(group_id, None)

    def _rebuild(self, group_id: GroupId, news: list[NewOrderEvent]) -> None:
        specs = tuple(event.spec for event in news)
        try:
            group = ORDER_TYPES[news[0].kind](group_id, specs, news[0].plan)
        except Exception as error:
            logger.exception("the group %s cannot be rebuilt", group_id)
            self._broken.append((group_id, f"it cannot be rebuilt ({type(error).__name__})"))
            return
        self.add(group, (spec.order_id for spec in specs))

    def _replay(self, event: BaseEvent, begun: Iterable[GroupId]) -> None:
        match event:
            case CheckpointEvent():
                self._restated.recall(event.misled)
            case DriftEvent():
                self._restated.note(event, begun)
            case OrderEvent() if event.order_id in self._by_order:
                group_id = self._by_order[event.order_id]
                step = self._step(group_id, event)
                for command in step.commands if step is not None else ():
                    self._forget(group_id, command)
            case _:
                pass

    # -- from groups to the router -----------------------------------------------------------

    def _may_ask(self, group_id: GroupId, command: Command, at: datetime) -> bool:
        if self._looks() or is_left_alone(self._portfolio(), command):
            return False
        group = self._groups.get(group_id)
        # What could not be sent is forgotten, so a group may want it again in the same breath.
        # Asking at once would never let the news in that the link is gone.
        unsent_at = self._unsent_at.get(group_id)
        is_cut = not self._is_synced or _is_within(unsent_at, self._clock.now())
        if isinstance(group, Forgetful) and (is_cut or self._yields(command)):
            return False
        con_ids = [contract.con_id for contract in self._followed.get(group_id, ())]
        if not con_ids or not isinstance(command, ModifyOrder):
            return True
        if any(_is_within(self._moved_at.get(con_id), at) for con_id in con_ids):
            return False
        for con_id in con_ids:
            self._moved_at[con_id] = at
            line = self._followers[con_id]
            line[group_id] = line.pop(group_id)  # to the end of it: the others are next
        return True

    def _forget(self, group_id: GroupId, command: Command) -> None:
        group = self._groups.get(group_id)
        if isinstance(group, Forgetful):
            self._groups[group_id] = group.unsent(command)
            self._resting.discard(group_id)  # it may want it again

    async def _carry_out(self, group_id: GroupId, command: Command) -> None:
        state = self._portfolio()
        if is_needless(state, command):
            return
        if not self._is_synced and isinstance(self._groups.get(group_id), Forgetful):
            self._put_off(group_id, command)  # asked for before the link went; a denial would stay
            return
        where = enlarged(state, command)  # what the group may be wrong about
        if where is not None and self._restated.is_wrong(group_id, where):
            self._hold(group_id, command, where)
            return
        try:
            verdict = await self._router.route(command)
        except (BrokerUnavailable, JournalError) as error:
            self._put_off(group_id, command)
            self._tell(group_id, f"{asked(command)} was not sent: {error.message}")
            return
        if isinstance(verdict, Denied):
            self._tell(group_id, denial(command, verdict))

    def _put_off(self, group_id: GroupId, command: Command) -> None:
        self._unsent_at[group_id] = self._clock.now()
        self._forget(group_id, command)

    def _hold(self, group_id: GroupId, command: Command, contract: Contract) -> None:
        """Keep back what is asked of a position that is not what its executions make it."""
        if group_id not in self._restated and isinstance(self._groups.get(group_id), Forgetful):
            # The broker is being asked: most often an execution is late. Then it is due at once.
            self._put_off(group_id, command)
            return
        what = f"the broker restated the position in {label(contract)}"
        self._tell(group_id, f"{what}: nothing is placed by itself; look at it")

    def _tell(self, group_id: GroupId, message: str) -> None:
        at = self._clock.now()
        told = GroupEvent(at=at, group_id=group_id, message=message, is_serious=True)
        self._record.witness([told])


def _is_within(since: datetime | None, at: datetime) -> bool:
    # A clock that was set back must not stop anything.
    return since is not None and timedelta(0) <= at - since < PACE
