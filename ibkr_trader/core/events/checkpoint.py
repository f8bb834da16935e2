"""A resting point of the journal: what a restart needs, in one event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import final

import msgspec

from ibkr_trader.core.events.desk import (
    AlarmEvent,
    ArmEvent,
    CareEvent,
    CloseRequestEvent,
    EquityEvent,
    LimitsEvent,
    LossEvent,
    StateEvent,
    TrailEvent,
)
from ibkr_trader.core.events.orders import NewOrderEvent
from ibkr_trader.core.events.signals import FlowThresholdEvent, PredictionSignalEvent
from ibkr_trader.core.events.strategies import DecisionEvent, StageEvent
from ibkr_trader.core.events.system import SystemEvent
from ibkr_trader.core.models import Fill, GroupId, OrderId, Position
from ibkr_trader.core.signals import SeenSignal, StandingSignal
from ibkr_trader.core.tallies import StrategyDays, Strikes, Traffic


@final
class CheckpointEvent(SystemEvent, frozen=True, kw_only=True):
    """A resting point of the journal: a restart reads from here, and about `live` before it.

    `fills` are the executions of the day so far, so that none is counted again; `openings`
    and `recent` what went out lately, for the rate limits. `positions` is all that is held
    after those executions; None is not stated. `bases` is what was held before them, where
    there are both, at its cost; `opened` is how much of what was held before them orders of ours
    have opened, by con_id. `closings` are under way. `misled` are the groups of a
    position that the broker has restated. `states` are the halts in force, with `limits`,
    `equity`, `traffic`, `arming`, `strikes` and `losses` as they were told last. `trails` are
    the resting stops that follow the market. `cares` say which positions are looked after, or left
    alone, because a person said so. `signals` were taken, `sequences` is how far
    their sources have counted, of `open_signals` nobody has said what came of them, and `standing`
    are the predictions that stand.
    `decisions` are the last of each rule, `open_decisions` are not known to have ended;
    `stages` is how far each strategy may go, and `strategy_days` what belongs to which of them.
    `alarms` are those that nobody has taken note of. `synced_at` is when the broker had told
    everything last.
    """

    live: tuple[OrderId, ...] = ()
    fills: tuple[Fill, ...] = ()
    openings: tuple[datetime, ...] = ()
    recent: tuple[NewOrderEvent, ...] = ()
    positions: tuple[Position, ...] | None = None
    bases: tuple[Position, ...] = ()
    opened: Mapping[int, Decimal] = msgspec.field(default_factory=dict)
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
    synced_at: datetime | None = None
