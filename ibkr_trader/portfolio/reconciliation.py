"""Who is right, broker or journal? The broker; and this says what follows from it.

`reconcile()` holds a snapshot against what we believe and returns the events that bring
our picture to the broker's, the orders to cancel, and the orders that nobody can account
for yet. It never asks for an order to be sent: what was lost stays lost.

An order that we wrote down and the broker does not show is one of three things. It was
acknowledged once: then it has ended since. It was never acknowledged and its absence is
proven: then it was never sent. Otherwise it is UNKNOWN, and counts at its worst.

Absence is proven by two complete snapshots, a grace apart, on a connection made after the
order was sent, on the same trading day, with the position as our ledger has it. After
midnight the broker forgets executions, and nothing is proven any more.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.ids import group_number, parse_order_id
from ibkr_trader.core.models import ZERO, FillId, GroupId, OrderId
from ibkr_trader.portfolio import twins
from ibkr_trader.portfolio.broker_words import (
    adopted,
    concluded,
    ended,
    is_cancel_lost,
    is_same_day,
)
from ibkr_trader.portfolio.evidence import Evidence
from ibkr_trader.portfolio.halves import needs
from ibkr_trader.portfolio.ledger_fold import is_news, subject_of
from ibkr_trader.portfolio.positions import signed
from ibkr_trader.portfolio.recognition import recognized

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from ibkr_trader.core.models import Fill, Order
    from ibkr_trader.portfolio.snapshot import BrokerSnapshot
    from ibkr_trader.portfolio.state import PortfolioState

GRACE = timedelta(seconds=5)  # a slow gateway may still have the order between two of its threads


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from a snapshot.

    Attributes:
        events: To be recorded in this order; the last is the `SyncEvent`.
        cancels: Orders to cancel, once each: halves of groups, and cancels that got lost.
        unresolved: Orders nobody can account for yet; look again after `GRACE`.
    """

    events: tuple[ev.BaseEvent, ...]
    cancels: tuple[OrderId, ...] = ()
    unresolved: tuple[OrderId, ...] = ()


def reconcile(
    portfolio: PortfolioState, snapshot: BrokerSnapshot, evidence: Evidence
) -> Reconciliation:
    """Return what brings `portfolio` to what `snapshot` says; see the module."""
    found = _Findings(portfolio, recognized(portfolio, snapshot), evidence)
    found.events.extend(_aged(snapshot, evidence))
    found.events.extend(twins.told(found.snapshot.open_orders, snapshot.at))
    found.read_fills()  # first: who hears that an order has ended must know what it traded
    found.read_open()
    found.read_completed()
    found.read_unlisted()
    found.read_absent()
    found.read_halves()
    found.read_positions()
    return Reconciliation(
        events=tuple(found.events),
        cancels=tuple(dict.fromkeys(found.cancels)),
        unresolved=tuple(sorted(found.missed)),
    )


