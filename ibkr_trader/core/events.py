"""What happened: one tree of facts, in the past, with the names of the first plan.

    BaseEvent
    ├── MarketEvent        PriceEvent · VolumeEvent · BarEvent · IndicatorEvent
    ├── OrderEvent         NewOrderEvent · DenyEvent · NotSentEvent · AcceptEvent · StatusEvent
    │                      FillEvent · CommissionEvent · ModifyEvent · ModifyRejectEvent
    │                      DoneEvent · CancelRequestEvent · CancelEvent · CancelRejectEvent
    │                      ExpireEvent · RejectEvent · HoldEvent · UnknownEvent · WarningEvent
    ├── PositionEvent      PositionOpenEvent · PositionUpdateEvent · PositionCloseEvent
    ├── OptionsFlowEvent   PredictionSignalEvent · FlowThresholdEvent
    │                      SignalRefusedEvent · SignalEndEvent
    ├── StrategyEvent      StageEvent · FaultEvent · DecisionEvent · DecisionEndEvent
    │                      WouldFillEvent
    └── SystemEvent        ConnectEvent · DisconnectEvent · SyncEvent · ErrorEvent
                           PositionReportEvent · AccountEvent · DataTypeEvent · DriftEvent
                           StateEvent · ArmEvent · LimitsEvent · EquityEvent · LossEvent
                           TimeEvent · CheckpointEvent · GroupEvent · CoverEvent · TrailEvent
                           CloseRequestEvent · CloseEndEvent · OperatorEvent · NoticeEvent
                           CareEvent · AlarmEvent

Subscribing to a class subscribes to everything below it. Leaves are final, so that a
handler that names a leaf names one fact. `at` is the moment it happened, in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import final

import msgspec

from ibkr_trader.core.enums import Care, DataType, Outcome, Side, Stage, TradingState, WouldBe
from ibkr_trader.core.models import (
    ZERO,
    AccountValues,
    Bar,
    Contract,
    Fill,
    GroupId,
    OrderId,
    OrderSpec,
    Position,
    Quote,
)
from ibkr_trader.core.signals import SeenSignal, StandingSignal
from ibkr_trader.core.tallies import StrategyDays, Strikes, Traffic


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why a check says no, with the figures a person needs to act on it.

    One that `is_warning` denies nothing: it is told beside what was done.
    """

    check: str
    message: str
    limit: str = ""
    actual: str = ""
    headroom: str = ""
    hint: str = ""
    is_warning: bool = False


class BaseEvent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that happened at `at` (UTC)."""

    at: datetime


# -- the market ---------------------------------------------------------------------------


class MarketEvent(BaseEvent, frozen=True, kw_only=True):
    """News of a contract's market."""

    contract: Contract


@final
class PriceEvent(MarketEvent, frozen=True, kw_only=True):
    """The quote changed; `quote` is all of it as it now stands."""

    quote: Quote


@final
class VolumeEvent(MarketEvent, frozen=True, kw_only=True):
    """The day's volume so far."""

    volume: Decimal


@final
class BarEvent(MarketEvent, frozen=True, kw_only=True):
    """A bar is complete."""

    bar: Bar


@final
class IndicatorEvent(MarketEvent, frozen=True, kw_only=True):
    """An indicator has a new value."""

    name: str
    value: Decimal


# -- orders -------------------------------------------------------------------------------


class OrderEvent(BaseEvent, frozen=True, kw_only=True):
    """News of one order."""

    order_id: OrderId


@final
class NewOrderEvent(OrderEvent, frozen=True, kw_only=True):
    """We wrote the order down and hand it to the broker: from here it may exist there."""

    spec: OrderSpec
    kind: str = "single"
    origin: str = ""
    correlation_id: str = ""
    plan: Mapping[str, str] = msgspec.field(default_factory=dict)  # see `SubmitOrders`
    reduces: bool = False  # the guard found that it could only lower risk: it is an exit


