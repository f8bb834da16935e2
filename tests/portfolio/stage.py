"""A journal's last words, a broker's snapshot, and what comes of holding them together."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.models import Contract, Order, OrderId, Position
from ibkr_trader.portfolio.evidence import Evidence
from ibkr_trader.portfolio.reconciliation import GRACE, Reconciliation, reconcile
from ibkr_trader.portfolio.snapshot import BrokerSnapshot
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    AT,
    bracket_specs,
    later,
    written,
)

S = OrderStatus
ID = OrderId("memo-1-single")
ENTRY, TARGET, STOP = (one.order_id for one in bracket_specs())
NOW = later(60)
TWICE = GRACE + timedelta(seconds=1)


def held(quantity: int, contract: Contract = AAPL) -> Position:
    return Position(
        account=ACCOUNT, contract=contract, quantity=Decimal(quantity), average_cost=Decimal(150)
    )


def snapshot(*open_orders: Order, **parts: Any) -> BrokerSnapshot:
    known: dict[str, Any] = {"epoch": 2, "at": NOW, "account": ACCOUNT}
    return BrokerSnapshot(open_orders=open_orders, **(known | parts))


def theirs(what: object, status: S = S.SUBMITTED, **more: Any) -> Order:
    return Order(spec=what, status=status, **({"perm_id": 9001, "client_id": 7} | more))  # type: ignore[arg-type]  # terms of every kind


def sent(*specs: Any, ledger: tuple[int, ...] = ()) -> PortfolioState:
    """Return what a journal knows whose last words are that these orders go out."""
    start = ev.SyncEvent(at=AT, epoch=1, positions=tuple(held(quantity) for quantity in ledger))
    return fold([start, *(written(one, kind="bracket") for one in specs)])


def missed(*ids: OrderId, by: timedelta = TWICE, **more: Any) -> Evidence:
    return Evidence(missed_for=dict.fromkeys(ids, by), **more)


def settle(
    before: PortfolioState, stated: BrokerSnapshot, evidence: Evidence | None = None
) -> tuple[PortfolioState, Reconciliation]:
    """Return the picture after reconciling, and check that doing it again changes nothing."""
    outcome = reconcile(before, stated, evidence or Evidence())
    after = fold(outcome.events, before)
    again = reconcile(after, stated, evidence or Evidence())
    twice = fold(again.events, after)
    assert {o.order_id: o.status for o in twice.orders.values()} == {
        o.order_id: o.status for o in after.orders.values()
    }
    assert (twice.positions, twice.fills) == (after.positions, after.fills)
    return after, outcome


def status(state: PortfolioState, order_id: OrderId = ID) -> S:
    order = state.order(order_id)
    assert order is not None
    return order.status


def drift(outcome: Reconciliation) -> list[tuple[str, str, str]]:
    return [
        (event.subject, event.ours, event.theirs)
        for event in outcome.events
        if isinstance(event, ev.DriftEvent)
    ]
