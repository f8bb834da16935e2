"""The exits that a position gets when the desk takes it over: a stop, a trail, a target beside it.

A level is a price, or a part of the average cost. What is placed is for as much as no stop ends
yet; it waits until cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from ibkr_trader.core.enums import OrderType, Side, TimeInForce
from ibkr_trader.core.models import Contract, OrderRequest, PriceBand
from ibkr_trader.core.ticks import round_limit, round_protective_stop
from ibkr_trader.orders.cover_orders import Attach
from ibkr_trader.orders.exit_levels import Level, Wanted
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from ibkr_trader.orders.trailing_stops import TrailingStopConfig


class Taken(NamedTuple):
    """The position as it is taken over; `held` is signed."""

    symbol: str
    contract: Contract
    held: Decimal
    cost: Decimal
    bands: Sequence[PriceBand]

    @property
    def side(self) -> Side:
        """The side that ends it."""
        return Side.closing(self.held)


def exits(
    wanted: Wanted, taken: Taken, size: Decimal
) -> Attach | TrailingStopConfig | OCOOrderRequest:
    """Return what to place for `size` of a position.

    Raises:
        ValueError: If what is wanted contradicts itself, or is nothing.
    """
    if wanted.fault or (wanted.stop is None and wanted.trail is None):
        raise ValueError(wanted.fault or "a stop or a trail is needed")
    if wanted.target is not None:
        return OCOOrderRequest(
            order_a=_stop(wanted, taken, size), order_b=_target(wanted.target, taken, size)
        )
    if wanted.trail is not None:
        return TrailingStopConfig(
            symbol=taken.symbol,
            quantity=size,
            side=taken.side,
            trail_amount=wanted.trail.price,
            trail_percent=_percent(wanted.trail),
        )
    return Attach(taken.contract, taken.side, size, _stop_price(wanted, taken))


def _stop(wanted: Wanted, taken: Taken, size: Decimal) -> OrderRequest:
    trail = wanted.trail
    return OrderRequest(
        symbol=taken.symbol,
        quantity=size,
        side=taken.side,
        order_type=OrderType.STOP if trail is None else OrderType.TRAIL,
        stop_price=_stop_price(wanted, taken) if trail is None else None,
        trail_amount=trail.price if trail is not None else None,
        trail_percent=_percent(trail),
        time_in_force=TimeInForce.GTC,
    )


def _target(level: Level, taken: Taken, size: Decimal) -> OrderRequest:
    at = level.beside(taken.cost, -taken.side.sign)
    return OrderRequest(
        symbol=taken.symbol,
        quantity=size,
        side=taken.side,
        order_type=OrderType.LIMIT,
        limit_price=round_limit(at, taken.side, taken.bands),
        time_in_force=TimeInForce.GTC,
    )


def _stop_price(wanted: Wanted, taken: Taken) -> Decimal:
    level = wanted.stop or Level()
    at = level.beside(taken.cost, taken.side.sign)
    return round_protective_stop(at, taken.side, taken.bands)


def _percent(level: Level | None) -> Decimal | None:
    if level is None or level.fraction is None:
        return None
    return Decimal(f"{(level.fraction * 100).normalize():f}")