@final
class DenyEvent(OrderEvent, frozen=True, kw_only=True):
    """Our own checks refused the order, or a change to it; nothing was sent."""

    breaches: tuple[Breach, ...]
    spec: OrderSpec | None = None  # the order, when it was new


@final
class NotSentEvent(OrderEvent, frozen=True, kw_only=True):
    """It is certain that the broker never had the order."""

    reason: str


@final
class AcceptEvent(OrderEvent, frozen=True, kw_only=True):
    """The broker stated the terms of a live order: ours, adopted, or changed by hand in TWS.

    `from_snapshot` marks the answer to a question of ours about what is open now: stronger
    evidence than a message that may be late.
    """

    spec: OrderSpec
    from_snapshot: bool = False
    perm_id: int = 0
    client_id: int = 0
    is_foreign: bool = False
    warning: str = ""


@final
class StatusEvent(OrderEvent, frozen=True, kw_only=True):
    """The broker says the order is alive: held until something happens, or working.

    Repeats and stale reports are normal; `filled` is only a claim until executions come.
    """

    is_working: bool  # False: held by the broker (trigger, parent, opening)
    filled: Decimal = ZERO
    remaining: Decimal = ZERO
    average_price: Decimal | None = None
    perm_id: int = 0
    client_id: int = 0
    held_for: str = ""


@final
class FillEvent(OrderEvent, frozen=True, kw_only=True):
    """An execution, or a correction of one: `replaces` is the revision it takes the place of."""

    fill: Fill
    replaces: Fill | None = None

    @property
    def quantity_delta(self) -> Decimal:
        """What this changes in the filled quantity; negative only for a correction."""
        return self.fill.quantity - (self.replaces.quantity if self.replaces else ZERO)

    @property
    def value_delta(self) -> Decimal:
        """What this changes in quantity x price."""
        before = self.replaces.quantity * self.replaces.price if self.replaces else ZERO
        return self.fill.quantity * self.fill.price - before


@final
class DoneEvent(OrderEvent, frozen=True, kw_only=True):
    """The broker says the order is completely filled; the executions may still be on their way."""

    filled: Decimal
    average_price: Decimal | None = None


@final
class CommissionEvent(OrderEvent, frozen=True, kw_only=True):
    """What an execution cost; it may come late, twice or never, and never delays a fill."""

    fill_id: str
    commission: Decimal
    currency: str = "USD"
    realized_pnl: Decimal | None = None


@final
class ModifyEvent(OrderEvent, frozen=True, kw_only=True):
    """We asked for these new terms; `AcceptEvent` will say that they hold."""

    spec: OrderSpec
    origin: str = ""  # who asked; see `SubmitOrders`


@final
class ModifyRejectEvent(OrderEvent, frozen=True, kw_only=True):
    """The change was refused; the order works on under its old terms."""

    code: int
    reason: str


@final
class CancelRequestEvent(OrderEvent, frozen=True, kw_only=True):
    """A cancel is asked for: by us, or the broker says that one is under way."""

    origin: str = ""


@final
class CancelEvent(OrderEvent, frozen=True, kw_only=True):
    """The order was cancelled; whatever had filled stays filled."""

    reason: str = ""
    code: int = 0


@final
class CancelRejectEvent(OrderEvent, frozen=True, kw_only=True):
    """The cancel was refused: a question, not an answer, until the order is looked up."""

    code: int
    reason: str


@final
class ExpireEvent(OrderEvent, frozen=True, kw_only=True):
    """The order's time ran out."""

    reason: str = ""


@final
class RejectEvent(OrderEvent, frozen=True, kw_only=True):
    """The broker refused the order, in its own words."""

    code: int
    reason: str


@final
class HoldEvent(OrderEvent, frozen=True, kw_only=True):
    """The broker set the order aside (`Inactive`): perhaps a refusal, perhaps a hold that ends."""

    reason: str = ""
    code: int = 0


