"""Which order is meant: our id, the broker's, or its permanent one.

Our id travels in the order's reference and is believed first; then the client and the
number it gave; then the permanent id. An order of ours has one permanent id for life: what
comes under its name with another is its twin, and goes by an id of its own. What does not
carry our prefix is foreign, and gets an id made of its permanent one; if it was taken over
since, it goes by its reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.ids import (
    MAX_BROKER_ORDER_ID,
    epoch_in,
    is_ours,
    is_twin,
    parse_order_id,
    twin_id,
)
from ibkr_trader.core.models import GroupId, OrderId, OrderSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.adapters.ibkr.lanes import Parcel
    from ibkr_trader.adapters.ibkr.messages import OrderReport, StatusReport

# Orders that are over, of the thousands of a process that runs for weeks: who is spoken of again
# after so many others is met anew, as after a restart.
_REMEMBERED = 5_000
_FOLLOWED = MAX_BROKER_ORDER_ID - 1_000_000  # above a stranger's beyond it no number might be left


class Change(NamedTuple):
    """The terms that a change leaves, and the figures that it names: the rest was only known."""

    wanted: OrderSpec
    asked: frozenset[str]


@dataclass(slots=True)
class Entry:
    """One order, as far as the wire needs to know it.

    Attributes:
        spec: The terms last sent or last confirmed.
        wanted: The terms of a change that has left and is not answered yet.
        asked: The figures that it names.
        unsent: A change that waits for its turn: no answer of the broker is to it.
        parent_number: The broker's id of the order it waits for; 0 if none.
        waiting: What it is to leave in, until it has left.
        is_acked: The broker has spoken of it.
        is_announced: Those who listen have been told of it, by us or by the broker.
        ref: What the broker says that its desk called it.
        is_shared: Its twin has its number, too: then only a permanent id says which is meant.
        is_refused: An error refused it; the `Cancelled` that follows is the same news.
    """

    order_id: OrderId
    is_foreign: bool
    number: int = 0
    client_id: int = 0
    perm_id: int = 0
    parent_number: int = 0
    ref: str = ""
    spec: OrderSpec | None = None
    wanted: OrderSpec | None = None
    asked: frozenset[str] = frozenset()
    unsent: Change | None = None
    last_status: StatusReport | None = None
    waiting: Parcel | None = None
    is_acked: bool = False
    is_announced: bool = False
    is_cancelling: bool = False
    is_shared: bool = False
    is_refused: bool = False
    is_closed: bool = False

    @property
    def last_change(self) -> Change | None:
        """The newest change that is not answered: what the next one starts from."""
        if self.unsent is None and self.wanted is not None:
            return Change(self.wanted, self.asked)
        return self.unsent

    @property
    def ended_changing(self) -> bool:
        """Whether it ended while a change of it was under way: TWS says then what it likes."""
        return self.is_closed and self.wanted is not None


class Roster:
    """Every order met on this connection or an earlier one of this process.

    Attributes:
        highest: Of the order ids that we were told, whoever used them: TWS takes no order of ours
            below those that it tells us of, other clients' too.
        epoch: The highest that any order's reference names, whoever placed it.
        on_record: Asked of a reference without our prefix: whether that order was taken over.
    """

    def __init__(self, *, install: str, client_id: int) -> None:
        self._install = install
        self._client_id = client_id
        self.on_record: Callable[[OrderId], bool] = lambda _: False
        self._by_id: dict[OrderId, Entry] = {}
        self._by_number: dict[tuple[int, int], Entry] = {}
        self._by_perm_id: dict[int, Entry] = {}
        self._full_at = _REMEMBERED
        self.highest = 0
        self.epoch = 0

    def get(self, order_id: OrderId) -> Entry | None:
        """Return the order that we call `order_id`."""
        known = self._by_id.get(order_id)
        if known is None and self.on_record(order_id):
            met = (one for one in self._by_id.values() if one.is_foreign and one.ref == order_id)
            known = next(map(self._as_named, met), None)
        return known

    def find(self, client_id: int, number: int, *, perm_id: int = 0) -> Entry | None:
        """Return the order that client `client_id` calls `number`, or of that permanent id."""
        entry = self._by_number.get((client_id, number))
        if entry is None or (perm_id and entry.perm_id not in {0, perm_id}):
            entry = self._by_perm_id.get(perm_id)  # its number may be its twin's, too
        return self._as_named(entry) if entry is not None else None

    def add(self, spec: OrderSpec, *, parent_number: int) -> Entry:
        """Enter an order that is about to be sent."""
        entry = Entry(
            order_id=spec.order_id,
            is_foreign=False,
            number=spec.broker_order_id,
            client_id=self._client_id,
            parent_number=parent_number,
            spec=spec,
            is_announced=True,
        )
        self._enter(entry)
        return entry

    def forget(self, order_id: OrderId) -> None:
        """Strike an order that never left."""
        entry = self._by_id.pop(order_id, None)
        if entry is not None:
            self._by_number.pop((entry.client_id, entry.number), None)

    def forget_pending(self) -> None:
        """Forget what was asked on a link that is gone: no answer to it will come."""
        for entry in self._by_id.values():
            entry.wanted = entry.unsent = None
            entry.is_cancelling = False

    def meet(self, *, ref: str, client_id: int, number: int, perm_id: int) -> Entry:
        """Return the order that a message speaks of, entering it if it is new."""
        ours = is_ours(ref, self._install) or self.on_record(OrderId(ref))
        self.epoch = max(self.epoch, epoch_in(ref))
        if ours:
            entry = self._of_two(self.get(OrderId(ref)), number=number, perm_id=perm_id)
        else:
            entry = self.find(client_id, number, perm_id=perm_id)
            if entry is not None and not entry.is_foreign and ref:
                entry = None  # the number is ours, the words are not: believe the words
        if entry is None:
            order_id = ref if ours else _foreign_id(perm_id, client_id, number)
            if ours and OrderId(ref) in self._by_id:
                order_id = twin_id(perm_id)
            entry = Entry(order_id=OrderId(order_id), is_foreign=not ours)
        entry.number = number or entry.number
        entry.client_id = client_id or entry.client_id
        entry.perm_id = perm_id or entry.perm_id
        entry.ref = ref or entry.ref
        self._enter(entry)
        return entry

    def spec_of(self, entry: Entry, report: OrderReport) -> OrderSpec:
        """Return the terms that `report` states, with the ids by which we know the order."""
        group_id, role = _parts_of(entry)
        parent = self.find(report.client_id, report.parent_id) if report.parent_id else None
        return OrderSpec(
            order_id=entry.order_id,
            group_id=group_id,
            role=role,
            contract=report.contract,
            account=report.account,
            side=report.side,
            quantity=report.quantity,
            order_type=report.order_type,
            limit_price=report.limit_price,
            stop_price=report.stop_price,
            trail_amount=report.trail_amount,
            trail_percent=report.trail_percent,
            adjustment=report.adjustment,
            good_after=report.good_after,
            time_in_force=report.time_in_force,
            outside_rth=report.outside_rth,
            parent_id=parent.order_id if parent is not None else None,
            oca_group=report.oca_group,
            oca_type=report.oca_type,
            broker_order_id=entry.number,
            reference=report.ref if entry.is_foreign or is_twin(entry.order_id) else "",
        )

    def _of_two(self, entry: Entry | None, *, number: int, perm_id: int) -> Entry | None:
        """Return which of those that live under a name of ours is meant; None is a new one.

        The twin is the one that was met later, unless it alone has a number that we could give.
        """
        if entry is None or not perm_id or entry.perm_id in {0, perm_id}:
            return entry
        other = self._by_id.get(twin_id(perm_id))
        if other is None and number > 0 > entry.number:
            self._by_id.pop(entry.order_id)
            entry.order_id, entry.spec = twin_id(entry.perm_id), None
            self._enter(entry)
        return other

    def _as_named(self, entry: Entry) -> Entry:
        """The entry, by its reference if the order was taken over since it was met."""
        if entry.is_foreign and entry.ref and self.on_record(OrderId(entry.ref)):
            self._by_id.pop(entry.order_id, None)
            entry.order_id, entry.is_foreign = OrderId(entry.ref), False
            if entry.spec is not None:  # terms that it was met with, by the name of then
                group_id, role = _parts_of(entry)
                entry.spec = msgspec.structs.replace(
                    entry.spec,
                    order_id=entry.order_id,
                    group_id=group_id,
                    role=role,
                    reference="",
                )
            self._enter(entry)
        return entry

    def _trim(self) -> None:
        """Let go of the orders that were met first, of those that are over.

        But not of the parent or the namesake of one that works.
        """
        known = self._by_id.values()
        parents = {one.parent_number for one in known if not one.is_closed}
        names = {one.ref for one in known if not one.is_closed}
        over = [
            one
            for one in known
            if one.is_closed and one.number not in parents and one.order_id not in names
        ]
        for one in over[: -_REMEMBERED // 2]:
            del self._by_id[one.order_id]
            if self._by_number.get((one.client_id, one.number)) is one:
                del self._by_number[one.client_id, one.number]
            if self._by_perm_id.get(one.perm_id) is one:
                del self._by_perm_id[one.perm_id]

    def _enter(self, entry: Entry) -> None:
        if entry.order_id not in self._by_id and len(self._by_id) >= self._full_at:
            self._trim()
            self._full_at = len(self._by_id) + _REMEMBERED
        self._by_id[entry.order_id] = entry
        if entry.number:
            name = (entry.client_id, entry.number)
            first = self._by_number.get(name)
            if first is None or not is_twin(entry.order_id):
                self._by_number[name] = entry
            elif first is not entry:
                first.is_shared = entry.is_shared = True
            if entry.client_id == self._client_id or entry.number <= _FOLLOWED:
                self.highest = max(self.highest, entry.number)
        if entry.perm_id:
            self._by_perm_id[entry.perm_id] = entry


def _foreign_id(perm_id: int, client_id: int, number: int) -> str:
    return f"foreign-{perm_id}" if perm_id else f"foreign-{client_id}-{number}"


def _parts_of(entry: Entry) -> tuple[GroupId, OrderRole]:
    if is_twin(entry.order_id):  # of no group of ours, and with the role that its name says
        parts = parse_order_id(entry.ref)
        return GroupId(entry.order_id), parts.role if parts is not None else OrderRole.SINGLE
    parts = None if entry.is_foreign else parse_order_id(entry.order_id)
    if parts is None:
        return GroupId(entry.order_id), OrderRole.SINGLE
    return parts.group_id, parts.role
