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
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AccountLocked",
    "AmbiguousContract",
    "BracketOrderRequest",
    "BrokerUnavailable",
    "ConnectionEventHandler",
    "Contract",
    "Desk",
    "Duty",
    "Fill",
    "NotClosed",
    "NothingToScale",
    "OCOOrderRequest",
    "OcaType",
    "OnRace",
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
    "ScaleInRequest",
    "Side",
    "TimeInForce",
    "TraderError",
    "TrailingStopConfig",
    "UnknownOrder",
    "Wait",
    "close_contract",
    "open_desk",
    "protection",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOME_OF[name]), name)
