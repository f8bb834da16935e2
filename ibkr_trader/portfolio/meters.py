"""What a running trader counts for whoever watches it from outside: a fold over its events.

What a stage took and what a trade has cost is `portfolio/forensics.py`'s to say; here it is
only counted, once for each order, as soon as it is known. Orders that have ended are let go
of, so the fold stays about as small as what is alive, however long the trader runs. A
correction that comes later than its order's end is in the report, and not in here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.models import OrderId
from ibkr_trader.orders.wishes import BROKER
from ibkr_trader.portfolio.execution_ledger import ExecutionLedger
from ibkr_trader.portfolio.forensic_fold import Forensics
from ibkr_trader.portfolio.forensics import Execution, Latency
from ibkr_trader.portfolio.metric import Histogram, Tally

_replace = msgspec.structs.replace
_MICROSECOND = timedelta(microseconds=1)
_MOST_OVER = 64  # ended orders that are kept: letting go costs a copy of all that live
# From a turn of the event loop to what a limit order waits for.
_SECONDS = Histogram.of(
    *("0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5"),
    *("5", "10", "30", "60", "300", "1800"),
)
_APPENDS = Histogram.of(
    *("0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05"),
    *("0.1", "0.25", "1"),
)
_BASIS_POINTS = Histogram.of(
    *("-50", "-20", "-10", "-5", "-2", "-1", "0", "1", "2", "5", "10", "20", "50", "100")
)
_ENDS: Mapping[type[ev.BaseEvent], str] = {
    ev.CancelEvent: "cancelled",
    ev.ExpireEvent: "expired",
    ev.RejectEvent: "rejected",
    ev.NotSentEvent: "not_sent",
}
# Of these only how many there were is of interest.
_PLAIN: Mapping[type[ev.BaseEvent], str] = {
    ev.ModifyEvent: "change",
    ev.ModifyRejectEvent: "change_rejected",
    ev.CancelRejectEvent: "cancel_rejected",
    ev.UnknownEvent: "order_unknown",
    ev.DisconnectEvent: "disconnected",
    ev.ErrorEvent: "error",
    ev.DriftEvent: "drift",
    ev.FaultEvent: "rule_fault",
}


class Meters(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted so far.

    Attributes:
        ways: The live orders, each on its way; and those that are over, but not yet let go of.
        over: These.
        happened: How often what happened, by `what`.
        is_lost: Whether the link was lost and has not come back: the news of the first one may
            come late, and is no reconnection.
        orders: Orders by `outcome`.
        denials: Orders and changes that our own checks refused, by `check`.
        signals: By `source`, and by `outcome` or, refused, by its reason.
        decisions: Of rules, by `outcome`.
        halts: Halts, and states in which nothing is opened, by `state`.
        halted: The last of them: it is told again when its promise to close is kept.
        stages: How many seconds each stage of an order took, by its name.
        shortfalls: What orders that have traded have cost, in basis points.
        costs: The same in money, by `currency`: it may fall.
        appends: Seconds that the journal took for one record.
    """

    ways: Forensics = Forensics()
    over: frozenset[OrderId] = frozenset()
    happened: Tally = Tally()
    is_lost: bool = False
    orders: Tally = Tally()
    denials: Tally = Tally()
    signals: Tally = Tally(most=200)
    decisions: Tally = Tally()
    halts: Tally = Tally()
    halted: tuple[str, datetime] | None = None
    stages: Mapping[Latency, Histogram] = MappingProxyType(dict.fromkeys(Latency, _SECONDS))
    shortfalls: Histogram = _BASIS_POINTS
    costs: Tally = Tally()
    appends: Histogram = _APPENDS

    @classmethod
    def begun(cls, history: Iterable[object]) -> Meters:
        """Return meters at zero that know what is alive, by what the journal says."""
        found = cls()
        for event in history:
            if isinstance(event, ev.BaseEvent):
                found = found.after(event)
        return cls(ways=_without(found.ways, found.over))

    def after(self, event: ev.BaseEvent) -> Meters:
        """Return what is counted after one more event; the same object if it tells nothing."""
        what = _PLAIN.get(type(event))
        before = self if what is None else _replace(self, happened=self.happened.plus(what=what))
        follow = _FOLLOW.get(type(event))
        if follow is None:
            return _moved(before, event) if isinstance(event, ev.OrderEvent) else before
        return follow(before, event)

    def appended(self, seconds: Decimal) -> Meters:
        """Return what is counted after the journal has taken a record, in so many seconds."""
        return _replace(self, appends=self.appends.plus(seconds))


def _signal(meters: Meters, event: ev.SignalEndEvent | ev.SignalRefusedEvent) -> Meters:
    if isinstance(event, ev.SignalRefusedEvent):
        outcome, count = event.code, event.count
    else:
        outcome, count = event.outcome.value.lower(), 1
    return _replace(
        meters, signals=meters.signals.plus(count, source=event.source, outcome=outcome)
    )


def _thought(meters: Meters, event: ev.PredictionSignalEvent | ev.DecisionEvent) -> Meters:
    return _replace(meters, ways=meters.ways.after(event))


