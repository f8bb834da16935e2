"""What became of an order on its way: signal, decision, sent, accepted, filled, and what it cost.

An `Execution` is one order of ours with every stage of which the time is known, and the prices
that it is measured by. What nobody knows is None, and never zero. `portfolio/forensic_fold.py`
finds it in the journal's events.

The shortfall is what the trade has cost against a price that was seen before: positive when it
was bought dearer or sold cheaper. Only what has traded counts. A resting exit is not measured
by the price of its entry's decision, which was about something else; a stop is measured by its
own trigger, while that is known: where the broker moves it, nobody here can say where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from ibkr_trader.core.enums import OrderRole, OrderType
from ibkr_trader.core.models import ZERO, Contract, OrderId, OrderSpec
from ibkr_trader.core.shapes import STOP_TYPES, TOUCHED_TYPES
from ibkr_trader.portfolio.results import RoundTrip

_NOTHING = timedelta(0)
_BASIS_POINTS = 10_000
# Exits that wait for the market to come to them.
_AT_REST = frozenset({OrderRole.STOP, OrderRole.TARGET, OrderRole.TIMED})
_FIXED_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
UNKNOWN_ORIGIN = "unknown"


class Latency(StrEnum):
    """The stages of an order's way, each from the moment before it."""

    SIGNAL = "signal"  # issued by its producer, until we had it
    DECISION = "decision"  # until a rule decided
    SEND = "send"  # until it was on record and handed over
    ACCEPT = "accept"  # until the broker's first word
    FILL = "fill"  # until its first execution
    FINISH = "finish"  # from the first execution to the last


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction that was taken; see `PredictionSignalEvent`."""

    source: str
    signal_id: str
    signal: str
    confidence: Decimal
    price: Decimal | None
    issued_at: datetime | None
    received_at: datetime


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule decided; see `DecisionEvent`. `signal` is what set it off, if one did."""

    decision_id: str
    strategy: str
    rule: str
    version: str
    cause: str
    at: datetime
    price: Decimal | None
    facts: Mapping[str, str]
    signal: Signal | None


