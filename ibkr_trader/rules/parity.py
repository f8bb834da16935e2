"""A shadow beside what traded under its name: decisions, latency, executions, gains, denials.

It is worked out of the journal alone. Both were asked about the same moments, so decisions of
the same moment, cause, symbol and kind are the same one. The span begins when that version came
into the shadow, and ends when it was promoted. A real trip is of whoever opened it, whoever ended
it: a rule's closing, a person, a stop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, Outcome, Side, Stage
from ibkr_trader.core.models import ZERO
from ibkr_trader.portfolio.makers import Makers
from ibkr_trader.portfolio.results import charged, round_trips
from ibkr_trader.portfolio.trips import trades_of
from ibkr_trader.rules.arithmetic import ARITHMETIC
from ibkr_trader.rules.fill_model import FillModel
from ibkr_trader.rules.shadow_terms import is_modelled
from ibkr_trader.rules.would_results import Results

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import Fill, GroupId, OrderId

E = TypeVar("E", bound=ev.StrategyEvent)
MINIMUM = 10  # decisions of a shadow before it should be promoted


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Which version was in the shadow, and from when until when; `ends` None is still."""

    version: str
    begins: datetime
    ends: datetime | None = None

    def has(self, at: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.begins <= at and (self.ends is None or at < self.ends)


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """A real entry beside what the model would have said of it; `worse` is against us, for one."""

    decision_id: str
    ticker: str
    quantity: Decimal
    paid: Decimal
    modelled: Decimal
    worse: Decimal


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """Both, side by side.

    Attributes:
        same: Decisions that both made, the live one and the shadow's.
        only_live: What only the live version decided.
        only_shadow: What only the shadow decided.
        live: Real trips that ended within the span.
        shadow: Would-be trips.
        waits: From a signal's making to the live decision, and
        shadow_waits: to the shadow's.
        ways: From a live decision to its order.
        slips: Real entries at the market beside the model's.
        outcomes: What came of the live decisions, and how often.
        denials: Why live decisions were refused, and how often.
        faults: What rules of the shadow raised.
    """

    span: Span
    same: tuple[tuple[ev.DecisionEvent, ev.DecisionEvent], ...] = ()
    only_live: tuple[ev.DecisionEvent, ...] = ()
    only_shadow: tuple[ev.DecisionEvent, ...] = ()
    live: Results = Results()
    shadow: Results = Results()
    waits: tuple[timedelta, ...] = ()
    shadow_waits: tuple[timedelta, ...] = ()
    ways: tuple[timedelta, ...] = ()
    slips: tuple[Slip, ...] = ()
    outcomes: Mapping[Outcome, int] = msgspec.field(default_factory=dict)
    denials: Mapping[str, int] = msgspec.field(default_factory=dict)
    faults: tuple[str, ...] = ()

    @property
    def sample(self) -> int:
        """How many decisions of the shadow there are to judge by; what is not modelled is none."""
        made = (*(one for _, one in self.same), *self.only_shadow)
        return sum(is_modelled(one) for one in made)


class _Read:
    """What a journal has of one strategy."""

    def __init__(self, messages: Iterable[Command | ev.BaseEvent], name: str) -> None:
        self.name = name
        self.told: dict[type, list[ev.StrategyEvent]] = {}
        self.orders: dict[OrderId, ev.NewOrderEvent] = {}
        self.makers = Makers()
        self.groups: set[GroupId] = set()
        self.trades: list[ev.FillEvent | ev.CommissionEvent] = []
        self.made: dict[str, datetime] = {}
        for message in messages:
            if isinstance(message, ev.StrategyEvent):
                self._strategy(message)
            elif isinstance(message, ev.BaseEvent):
                self._other(message)

    def _strategy(self, event: ev.StrategyEvent) -> None:
        if event.strategy == self.name:
            self.told.setdefault(type(event), []).append(event)

    def of(self, kind: type[E]) -> list[E]:
        """The strategy's events of a kind, oldest first."""
        return [one for one in self.told.get(kind, ()) if isinstance(one, kind)]

    def _other(self, event: ev.BaseEvent) -> None:
        match event:
            case ev.NewOrderEvent():
                self._ordered(event)
            case ev.CloseRequestEvent():
                self.makers = self.makers.asked(event)
            case ev.FillEvent() | ev.CommissionEvent():
                self.trades.append(event)
            case ev.PredictionSignalEvent() | ev.FlowThresholdEvent():
                self.made[event.name] = event.made_at
            case _:
                pass

    def _ordered(self, event: ev.NewOrderEvent) -> None:
        group = event.spec.group_id
        self.makers = self.makers.named(event, is_first=group not in self.groups)
        self.groups.add(group)
        if self.makers.maker(event.order_id) == self.name:
            self.orders[event.order_id] = event

    def fills(self) -> tuple[Fill, ...]:
        """The executions of its trips, those that others ended included, with what they cost."""
        return trades_of(self.name, charged(self.trades), self.makers.maker)


def parity(
    messages: Iterable[Command | ev.BaseEvent], name: str, *, since: datetime | None = None
) -> Parity | None:
    """Return how the newest shadow of a strategy compares; None if it never had one.

    Args:
        messages: Of the journal, oldest first.
        name: The strategy's.
        since: Decisions before it are left out.
    """
    read = _Read(messages, name)
    span = _span(read.of(ev.StageEvent), since)
    if span is None:
        return None
    made = [one for one in read.of(ev.DecisionEvent) if span.has(one.at)]
    live = [one for one in made if not one.is_shadow]
    shadow = [one for one in made if one.is_shadow and one.version == span.version]
    same, only_live, only_shadow = _matched(live, shadow)
    names = {one.decision_id for one in live}
    ends = [one for one in read.of(ev.DecisionEndEvent) if one.decision_id in names]
    refused = [one for one in ends if one.outcome is Outcome.REFUSED]
    fills = read.fills()
    would = [
        one
        for one in read.of(ev.WouldFillEvent)
        if one.version == span.version and span.has(one.at)
    ]
    return Parity(
        span=span,
        same=same,
        only_live=only_live,
        only_shadow=only_shadow,
        live=_traded(fills, span),
        shadow=Results.of(would),
        waits=_waits(live, read.made),
        shadow_waits=_waits(shadow, read.made),
        ways=_ways(live, read.orders.values()),
        slips=_slips(live, read.orders, fills),
        outcomes=Counter(one.outcome for one in ends),
        denials=Counter(reason for one in refused for reason in one.reasons),
        faults=tuple(
            f"{one.rule}: {one.message}"
            for one in read.of(ev.FaultEvent)
            if one.is_shadow and span.has(one.at)
        ),
    )


def _span(stages: list[ev.StageEvent], since: datetime | None) -> Span | None:
    """When the newest shadow's version came into the shadow, and when it was promoted.

    At a start what trades is told anew: that ends no shadow of the same version.
    """
    version, trades = "", ""
    begins: datetime | None = None
    ends: datetime | None = None
    for one in stages:
        if one.stage is Stage.SHADOW:
            if one.version != version or ends is not None:
                version, begins = one.version, one.at
            ends = None
        elif one.stage is Stage.LIVE:
            if one.version == version != trades:
                ends = one.at
            trades = one.version
    if begins is None:
        return None
    return Span(version=version, begins=max(begins, since or begins), ends=ends)


def _matched(
    live: list[ev.DecisionEvent], shadow: list[ev.DecisionEvent]
) -> tuple[
    tuple[tuple[ev.DecisionEvent, ev.DecisionEvent], ...],
    tuple[ev.DecisionEvent, ...],
    tuple[ev.DecisionEvent, ...],
]:
    waiting: dict[tuple[object, ...], list[ev.DecisionEvent]] = {}
    for one in shadow:
        waiting.setdefault(_key(one), []).append(one)
    same, only_live = [], []
    for one in live:
        others = waiting.get(_key(one))
        if others:
            same.append((one, others.pop(0)))
        else:
            only_live.append(one)
    left = {one.decision_id for others in waiting.values() for one in others}
    only_shadow = tuple(one for one in shadow if one.decision_id in left)
    return tuple(same), tuple(only_live), only_shadow


def _key(one: ev.DecisionEvent) -> tuple[object, ...]:
    return (one.at, one.cause, one.ticker, one.wish, one.terms.get("side", ""))


def _traded(fills: tuple[Fill, ...], span: Span) -> Results:
    trips = [one for one in round_trips(fills) if span.has(one.closed_at)]
    fees = sum((one.commission or ZERO for one in fills if span.has(one.at)), ZERO)
    return Results(gains=tuple(one.gain for one in trips), fees=fees)


def _waits(
    decisions: list[ev.DecisionEvent], made: Mapping[str, datetime]
) -> tuple[timedelta, ...]:
    return tuple(one.at - made[one.cause] for one in decisions if one.cause in made)


def _ways(
    decisions: list[ev.DecisionEvent], orders: Iterable[ev.NewOrderEvent]
) -> tuple[timedelta, ...]:
    first: dict[str, datetime] = {}
    for one in orders:
        first.setdefault(one.correlation_id, one.at)
    return tuple(first[one.decision_id] - one.at for one in decisions if one.decision_id in first)


def _slips(
    decisions: list[ev.DecisionEvent],
    orders: Mapping[OrderId, ev.NewOrderEvent],
    fills: Iterable[Fill],
) -> tuple[Slip, ...]:
    """Each entry at the market that traded; the model knows the price of the decision alone."""
    known = {one.decision_id: one for one in decisions if "limit" not in one.terms}
    bought: dict[str, list[Fill]] = {}
    for fill in fills:
        order = orders.get(fill.order_id)  # none: somebody else has ended the trip
        if order is None or order.spec.role is not OrderRole.ENTRY:
            continue
        if order.correlation_id in known:
            bought.setdefault(order.correlation_id, []).append(fill)
    found = (_slip(known[key], some) for key, some in bought.items())
    return tuple(one for one in found if one is not None)


def _slip(decision: ev.DecisionEvent, fills: list[Fill]) -> Slip | None:
    if decision.price is None:
        return None
    side: Side = fills[0].side
    quantity = sum((one.quantity for one in fills), ZERO)
    with localcontext(ARITHMETIC):
        paid = sum((one.quantity * one.price for one in fills), ZERO) / quantity
        modelled = FillModel().slipped(decision.price, side)
        worse = (paid - modelled) * side.sign
    return Slip(
        decision_id=decision.decision_id,
        ticker=decision.ticker,
        quantity=quantity,
        paid=paid,
        modelled=modelled,
        worse=worse,
    )