class _Findings:
    """The working memory of one reconciliation; it does not outlive the call."""

    def __init__(
        self, portfolio: PortfolioState, snapshot: BrokerSnapshot, evidence: Evidence
    ) -> None:
        self.portfolio = portfolio
        self.snapshot = snapshot
        self.evidence = evidence
        self.events: list[ev.BaseEvent] = []
        self.cancels: list[OrderId] = []
        self.missed: set[OrderId] = set()
        self.seen: set[OrderId] = set()
        self.filled = _filled_by_order(portfolio, snapshot.fills)
        self.crossing = _crossing(portfolio, snapshot, evidence.just_filled)

    def read_open(self) -> None:
        """Adopt whatever works at the broker."""
        for theirs in self.snapshot.open_orders:
            ours = self.portfolio.order(theirs.order_id)
            if theirs.order_id in self.seen:  # `twins.apart` has named those that can be told apart
                another = f"another with permId {theirs.perm_id}"
                self._drift(theirs.order_id, "one order", another, needs_look=True)
                continue
            self.seen.add(theirs.order_id)
            is_answer = theirs.order_id not in self.evidence.just_changed
            self.events.extend(adopted(theirs, self.snapshot.at, is_answer=is_answer))
            if ours is None and group_number(theirs.order_id, self.evidence.install):
                known = f"open as {theirs.status}"
                self._drift(theirs.order_id, "not in the journal", known, needs_look=True)
            elif ours is not None and is_cancel_lost(ours, theirs, self.evidence.unwished):
                self.cancels.append(theirs.order_id)

    def read_completed(self) -> None:
        """Close what the broker closed while we were not listening."""
        for theirs in self.snapshot.completed_orders:
            ours = self.portfolio.order(theirs.order_id)
            if ours is None or theirs.order_id in self.seen:
                continue
            self.seen.add(theirs.order_id)
            # Filled by executions alone, it would come back with a correction of one.
            is_hearsay = ours.status is theirs.status is OrderStatus.FILLED
            is_hearsay &= ours.reported_filled < ours.spec.quantity
            if not ours.status.is_closed or ours.status is OrderStatus.NOT_SENT or is_hearsay:
                self.events.append(concluded(theirs, self.snapshot.at))

    def read_fills(self) -> None:
        """Tell every execution; intake drops those that were told before."""
        for fill in self.snapshot.fills:
            self.events.append(ev.FillEvent(at=fill.at, order_id=fill.order_id, fill=fill))
            if fill.commission is not None:
                self.events.append(
                    ev.CommissionEvent(
                        at=fill.at,
                        order_id=fill.order_id,
                        fill_id=fill.fill_id,
                        commission=fill.commission,
                        realized_pnl=fill.realized_pnl,
                    )
                )

    def read_unlisted(self) -> None:
        """End what has executions and is listed nowhere: it traded, and is over."""
        for order_id in dict.fromkeys(fill.order_id for fill in self.snapshot.fills):
            order = self.portfolio.orders.get(order_id)
            if order is None or self._is_spoken_for(order_id):
                continue
            self.seen.add(order_id)
            if self.filled[order_id] < order.spec.quantity:
                self.events.append(ended(order, self.snapshot.at))

    def read_absent(self) -> None:
        """Settle what we believe in and the broker does not show."""
        for order in self.portfolio.orders.values():
            if self._is_spoken_for(order.order_id):
                continue
            # An UNKNOWN one is looked at twice, even if the broker has had it once.
            if order.perm_id and order.status is not OrderStatus.UNKNOWN:
                self._end(order)
            else:
                self._doubt(order)

    def read_halves(self) -> None:
        """Never leave half a group to trade: what cannot be accounted for is cancelled once."""
        groups: dict[GroupId, list[Order]] = defaultdict(list)
        for order in self.portfolio.orders.values():
            groups[order.spec.group_id].append(order)
        for group_id, orders in groups.items():
            missing = [order for order in orders if order.order_id in self.missed]
            if not missing or not _is_linked(orders):
                continue
            # Orders not yet transmitted are invisible, and may be released by hand.
            self.cancels.extend(o.order_id for o in missing if not self._was_cancelled(o))
            for order in missing:
                if order.spec.role is OrderRole.ENTRY:
                    # Exits without their entry would open what they were to end, and an
                    # entry without its alternative is half of what was wanted.
                    self.cancels.extend(
                        o.order_id for o in orders if o not in missing and needs(o, order)
                    )
                elif order.spec.role is OrderRole.STOP:
                    for entry in orders:
                        if entry not in missing and needs(order, entry):
                            self._give_up(group_id, entry)

    def read_positions(self) -> None:
        """Take over what is held; the difference to our ledger is drift."""
        held = {position.contract.con_id: position for position in self.snapshot.positions}
        for con_id, ours in self._ledger().items():
            theirs = held[con_id].quantity if con_id in held else ZERO
            crossing = self.crossing[con_id]
            if crossing and theirs == ours - crossing:
                # It executed after positions were stated, and before we looked.
                held[con_id] = self.portfolio.books[con_id].position
            elif theirs != ours:
                self._drift(self._subject(con_id), f"{ours:f}", f"{theirs:f}")
        if self.snapshot.values is not None:
            self.events.append(ev.AccountEvent(at=self.snapshot.at, values=self.snapshot.values))
        self.events.append(
            ev.SyncEvent(
                at=self.snapshot.at,
                epoch=self.snapshot.epoch,
                positions=tuple(one for one in held.values() if one.quantity),
                claimed=tuple(sorted(self.evidence.just_claimed)),
            )
        )

    def _is_spoken_for(self, order_id: OrderId) -> bool:
        return order_id in self.seen or order_id in self.evidence.just_sent

    def _end(self, order: Order) -> None:
        # The broker takes an entry's exits away with it: if they work, it has traded.
        traded = self._traded_unheard(order)
        if traded:
            self.events.append(
                ev.StatusEvent(
                    at=self.snapshot.at, order_id=order.order_id, is_working=True, filled=traded
                )
            )
        end = ended(order, self.snapshot.at)
        if traded >= order.spec.quantity:
            end = ev.DoneEvent(at=self.snapshot.at, order_id=order.order_id, filled=traded)
        self.events.append(end)
        if not isinstance(end, ev.ExpireEvent):  # its day is over: it was to be gone
            self._drift(order.order_id, str(order.status), "no longer at the broker")

    def _traded_unheard(self, order: Order) -> Decimal:
        """What an entry that is gone must have traded, by the exits and the position it left."""
        exits = self.portfolio.children.get(order.order_id, ())
        if not any(one.order_id in exits for one in self.snapshot.open_orders):
            return ZERO
        con_id = order.spec.contract.con_id
        held = sum(
            (p.quantity for p in self.snapshot.positions if p.contract.con_id == con_id), ZERO
        )
        return min(order.spec.quantity, max(ZERO, held * order.spec.side.sign))

    def _doubt(self, order: Order) -> None:
        is_twice = self._is_missed_twice(order)
        if is_twice and order.perm_id:
            self._end(order)
        elif is_twice and self._is_proven_absent(order):
            reason = "the broker has never had it: absent twice, on a connection of its own"
            self.events.append(
                ev.NotSentEvent(at=self.snapshot.at, order_id=order.order_id, reason=reason)
            )
        else:
            self.missed.add(order.order_id)
            if order.status is not OrderStatus.UNKNOWN:  # also where its cancel went unanswered
                reason = "written down, and the broker does not show it"
                self.events.append(
                    ev.UnknownEvent(at=self.snapshot.at, order_id=order.order_id, reason=reason)
                )

    def _is_missed_twice(self, order: Order) -> bool:
        missed_for = self.evidence.missed_for.get(order.order_id)
        return missed_for is not None and missed_for >= GRACE

    def _is_proven_absent(self, order: Order) -> bool:
        con_id = order.spec.contract.con_id
        ledger = self._ledger()
        held = sum(
            (p.quantity for p in self.snapshot.positions if p.contract.con_id == con_id), ZERO
        )
        return (
            self.snapshot.tells_absence(order, sent_in=self.evidence.sent_in.get(order.order_id, 0))
            and order.created_at is not None
            and is_same_day(order.created_at, self.snapshot.at)
            and ledger.get(con_id, held) == held
        )

    def _was_cancelled(self, order: Order) -> bool:
        return order.status is OrderStatus.PENDING_CANCEL or order.order_id in (
            self.evidence.missed_for
        )

    def _give_up(self, group_id: GroupId, entry: Order) -> None:
        """A stop that is missing must not let its entry trade."""
        self.cancels.append(entry.order_id)
        if self.filled[entry.order_id] > 0:
            message = f"{entry.order_id} has traded and its stop is missing: it is unprotected"
            self.events.append(
                ev.GroupEvent(
                    at=self.snapshot.at, group_id=group_id, message=message, is_serious=True
                )
            )

    def _ledger(self) -> dict[int, Decimal]:
        """What we would hold by our own books: those believed, plus the executions missed.

        Empty at a first look, which has nothing to compare with.
        """
        if not self.portfolio.has_synced:
            return {}
        stated = {position.contract.con_id: ZERO for position in self.snapshot.positions}
        ledger = stated | {
            con_id: book.position.quantity for con_id, book in self.portfolio.books.items()
        }
        for fill in self.snapshot.fills:
            if is_news(self.portfolio, fill):
                known = self.portfolio.fills.get(fill.fill_id)
                before = known.quantity if known is not None else ZERO
                con_id = fill.contract.con_id
                change = (fill.quantity - before) * fill.side.sign
                ledger[con_id] = ledger.get(con_id, ZERO) + change
        return ledger

    def _subject(self, con_id: int) -> str:
        contracts = {p.contract.con_id: p.contract for p in self.snapshot.positions}
        contracts |= {fill.contract.con_id: fill.contract for fill in self.snapshot.fills}
        contracts |= {key: book.position.contract for key, book in self.portfolio.books.items()}
        return subject_of(contracts[con_id])

    def _drift(self, subject: str, ours: str, theirs: str, *, needs_look: bool = False) -> None:
        at = self.snapshot.at
        self.events.append(
            ev.DriftEvent(at=at, subject=subject, ours=ours, theirs=theirs, needs_look=needs_look)
        )


