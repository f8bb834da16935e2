"""How the journal's events add up to what became of each order: see `portfolio/forensics.py`.

It grows with orders and executions, and not with records: of what a broker repeats a hundred
times, one moment is kept. With `since`, what is over before it is dropped on the way.

A cause is on record before its consequence: a signal before its decision, a decision before its
orders, an order before its news. Beyond that the outcome does not depend on the order of the
broker's news, nor on how often it is repeated: the latest revision of an execution counts, the
last word on its cost, and the first moment at which something was heard.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import ZERO, Contract, Fill, FillId, OrderId, OrderSpec
from ibkr_trader.orders.terms import confirmed
from ibkr_trader.orders.wishes import BROKER
from ibkr_trader.portfolio.execution_ledger import Charge, ExecutionLedger, Told
from ibkr_trader.portfolio.forensics import Decision, Execution, Signal, Trip
from ibkr_trader.portfolio.growing import GrowingMap
from ibkr_trader.portfolio.recent import Recent
from ibkr_trader.portfolio.results import RoundTrip

_REMEMBERED = 5_000  # signals, and decisions, that may still become orders
_replace = msgspec.structs.replace
_Ends = ev.CancelEvent | ev.ExpireEvent | ev.RejectEvent


class _Traded(msgspec.Struct, frozen=True, kw_only=True):
    """What an order's executions come to, in their latest revisions, so that none is counted twice.

    `charged` is the sum of the costs that are known, `unknown` of how many they are not.
    """

    filled: Decimal = ZERO
    value: Decimal = ZERO
    charged: Decimal = ZERO
    unknown: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    def plus(self, told: Told, cost: Decimal | None) -> _Traded:
        """Return it with one execution more."""
        fill, first, last = told.fill, self.first_at, self.last_at
        if fill.quantity:  # a correction may take all of it back
            first = told.at if first is None else min(first, told.at)
            last = told.at if last is None else max(last, told.at)
        return _Traded(
            filled=self.filled + fill.quantity,
            value=self.value + fill.quantity * fill.price,
            charged=self.charged + (cost or ZERO),
            unknown=self.unknown + (cost is None),
            first_at=first,
            last_at=last,
        )

    def charging(self, before: Decimal | None, now: Decimal | None) -> _Traded:
        """Return it with another word on what one of its executions cost."""
        return _replace(
            self,
            charged=self.charged - (before or ZERO) + (now or ZERO),
            unknown=self.unknown - (before is None) + (now is None),
        )


class _Trace(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one order."""

    spec: OrderSpec
    stated_at: datetime  # when these terms were stated
    written_at: datetime
    origin: str
    correlation_id: str
    decision: Decision | None
    accepted_at: datetime | None = None
    is_unsent: bool = False
    fills: GrowingMap[FillId, None] = GrowingMap()
    traded: _Traded = _Traded()
    changes: int = 0
    cancels: int = 0


