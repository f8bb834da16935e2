"""Orders and fills as rows for people and as documents for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibkr_trader.cli.output import Table
from ibkr_trader.cli.wording import when
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import OrderType
from ibkr_trader.core.ids import epoch_in
from ibkr_trader.core.text import UNKNOWN, average, broker_words, money, price, quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ibkr_trader.core.models import Adjustment, Fill, Order, OrderId, OrderSpec

_RIGHT = frozenset({"QTY", "PRICE", "FILLED", "AVERAGE", "COMMISSION", "REALIZED"})


def order_document(order: Order) -> dict[str, Any]:
    """Return everything there is to say of an order, under plain names."""
    return {
        **spec_document(order.spec),
        "perm_id": order.perm_id,
        "client_id": order.client_id,
        "status": order.status,
        "is_open": not order.status.is_closed,
        "filled": order.filled,
        "remaining": order.remaining,
        "average_price": order.average_fill_price,
        "commission": order.commission,
        "held_for": order.held_for,
        "reason": order.reason,
        "code": order.code,
        "is_foreign": order.is_foreign,
        "reference": order.spec.reference or order.order_id,
        "epoch": epoch_in(order.spec.reference or order.order_id),
        "created_at": order.created_at,
        "updated_at": order.updated_at,
    }


def spec_document(spec: OrderSpec) -> dict[str, Any]:
    """Return the terms of an order that may not have been sent yet."""
    return {
        "id": spec.order_id,
        "group": spec.group_id,
        "role": spec.role,
        "broker_order_id": spec.broker_order_id,
        "account": spec.account,
        "symbol": spec.contract.symbol,
        "con_id": spec.contract.con_id,
        "side": spec.side,
        "quantity": spec.quantity,
        "type": spec.order_type,
        "limit_price": spec.limit_price,
        "stop_price": spec.stop_price,
        "trail_amount": spec.trail_amount,
        "trail_percent": spec.trail_percent,
        "time_in_force": spec.time_in_force,
        "outside_rth": spec.outside_rth,
        "parent": spec.parent_id,
        "oca_group": spec.oca_group,
        "oca_type": spec.oca_type,
        "good_after": spec.good_after,
        "adjustment": _adjustment(spec.adjustment),
    }


def _adjustment(adjustment: Adjustment | None) -> dict[str, Any] | None:
    """What a stop turns into once the market has reached `trigger`."""
    if adjustment is None:
        return None
    return {
        "trigger": adjustment.trigger,
        "type": adjustment.order_type,
        "stop_price": adjustment.stop_price,
        "limit_price": adjustment.limit_price,
        "trail_amount": adjustment.trail_amount,
        "trail_percent": adjustment.trail_percent,
    }


def orders_table(
    orders: Iterable[Order], *, utc: bool, notes: Mapping[OrderId, str] | None = None
) -> Table:
    """Return orders as a table, one a row; `notes` is what else there is to say of some."""
    more = notes or {}
    rows = tuple(
        (
            order.order_id,
            label(order.spec.contract),
            order.spec.role.value,
            order.spec.side.value,
            quantity(order.spec.quantity),
            order.spec.order_type.value,
            terms(order.spec),
            lasting(order.spec),
            order.status.value + _whose(order),
            quantity(order.filled),
            average(order.average_fill_price),
            when(order.updated_at, utc=utc),
            ", ".join(filter(None, (_note(order), more.get(order.order_id)))),
        )
        for order in orders
    )
    headers = (
        "ID", "SYMBOL", "ROLE", "SIDE", "QTY", "TYPE", "PRICE", "TIF", "STATUS", "FILLED",
        "AVERAGE", "UPDATED", "NOTE",
    )  # fmt: skip
    return Table(headers, rows, _RIGHT, spare=("UPDATED", "NOTE", "TIF", "AVERAGE", "ROLE"))


def _note(order: Order) -> str:
    return broker_words(order.reason) or ("" if order.status.is_closed else order.held_for)


def _whose(order: Order) -> str:
    """That an order is not ours, and under which leader another desk has placed it."""
    if not order.is_foreign:
        return ""
    epoch = epoch_in(order.spec.reference)
    return f" (foreign, epoch {epoch})" if epoch else " (foreign)"


def specs_table(specs: Iterable[OrderSpec]) -> Table:
    """Return orders that were not sent as a table."""
    rows = tuple(
        (
            spec.role.value,
            spec.side.value,
            quantity(spec.quantity),
            spec.order_type.value,
            terms(spec),
            lasting(spec),
        )
        for spec in specs
    )
    return Table(("ROLE", "SIDE", "QTY", "TYPE", "PRICE", "TIF"), rows, _RIGHT)


def fills_table(fills: Iterable[Fill], *, utc: bool) -> Table:
    """Return executions as a table, one a row."""
    rows = tuple(
        (
            when(fill.at, utc=utc),
            fill.order_id,
            label(fill.contract),
            fill.side.value,
            quantity(fill.quantity),
            price(fill.price),
            price(fill.commission),
            money(fill.realized_pnl),
            fill.exchange,
        )
        for fill in fills
    )
    headers = (
        "TIME", "ORDER", "SYMBOL", "SIDE", "QTY", "PRICE", "COMMISSION", "REALIZED", "EXCHANGE",
    )  # fmt: skip
    return Table(headers, rows, _RIGHT, spare=("EXCHANGE", "COMMISSION", "SYMBOL"))


def fill_document(fill: Fill) -> dict[str, Any]:
    """Return everything there is to say of an execution."""
    return {
        "id": fill.fill_id,
        "revision": fill.revision,
        "order": fill.order_id,
        "account": fill.account,
        "symbol": fill.contract.symbol,
        "con_id": fill.contract.con_id,
        "side": fill.side,
        "quantity": fill.quantity,
        "price": fill.price,
        "at": fill.at,
        "commission": fill.commission,
        "realized_pnl": fill.realized_pnl,
        "exchange": fill.exchange,
    }


def terms(spec: OrderSpec) -> str:
    """Return the prices of an order in one cell: trigger first, then limit."""
    match spec.order_type:
        case OrderType.TRAIL | OrderType.TRAIL_LIMIT:
            by = (
                f"{quantity(spec.trail_percent)}%"
                if spec.trail_percent
                else price(spec.trail_amount)
            )
            return f"trail {by}"
        case _:
            prices = [one for one in (spec.stop_price, spec.limit_price) if one is not None]
            return " / ".join(price(one) for one in prices) or UNKNOWN


def lasting(spec: OrderSpec) -> str:
    """Return how long an order may wait, and whether it trades outside regular hours, too."""
    return spec.time_in_force.value + (" ext" if spec.outside_rth else "")


def sentence(spec: OrderSpec) -> str:
    """Return an order in words: `BUY 10 AAPL LIMIT 150.00`."""
    words = [spec.side.value, quantity(spec.quantity), label(spec.contract)]
    words.append(spec.order_type.value.replace("_", " "))
    return " ".join(words if terms(spec) == UNKNOWN else [*words, terms(spec)])