def _aged(snapshot: BrokerSnapshot, evidence: Evidence) -> Iterable[ev.DriftEvent]:
    """Notice a journal that has lost its end: halts and limits may be gone with it.

    One that was restored from a backup, or copied while another host went on, is as sound
    as any; only the broker has orders that it never sent.
    """
    ours, install = evidence.last_group, evidence.install
    seen = {order.order_id for order in (*snapshot.open_orders, *snapshot.completed_orders)}
    seen |= {fill.order_id for fill in snapshot.fills}
    theirs = max((group_number(order_id, install) for order_id in seen), default=0)
    if ours is not None and theirs > ours:
        yield ev.DriftEvent(
            at=snapshot.at,
            subject="the journal",
            ours=f"ends with order {ours}",
            theirs=f"order {theirs}",
            needs_look=True,
        )


def _crossing(
    portfolio: PortfolioState, snapshot: BrokerSnapshot, just_filled: frozenset[FillId]
) -> dict[int, Decimal]:
    """What executed, by contract, while the broker was answering and after it had told fills."""
    told = {fill.fill_id for fill in snapshot.fills}
    crossing: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for fill_id in just_filled - told:
        fill = portfolio.fills[fill_id]
        crossing[fill.contract.con_id] += signed(fill)
    return crossing


def _filled_by_order(portfolio: PortfolioState, fills: Iterable[Fill]) -> dict[OrderId, Decimal]:
    latest: dict[FillId, Fill] = dict(portfolio.fills)
    for fill in fills:
        known = latest.get(fill.fill_id)
        if known is None or fill.revision > known.revision:
            latest[fill.fill_id] = fill
    filled: dict[OrderId, Decimal] = defaultdict(lambda: ZERO)
    for fill in latest.values():
        filled[fill.order_id] += fill.quantity
    return filled


def _is_linked(orders: list[Order]) -> bool:
    reference = parse_order_id(orders[0].order_id)
    return len(orders) > 1 or (reference is not None and reference.role is not OrderRole.SINGLE)
