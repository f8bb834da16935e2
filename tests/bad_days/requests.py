"""What the stories ask the desk for: AAPL, around 150, unless they name another."""

from __future__ import annotations

from decimal import Decimal

from ibkr_trader import BracketOrderRequest, OrderRequest, OrderType, Side
from ibkr_trader.core.enums import OcaType, TimeInForce
from ibkr_trader.orders.oco_legs import OnRace
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from ibkr_trader.orders.trailing_stops import TrailingStopConfig

_KINDS = {
    (False, False): OrderType.MARKET,
    (True, False): OrderType.LIMIT,
    (False, True): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
}


def single(
    quantity: int = 10,
    *,
    side: Side = Side.BUY,
    limit: str = "",
    stop: str = "",
    symbol: str = "AAPL",
) -> OrderRequest:
    """One order: at a limit, at a stop, at both, or at the market."""
    return OrderRequest(
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        order_type=_KINDS[bool(limit), bool(stop)],
        limit_price=Decimal(limit) if limit else None,
        stop_price=Decimal(stop) if stop else None,
    )


def bracket(
    quantity: int = 10,
    *,
    side: Side = Side.BUY,
    limit: str = "",
    stop: str = "145",
    target: str = "155",
    exits: TimeInForce = TimeInForce.GTC,
    symbol: str = "AAPL",
) -> BracketOrderRequest:
    """An entry with a stop loss and a take profit."""
    back = side.opposite
    return BracketOrderRequest(
        parent=single(quantity, side=side, limit=limit, symbol=symbol),
        stop_loss=single(quantity, side=back, stop=stop, symbol=symbol),
        take_profit=single(quantity, side=back, limit=target, symbol=symbol),
        exit_time_in_force=exits,
    )


def exits(
    quantity: int = 10,
    *,
    oca_type: OcaType | None = None,
    on_race: OnRace = OnRace.FLATTEN,
) -> OCOOrderRequest:
    """A target at 155 and a stop at 145 for a long position; one ends the other."""
    return OCOOrderRequest(
        order_a=single(quantity, side=Side.SELL, limit="155"),
        order_b=single(quantity, side=Side.SELL, stop="145"),
        oca_type=oca_type,
        on_race=on_race,
    )


def either(quantity: int = 10) -> OCOOrderRequest:
    """Buy at 145, or sell short at 155: one of the two."""
    return OCOOrderRequest(
        order_a=single(quantity, limit="145"),
        order_b=single(quantity, side=Side.SELL, limit="155"),
    )


def trail(
    quantity: int = 10, *, amount: str = "3", activation: str = "", is_managed: bool = False
) -> TrailingStopConfig:
    """A stop that follows a long position, so much below the market."""
    return TrailingStopConfig(
        symbol="AAPL",
        quantity=Decimal(quantity),
        trail_amount=Decimal(amount),
        activation_price=Decimal(activation) if activation else None,
        is_managed=is_managed,
    )
