"""Resting stops that are let follow the market, whoever placed them: a bracket's, a single one.

The order stays in its group, which goes on looking after its size. Beside that, a runner of its
own holds a managed trail for it (`orders/managed_trails.py`): never wider, at most once a second,
and not once a person has moved the stop away from the market.

That a stop trails is an event of its own, kept by checkpoints, so a restart knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.enums import OrderType
from ibkr_trader.core.errors import TraderError
from ibkr_trader.core.events import CheckpointEvent, ModifyEvent, TrailEvent
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.models import GroupId
from ibkr_trader.execution.group_runner import GroupRunner
from ibkr_trader.execution.thrift import is_spared
from ibkr_trader.orders.managed_trails import ORIGIN, ManagedTrail, Trail, gained
from ibkr_trader.portfolio.ledger_fold import quantity_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.core.models import Order, OrderId
    from ibkr_trader.execution.trader import Trader


class CannotTrail(TraderError):
    """The order cannot be let follow the market, and the message says why."""


class StopTrails:
    """The stops that trail beside what their groups do with them.

    Attributes:
        runner: Runs their trails.
    """

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._told: dict[OrderId, TrailEvent] = {}
        self.runner = GroupRunner(
            bus=trader.bus,
            record=trader.record,
            router=trader.router,
            clock=trader.clock,
            portfolio=lambda: trader.portfolio,
            details=trader.outlook.details,
            yields=lambda command: is_spared(command, trader.outlook),
            skew=lambda: trader.outlook.book.clock_skew,
        )
        trader.bus.subscribe(TrailEvent, self._hear)
        trader.own(self.runner.work)
        trader.own(self.runner.watch)

    def let(self, order: Order, trail: Trail, *, origin: str) -> None:
        """Let a resting stop follow the market from now on.

        Raises:
            CannotTrail: If it is no plain stop of ours that ends a position.
            JournalError: If it cannot be recorded: then it does not follow.
        """
        if fault := self.fault(order):
            raise CannotTrail(fault, hint="ibkr-trader orders")
        self._say(order, trail.plan(), origin=origin)

    def end(self, order: Order, *, origin: str) -> None:
        """Let the stop stay where it is from now on.

        Raises:
            CannotTrail: If it does not follow.
            JournalError: If it cannot be recorded.
        """
        if self.plan(order.order_id) is None:
            raise CannotTrail(f"{short_id(order.order_id)} does not trail", hint="")
        self._say(order, {}, origin=origin)

    def plan(self, order_id: OrderId) -> Trail | None:
        """Return how a stop follows the market; None if it does not."""
        group = self.runner.get(_key(order_id))
        if order_id not in self._told or not isinstance(group, ManagedTrail) or group.is_paused:
            return None
        return group.trail

    def following(self, order: Order) -> Trail | None:
        """Return how an order is trailed from here, since it was placed or since it was let.

        None if nobody moves it; and if the broker trails it, for that is of its own terms.
        """
        own = self._trader.groups.get(order.spec.group_id)
        if not isinstance(own, ManagedTrail):
            return self.plan(order.order_id)
        return None if own.is_paused or order.status.is_closed else own.trail

    def fault(self, order: Order) -> str:
        """Return why an order cannot be let follow the market; empty if it can."""
        spec, name = order.spec, short_id(order.order_id)
        held = quantity_of(self._trader.portfolio, spec.contract.con_id)
        if order.status.is_closed:
            return f"{name} is {order.status}"
        if order.is_foreign:
            return f"{name} is not an order of ours"
        if spec.order_type is not OrderType.STOP:
            return f"{name} is a {spec.order_type.value.replace('_', ' ')} order, and no plain stop"
        if held * spec.side.sign >= 0 or self._waits(order):
            return f"{name} protects nothing yet: it may trail once its entry has filled"
        own = self._trader.groups.get(spec.group_id)
        if isinstance(own, ManagedTrail):
            return f"{name} trails already, as it was placed"
        return ""

    def _waits(self, order: Order) -> bool:
        """Whether the order's own entry is still to fill: it would then lie beyond it."""
        parent_id = order.spec.parent_id
        parent = self._trader.portfolio.order(parent_id) if parent_id is not None else None
        return parent is not None and not parent.status.is_closed

    def kept(self) -> tuple[TrailEvent, ...]:
        """Return what a checkpoint keeps: the stops that still follow."""
        return tuple(one for key, one in self._told.items() if self.plan(key) is not None)

    def restore(self, history: Iterable[BaseEvent]) -> None:
        """Go on with the stops that followed when the journal ended."""
        for event in history:
            match event:
                case CheckpointEvent(trails=trails):
                    self._told = {one.order_id: one for one in trails}
                case TrailEvent():
                    self._told[event.order_id] = event
                case ModifyEvent(order_id=order_id) if order_id in self._told:
                    self._moved(event, self._told[order_id])
        for event in tuple(self._told.values()):
            self._hear(event)

    def _moved(self, event: ModifyEvent, told: TrailEvent) -> None:
        """A person who moves the stop away from the market takes it over."""
        new = event.spec.stop_price
        if gained(told.stop, new, event.spec.side) < 0 and event.origin != ORIGIN:
            del self._told[told.order_id]
        else:
            self._told[told.order_id] = msgspec.structs.replace(told, stop=new)

    def _say(self, order: Order, plan: dict[str, str], *, origin: str) -> None:
        event = TrailEvent(
            at=self._trader.clock.now(),
            order_id=order.order_id,
            plan=plan,
            stop=order.spec.stop_price,
            origin=origin,
        )
        self._trader.record.write([event])

    def _hear(self, event: TrailEvent) -> None:
        key, order = _key(event.order_id), self._trader.portfolio.order(event.order_id)
        self.runner.drop(key)
        if not event.plan or order is None or order.status.is_closed:
            self._told.pop(event.order_id, None)
            return
        self._told[event.order_id] = event
        trail = ManagedTrail.following(order, Trail.planned(event.plan), key)
        self.runner.add(trail, [order.order_id])


def _key(order_id: OrderId) -> GroupId:
    """The trail's name among the groups: the order's, so that what it tells names the order."""
    return GroupId(order_id)