def _decided(meters: Meters, event: ev.DecisionEndEvent) -> Meters:
    decisions = meters.decisions.plus(outcome=event.outcome.value.lower())
    return _replace(meters, decisions=decisions)


def _connected(meters: Meters, _: ev.ConnectEvent) -> Meters:
    if not meters.is_lost:
        return meters
    happened = meters.happened.plus(what="reconnected")
    return _replace(meters, happened=happened, is_lost=False)


def _denied(meters: Meters, event: ev.DenyEvent) -> Meters:
    denials, orders = meters.denials, meters.orders
    for name in dict.fromkeys(one.check for one in event.breaches if not one.is_warning):
        denials = denials.plus(check=name)
    if event.spec is not None:  # of a change that is denied, the order works on
        orders = orders.plus(outcome="denied")
    return _replace(meters, denials=denials, orders=orders)


def _halted(meters: Meters, event: ev.StateEvent) -> Meters:
    name = (event.symbol, event.at)
    if event.state is TradingState.ACTIVE or name == meters.halted:
        return meters
    return _replace(meters, halted=name, halts=meters.halts.plus(state=event.state.value.lower()))


def _moved(meters: Meters, event: ev.OrderEvent) -> Meters:
    """Follow an order of ours: what it now shows of its way is counted, and its end."""
    if event.order_id in meters.over:
        return meters
    ways, outcome = meters.ways.after(event), _ENDS.get(type(event))
    before, now = meters.ways.execution(event.order_id), ways.execution(event.order_id)
    if now is None:
        return meters  # not ours, or let go of
    meters = _happened(meters, event)
    if ways is meters.ways and outcome is None:
        return meters
    meters = _replace(meters, ways=ways)
    if outcome is None and now.filled >= now.spec.quantity:
        outcome = "filled"
    known = _stages(before, is_over=False)
    for stage, length in _stages(now, is_over=outcome is not None).items():
        if stage not in known:
            meters = _took(meters, stage, length)
    return meters if outcome is None else _ended(meters, now, outcome)


def _happened(meters: Meters, event: ev.OrderEvent) -> Meters:
    match event:
        case ev.NewOrderEvent():
            what = "order_written"
        case ev.FillEvent(replaces=None):
            what = "execution"
        case ev.CancelRequestEvent(origin=origin) if origin not in {"", BROKER}:
            what = "cancel"
        case _:
            return meters
    return _replace(meters, happened=meters.happened.plus(what=what))


def _stages(one: Execution | None, *, is_over: bool) -> Mapping[Latency, timedelta]:
    """Return the stages that will not change any more.

    That an order was handed over is proven by the first word of it; and the wait of what waits
    for the market by its nature is no latency.
    """
    if one is None:
        return {}
    is_heard = one.accepted_at is not None or one.first_fill_at is not None
    open_ones = {
        Latency.SEND: not (is_heard or is_over),
        Latency.FILL: one.waits,
        Latency.FINISH: not is_over,
    }
    return {name: took for name, took in one.latencies.items() if not open_ones.get(name)}


def _took(meters: Meters, stage: Latency, length: timedelta) -> Meters:
    seconds = Decimal(length // _MICROSECOND) / 1_000_000
    counted = meters.stages[stage].plus(seconds)
    return _replace(meters, stages={**meters.stages, stage: counted})


def _ended(meters: Meters, one: Execution, outcome: str) -> Meters:
    """Count an order's end, and let go of it."""
    if (cost := one.shortfall) is not None:
        currency = one.spec.contract.currency
        meters = _replace(
            meters,
            shortfalls=meters.shortfalls.plus(cost.bp),
            costs=meters.costs.plus(cost.money, currency=currency),
        )
    over = meters.over | {one.order_id}
    meters = _replace(meters, orders=meters.orders.plus(outcome=outcome), over=over)
    if len(over) < _MOST_OVER:
        return meters
    return _replace(meters, ways=_without(meters.ways, over), over=frozenset())


def _without(ways: Forensics, over: frozenset[OrderId]) -> Forensics:
    orders = ways.orders.only(lambda trace: trace.spec.order_id not in over)
    fills = ways.ledger.fills.only(lambda told: told.fill.order_id in orders)
    return _replace(ways, orders=orders, ledger=ExecutionLedger(fills=fills))


_FOLLOW: Mapping[type[ev.BaseEvent], Callable[[Meters, Any], Meters]] = {
    ev.DenyEvent: _denied,
    ev.PredictionSignalEvent: _thought,
    ev.DecisionEvent: _thought,
    ev.SignalEndEvent: _signal,
    ev.SignalRefusedEvent: _signal,
    ev.DecisionEndEvent: _decided,
    ev.StateEvent: _halted,
    ev.DisconnectEvent: lambda meters, _: _replace(meters, is_lost=True),
    ev.ConnectEvent: _connected,
}
HEARD: tuple[type[ev.BaseEvent], ...] = (
    ev.OrderEvent,
    *(kind for kind in {**_PLAIN, **_FOLLOW} if not issubclass(kind, ev.OrderEvent)),
)
