"""What the journal's tests write, and how they open it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.events import ErrorEvent
from ibkr_trader.core.models import Contract, GroupId, OrderId, OrderSpec

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def note(text: str = "hello") -> ErrorEvent:
    return ErrorEvent(at=NOW, code=2104, message=text)


def order(install: str, group: int, broker_order_id: int) -> OrderSpec:
    return OrderSpec(
        order_id=OrderId(f"{install}-{group}-entry"),
        group_id=GroupId(f"{install}-{group}"),
        role=OrderRole.ENTRY,
        contract=Contract(symbol="AAPL", con_id=265598),
        account="SIM0000001",
        side=Side.BUY,
        quantity=Decimal(10),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("150.25"),
        broker_order_id=broker_order_id,
    )


def submit(*orders: OrderSpec) -> SubmitOrders:
    return SubmitOrders(group_id=orders[0].group_id, orders=orders)


def open_journal(path: Path, *, read_only: bool = False, family: str = "") -> SqliteJournal:
    return SqliteJournal(path, clock=ManualClock(NOW), read_only=read_only, family=family)
