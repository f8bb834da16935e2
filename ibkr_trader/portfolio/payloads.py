"""What is told to others: the published messages, each with its version, its name and its stream.

They are a promise to programs that we do not know. A field may be added at any time; one that is
taken away or changes its meaning makes the next version `v`. `docs/schemas/` has the JSON schema
of each, made from these classes.

Delivery is at least once: `event_id` names what is told for good, so that whoever gets it twice
can tell. A fact (a step of an order, an execution, a decision) has the same id whenever it is told,
also by a journal that is read again. A snapshot is named by its subject and its moment: the newest
counts.

Figures are decimal text without an exponent, times RFC 3339 in UTC, what nobody knows is null.
An account's id is masked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal, final

import msgspec

from ibkr_trader.core.enums import (
    OrderRole,
    OrderStatus,
    OrderType,
    Outcome,
    SecType,
    Side,
    TimeInForce,
)

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Figure = Annotated[Decimal, msgspec.Meta(extra_json_schema={"pattern": r"^-?[0-9]+(\.[0-9]+)?$"})]


class Topic(StrEnum):
    """The streams, with the names of the first plan.

    Executions are told where positions are: they are what moves them, so one stream tells in
    order why a position is what it is.
    """

    SIGNALS = "signals:distribution:pending"
    POSITIONS = "positions:stream"
    PNL = "pnl:stream"


class LifecycleKind(StrEnum):
    """What happened to an order; *denied* is by us, *rejected* by the broker."""

    NEW = "new"
    DENIED = "denied"
    NOT_SENT = "not_sent"
    ACCEPTED = "accepted"
    ADOPTED = "adopted"
    STATUS = "status"
    FILL = "fill"
    DONE = "done"
    MODIFY_REQUESTED = "modify_requested"
    MODIFY_REJECTED = "modify_rejected"
    CANCEL_REQUESTED = "cancel_requested"
    CANCELLED = "cancelled"
    CANCEL_REJECTED = "cancel_rejected"
    EXPIRED = "expired"
    REJECTED = "rejected"
    HELD = "held"
    UNKNOWN = "unknown"
    WARNING = "warning"


class FillKind(StrEnum):
    """Whether it is told that something was traded, what of that was wrong, or what it cost."""

    EXECUTION = "execution"
    CORRECTION = "correction"
    COST = "cost"


class SignalKind(StrEnum):
    """From a signal that we take or refuse to what came of it."""

    SIGNAL = "signal"
    FLOW = "flow"
    REFUSED = "refused"
    SIGNAL_END = "signal_end"
    DECISION = "decision"
    DECISION_END = "decision_end"


class Payload(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=True):
    """One published message.

    Attributes:
        v: The version of its fields.
        event_id: Names what is told: whoever has it already may leave a repeat out.
        at: When it happened; of a snapshot, when it was so.
    """

    v: Literal[1] = 1
    event_id: str
    at: Moment


@final
class OrderLifecycleEvent(Payload, frozen=True, kw_only=True, tag=True):
    """A step of an order, and how it stands after it.

    Attributes:
        order_id, group_id: Ours; those of orders placed elsewhere begin with `foreign`.
        correlation_id: Ties it to what caused it: the id of a decision, of a command.
        origin: Who asked for the order: a person, a strategy's rule, a group. Empty is not known.
        account: Masked.
        symbol: As one types it: `AAPL`, `BRK.B`, `AAPL240119C00150000`.
        status: Null as long as nobody has stated the order's terms.
        filled: How much executions have brought; `average_price` is their mean.
        reason: The last words about it, the broker's or ours; `code` is the broker's for them.
        denied_by: The risk checks that denied it.
        broker_order_id, perm_id: The broker's; 0 is not known.
        is_foreign: It was not placed by this desk.
    """

    kind: LifecycleKind
    order_id: str
    group_id: str = ""
    correlation_id: str = ""
    origin: str = ""
    account: str = ""
    symbol: str = ""
    con_id: int = 0
    side: Side | None = None
    order_type: OrderType | None = None
    role: OrderRole | None = None
    time_in_force: TimeInForce | None = None
    quantity: Figure | None = None
    limit_price: Figure | None = None
    stop_price: Figure | None = None
    trail_amount: Figure | None = None
    trail_percent: Figure | None = None
    status: OrderStatus | None = None
    filled: Figure | None = None
    average_price: Figure | None = None
    reason: str = ""
    code: int = 0
    denied_by: tuple[str, ...] = ()
    broker_order_id: int = 0
    perm_id: int = 0
    is_foreign: bool = False


@final
class ExecutionFill(Payload, frozen=True, kw_only=True, tag=True):
    """An execution, a correction of one, or what it has cost.

    Its `event_id` is the execution's id and revision. A correction has the same `fill_id` and a
    higher `revision`, and takes the place of the earlier one; its quantity may be zero.

    Attributes:
        executed_at: When it was traded, by the exchange's clock.
        commission, realized_pnl: The broker's; null until it has stated them.
        corrects: The revision that it takes the place of.
    """

    kind: FillKind
    fill_id: str
    revision: int
    executed_at: Moment
    order_id: str
    group_id: str = ""
    correlation_id: str = ""
    origin: str = ""
    account: str
    symbol: str
    con_id: int
    side: Side
    quantity: Figure
    price: Figure
    commission: Figure | None = None
    realized_pnl: Figure | None = None
    exchange: str = ""
    corrects: int | None = None
    perm_id: int = 0


@final
class PositionSnapshot(Payload, frozen=True, kw_only=True, tag=True):
    """What is held of one contract; a quantity of zero says that nothing is any more.

    Attributes:
        quantity: Signed: negative is short.
        average_cost: A unit.
        market_value, unrealized_pnl: At `market_price`; null without one.
        realized_pnl: The day's, before commissions.
        stop_price: The working stop that would be reached first.
        covered: How much of the quantity working stops would end.
        cause: The order whose execution has moved it; empty if none has.
    """

    account: str
    symbol: str
    con_id: int
    sec_type: SecType
    currency: str
    multiplier: Figure
    quantity: Figure
    average_cost: Figure
    market_price: Figure | None = None
    market_value: Figure | None = None
    unrealized_pnl: Figure | None = None
    realized_pnl: Figure
    stop_price: Figure | None = None
    covered: Figure
    cause: str = ""


class SymbolPnL(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol's day, all its contracts together; null where a part is not known."""

    symbol: str
    realized: Figure | None
    unrealized: Figure | None
    commission: Figure
    net: Figure | None