class Shortfall(msgspec.Struct, frozen=True, kw_only=True):
    """What a trade has cost against a reference; negative where it was the better price.

    Attributes:
        reference: The price it is measured by.
        value: What the quantity is worth at it.
        money: The shortfall, before commissions.
        commission: None if that of any execution is not known.
    """

    reference: Decimal
    value: Decimal
    money: Decimal
    commission: Decimal | None

    @property
    def bp(self) -> Decimal:
        """The shortfall in basis points of the reference."""
        return self.money / self.value * _BASIS_POINTS

    @property
    def total(self) -> Decimal | None:
        """The shortfall with the commission."""
        return None if self.commission is None else self.money + self.commission

    @property
    def total_bp(self) -> Decimal | None:
        """The same in basis points of the reference."""
        total = self.total
        return None if total is None else total / self.value * _BASIS_POINTS


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """One order of ours, from what set it off to its last execution.

    Times are by our own clock: when we had the news, also of executions, whose own times are
    whole seconds of another clock.

    Attributes:
        spec: Its terms, as the broker has stated them last.
        origin: Who asked for it.
        sent_at: When it was on record and handed over; None if it is proven that it never left.
        written_at: When it was written down, sent or not.
        accepted_at: The broker's first word that it has the order.
        filled: In the latest revision of each execution; `filled_value` is quantity x price.
        commission: None if that of any execution is not known.
        changes: How often new terms were asked for.
        cancels: How often we asked for its end.
    """

    spec: OrderSpec
    origin: str
    correlation_id: str
    decision: Decision | None
    written_at: datetime
    sent_at: datetime | None
    accepted_at: datetime | None
    first_fill_at: datetime | None
    last_fill_at: datetime | None
    filled: Decimal
    filled_value: Decimal
    commission: Decimal | None
    changes: int
    cancels: int

    @property
    def order_id(self) -> OrderId:
        """Our id."""
        return self.spec.order_id

    @property
    def signal(self) -> Signal | None:
        """What set it off, if that was a signal."""
        return self.decision.signal if self.decision is not None else None

    @property
    def rule(self) -> str:
        """Whose order it is: `strategy/rule`, or else who asked for it."""
        if self.decision is not None:
            return f"{self.decision.strategy}/{self.decision.rule}"
        return self.origin or UNKNOWN_ORIGIN

    @property
    def submits(self) -> int:
        """How many messages placed it: one, or none."""
        return int(self.sent_at is not None)

    @property
    def average_price(self) -> Decimal | None:
        """The mean price of its executions."""
        return self.filled_value / self.filled if self.filled else None

    @property
    def waits(self) -> bool:
        """Whether it waits for the market by its nature: then its wait is no latency."""
        return self.spec.role in _AT_REST or self.spec.order_type in STOP_TYPES | TOUCHED_TYPES

    @property
    def latencies(self) -> Mapping[Latency, timedelta]:
        """How long each stage took, of which both ends are known.

        One that would have ended before it began was told by two clocks: it says nothing.
        """
        signal, decision = self.signal, self.decision
        issued = signal.issued_at if signal is not None else None
        received = signal.received_at if signal is not None else None
        decided = decision.at if decision is not None else None
        ends = {
            Latency.SIGNAL: (issued, received),
            Latency.DECISION: (received, decided),
            Latency.SEND: (decided, self.sent_at),
            Latency.ACCEPT: (self.sent_at, self.accepted_at),
            Latency.FILL: (self.accepted_at, self.first_fill_at),
            Latency.FINISH: (self.first_fill_at, self.last_fill_at),
        }
        return {
            name: until - since
            for name, (since, until) in ends.items()
            if since is not None and until is not None and until - since >= _NOTHING
        }

    @property
    def against_signal(self) -> Shortfall | None:
        """The shortfall against the price that the signal's producer saw."""
        return self._against(self._at_once(self.signal.price if self.signal else None))

    @property
    def against_decision(self) -> Shortfall | None:
        """The shortfall against the market's price when a rule decided."""
        return self._against(self._at_once(self.decision.price if self.decision else None))

    @property
    def slippage(self) -> Shortfall | None:
        """The shortfall of a stop against its trigger, where that stands still."""
        return self._against(self._trigger)

    @property
    def shortfall(self) -> Shortfall | None:
        """The shortfall against the first price that is known: signal's, decision's, trigger."""
        return self.against_signal or self.against_decision or self.slippage

    @property
    def _trigger(self) -> Decimal | None:
        spec = self.spec
        is_fixed = spec.order_type in _FIXED_STOPS and spec.adjustment is None
        return spec.stop_price if is_fixed else None

    def _at_once(self, price: Decimal | None) -> Decimal | None:
        return None if self.spec.role in _AT_REST else price

    def _against(self, reference: Decimal | None) -> Shortfall | None:
        if reference is None or reference <= 0 or not self.filled:
            return None
        return Shortfall(
            reference=reference,
            value=reference * self.filled * self.spec.contract.multiplier,
            money=self.cost(self.filled, self.filled_value, reference=reference),
            commission=self.commission,
        )

    def cost(self, quantity: Decimal, value: Decimal, *, reference: Decimal) -> Decimal:
        """Return the shortfall of a part of it: `value` is quantity x price."""
        spec = self.spec
        return (value - reference * quantity) * spec.side.sign * spec.contract.multiplier


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """A round trip, and what execution has cost of it.

    Attributes:
        opener: The order that opened it, if that is ours and known.
        shortfall: Of all its parts that can be measured, before commissions.
    """

    trip: RoundTrip
    opener: Execution | None
    shortfall: Decimal = ZERO

    @property
    def contract(self) -> Contract:
        """What was traded."""
        return self.trip.contract

    @property
    def net(self) -> Decimal:
        """What it brought, commissions taken off."""
        return self.trip.gain

    @property
    def realized(self) -> Decimal:
        """What it brought before commissions."""
        return self.trip.gain + self.trip.commission

    @property
    def ideal(self) -> Decimal:
        """What it would have brought at the prices that it is measured by."""
        return self.realized + self.shortfall