@final
class UnknownEvent(OrderEvent, frozen=True, kw_only=True):
    """Nobody can say whether the broker has the order; it counts at its worst."""

    reason: str


@final
class WarningEvent(OrderEvent, frozen=True, kw_only=True):
    """The broker remarked on the order; its state is unchanged."""

    code: int
    reason: str


# -- positions ----------------------------------------------------------------------------


class PositionEvent(BaseEvent, frozen=True, kw_only=True):
    """A position changed; `position` is how it now stands, at the market when it is known.

    `realized_pnl` is what this change has realised, `position.realized_pnl` the day's, both
    before commissions; `position.unrealized_pnl` is the open profit.
    """

    position: Position
    cause: OrderId | None = None
    realized_pnl: Decimal = ZERO


@final
class PositionOpenEvent(PositionEvent, frozen=True, kw_only=True):
    """From flat to long or short."""


@final
class PositionUpdateEvent(PositionEvent, frozen=True, kw_only=True):
    """The size or the cost changed, and it is still open."""


@final
class PositionCloseEvent(PositionEvent, frozen=True, kw_only=True):
    """Back to flat; told again if a correction changes what had been realised."""


# -- signals ------------------------------------------------------------------------------


class OptionsFlowEvent(BaseEvent, frozen=True, kw_only=True):
    """News from a producer of signals.

    `source` and `signal_id` together name it for good. `at` is when we had it, `issued_at`
    when its producer says that it was made.
    """

    ticker: str
    source: str = ""
    signal_id: str = ""
    issued_at: datetime | None = None
    sequence: int | None = None  # of its source, if that counts

    @property
    def name(self) -> str:
        """What a decision that it set off calls it: its cause."""
        return f"{self.source}/{self.signal_id}"

    @property
    def made_at(self) -> datetime:
        """When it was made, as far as anybody says."""
        return self.issued_at if self.issued_at is not None else self.at


@final
class PredictionSignalEvent(OptionsFlowEvent, frozen=True, kw_only=True):
    """A prediction that we take: `signal` is BUY, SELL or SHORT; `confidence` is from 0 to 1."""

    signal: str
    confidence: Decimal
    price: Decimal | None = None  # what its producer saw
    is_standing: bool = False  # it came without name and time: see `core/signals.py`


@final
class FlowThresholdEvent(OptionsFlowEvent, frozen=True, kw_only=True):
    """A measure of the flow crossed its threshold."""

    measure: str
    value: Decimal
    threshold: Decimal


@final
class SignalRefusedEvent(OptionsFlowEvent, frozen=True, kw_only=True):
    """A signal that we do not take, and why; `count` of them, where they are too many to tell.

    `code` is the reason's name in `rules/admission.py`.
    """

    code: str
    message: str
    count: int = 1


@final
class SignalEndEvent(OptionsFlowEvent, frozen=True, kw_only=True):
    """What came of a signal that we took: its source may be told so from now on."""

    outcome: Outcome
    decisions: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


# -- strategies ---------------------------------------------------------------------------


class StrategyEvent(BaseEvent, frozen=True, kw_only=True):
    """News of one strategy."""

    strategy: str


@final
class StageEvent(StrategyEvent, frozen=True, kw_only=True):
    """How far a strategy may go from now on, in this very version.

    Attributes:
        version: A short name for its text.
        content: Its text, so that it can be brought back.
        suffix: What kind of text: `.toml` or `.py`.
        origin: Who decided.
    """

    stage: Stage
    version: str
    content: str = ""
    suffix: str = ".toml"
    origin: str = ""


@final
class FaultEvent(StrategyEvent, frozen=True, kw_only=True):
    """A rule raised, and is not asked again until its strategy is loaded anew.

    `is_shadow`: where it is only written down; the rule of that name that trades goes on.
    """

    rule: str
    message: str
    is_shadow: bool = False


