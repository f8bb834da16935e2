"""What happened: one tree of facts, in the past, with the names of the first plan.

    BaseEvent
    ├── MarketEvent        PriceEvent · VolumeEvent · BarEvent · IndicatorEvent
    ├── OrderEvent         NewOrderEvent · DenyEvent · NotSentEvent · AcceptEvent · AdoptEvent
    │                      StatusEvent · FillEvent · CommissionEvent · DoneEvent
    │                      ModifyEvent · ModifyRejectEvent · CancelRequestEvent
    │                      CancelEvent · CancelRejectEvent
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

from ibkr_trader.core.events.checkpoint import CheckpointEvent
from ibkr_trader.core.events.desk import (
    AlarmEvent,
    ArmEvent,
    CareEvent,
    CloseEndEvent,
    CloseRequestEvent,
    CoverEvent,
    EquityEvent,
    GroupEvent,
    LimitsEvent,
    LossEvent,
    NoticeEvent,
    OperatorEvent,
    StateEvent,
    TrailEvent,
)
from ibkr_trader.core.events.market import (
    BarEvent,
    IndicatorEvent,
    MarketEvent,
    PriceEvent,
    VolumeEvent,
)
from ibkr_trader.core.events.orders import (
    AcceptEvent,
    AdoptEvent,
    CancelEvent,
    CancelRejectEvent,
    CancelRequestEvent,
    CommissionEvent,
    DenyEvent,
    DoneEvent,
    ExpireEvent,
    FillEvent,
    HoldEvent,
    ModifyEvent,
    ModifyRejectEvent,
    NewOrderEvent,
    NotSentEvent,
    OrderEvent,
    RejectEvent,
    StatusEvent,
    UnknownEvent,
    WarningEvent,
)
from ibkr_trader.core.events.positions import (
    PositionCloseEvent,
    PositionEvent,
    PositionOpenEvent,
    PositionUpdateEvent,
)
from ibkr_trader.core.events.root import BaseEvent, Breach
from ibkr_trader.core.events.signals import (
    FlowThresholdEvent,
    OptionsFlowEvent,
    PredictionSignalEvent,
    SignalEndEvent,
    SignalRefusedEvent,
)
from ibkr_trader.core.events.strategies import (
    DecisionEndEvent,
    DecisionEvent,
    FaultEvent,
    StageEvent,
    StrategyEvent,
    WouldFillEvent,
)
from ibkr_trader.core.events.system import (
    AccountEvent,
    ConnectEvent,
    DataTypeEvent,
    DisconnectEvent,
    DriftEvent,
    ErrorEvent,
    PositionReportEvent,
    SyncEvent,
    SystemEvent,
    TimeEvent,
)

__all__ = [
    "AcceptEvent",
    "AccountEvent",
    "AdoptEvent",
    "AlarmEvent",
    "ArmEvent",
    "BarEvent",
    "BaseEvent",
    "Breach",
    "CancelEvent",
    "CancelRejectEvent",
    "CancelRequestEvent",
    "CareEvent",
    "CheckpointEvent",
    "CloseEndEvent",
    "CloseRequestEvent",
    "CommissionEvent",
    "ConnectEvent",
    "CoverEvent",
    "DataTypeEvent",
    "DecisionEndEvent",
    "DecisionEvent",
    "DenyEvent",
    "DisconnectEvent",
    "DoneEvent",
    "DriftEvent",
    "EquityEvent",
    "ErrorEvent",
    "ExpireEvent",
    "FaultEvent",
    "FillEvent",
    "FlowThresholdEvent",
    "GroupEvent",
    "HoldEvent",
    "IndicatorEvent",
    "LimitsEvent",
    "LossEvent",
    "MarketEvent",
    "ModifyEvent",
    "ModifyRejectEvent",
    "NewOrderEvent",
    "NotSentEvent",
    "NoticeEvent",
    "OperatorEvent",
    "OptionsFlowEvent",
    "OrderEvent",
    "PositionCloseEvent",
    "PositionEvent",
    "PositionOpenEvent",
    "PositionReportEvent",
    "PositionUpdateEvent",
    "PredictionSignalEvent",
    "PriceEvent",
    "RejectEvent",
    "SignalEndEvent",
    "SignalRefusedEvent",
    "StageEvent",
    "StateEvent",
    "StatusEvent",
    "StrategyEvent",
    "SyncEvent",
    "SystemEvent",
    "TimeEvent",
    "TrailEvent",
    "UnknownEvent",
    "VolumeEvent",
    "WarningEvent",
    "WouldFillEvent",
]
