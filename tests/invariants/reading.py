"""What journal and wire have said so far, read once however often the judges ask.

A day is judged after every act, so what was read before is kept and only what is new is read.
The journal's orders are folded by the one table of the state machine; the wire's messages are
sorted into the connections that they crossed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.orders import lifecycle
from ibkr_trader.sim.gateway.account_requests import StartApi
from ibkr_trader.sim.gateway.framing import Frame, FrameReader
from ibkr_trader.sim.gateway.wire import Way
from ibkr_trader.sim.orders import OrderKey
from tests.invariants.evidence import T_COVER, role_of
from tests.invariants.watched import US

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import Order, OrderSpec
    from ibkr_trader.sim.gateway.wire import WireEntry
    from tests.invariants.memory_network import Crossing
    from tests.invariants.watched import Frame as Request
    from tests.invariants.world import World

_ODD = re.compile(
    r"[+-]?\d*\.?\d+[eE][+-]?\d+|[+-]?(nan|inf)|.*[\x00-\x08\x0e-\x1f].*", re.IGNORECASE
)
_LOOK = timedelta(seconds=0.5)  # between two looks at the weather, at the most
PLACE_ORDER = "3"  # how TWS numbers it
NOBODY = -1  # whose messages are, before a link is taken
TAKEN = 326  # the client id is in use: the link is not taken
# What a connection must have been told to its end before anything is opened on it.
FIVE_ENDS = frozenset(
    {"openOrderEnd", "completedOrdersEnd", "execDetailsEnd", "positionEnd", "accountDownloadEnd"}
)


class Step(NamedTuple):
    """One record about an order: what it was before, and after; None is against the table."""

    number: int
    event: ev.OrderEvent
    before: OrderStatus | None
    after: OrderStatus | None
    filled: Decimal | None = None  # what the fold takes for traded from then on


class Wish(NamedTuple):
    """A command on record, and its number there."""

    number: int
    command: Command


class Link:
    """One connection of ours, from its startApi on: what it was told to the end, and when.

    Attributes:
        is_refused: It was turned away: whatever crosses after it crosses another.
    """

    def __init__(self, began: datetime) -> None:
        self.began = began
        self.ends: dict[str, datetime] = {}
        self.next_valid = 0
        self.last_told = began
        self.is_refused = False

    @property
    def synced_at(self) -> datetime | None:
        """When the last of the five answers had ended; None if one has not."""
        return max(self.ends.values()) if self.ends.keys() >= FIVE_ENDS else None


class Sent(NamedTuple):
    """A request of ours about orders, and whether its connection knew everything by then."""

    entry: WireEntry
    link: Link
    is_synced: bool
    least: int  # the number that the broker would have had


class Reading:
    """One world's journal and wire, as far as they have been read.

    Attributes:
        records: The journal, oldest first, each with its number.
        steps: What it says of each order of ours.
        submitted: The terms of each order, and the number of the command that had them.
        asked: The changes and cancels on record, by order and by the broker's number.
        sent: Our requests about orders, as they crossed the wire.
        left: When each order was first sent, by the broker's key.
        turns: The numbers of orders and what-ifs as they left, where there are bytes to read.
        crossed: When each request of ours crossed it.
        links: Our connections, oldest first.
        named: The broker's keys under which an order of ours ever left, whether it arrived or not.
        odd: Fields of our orders that no order has, where there are bytes to read them from.
        refused: What we were told of errors that name an order.
        reducing: The orders that the guard found to be exits.
    """

    def __init__(self) -> None:
        self.records: list[tuple[int, Command | ev.BaseEvent]] = []
        self.steps: dict[str, list[Step]] = defaultdict(list)
        self.submitted: dict[str, list[tuple[int, OrderSpec]]] = defaultdict(list)
        self.asked: dict[str | int, list[Wish]] = defaultdict(list)
        self.sent: list[Sent] = []
        self.left: dict[OrderKey | None, datetime] = {}
        self.turns: dict[int, None] = {}
        self.crossed: list[datetime] = []
        self.links: list[Link] = []
        self.refused: list[WireEntry] = []
        self.named: set[OrderKey] = set()
        self.odd: list[tuple[str, str]] = []
        self.reducing: set[str] = set()
        self._readers: dict[int, FrameReader] = defaultdict(FrameReader)
        self._seen = 0
        self._orders: dict[str, Order] = {}
        self._read = self._heard = 0

    def refresh(self, world: World) -> None:
        """Read what is new."""
        for number, message in world.journal.messages(since=self._read):
            self._read = number
            self.records.append((number, message))
            self._note(number, message)
        entries = world.wire.entries
        for entry in entries[self._heard :]:
            self._hear(entry)
        self._heard = len(entries)
        if world.loop.network is not None:
            began = world.clock.now() - timedelta(seconds=world.loop.time())
            self._decode(world.loop.network.crossings, began)

    @property
    def link(self) -> Link | None:
        """The connection that was taken last.

        Who was killed and comes again at once is turned away while his old one lives.
        """
        return next((one for one in reversed(self.links) if not one.is_refused), None)

    def opens(self, ref: str) -> bool:
        """Whether an order of ours could open a position: it is no exit, whatever it is called."""
        parts = role_of(ref)
        return parts is not None and not parts.role.is_protective and ref not in self.reducing

    def status(self, order_id: str, *, until: int | datetime) -> OrderStatus | None:
        """Return an order's status as of a record's number, or of a moment; None if unknown."""
        steps = self.steps.get(order_id, [])
        if isinstance(until, int):
            place = bisect_right(steps, until, key=lambda step: step.number)
        else:
            place = bisect_right(steps, until, key=lambda step: step.event.at)
        legal = (step.after for step in reversed(steps[:place]) if step.after is not None)
        return next(legal, None)

    def last(self, order_id: str) -> Step | None:
        """Return the last record about an order that the table allows."""
        steps = reversed(self.steps.get(order_id, []))
        return next((step for step in steps if step.after is not None), None)

    def _note(self, number: int, message: Command | ev.BaseEvent) -> None:
        match message:
            case SubmitOrders(orders=orders):
                for spec in orders:
                    self.submitted[spec.order_id].append((number, spec))
            case ModifyOrder(order_id=order_id):
                self.asked[order_id].append(Wish(number, message))
            case CancelOrder(order_id=order_id, broker_order_id=key):
                self.asked[order_id].append(Wish(number, message))
                self.asked[key].append(Wish(number, message))
            case ev.OrderEvent():
                self._fold(number, message)
            case _:
                pass

    def _fold(self, number: int, event: ev.OrderEvent) -> None:
        if isinstance(event, ev.NewOrderEvent) and event.reduces:
            self.reducing.add(event.order_id)
        known = self._orders.get(event.order_id)
        if known is not None:
            after = lifecycle.apply(known, event)
        elif isinstance(event, ev.NewOrderEvent):
            after = lifecycle.open_order(event)
        else:
            return  # of others, or denied
        before = known.status if known is not None else None
        self._orders[event.order_id] = after or known  # type: ignore[assignment]  # one of them is there
        status, filled = (after.status, after.filled) if after is not None else (None, None)
        self.steps[event.order_id].append(Step(number, event, before, status, filled))

    def _hear(self, entry: WireEntry) -> None:
        if isinstance(entry.message, StartApi) and entry.message.client_id == US:
            self.links.append(Link(entry.at))
        if entry.client_id == NOBODY and entry.name == "error" and self.links:
            self.links[-1].is_refused |= entry.message.code == TAKEN  # type: ignore[union-attr]
        link = self.link
        if entry.client_id != US or link is None:
            return
        if entry.way is Way.OUT:
            self._told(entry, link)
            return
        self.crossed.append(entry.at)
        if entry.name in {"placeOrder", "modifyOrder", "cancelOrder", "globalCancel"}:
            self.left.setdefault(entry.key, entry.at)
            self._note_name(entry.key, entry.order_ref if entry.name == "placeOrder" else "")
            self.sent.append(Sent(entry, link, link.synced_at is not None, link.next_valid))

    def _decode(self, crossings: list[Crossing], began: datetime) -> None:
        """Take our orders out of the bytes; what is no message ends its connection.

        The gateway's log has a message as it arrives, or as it proves to be lost.
        """
        for crossing in crossings[self._seen :]:
            if crossing.way != ">":
                continue
            reader = self._readers[crossing.connection]
            reader.receive(crossing.data)
            while (found := reader.next_event()) is not None:
                if isinstance(found, Frame) and found.fields[:1] == (PLACE_ORDER,):
                    at, number = began + timedelta(seconds=crossing.at), found.fields[1]
                    key = OrderKey(US, int(number))
                    self.turns.setdefault(key.order_id)
                    self.left[key] = min(at, self.left.get(key, at))
                    self._note_name(key, *found.fields)
                    odd = (field for field in found.fields if _ODD.fullmatch(field))
                    self.odd += [(number, field) for field in odd]
        self._seen = len(crossings)

    def _note_name(self, key: OrderKey | None, *fields: str) -> None:
        """Keep the number of an order that bears a name of ours."""
        if key is not None and any(role_of(field) is not None for field in fields):
            self.named.add(key)

    def _told(self, entry: WireEntry, link: Link) -> None:
        link.last_told = entry.at
        if entry.name in FIVE_ENDS:
            link.ends.setdefault(entry.name, entry.at)
        elif entry.name == "nextValidId":
            link.next_valid = entry.message.order_id  # type: ignore[union-attr]  # it has one
        elif entry.name == "error" and entry.key is not None:
            self.refused.append(entry)


_READINGS: WeakKeyDictionary[World, Reading] = WeakKeyDictionary()


def read(world: World) -> Reading:
    """Return what journal and wire have said up to now."""
    reading = _READINGS.setdefault(world, Reading())
    reading.refresh(world)
    return reading


def crossed(world: World, frame: Request) -> datetime:
    """Return when a request was sent: line and gateway may hold an order back for a while.

    Of a change only what reached the exchange is known, and when.
    """
    if frame.is_change:
        return frame.at
    return min(frame.at, read(world).left.get(frame.key, frame.at))


def is_unheard(world: World, frame: Request) -> bool:
    """Whether something had happened there that nobody at the desk could know of as it left."""
    assert frame.terms is not None
    con_id, left = frame.terms.con_id, crossed(world, frame)
    touched = any(
        one == con_id and left <= told_at(world.weather, when) + T_COVER
        for one, when in world.touches
        if when <= frame.at
    )
    before = tuple(world.exchange.orders.executions())[: frame.before.executions]
    return touched or any(e.con_id == con_id and left <= e.at + world.latency for e in before)


def told_at(weather: Iterable[datetime], when: datetime) -> datetime:
    """When what happened at a moment could be told: once nothing kept messages back any more.

    Args:
        weather: The moments at which something was seen to do so, oldest first.
        when: The moment.
    """
    for at in weather:
        if when - _LOOK <= at <= when + _LOOK:
            when = max(when, at)
    return when