@final
class DecisionEvent(StrategyEvent, frozen=True, kw_only=True):
    """A rule holds and its strategy wishes something: told before anything is done about it.

    Attributes:
        decision_id: Names it; its orders carry it as their correlation id.
        version: Of the strategy.
        cause: What set it off: a signal as `source/id`, or `bar`, `price`, `position`, `time`.
        wish: What is wished, by its registered name.
        terms: The wish in full, as text by name.
        words: The wish in one line, for people.
        facts: What the rule looked at, and what it saw.
        price: The market's price then; None if nobody knew it.
        is_shadow: It is only written down.
    """

    decision_id: str
    rule: str
    version: str
    ticker: str
    cause: str
    wish: str
    terms: Mapping[str, str] = msgspec.field(default_factory=dict)
    words: str = ""
    facts: Mapping[str, str] = msgspec.field(default_factory=dict)
    price: Decimal | None = None
    is_shadow: bool = False


@final
class DecisionEndEvent(StrategyEvent, frozen=True, kw_only=True):
    """What came of a decision; of one that a restart found open, nobody knows more."""

    decision_id: str
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    order_ids: tuple[OrderId, ...] = ()


@final
class WouldFillEvent(StrategyEvent, frozen=True, kw_only=True):
    """An execution that a shadow would have had, by a model: nothing was traded.

    Attributes:
        version: Of the strategy.
        decision_id: The decision whose order it is; of a stop or a target, the one that entered.
        kind: What kind of order.
        commission: What it would have cost.
        multiplier: Of the contract.
        gain: What the trip brought that this ends, commissions taken off; None if it ends none.
    """

    version: str
    ticker: str
    decision_id: str
    kind: WouldBe
    side: Side
    quantity: Decimal
    price: Decimal
    commission: Decimal = ZERO
    multiplier: Decimal = Decimal(1)
    gain: Decimal | None = None


# -- the system ---------------------------------------------------------------------------


class SystemEvent(BaseEvent, frozen=True, kw_only=True):
    """News of the desk itself and its link to the broker."""


@final
class ConnectEvent(SystemEvent, frozen=True, kw_only=True):
    """A connection stands; nothing is known yet. `epoch` counts connections."""

    epoch: int
    server_version: int = 0
    accounts: tuple[str, ...] = ()
    is_simulator: bool = False


@final
class DisconnectEvent(SystemEvent, frozen=True, kw_only=True):
    """The link is down, or silent for too long.

    `until` is the end of the gateway's restart window, if it was lost within: that was expected.
    """

    epoch: int
    reason: str
    until: datetime | None = None


@final
class SyncEvent(SystemEvent, frozen=True, kw_only=True):
    """Everything was asked and answered in this epoch: orders, fills, positions, account.

    `positions` are what is held: from here on they are ours, whatever was believed before.
    """

    epoch: int
    positions: tuple[Position, ...] = ()


@final
class ErrorEvent(SystemEvent, frozen=True, kw_only=True):
    """The broker or a part of ours reports a trouble that belongs to no order.

    Where it `needs_look`, nothing is opened until a person has looked.
    """

    code: int
    message: str
    is_serious: bool = False
    needs_look: bool = False


@final
class PositionReportEvent(SystemEvent, frozen=True, kw_only=True):
    """What the broker says is held: it confirms our ledger and never adds to it."""

    position: Position


@final
class AccountEvent(SystemEvent, frozen=True, kw_only=True):
    """The account's values as the broker now states them."""

    values: AccountValues


@final
class DataTypeEvent(SystemEvent, frozen=True, kw_only=True):
    """Quotes of a contract are live, frozen or delayed from now on."""

    contract: Contract
    data_type: DataType


@final
class DriftEvent(SystemEvent, frozen=True, kw_only=True):
    """Broker and journal disagree; settled in the broker's favour.

    Where it `needs_look`, nothing is opened until a person has looked.
    """

    subject: str
    ours: str
    theirs: str
    needs_look: bool = False


