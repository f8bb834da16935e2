"""Closing a position for good: flat at the end, never turned round, never twice.

A closing order beside a working exit could trade twice, so the exits go first, and the
stops go last of all:

1. Cancel whatever could open, and the targets. The stops keep protecting.
2. Once those are over, cancel the stops.
3. Once that is over, sell (or buy back) what is then held, at the market.
4. If that order fails, put a stop back where the old one was, and say so.

Each step is derived from how things stand, so it can be asked again and again, by several
at once, and after a restart: an order that is being cancelled, or a closing order that
works, is waited for and not repeated. Orders of strangers are never touched; what they
would close is left to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

import msgspec

from ibkr_trader.core.commands import CancelOrder, Command, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.ids import make_order_id
from ibkr_trader.core.models import ZERO, Contract, GroupId, Order, OrderId, OrderSpec

KIND = "close"
_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAIL, OrderType.TRAIL_LIMIT})


class ClosingStep(NamedTuple):
    """What to do next.

    Attributes:
        closing: The closing as it now stands; pass it to the next step.
        commands: To be routed now, in order. None while something is waited for.
        waiting_for: The orders whose end is waited for.
        is_over: Nothing more will follow: flat, or `trouble` says why not.
        trouble: Why the position is not closed, in plain words.
    """

    closing: Closing
    commands: tuple[Command, ...] = ()
    waiting_for: tuple[OrderId, ...] = ()
    is_over: bool = False
    trouble: str = ""


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """The intention to end flat in one contract.

    Attributes:
        group_id: A fresh group: the ids of the closing order and of a stop put back.
        stop: The stop that was taken away, to put back if closing fails.
        asked: The orders whose cancel was asked for: once each.
    """

    group_id: GroupId
    contract: Contract
    account: str
    origin: str = KIND
    stop: OrderSpec | None = None
    asked: frozenset[OrderId] = frozenset()

    def step(self, held: Decimal, orders: Iterable[Order]) -> ClosingStep:
        """Return what to do next.

        Args:
            held: The signed quantity held now.
            orders: Every order known, live and closed; those of other contracts are ignored.
        """
        mine = [o for o in orders if o.spec.contract.con_id == self.contract.con_id]
        live = [o for o in mine if not o.status.is_closed]
        ours = [o for o in live if not o.is_foreign]
        names = frozenset(_ids(ours))
        closers = [o for o in ours if o.spec.role is OrderRole.CLOSE and _reduces(o, held)]
        stops = [o for o in ours if o not in closers and _protects(o, held, names)]
        others = [o for o in ours if o not in closers and o not in stops]
        strangers = [o for o in live if o.is_foreign and _reduces(o, held)]
        if held and not closers and _left(held, strangers) <= 0:
            trouble = f"orders of others close it already: {', '.join(_ids(strangers))}"
            return ClosingStep(self, waiting_for=_ids(strangers), is_over=True, trouble=trouble)
        if others:
            return self._cancelling(others)
        if closers:
            return ClosingStep(self, waiting_for=_ids(closers))
        if stops:
            largest = max(stops, key=lambda order: order.remaining)
            closing = msgspec.structs.replace(self, stop=largest.spec)
            return closing._cancelling(stops)  # noqa: SLF001 - of our own kind
        if not held:
            return ClosingStep(self, is_over=True)
        return self._close(held, mine, size=_left(held, strangers))

    def _cancelling(self, orders: list[Order]) -> ClosingStep:
        commands = tuple(
            CancelOrder(
                order_id=order.order_id,
                broker_order_id=order.spec.broker_order_id,
                origin=self.origin,
            )
            for order in orders
            if order.status is not OrderStatus.PENDING_CANCEL and order.order_id not in self.asked
        )
        asked = self.asked | {command.order_id for command in commands}
        closing = msgspec.structs.replace(self, asked=asked)
        return ClosingStep(closing, commands, waiting_for=_ids(orders))

    def _close(self, held: Decimal, mine: list[Order], *, size: Decimal) -> ClosingStep:
        tried = [o for o in mine if o.spec.group_id == self.group_id]
        if any(o.spec.role is OrderRole.CLOSE for o in tried):
            return self._protect_again(held, tried)
        spec = OrderSpec(
            order_id=make_order_id(self.group_id, OrderRole.CLOSE),
            group_id=self.group_id,
            role=OrderRole.CLOSE,
            contract=self.contract,
            account=self.account,
            side=Side.SELL if held > 0 else Side.BUY,
            quantity=size,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
        )
        return ClosingStep(self, (self._submit(spec),))

    def _protect_again(self, held: Decimal, tried: list[Order]) -> ClosingStep:
        failed = next(o for o in tried if o.spec.role is OrderRole.CLOSE)
        trouble = f"{failed.order_id} is {failed.status}" + (
            f": {failed.reason}" if failed.reason else ""
        )
        has_stop = any(o.spec.role is OrderRole.STOP for o in tried)
        if self.stop is None or has_stop or self.stop.side.sign * held >= 0:
            return ClosingStep(self, is_over=True, trouble=trouble)
        spec = msgspec.structs.replace(
            self.stop,
            order_id=make_order_id(self.group_id, OrderRole.STOP),
            group_id=self.group_id,
            role=OrderRole.STOP,
            quantity=abs(held),
            parent_id=None,
            oca_group="",
            oca_type=None,
            broker_order_id=0,
        )
        message = f"{trouble}; its stop is put back"
        return ClosingStep(self, (self._submit(spec),), is_over=True, trouble=message)

    def _submit(self, spec: OrderSpec) -> SubmitOrders:
        return SubmitOrders(
            group_id=self.group_id, orders=(spec,), kind=KIND, origin=self.origin, reduces=True
        )


def _protects(order: Order, held: Decimal, live: frozenset[OrderId]) -> bool:
    """Whether the order is a stop for what is held, or for what a live entry may yet open."""
    if order.spec.order_type not in _STOPS:
        return False
    return _reduces(order, held) or order.spec.parent_id in live


def _left(held: Decimal, strangers: Iterable[Order]) -> Decimal:
    return abs(held) - sum((order.remaining for order in strangers), ZERO)


def _reduces(order: Order, held: Decimal) -> bool:
    return order.spec.side.sign * held < 0


def _ids(orders: Iterable[Order]) -> tuple[OrderId, ...]:
    return tuple(order.order_id for order in orders)
