"""An order desk for Interactive Brokers: the public names, and nothing else.

    from ibkr_trader import OrderRequest, Side, open_desk

Each name is imported when it is first asked for, so that `import ibkr_trader` costs
nothing and the commands start fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ibkr_trader.app import open_desk
    from ibkr_trader.core.enums import (
        OcaType,
        OrderRole,
        OrderStatus,
        OrderType,
        Side,
        TimeInForce,
    )
    from ibkr_trader.core.errors import (
        AccountLocked,
        AmbiguousContract,
        BrokerUnavailable,
        OrderRejectedError,
        OutcomeUnknown,
        RiskCheckError,
        TraderError,
    )
    from ibkr_trader.core.models import Contract, Fill, Order, OrderRequest, OrderSpec, Position
    from ibkr_trader.execution.closing import NotClosed, close_contract
    from ibkr_trader.execution.desk import Desk, UnknownOrder
    from ibkr_trader.execution.guardian import Duty
    from ibkr_trader.execution.handlers import ConnectionEventHandler, OrderEventHandler
    from ibkr_trader.execution.placing import Wait
    from ibkr_trader.execution.scaling import NothingToScale
    from ibkr_trader.orders.bracket_orders import BracketOrderRequest
    from ibkr_trader.orders.linked_orders import ScaleInRequest
    from ibkr_trader.orders.oco_legs import OnRace
    from ibkr_trader.orders.oco_orders import OCOOrderRequest
    from ibkr_trader.orders.trailing_stops import TrailingStopConfig
    from ibkr_trader.portfolio.protection import Protection, protection
    from ibkr_trader.risk.envelope import Envelope
    from ibkr_trader.rules.actions.adjust_stop import AdjustStop
    from ibkr_trader.rules.actions.close_all import CloseAll
    from ibkr_trader.rules.actions.halt import HaltTrading
    from ibkr_trader.rules.actions.notify import Notify
    from ibkr_trader.rules.actions.open_position import OpenPosition
    from ibkr_trader.rules.actions.scale_in import ScaleIn
    from ibkr_trader.rules.actions.trail import TrailStop
    from ibkr_trader.rules.distance import Distance
    from ibkr_trader.rules.moment import Moment
    from ibkr_trader.rules.program import StrategyProgram, condition, enter
    from ibkr_trader.rules.rule import Action, Rule, Strategy
    from ibkr_trader.rules.templates import (
        StrategyBuilder,
        create_buy_rule,
        create_eod_close_rule,
        create_scale_in_rule,
        create_sell_rule,
    )

__version__ = "0.1.0"

_HOMES = {
    "ibkr_trader.app": ("open_desk",),
    "ibkr_trader.core.enums": (
        "OcaType",
        "OrderRole",
        "OrderStatus",
        "OrderType",
        "Side",
        "TimeInForce",
    ),
    "ibkr_trader.core.errors": (
        "AccountLocked",
        "AmbiguousContract",
        "BrokerUnavailable",
        "OrderRejectedError",
        "OutcomeUnknown",
        "RiskCheckError",
        "TraderError",
    ),
    "ibkr_trader.core.models": (
        "Contract",
        "Fill",
        "Order",
        "OrderRequest",
        "OrderSpec",
        "Position",
    ),
    "ibkr_trader.execution.closing": ("NotClosed", "close_contract"),
    "ibkr_trader.execution.desk": ("Desk", "UnknownOrder"),
    "ibkr_trader.execution.guardian": ("Duty",),
    "ibkr_trader.execution.handlers": ("ConnectionEventHandler", "OrderEventHandler"),
    "ibkr_trader.execution.placing": ("Wait",),
    "ibkr_trader.execution.scaling": ("NothingToScale",),
    "ibkr_trader.orders.bracket_orders": ("BracketOrderRequest",),
    "ibkr_trader.orders.linked_orders": ("ScaleInRequest",),
    "ibkr_trader.orders.oco_legs": ("OnRace",),
    "ibkr_trader.orders.oco_orders": ("OCOOrderRequest",),
    "ibkr_trader.orders.trailing_stops": ("TrailingStopConfig",),
    "ibkr_trader.portfolio.protection": ("Protection", "protection"),
    "ibkr_trader.rules.actions.adjust_stop": ("AdjustStop",),
    "ibkr_trader.rules.actions.close_all": ("CloseAll",),
    "ibkr_trader.rules.actions.halt": ("HaltTrading",),
    "ibkr_trader.rules.actions.notify": ("Notify",),
    "ibkr_trader.rules.actions.open_position": ("OpenPosition",),
    "ibkr_trader.rules.actions.scale_in": ("ScaleIn",),
    "ibkr_trader.rules.actions.trail": ("TrailStop",),
    "ibkr_trader.rules.distance": ("Distance",),
    "ibkr_trader.rules.moment": ("Moment",),
    "ibkr_trader.rules.program": ("StrategyProgram", "condition", "enter"),
    "ibkr_trader.risk.envelope": ("Envelope",),
    "ibkr_trader.rules.rule": ("Action", "Rule", "Strategy"),
    "ibkr_trader.rules.templates": (
        "StrategyBuilder",
        "create_buy_rule",
        "create_eod_close_rule",
        "create_scale_in_rule",
        "create_sell_rule",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AccountLocked",
    "Action",
    "AdjustStop",
    "AmbiguousContract",
    "BracketOrderRequest",
    "BrokerUnavailable",
    "CloseAll",
    "ConnectionEventHandler",
    "Contract",
    "Desk",
    "Distance",
    "Duty",
    "Envelope",
    "Fill",
    "HaltTrading",
    "Moment",
    "NotClosed",
    "NothingToScale",
    "Notify",
    "OCOOrderRequest",
    "OcaType",
    "OnRace",
    "OpenPosition",
    "Order",
    "OrderEventHandler",
    "OrderRejectedError",
    "OrderRequest",
    "OrderRole",
    "OrderSpec",
    "OrderStatus",
    "OrderType",
    "OutcomeUnknown",
    "Position",
    "Protection",
    "RiskCheckError",
    "Rule",
    "ScaleIn",
    "ScaleInRequest",
    "Side",
    "Strategy",
    "StrategyBuilder",
    "StrategyProgram",
    "TimeInForce",
    "TraderError",
    "TrailStop",
    "TrailingStopConfig",
    "UnknownOrder",
    "Wait",
    "close_contract",
    "condition",
    "create_buy_rule",
    "create_eod_close_rule",
    "create_scale_in_rule",
    "create_sell_rule",
    "enter",
    "open_desk",
    "protection",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOME_OF[name]), name)