@final
class StateEvent(SystemEvent, frozen=True, kw_only=True):
    """The trading state changed, and why: of everything, or of one `symbol` alone.

    HALTED and REDUCING hold until somebody resumes; a cause that ends by itself is no event.
    `origin` is who decided: a person, a limit's name, a signal. `keeps_entries` halts without
    cancelling what could still open. `flattens` promises that what is held is closed, by whoever
    runs; told again, of the same moment, without it: the promise is kept.
    """

    state: TradingState
    reason: str
    symbol: str = ""
    origin: str = ""
    keeps_entries: bool = False
    flattens: bool = False


@final
class ArmEvent(SystemEvent, frozen=True, kw_only=True):
    """A live desk was armed until `until`, or (None) disarmed, and why.

    `token` names the armed time: what is kept of any other than the newest is void.
    """

    until: datetime | None
    reason: str
    origin: str = ""
    token: str = ""


@final
class OperatorEvent(SystemEvent, frozen=True, kw_only=True):
    """A person at a dashboard pressed a key that acts; what came of it is told by other events.

    Attributes:
        operator: Who sat there, as the dashboard says.
        action: What a person would call it.
        command: What it calls at the trader, with its family: `revise.cancel`.
    """

    operator: str
    action: str
    command: str


@final
class LimitsEvent(SystemEvent, frozen=True, kw_only=True):
    """The symbols' limits now in force, as the text of a limits file."""

    content: str
    origin: str = ""


@final
class EquityEvent(SystemEvent, frozen=True, kw_only=True):
    """The account is worth more than ever, or its peak is counted anew from here."""

    net_liquidation: Decimal
    peak: Decimal


@final
class LossEvent(SystemEvent, frozen=True, kw_only=True):
    """The day's loss reached a level of its limit: of one symbol, or (empty) of the account.

    `level` is 1 (one is told), 2 (nothing more is opened) or 3 (the desk is halted). `is_resumed`
    is of the memory of a halt that a person has ended since: see `execution/loss_watch.py`.
    """

    level: int = 1
    is_resumed: bool = False
    loss: Decimal
    limit: Decimal
    symbol: str = ""
    message: str
    is_serious: bool = False


@final
class TrailEvent(SystemEvent, frozen=True, kw_only=True):
    """A stop that rests already is let follow the market from now on, by a running trader.

    `plan` is how, as `orders/managed_trails.py` writes it; an empty one ends it. `stop` is where
    the stop stood then, and `origin` who decided.
    """

    order_id: OrderId
    plan: Mapping[str, str] = msgspec.field(default_factory=dict)
    stop: Decimal | None = None
    origin: str = ""


@final
class NoticeEvent(SystemEvent, frozen=True, kw_only=True):
    """A rule tells people something; `origin` is which."""

    origin: str
    message: str
    is_serious: bool = False


@final
class AlarmEvent(SystemEvent, frozen=True, kw_only=True):
    """Something that a person must hear of: told again and again until one takes note of it.

    The newest of a `key` is how the alarm stands.

    Attributes:
        key: What it is about: one trouble is one alarm, however often it shows.
        message: In words.
        since: When it was first seen.
        count: How often it has shown.
        is_over: It has ended by itself.
        must_be_seen: It waits for a person even when it has.
        seen_by: Who has taken note; empty is nobody yet.
        reason: What they said to it.
    """

    key: str
    message: str
    since: datetime
    count: int = 1
    is_over: bool = False
    must_be_seen: bool = True
    seen_by: str = ""
    reason: str = ""


@final
class TimeEvent(SystemEvent, frozen=True, kw_only=True):
    """Time has passed and nothing happened: for those who wait for something overdue."""


@final
class CloseRequestEvent(SystemEvent, frozen=True, kw_only=True):
    """It is decided to end flat in `contract`: until `CloseEndEvent`, whoever runs goes on.

    Told again, of the same group and moment, once it is known which `stop` is taken away and
    must come back if the position cannot be closed. `correlation_id` ties it and its orders to
    what caused it: the id of a decision.
    """

    group_id: GroupId
    contract: Contract
    account: str
    origin: str = ""
    correlation_id: str = ""
    stop: OrderSpec | None = None


