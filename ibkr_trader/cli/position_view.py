"""Positions with what protects them: stop, target, distance, R and coverage on one line."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli.output import Table
from ibkr_trader.core.contracts import label
from ibkr_trader.core.text import UNKNOWN, money, percent, price, quantity
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.core.models import Order, Position

_SIX_DIGITS = Decimal("0.000001")
_RIGHT = frozenset(
    {"QTY", "AVERAGE", "MARK", "UNREALIZED", "STOP", "TARGET", "TO STOP", "R", "COVERED"}
)


def positions_table(positions: Sequence[Position], orders: Sequence[Order]) -> Table:
    """Return positions as a table, one a row."""
    rows = []
    for position in positions:
        guard = protection(position, orders)
        coverage = f"{quantity(guard.covered)}/{quantity(abs(position.quantity))}"
        rows.append(
            (
                label(position.contract),
                quantity(position.quantity),
                price(position.average_cost),
                price(position.market_price),
                money(position.unrealized_pnl, signed=True),
                price(guard.stop),
                price(guard.target),
                percent(guard.distance_fraction, digits=1),
                _signed(guard.r),
                coverage + ("" if guard.is_covered else " NAKED"),
            )
        )
    headers = (
        "SYMBOL", "QTY", "AVERAGE", "MARK", "UNREALIZED", "STOP", "TARGET", "TO STOP", "R",
        "COVERED",
    )  # fmt: skip
    return Table(headers, tuple(rows), _RIGHT, spare=("TARGET", "AVERAGE"))


def position_document(position: Position, orders: Sequence[Order]) -> dict[str, Any]:
    """Return everything there is to say of a position and its protection."""
    guard = protection(position, orders)
    return {
        "account": position.account,
        "symbol": position.contract.symbol,
        "con_id": position.contract.con_id,
        "quantity": position.quantity,
        "average_cost": position.average_cost,
        "market_price": position.market_price,
        "market_value": position.market_value,
        "unrealized_pnl": position.unrealized_pnl,
        "realized_pnl": position.realized_pnl,
        "stop": guard.stop,
        "target": guard.target,
        "distance_to_stop": _ratio(guard.distance_fraction),
        "r": _ratio(guard.r),
        "covered": guard.covered,
        "is_covered": guard.is_covered,
    }


def _ratio(value: Decimal | None) -> Decimal | None:
    """A ratio to six decimals: the other digits of a division say nothing."""
    return None if value is None else value.quantize(_SIX_DIGITS) + 0  # no minus before zero


def _signed(value: Decimal | None) -> str:
    return UNKNOWN if value is None else money(value, signed=True)
