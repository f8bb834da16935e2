"""Closing a position for good: flat at the end, never turned round, never twice.

A closing order beside a working exit could trade twice, so the exits go first, and the
stops go last of all:

1. Cancel whatever could open, and the targets. The stops keep protecting.
2. Once those are over, cancel the stops. An entry that nobody can account for is not waited for.
3. Once that is over, sell (or buy back) what is then held, at the market.
4. If that order fails, put a stop back where the old one was, and say so.

Each step is derived from how things stand, so it can be asked again and again, by several
at once, and after a restart: an order that is being cancelled, or a closing order that
works, is waited for and not repeated. Orders of strangers are never touched; what they
would close is left to them. Whoever takes a closing up when it can no longer be done
(`give_up`) sees to it that a stop is there again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.events import CloseRequestEvent
from ibkr_trader.core.ids import make_order_id
from ibkr_trader.core.models import ZERO, Contract, GroupId, Order, OrderId, OrderSpec
from ibkr_trader.core.shapes import STOP_TYPES
from ibkr_trader.orders.members import as_tight, traded

KIND = "close"
TRIES = 3  # of a cancel that was refused, and of a closing order that never left
_NO_FAILURES = frozenset({OrderStatus.NOT_SENT, OrderStatus.FILLED})


class ClosingStep(NamedTuple):
    """What to do next.

    Attributes:
        closing: The closing as it now stands; pass it to the next step.
        commands: To be routed now, in order. None while something is waited for.
        waiting_for: The orders whose end is waited for.
        is_over: Nothing more will follow: flat, or `trouble` says why not.
        trouble: Why the position is not closed, in plain words.
        is_resting: All that is left to wait for is an order that closes the position: the
            broker has it, and nothing is lost by leaving.
    """

    closing: Closing
    commands: tuple[Command, ...] = ()
    waiting_for: tuple[OrderId, ...] = ()
    is_over: bool = False
    trouble: str = ""
    is_resting: bool = False


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """The intention to end flat in one contract.

    Attributes:
        group_id: A fresh group: the ids of the closing order and of a stop put back.
        stop: The stop that was taken away, to put back if closing fails.
        asked: How often the cancel of each order was asked for.
        cut: The sizes that closing orders were asked to shrink to.
    """

    group_id: GroupId
    contract: Contract
    account: str
    stop: OrderSpec | None = None
    asked: Mapping[OrderId, int] = MappingProxyType({})
    cut: frozenset[tuple[OrderId, Decimal | None]] = frozenset()

    @classmethod
    def of(cls, request: CloseRequestEvent) -> Closing:
        """Return the closing that was asked for, here or by a process that is gone."""
        return cls(
            group_id=request.group_id,
            contract=request.contract,
            account=request.account,
            stop=request.stop,
        )

    def step(self, held: Decimal, orders: Iterable[Order]) -> ClosingStep:
        """Return what to do next.

        Args:
            held: The signed quantity held now.
            orders: Every order known, live and closed; those of other contracts are ignored.
        """
        mine = self._mine(orders)
        live = [o for o in mine if not o.status.is_closed]
        ours = [o for o in live if not o.is_foreign]
        names, doubts = frozenset(_ids(ours)), self._in_doubt(ours, held)
        ours = [o for o in ours if o.order_id not in doubts]
        closers = [o for o in ours if o.spec.role is OrderRole.CLOSE and _reduces(o, held)]
        stops = [o for o in ours if o not in closers and _protects(o, held, names)]
        others = [o for o in ours if o not in closers and o not in stops]
        strangers = [o for o in live if o.is_foreign and _reduces(o, held)]
        if held and not closers and _left(held, strangers) <= 0:
            trouble = (
                f"orders of others close it already: {', '.join(_ids(strangers))}; take them back "
                "where they were placed (TWS), then close again"
            )
            return ClosingStep(self, waiting_for=_ids(strangers), is_over=True, trouble=trouble)
        if others:
            return self._cancelling(others)
        if closers and _left(held, strangers) <= 0:
            return self._cancelling(closers)  # others came first, and both would be too much
        if closers:
            is_resting = all(order.status.is_open for order in closers)
            cuts = tuple(self._cuts(closers, _left(held, strangers)))
            cut = self.cut | {(one.order_id, one.quantity) for one in cuts}
            closing = msgspec.structs.replace(self, cut=cut) if cuts else self
            return ClosingStep(closing, cuts, waiting_for=_ids(closers), is_resting=is_resting)
        if unheard := [o for o in mine if o.unheard]:
            return ClosingStep(self, waiting_for=_ids(unheard))  # what is held is not known yet
        if stops:
            closing = msgspec.structs.replace(self, stop=_to_put_back(stops))
            return closing._cancelling(stops)  # noqa: SLF001 - of our own kind
        if not held:
            return ClosingStep(self, is_over=True)
        return self._close(held, mine, size=_left(held, strangers))

    def _in_doubt(self, orders: Iterable[Order], held: Decimal) -> frozenset[OrderId]:
        """Return what the broker has never shown, could take no part in it, and was asked away.

        An entry could only add, and its exits only end what it has added. What is not known stands
        against opening, not against getting out: should it come alive, it is taken back, and what
        it has added is closed like the rest.
        """
        unseen = (o for o in orders if o.status is OrderStatus.UNKNOWN and not o.perm_id)
        lost = [o for o in unseen if o.order_id in self.asked]
        adding = frozenset(o.order_id for o in lost if o.spec.side.sign * held > 0)
        return adding | {o.order_id for o in lost if o.spec.parent_id in adding}

    def asking_again(self) -> Closing:
        """Return the closing that asks once more for each cancel that was refused too often."""
        asked = {order_id: min(times, TRIES - 1) for order_id, times in self.asked.items()}
        return msgspec.structs.replace(self, asked=asked)

    def give_up(self, held: Decimal, orders: Iterable[Order], why: str) -> ClosingStep:
        """Return what to do when the position cannot be closed now: see that a stop is there.

        A closing order that the broker has is waited for all the same.
        """
        mine = self._mine(orders)
        live = [o for o in mine if not o.status.is_closed and not o.is_foreign]
        closers = [o for o in live if o.spec.role is OrderRole.CLOSE and _reduces(o, held)]
        if closers:
            is_resting = all(order.status.is_open for order in closers)
            return ClosingStep(self, waiting_for=_ids(closers), is_resting=is_resting)
        if not held:
            return ClosingStep(self, is_over=True)
        stops = [o for o in live if _protects(o, held, frozenset())]
        leaving = [o for o in stops if o.status is OrderStatus.PENDING_CANCEL]
        if leaving:
            return ClosingStep(self, waiting_for=_ids(leaving))
        if stops:
            return ClosingStep(self, is_over=True, trouble=why)
        return self._protect_again(held, mine, trouble=why)

    def _mine(self, orders: Iterable[Order]) -> list[Order]:
        return [o for o in orders if o.spec.contract.con_id == self.contract.con_id]

    def _cancelling(self, orders: list[Order]) -> ClosingStep:
        wanted = [order for order in orders if self._is_to_cancel(order)]
        commands = tuple(
            CancelOrder(
                order_id=order.order_id,
                broker_order_id=order.spec.broker_order_id,
                origin=KIND,
            )
            for order in wanted
        )
        asked = {order.order_id: self.asked.get(order.order_id, 0) + 1 for order in wanted}
        closing = msgspec.structs.replace(self, asked={**self.asked, **asked})
        return ClosingStep(closing, commands, waiting_for=_ids(orders))

    def _cuts(self, closers: list[Order], room: Decimal) -> Iterator[ModifyOrder]:
        """Yield what cuts a closing order to what is left: somebody else has closed the rest."""
        for order in closers:
            wanted = (order.desired or order.spec).quantity - traded(order)
            size = traded(order) + room
            is_news = (order.order_id, size) not in self.cut
            if wanted > room and order.status.is_open and is_news:
                yield ModifyOrder(order_id=order.order_id, quantity=size, origin=KIND)
            room = max(ZERO, room - wanted)

    def _is_to_cancel(self, order: Order) -> bool:
        """Whether to ask: at first, and again when the broker refused and it works on."""
        times = self.asked.get(order.order_id, 0)
        if order.status is OrderStatus.PENDING_CANCEL:
            return False
        return times == 0 or (order.status.is_open and times < TRIES)

    def _close(self, held: Decimal, mine: list[Order], *, size: Decimal) -> ClosingStep:
        tried = [o for o in mine if self._is_closer(o)]
        # What never left is no failure, nor is what traded, if more has come meanwhile.
        failed = next((o for o in tried if o.status not in _NO_FAILURES), None)
        if failed is None and len(tried) >= TRIES:
            failed = tried[0]
        if failed is not None:
            trouble = f"{failed.order_id} is {failed.status}" + (
                f": {failed.reason}" if failed.reason else ""
            )
            return self._protect_again(held, mine, trouble=trouble)
        spec = OrderSpec(
            order_id=make_order_id(self.group_id, OrderRole.CLOSE, copy=len(tried) + 1),
            group_id=self.group_id,
            role=OrderRole.CLOSE,
            contract=self.contract,
            account=self.account,
            side=Side.closing(held),
            quantity=size,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
        )
        return ClosingStep(self, (self._submit(spec),))

    def _is_closer(self, order: Order) -> bool:
        return order.spec.group_id == self.group_id and order.spec.role is OrderRole.CLOSE

    def _protect_again(self, held: Decimal, mine: list[Order], *, trouble: str) -> ClosingStep:
        back = [
            o for o in mine if o.spec.group_id == self.group_id and o.spec.role is OrderRole.STOP
        ]
        is_refused = any(order.status is not OrderStatus.NOT_SENT for order in back)
        if self.stop is None or is_refused or len(back) >= TRIES or not self._fits(held):
            return ClosingStep(self, is_over=True, trouble=trouble)
        spec = msgspec.structs.replace(
            self.stop,
            order_id=make_order_id(self.group_id, OrderRole.STOP, copy=len(back) + 1),
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

    def _fits(self, held: Decimal) -> bool:
        return self.stop is not None and self.stop.side.sign * held < 0

    def _submit(self, spec: OrderSpec) -> SubmitOrders:
        return SubmitOrders(
            group_id=self.group_id, orders=(spec,), kind=KIND, origin=KIND, reduces=True
        )


def stop_under(held: Decimal, orders: Iterable[Order]) -> OrderSpec | None:
    """Return the stop of ours that a closing would take away last, as it goes back if that fails.

    `orders` are those of the contract.
    """
    live = (o for o in orders if not o.status.is_closed and not o.is_foreign)
    stops = [o for o in live if _protects(o, held, frozenset())]
    return _to_put_back(stops) if stops else None


def _to_put_back(stops: Iterable[Order]) -> OrderSpec:
    """Return the largest of the stops that are taken away, at the tightest price it had."""
    return as_tight(max(stops, key=lambda order: order.remaining))


def _protects(order: Order, held: Decimal, live: frozenset[OrderId]) -> bool:
    """Whether the order is a stop for what is held, or for what a live entry may yet open."""
    if order.spec.order_type not in STOP_TYPES:
        return False
    return _reduces(order, held) or order.spec.parent_id in live


def _left(held: Decimal, strangers: Iterable[Order]) -> Decimal:
    return abs(held) - sum((order.remaining for order in strangers), ZERO)


def _reduces(order: Order, held: Decimal) -> bool:
    return order.spec.side.sign * held < 0


def _ids(orders: Iterable[Order]) -> tuple[OrderId, ...]:
    return tuple(order.order_id for order in orders)