class Forensics(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of orders and trips so far.

    `since`: what was over before it is not reported.
    """

    since: datetime | None = None
    ledger: ExecutionLedger = ExecutionLedger()
    signals: Recent[str, Signal] = Recent(most=_REMEMBERED)
    decisions: Recent[str, Decision] = Recent(most=_REMEMBERED)
    orders: GrowingMap[OrderId, _Trace] = GrowingMap()

    def after(self, event: ev.BaseEvent) -> Forensics:
        """Return what is known after one more event; the same object if it tells nothing."""
        match event:
            case ev.PredictionSignalEvent():
                return _signalled(self, event)
            case ev.DecisionEvent():
                return _decided(self, event)
            case ev.NewOrderEvent():
                return _written(self, event)
            case ev.FillEvent():
                return _filled(self, event)
            case ev.CommissionEvent():
                return _charged(self, event)
            case ev.SyncEvent():
                return _replace(self, ledger=self.ledger.synced(event))
            case ev.OrderEvent():
                return _heard(self, event)
            case _:
                return self

    @property
    def executions(self) -> tuple[Execution, ...]:
        """Our orders that were sent or have traded since, in the order of their writing."""
        every = (_execution(trace) for trace in self.orders.values())
        return tuple(one for one in every if not self.is_before(one.last_fill_at or one.written_at))

    @property
    def trips(self) -> tuple[Trip, ...]:
        """The round trips that have ended since then, in the order of their ends."""
        return tuple(
            _measured(self, trip)
            for trip in self.ledger.trips
            if not self.is_before(trip.closed_at)
        )

    @property
    def strays(self) -> tuple[Contract, ...]:
        """Contracts of which no trips are told, because not every execution is known."""
        return tuple(self.ledger.strays.values())

    def execution(self, order_id: OrderId) -> Execution | None:
        """Return what became of one order, if it is known."""
        trace = self.orders.get(order_id)
        return None if trace is None else _execution(trace)

    def is_before(self, moment: datetime) -> bool:
        """Whether that was before what is reported."""
        return self.since is not None and moment < self.since


def forensics(events: Iterable[object], *, since: datetime | None = None) -> Forensics:
    """Return what `events` tell of orders and trips; what is no event (a command) is passed over.

    Args:
        events: The journal's, oldest first, from its beginning: an exit's entry is there.
        since: What was over before it is not reported, and mostly forgotten.
    """
    found = Forensics(since=since)
    for event in events:
        if isinstance(event, ev.BaseEvent):
            found = found.after(event)
    return found


def _signalled(known: Forensics, event: ev.PredictionSignalEvent) -> Forensics:
    signal = Signal(
        source=event.source,
        signal_id=event.signal_id,
        signal=event.signal,
        confidence=event.confidence,
        price=event.price,
        issued_at=event.issued_at,
        received_at=event.at,
    )
    return _replace(known, signals=known.signals.plus(event.name, signal))


def _decided(known: Forensics, event: ev.DecisionEvent) -> Forensics:
    decision = Decision(
        decision_id=event.decision_id,
        strategy=event.strategy,
        rule=event.rule,
        version=event.version,
        cause=event.cause,
        at=event.at,
        price=event.price,
        facts=event.facts,
        signal=known.signals.get(event.cause),
    )
    return _replace(known, decisions=known.decisions.plus(event.decision_id, decision))


def _written(known: Forensics, event: ev.NewOrderEvent) -> Forensics:
    if event.order_id in known.orders:
        return known
    trace = _Trace(
        spec=event.spec,
        stated_at=event.at,
        written_at=event.at,
        origin=event.origin,
        correlation_id=event.correlation_id,
        decision=known.decisions.get(event.correlation_id),
    )
    return _replace(known, orders=known.orders.plus(event.order_id, trace))


def _heard(known: Forensics, event: ev.OrderEvent) -> Forensics:
    trace = known.orders.get(event.order_id)
    if trace is None:
        return known  # not ours, or forgotten
    after = _traced(trace, event)
    if isinstance(event, _Ends) and not after.fills and known.is_before(event.at):
        left = known.orders.only(lambda one: one.spec.order_id != event.order_id)
        return _replace(known, orders=left)
    if after is trace:
        return known
    return _replace(known, orders=known.orders.plus(event.order_id, after))


def _traced(trace: _Trace, event: ev.OrderEvent) -> _Trace:
    match event:
        case ev.AcceptEvent() | ev.StatusEvent():
            return _acknowledged(trace, event)
        case ev.ModifyEvent():
            return _replace(trace, changes=trace.changes + 1)
        case ev.CancelRequestEvent(origin=origin) if origin not in {"", BROKER}:
            return _replace(trace, cancels=trace.cancels + 1)
        case ev.NotSentEvent():
            return _replace(trace, is_unsent=True)
        case _:
            return trace


def _acknowledged(trace: _Trace, event: ev.AcceptEvent | ev.StatusEvent) -> _Trace:
    if trace.accepted_at is None or event.at < trace.accepted_at:
        trace = _replace(trace, accepted_at=event.at)
    if isinstance(event, ev.AcceptEvent) and event.at >= trace.stated_at:
        trace = _replace(trace, spec=confirmed(trace.spec, event.spec), stated_at=event.at)
    return trace


def _filled(known: Forensics, event: ev.FillEvent) -> Forensics:
    fill = event.fill
    is_first = fill.fill_id not in known.ledger.fills
    if is_first and event.replaces is not None and known.is_before(event.replaces.at):
        return known  # it corrects what is forgotten; if that matters, the next sync tells
    ledger, orders = known.ledger.filled(event), known.orders
    trace = orders.get(fill.order_id)
    if trace is not None:
        orders = orders.plus(fill.order_id, _executed(trace, ledger, fill, is_first=is_first))
    con_id = fill.contract.con_id
    if known.is_before(event.at) and not ledger.held[con_id]:
        over = ledger.orders(con_id)
        orders = orders.only(lambda one: one.spec.order_id not in over)
        ledger = ledger.without(con_id)
    return _replace(known, ledger=ledger, orders=orders)


def _charged(known: Forensics, event: ev.CommissionEvent) -> Forensics:
    if known.is_before(event.at) and event.fill_id not in known.ledger.fills:
        return known
    charge = Charge(event.at, event.commission, event.currency)
    ledger, orders = known.ledger.charged(event.fill_id, charge), known.orders
    told = ledger.fills.get(FillId(event.fill_id))
    trace = None if told is None else orders.get(told.fill.order_id)
    if told is not None and trace is not None and told.fill.fill_id in trace.fills:
        before, now = known.ledger.cost(told.fill), ledger.cost(told.fill)
        trace = _replace(trace, traded=trace.traded.charging(before, now))
        orders = orders.plus(told.fill.order_id, trace)
    return _replace(known, ledger=ledger, orders=orders)


def _executed(trace: _Trace, ledger: ExecutionLedger, fill: Fill, *, is_first: bool) -> _Trace:
    """The trace with one execution more; one that was heard of before is for a new count."""
    fills, traded, news = trace.fills, _Traded(), iter(trace.fills)
    if is_first:
        fills, traded, news = fills.plus(fill.fill_id, None), trace.traded, iter((fill.fill_id,))
    for key in news:
        told = ledger.fills[key]
        traded = traded.plus(told, ledger.cost(told.fill))
    return _replace(trace, fills=fills, traded=traded)


def _execution(trace: _Trace) -> Execution:
    traded = trace.traded
    is_sent = not trace.is_unsent or trace.accepted_at is not None or bool(trace.fills)
    return Execution(
        spec=trace.spec,
        origin=trace.origin,
        correlation_id=trace.correlation_id,
        decision=trace.decision,
        written_at=trace.written_at,
        sent_at=trace.written_at if is_sent else None,
        accepted_at=trace.accepted_at,
        first_fill_at=traded.first_at,
        last_fill_at=traded.last_at,
        filled=traded.filled,
        filled_value=traded.value,
        commission=traded.charged if trace.fills and not traded.unknown else None,
        changes=trace.changes,
        cancels=trace.cancels,
    )


def _measured(known: Forensics, trip: RoundTrip) -> Trip:
    shortfall = ZERO
    for part in trip.parts:
        execution = known.execution(part.order_id)
        measure = execution.shortfall if execution is not None else None
        if execution is not None and measure is not None:
            shortfall += execution.cost(part.quantity, part.value, reference=measure.reference)
    return Trip(trip=trip, opener=known.execution(trip.parts[0].order_id), shortfall=shortfall)
