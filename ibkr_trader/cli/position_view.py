"""Positions with what protects them: stop, target, distance, R and coverage on one line."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli.output import Table
from ibkr_trader.cli.wording import when
from ibkr_trader.core.contracts import label
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.lapses import exact
from ibkr_trader.core.text import UNKNOWN, average, bar, money, percent, price, quantity
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from ibkr_trader.core.models import Order, Position
    from ibkr_trader.portfolio.protection import Protection

_SIX_DIGITS = Decimal("0.000001")
_RIGHT = frozenset(
    {"QTY", "AVERAGE", "MARK", "UNREALIZED", "STOP", "TARGET", "TO STOP", "R", "COVERED"}
)
_BAR = 8  # characters: an eighth of the position each


def positions_table(positions: Sequence[Position], orders: Sequence[Order]) -> Table:
    """Return positions as a table, one a row."""
    rows = []
    for position in positions:
        guard = protection(position, orders)
        rows.append(
            (
                label(position.contract),
                quantity(position.quantity),
                average(position.average_cost),
                price(position.market_price),
                money(position.unrealized_pnl, signed=True),
                price(guard.stop),
                price(guard.target),
                percent(guard.distance_fraction, digits=1),
                _signed(guard.r),
                _share(guard) + _flags(guard),
            )
        )
    headers = (
        "SYMBOL", "QTY", "AVERAGE", "MARK", "UNREALIZED", "STOP", "TARGET", "TO STOP", "R",
        "COVERED",
    )  # fmt: skip
    return Table(headers, tuple(rows), _RIGHT, spare=("TARGET", "AVERAGE"))


def cover_table(guards: Sequence[Protection], now: datetime) -> Table:
    """Return what protects each position as a table, the least protected first."""
    rows = [
        (
            label(guard.position.contract),
            quantity(guard.position.quantity),
            f"{bar(guard.coverage, _BAR)} {percent(guard.coverage, digits=0)}" + _beyond(guard),
            price(guard.stop),
            price(guard.target),
            percent(guard.distance_fraction, digits=1),
            _signed(guard.r),
            _naked_for(guard, now),
        )
        for guard in sorted(guards, key=lambda one: (one.coverage, one.position.contract.symbol))
    ]
    headers = ("SYMBOL", "QTY", "COVER", "STOP", "TARGET", "TO STOP", "R", "NAKED FOR")
    return Table(headers, tuple(rows), _RIGHT, spare=("TARGET", "R"))


def troubles(guards: Iterable[Protection], *, utc: bool) -> list[str]:
    """Return a line for everything about the protection that is not as it should be."""
    lines: list[str] = []
    for guard in guards:
        name = label(guard.position.contract)
        if not guard.is_covered:
            bare = quantity(abs(guard.position.quantity) - guard.covered)
            since = f" since {when(guard.naked_since, utc=utc)}" if guard.naked_since else ""
            lines.append(f"{name}: no working stop for {bare} of it{since}")
        if guard.surplus:
            lines.append(
                f"{name}: its exits could trade {quantity(guard.surplus)} more than is held"
            )
        lines += [f"{name}: {short_id(order_id)} {words}" for order_id, words in guard.remarks]
    return lines


def position_document(
    position: Position,
    orders: Sequence[Order],
    ended: Iterable[Order] = (),
    *,
    care: str | None = None,
) -> dict[str, Any]:
    """Return everything there is to say of a position and its protection.

    `care` is what a person has said of it: `adopted`, `released`, or nothing.
    """
    return guard_document(protection(position, orders, ended), care=care)


def guard_document(guard: Protection, *, care: str | None = None) -> dict[str, Any]:
    """Return the same of a position whose protection is known."""
    position = guard.position
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
        "distance_to_stop": six_digits(guard.distance_fraction),
        "r": six_digits(guard.r),
        "covered": guard.covered,
        "coverage": six_digits(guard.coverage),
        "surplus": guard.surplus,
        "naked_since": guard.naked_since,
        "is_covered": guard.is_covered,
        "care": care,
        "remarks": [{"order": order_id, "remark": words} for order_id, words in guard.remarks],
    }


def _share(guard: Protection) -> str:
    return f"{quantity(guard.covered)}/{quantity(abs(guard.position.quantity))}"


def _flags(guard: Protection) -> str:
    return ("" if guard.is_covered else " NAKED") + (" OVER" if guard.surplus else "")


def _beyond(guard: Protection) -> str:
    return f" +{quantity(guard.surplus)}" if guard.surplus else ""


def _naked_for(guard: Protection, now: datetime) -> str:
    if guard.is_covered:
        return ""
    if guard.naked_since is None:
        return "unknown"
    return exact(guard.naked_since, now)


def six_digits(value: Decimal | None) -> Decimal | None:
    """Return a ratio to six decimals: the other digits of a division say nothing."""
    return None if value is None else value.quantize(_SIX_DIGITS) + 0  # no minus before zero


def _signed(value: Decimal | None) -> str:
    return UNKNOWN if value is None else money(value, signed=True)
