"""A row in one full sentence: what a narrow table had no room for, and dialogs repeat."""

from __future__ import annotations

from collections.abc import Container

from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import UNKNOWN, average, money, price, quantity
from ibkr_trader.dashboard.panels.orders import status_of
from ibkr_trader.dashboard.scene import Decision, FeedLine, GaugeRow, OrderRow, PositionRow
from ibkr_trader.dashboard.spans import safe


def sentence(row: object, *, cancelling: Container[str] = ()) -> str:
    """Return a row of any panel in words; `cancelling` were asked to go from here."""
    match row:
        case OrderRow():
            return order_sentence(row, is_cancelling=row.order_id in cancelling)
        case PositionRow():
            return position_sentence(row)
        case GaugeRow():
            return safe(f"{row.name}: {row.used} of {row.limit} {row.note}").rstrip()
        case Decision():
            return safe(f"{row.source}, {row.came.value}: {row.text}")
        case FeedLine():
            return safe(row.text)
        case _:
            return ""


def order_sentence(row: OrderRow, *, is_cancelling: bool = False) -> str:
    """Return an order with its terms and state: `17-stop: SELL 10 AAPL STOP 145.00, ...`."""
    kind = row.kind.replace("_", " ").upper()
    terms = "" if row.terms in {"", UNKNOWN} else row.terms
    trade = [row.side, quantity(row.quantity), row.symbol, kind, terms, row.tif]
    parts = [
        " ".join(part for part in trade if part),
        status_of(row, is_cancelling=is_cancelling).text,
    ]
    if row.filled > ZERO:
        parts.append(f"{quantity(row.filled)} filled")
    if row.is_last_stop:
        parts.append("the last stop")
    elif row.role:
        parts.append(row.role)
    parts += [f"group {row.group}"] * bool(row.group) + [_by(row.rule)] * bool(row.rule)
    parts += ["foreign"] * row.is_foreign + [row.note] * bool(row.note)
    number = f" (No. {row.number})" if row.number else ""
    return safe(f"{row.short}{number}: {', '.join(parts)}")


def _by(rule: str) -> str:
    return rule if rule.startswith("by ") else f"by {rule}"


def position_sentence(row: PositionRow) -> str:
    """Return a position with what protects it: `AAPL: +10 at 150.03, stop 145.00, ...`."""
    size = abs(row.quantity)
    parts = [
        f"{quantity(row.quantity, signed=True)} at {average(row.average)}",
        f"last {price(row.last)}",
        f"P&L {money(row.pnl, signed=True)}",
        f"stop {price(row.stop)}",
        f"target {price(row.target)}",
        f"stops cover {quantity(row.covered)} of {quantity(size)}",
    ]
    if row.surplus:
        parts.append(f"exits could trade {quantity(row.surplus)} too many")
    if row.is_closing:
        parts.append("on its way to flat")
    return safe(f"{row.symbol}: {', '.join([*parts, *row.remarks])}")