@final
class CloseEndEvent(SystemEvent, frozen=True, kw_only=True):
    """A closing is over: flat with nothing left of ours, or `message` says why not."""

    group_id: GroupId
    message: str = ""


@final
class CareEvent(SystemEvent, frozen=True, kw_only=True):
    """A person says that the desk looks after a position from here on, or leaves it alone.

    It ends with the position: once flat, or turned round, the next one is another matter.

    Attributes:
        held: What was held then, signed; of an adopted one, as much as was taken over.
        origin: Who says so.
    """

    contract: Contract
    care: Care
    held: Decimal
    origin: str = ""


@final
class CheckpointEvent(SystemEvent, frozen=True, kw_only=True):
    """A resting point of the journal: a restart reads from here, and about `live` before it.

    `fills` are the executions of the day so far, so that none is counted again; `openings`
    and `recent` what went out lately, for the rate limits. `positions` is all that is held
    after those executions; None is not stated. `bases` is what was held before them, where
    there are both, at its cost. `closings` are under way. `misled` are the groups of a
    position that the broker has restated. `states` are the halts in force, with `limits`,
    `equity`, `traffic`, `arming`, `strikes` and `losses` as they were told last. `trails` are
    the resting stops that follow the market. `cares` say which positions are looked after, or left
    alone, because a person said so. `signals` were taken, `sequences` is how far
    their sources have counted, of `open_signals` nobody has said what came of them, and `standing`
    are the predictions that stand.
    `decisions` are the last of each rule, `open_decisions` are not known to have ended;
    `stages` is how far each strategy may go, and `strategy_days` what belongs to which of them.
    `alarms` are those that nobody has taken note of.
    """

    live: tuple[OrderId, ...] = ()
    fills: tuple[Fill, ...] = ()
    openings: tuple[datetime, ...] = ()
    recent: tuple[NewOrderEvent, ...] = ()
    positions: tuple[Position, ...] | None = None
    bases: tuple[Position, ...] = ()
    closings: tuple[CloseRequestEvent, ...] = ()
    misled: tuple[GroupId, ...] = ()
    states: tuple[StateEvent, ...] = ()
    limits: LimitsEvent | None = None
    equity: EquityEvent | None = None
    traffic: Traffic | None = None
    strikes: Strikes = Strikes()
    arming: ArmEvent | None = None
    losses: tuple[LossEvent, ...] = ()
    trails: tuple[TrailEvent, ...] = ()
    cares: tuple[CareEvent, ...] = ()
    signals: tuple[SeenSignal, ...] = ()
    sequences: Mapping[str, int] = msgspec.field(default_factory=dict)
    open_signals: tuple[PredictionSignalEvent | FlowThresholdEvent, ...] = ()
    standing: tuple[StandingSignal, ...] = ()
    decisions: tuple[DecisionEvent, ...] = ()
    open_decisions: tuple[DecisionEvent, ...] = ()
    stages: tuple[StageEvent, ...] = ()
    strategy_days: StrategyDays | None = None
    alarms: tuple[AlarmEvent, ...] = ()


@final
class GroupEvent(SystemEvent, frozen=True, kw_only=True):
    """An order group concluded or needs attention."""

    group_id: GroupId
    message: str
    is_serious: bool = False


@final
class CoverEvent(SystemEvent, frozen=True, kw_only=True):
    """A position is not protected as it should be, or is again.

    Attributes:
        held: What is held, signed.
        covered: How much of it working stops would end.
        surplus: What exits could trade beyond it.
        since: Since when a part of it has been without a stop; None if none is.
    """

    contract: Contract
    held: Decimal
    covered: Decimal
    surplus: Decimal = ZERO
    since: datetime | None = None
    message: str
    is_serious: bool = False
