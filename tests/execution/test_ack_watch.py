"""Silence is no answer: what nobody answers in time is looked up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.models import Order
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.trader import Trader
from ibkr_trader.portfolio.state import PortfolioState
from ibkr_trader.risk.verdict import Approved
from tests.execution.parts import FallibleBroker, Floor, request


def keep(
    trader: Trader, monkeypatch: pytest.MonkeyPatch, kind: type[Command] = ModifyOrder
) -> None:
    """Let commands of a kind get lost on their way to the broker, and nothing else."""
    send = FallibleBroker.send

    async def forgetful(broker: FallibleBroker, approved: Approved) -> None:
        if not isinstance(approved.command, kind):
            await send(broker, approved)

    monkeypatch.setattr(type(trader.broker), "send", forgetful)


async def test_a_change_that_nobody_answers_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the old terms hold, and the next change is free to go out."""
    async with Floor().trader(ack_timeout=0.0) as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        keep(trader, monkeypatch)
        command = ModifyOrder(order_id=order.order_id, limit_price=Decimal("148.50"))
        await trader.router.route(command)
        assert trader.portfolio.orders[order.order_id].status is OrderStatus.PENDING_MODIFY

        def settled(portfolio: PortfolioState) -> Order | None:
            now = portfolio.orders[order.order_id]
            return now if now.status is OrderStatus.SUBMITTED else None

        found = await trader.until(settled, timeout=5)
        assert found is not None
        assert (found.spec.limit_price, found.desired) == (Decimal("149.00"), None)
        assert not found.is_overridden


async def test_a_cancel_that_nobody_answers_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is known that the order works on, and whoever wants it gone asks again."""
    async with Floor().trader(ack_timeout=0.0) as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        keep(trader, monkeypatch, CancelOrder)
        key = order.spec.broker_order_id
        await trader.router.route(CancelOrder(order_id=order.order_id, broker_order_id=key))
        assert trader.portfolio.orders[order.order_id].status is OrderStatus.PENDING_CANCEL

        def works(portfolio: PortfolioState) -> Order | None:
            now = portfolio.orders[order.order_id]
            return now if now.status is OrderStatus.SUBMITTED else None

        assert await trader.until(works, timeout=5) is not None
