"""Brackets as somebody may ask for them, in the fewest words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.models import OrderId, OrderRequest
from ibkr_trader.orders.bracket_orders import Bracket, BracketOrderRequest
from ibkr_trader.orders.group import Setting
from tests.orders.samples import AAPL, ACCOUNT, GROUP

ENTRY, TARGET, STOP = (OrderId(f"memo-1-{role}") for role in ("entry", "target", "stop"))


def entry(**changes: Any) -> OrderRequest:
    known: dict[str, Any] = {"symbol": "AAPL", "quantity": Decimal(10), "side": Side.BUY}
    return OrderRequest(**(known | changes))


def request(**changes: Any) -> BracketOrderRequest:
    """Return a sound long bracket at the market, changed by `changes` to its parts."""
    leave: dict[str, Any] = {"side": Side.SELL}
    parts: dict[str, Any] = {
        "parent": entry(),
        "stop_loss": entry(order_type=OrderType.STOP, stop_price=Decimal(145), **leave),
        "take_profit": entry(order_type=OrderType.LIMIT, limit_price=Decimal(155), **leave),
    }
    for name, change in changes.items():
        is_part = name in parts and isinstance(change, dict)
        parts[name] = msgspec.structs.replace(parts[name], **change) if is_part else change
    return BracketOrderRequest(**parts)


def short(limit: str = "150") -> BracketOrderRequest:
    """Return a sound short bracket with a limit entry."""
    return request(
        parent={"side": Side.SELL, "order_type": OrderType.LIMIT, "limit_price": Decimal(limit)},
        stop_loss={"side": Side.BUY, "stop_price": Decimal(155)},
        take_profit={"side": Side.BUY, "limit_price": Decimal(145)},
    )


def bracket(asked: BracketOrderRequest | None = None) -> Bracket:
    return (asked or request()).group(Setting(GROUP, AAPL, ACCOUNT))


def target(price: str, quantity: int) -> OrderRequest:
    return entry(
        side=Side.SELL,
        order_type=OrderType.LIMIT,
        limit_price=Decimal(price),
        quantity=Decimal(quantity),
    )


def trailing(**changes: Any) -> BracketOrderRequest:
    """Return a long bracket whose stop follows the gain."""
    return request(stop_loss={"order_type": OrderType.TRAIL, "stop_price": None, **changes})