@final
class PnLSnapshot(Payload, frozen=True, kw_only=True, tag=True):
    """The day's result so far, counted from where the account's day began.

    Attributes:
        realized, unrealized, commission: The sums of what is known.
        net: Everything together; null if some part of it is not known, which `notes` names.
        net_liquidation: What the account is worth, by the broker's word.
    """

    account: str
    currency: str
    since: Moment
    realized: Figure
    unrealized: Figure
    commission: Figure
    net: Figure | None
    by_symbol: tuple[SymbolPnL, ...] = ()
    net_liquidation: Figure | None = None
    notes: tuple[str, ...] = ()


@final
class SignalDecision(Payload, frozen=True, kw_only=True, tag=True):
    """A signal that we take or refuse, a decision of a rule, and what came of either.

    Attributes:
        source, signal_id: Name the signal; empty of a decision that none has caused.
        action: BUY, SELL or SHORT; `confidence` is from 0 to 1.
        measure, value, threshold: Of a threshold of the options flow that was crossed.
        decision_id: The orders of a decision carry it as their correlation id.
        wish, terms: What the rule wishes; `facts` is what it looked at, and saw.
        code: Why a signal was refused, by the reason's name; `count` of them, if many at once.
        is_shadow: It was only written down.
    """

    kind: SignalKind
    symbol: str = ""
    source: str = ""
    signal_id: str = ""
    issued_at: Moment | None = None
    action: str = ""
    confidence: Figure | None = None
    price: Figure | None = None
    measure: str = ""
    value: Figure | None = None
    threshold: Figure | None = None
    strategy: str = ""
    rule: str = ""
    version: str = ""
    decision_id: str = ""
    cause: str = ""
    wish: str = ""
    terms: Mapping[str, str] = msgspec.field(default_factory=dict)
    facts: Mapping[str, str] = msgspec.field(default_factory=dict)
    is_shadow: bool = False
    outcome: Outcome | None = None
    code: str = ""
    reasons: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()
    count: int = 1


TOPICS: Mapping[type[Payload], Topic] = MappingProxyType(
    {
        OrderLifecycleEvent: Topic.SIGNALS,
        SignalDecision: Topic.SIGNALS,
        ExecutionFill: Topic.POSITIONS,
        PositionSnapshot: Topic.POSITIONS,
        PnLSnapshot: Topic.PNL,
    }
)
AnyPayload = OrderLifecycleEvent | ExecutionFill | PositionSnapshot | PnLSnapshot | SignalDecision

_encoder = msgspec.json.Encoder(decimal_format="string")
_decoder: msgspec.json.Decoder[AnyPayload] = msgspec.json.Decoder(AnyPayload)


def topic_of(payload: Payload) -> Topic:
    """Return the stream that a payload belongs to."""
    return TOPICS[type(payload)]


def encode(payload: Payload) -> bytes:
    """Return a payload as one line of JSON."""
    return _encoder.encode(payload)


def decode(data: bytes | str) -> AnyPayload:
    """Return the payload that `data` holds.

    Raises:
        msgspec.ValidationError: If it is none, or a field does not fit its type.
    """
    return _decoder.decode(data)
