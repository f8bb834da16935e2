"""The desk as a library: submit, modify, cancel and look, on the one order path.

    async with open_desk(profile="sim") as desk:
        order = await desk.submit_order(OrderRequest(symbol="AAPL", side=Side.BUY, ...))

Bad parameters raise `ValueError` at once. A denial raises `RiskCheckError` before
anything is sent, a refusal by the broker `OrderRejectedError` in its words. When no
answer comes, `OutcomeUnknown` carries the order's id: the order may be live, and nothing
here or in the caller may send it a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.errors import OrderRejectedError, OutcomeUnknown, TraderError
from ibkr_trader.core.shapes import decimal_faults
from ibkr_trader.execution.placing import (
    QUOTE_TIMEOUT,
    Wait,
    know_shortable,
    place,
    prepare,
    route,
)
from ibkr_trader.execution.scaling import add, prepare_addition
from ibkr_trader.orders.linked_orders import ScaleInRequest
from ibkr_trader.risk.proposal import changed_spec

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core.models import Order, OrderId, OrderRequest, OrderSpec, Position
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.orders.group import GroupRequest
    from ibkr_trader.portfolio.state import PortfolioState


class UnknownOrder(TraderError, LookupError):
    """No order of that id is known, or the id means more than one."""


class Desk:
    """What a program does with the desk. Get one from `open_desk`.

    `timeout` bounds every wait for the broker, in seconds.
    """

    def __init__(self, trader: Trader, *, timeout: float = 30.0) -> None:
        self.trader = trader
        self._timeout = timeout

    async def submit_order(
        self, request: OrderRequest, *, wait: Wait = Wait.ACCEPTED, without_stop: bool = False
    ) -> Order:
        """Submit one order and return it once the broker has acknowledged it.

        One that opens has no stop, so it is denied unless `without_stop` says that this is
        meant; with real money it is denied all the same.

        Raises:
            ValueError: If the request contradicts itself.
            RiskCheckError: If a check denies it; nothing was sent.
            OrderRejectedError: If the broker refuses it.
            OutcomeUnknown: If it may have been sent and no answer came.
            BrokerUnavailable: If there is no broker; nothing was sent.
        """
        prepared = await prepare(self.trader, request, without_stop=without_stop)
        orders = await place(self.trader, prepared, wait=wait, timeout=self._timeout)
        return orders[0]

    async def submit_group(
        self, request: GroupRequest | ScaleInRequest, *, wait: Wait = Wait.ACCEPTED
    ) -> tuple[Order, ...]:
        """Submit orders that belong together, and return them in the order they were sent.

        A bracket, the legs of an OCO order, a trailing stop: all are sent or none. Of a
        scale-in, the entry is returned and the exits that follow it; with `Wait.FILLED`
        they have followed, unless it did not fill in time. They follow as long as the desk
        is open.

        Raises:
            NothingToScale: If a scale-in finds no position of ours whose exits could follow.
            ValueError, RiskCheckError, OrderRejectedError, OutcomeUnknown, BrokerUnavailable:
                As `submit_order`.
        """
        if isinstance(request, ScaleInRequest):
            addition = await prepare_addition(self.trader, request)
            return await add(self.trader, addition, wait=wait, timeout=self._timeout)
        prepared = await prepare(self.trader, request)
        return await place(self.trader, prepared, wait=wait, timeout=self._timeout)

    async def modify_order(
        self,
        order_id: OrderId | str,
        *,
        quantity: Decimal | None = None,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
    ) -> Order:
        """Change a working order and return it once the broker has confirmed the terms.

        Raises:
            ValueError: If a figure is no Decimal.
            UnknownOrder: If the id is unknown or ambiguous.
            RiskCheckError: If a check denies the change.
            OrderRejectedError: If the broker refuses it; the old terms then hold.
            OutcomeUnknown: If no answer came.
        """
        given = {"quantity": quantity, "limit_price": limit_price, "stop_price": stop_price}
        found = [fault for name, value in given.items() for fault in decimal_faults(name, value)]
        if found:
            raise ValueError("; ".join(found))
        order = await self.get_order_status(order_id)
        command = ModifyOrder(
            order_id=order.order_id,
            quantity=quantity,
            limit_price=limit_price,
            stop_price=stop_price,
            origin="library",
        )
        return await modify(self.trader, command, timeout=self._timeout)

    async def cancel_order(self, order_id: OrderId | str) -> Order:
        """Cancel an order and return it once it is closed, however it closed.

        Raises:
            UnknownOrder: If the id is unknown or ambiguous.
            OutcomeUnknown: If no answer came: it may still be live.
        """
        order = await self.get_order_status(order_id)
        return await cancel(self.trader, order.order_id, timeout=self._timeout, origin="library")

    async def get_order_status(self, order_id: OrderId | str) -> Order:
        """Return an order as it stands, by our id, the broker's, or an unambiguous prefix.

        Raises:
            UnknownOrder: If the id is unknown or ambiguous.
        """
        portfolio = self.trader.portfolio
        found = portfolio.find(str(order_id))
        order = portfolio.order(found[0]) if len(found) == 1 else None
        if order is None:
            what = f"means {len(found)} orders: {', '.join(found)}" if found else "is unknown"
            message = f"order {order_id!s} {what}"
            raise UnknownOrder(message, hint="ibkr-trader orders")
        return order

    async def get_open_orders(self) -> list[Order]:
        """Return every order that may still trade, unknown ones included."""
        return list(self.trader.portfolio.orders.values())

    async def get_positions(self) -> list[Position]:
        """Return what is held."""
        return list(self.trader.portfolio.positions.values())


async def modify(trader: Trader, command: ModifyOrder, *, timeout: float) -> Order:
    """Route a modification and wait until the broker has confirmed or refused it.

    Raises:
        RiskCheckError: If a check denies it.
        OrderRejectedError: If the broker refuses it.
        OutcomeUnknown: If neither comes within `timeout` seconds.
    """
    before = trader.portfolio.order(command.order_id)
    if before is not None:
        await trader.study(before.spec.contract, timeout=QUOTE_TIMEOUT)
        await know_shortable(trader, command)
    await route(trader, command)

    def is_confirmed(portfolio: PortfolioState) -> Order | None:
        order = portfolio.order(command.order_id)
        return order if order is not None and order.desired is None else None

    order = await trader.until(is_confirmed, timeout=timeout)
    if order is None:
        message = f"no answer to the change of {command.order_id}: old or new terms may hold"
        raise OutcomeUnknown(message, order_ids=(command.order_id,))
    if order.status.is_closed:
        return order  # it ended first; under which terms, its fills say
    if before is not None and _differs(order.spec, changed_spec(before, command)):
        message = f"the change of {order.order_id} was refused: {order.reason}"
        raise OrderRejectedError(
            message, order_id=order.order_id, code=order.code, reason=order.reason
        )
    return order


def _differs(spec: OrderSpec, wanted: OrderSpec) -> bool:
    terms = ("quantity", "limit_price", "stop_price", "trail_amount", "trail_percent")
    return any(getattr(spec, name) != getattr(wanted, name) for name in terms)


async def cancel(
    trader: Trader, order_id: OrderId, *, timeout: float, origin: str = "cli"
) -> Order:
    """Route a cancel and wait until the order is closed.

    `origin` says who asks: what a person cancels is a wish (`orders/wishes.py`).

    Raises:
        OutcomeUnknown: If it is not within `timeout` seconds.
    """
    await route(trader, CancelOrder(order_id=order_id, origin=origin))
    (order,) = await settle_closed(trader, (order_id,), timeout=timeout)
    return order


async def settle_closed(
    trader: Trader, ids: tuple[OrderId, ...], *, timeout: float
) -> tuple[Order, ...]:
    """Wait until all of `ids` are closed and return them.

    Raises:
        OutcomeUnknown: If one is not within `timeout` seconds.
    """

    def are_closed(portfolio: PortfolioState) -> tuple[Order, ...] | None:
        orders = [portfolio.order(order_id) for order_id in ids]
        closed = tuple(order for order in orders if order is not None and order.status.is_closed)
        return closed if len(closed) == len(ids) else None

    orders = await trader.until(are_closed, timeout=timeout)
    if orders is None:
        still = tuple(
            o.order_id
            for i in ids
            if (o := trader.portfolio.order(i)) is not None and not o.status.is_closed
        )
        message = f"{', '.join(still)} is not confirmed as cancelled within {timeout:g} s"
        raise OutcomeUnknown(message, order_ids=still)
    return orders
