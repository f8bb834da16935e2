"""Changing and ending what was placed, with the broker's confirmation of each step."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.cli import chosen, output
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.order_view import order_document, orders_table, sentence, spec_document
from ibkr_trader.cli.remarks import passed, remarks, with_remarks
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.shapes import STOP_TYPES
from ibkr_trader.core.text import quantity
from ibkr_trader.execution.desk import settle_closed
from ibkr_trader.execution.placing import QUOTE_TIMEOUT, route
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Order, OrderId
    from ibkr_trader.execution.desk import Desk


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The new terms of an order; what is None stays."""

    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None

    @property
    def is_stop(self) -> bool:
        """Whether only a stop can be meant."""
        return self.stop_price is not None and self.limit_price is None


async def modify_order(
    face: Face, order_id: str, change: Change, *, timeout: float | None
) -> output.Reply:
    """Change one order and reply with its confirmed terms.

    Raises:
        TraderError: Whatever keeps it from being changed, or from being known.
    """
    terms = msgspec.structs.asdict(change)
    async with desk_for(face, timeout=timeout) as desk:
        before = chosen.the_one(desk, order_id, is_stop=change.is_stop)
        head = title(face.settings(), desk)
        await desk.trader.study(before.spec.contract, timeout=QUOTE_TIMEOUT)
        command = ModifyOrder(order_id=before.order_id, **terms)
        if face.dry_run:
            warnings = passed(desk, command)
            return with_remarks(_would(head, "change", [before]), warnings)
        warnings = remarks(desk, command)
        order = await desk.modify_order(before.order_id, **terms)
        text = f"{head}  changed {order.order_id}: {sentence(before.spec)} → {sentence(order.spec)}"
        reply = output.Reply(
            schema="modified/1",
            data={"order": order_document(order), "before": spec_document(before.spec)},
            blocks=[text, orders_table([order], utc=face.utc)],
        )
        return with_remarks(reply, warnings)


async def cancel_orders(
    face: Face, ids: tuple[str, ...], *, symbol: str, timeout: float | None
) -> output.Reply:
    """Cancel orders by id, of a symbol, or (with neither) all of ours.

    Raises:
        TraderError: Whatever keeps them from being cancelled, or from being known.
    """
    async with desk_for(face, timeout=timeout) as desk:
        orders = chosen.every(desk, ids, symbol)
        head = title(face.settings(), desk)
        live = [order for order in orders if not order.status.is_closed]
        lost = [] if ids else chosen.lost(desk, symbol)
        if face.dry_run:
            for order in live:
                passed(desk, CancelOrder(order_id=order.order_id))
            return _naming(_would(head, "cancel", live), lost)
        # An entry takes its exits with it, so entries go first and exits may be gone by then.
        asked: list[OrderId] = []
        for order in sorted(live, key=lambda order: order.spec.parent_id is not None):
            try:
                await route(desk.trader, CancelOrder(order_id=order.order_id))
                asked.append(order.order_id)
            except BrokerUnavailable as trouble:  # the others must still be cancelled
                if len(live) == 1:
                    raise
                face.tell(f"not cancelled: {trouble.message}")
        patience = timeout if timeout is not None else face.settings().timeout_seconds
        closed = await settle_closed(desk.trader, tuple(asked), timeout=patience) if asked else ()
        already = [order for order in orders if order.status.is_closed]
        reply = _naming(_cancelled(face, desk, head, orders=[*closed, *already]), lost)
        if len(asked) < len(live):
            reply.exit = Exit.INCOMPLETE
        return reply


def _would(head: str, verb: str, orders: list[Order]) -> output.Reply:
    lines = [f"  would {verb}  {order.order_id}  {sentence(order.spec)}" for order in orders]
    return output.Reply(
        schema="preview/1",
        data={"sent": False, "orders": [order_document(order) for order in orders]},
        blocks=[head, *(lines or [f"  nothing to {verb}"]), "Nothing was sent."],
    )


def _naming(reply: output.Reply, lost: list[Order]) -> output.Reply:
    """Say what works on because only a lost journal calls it ours, and what ends it."""
    if lost:
        names = ", ".join(order.spec.reference for order in lost)
        symbols = dict.fromkeys(ticker(order.spec.contract) for order in lost)
        ways = "  ".join(f"ibkr-trader close {symbol}" for symbol in symbols)
        reply.blocks.append(
            f"Not cancelled, of a lost journal of ours: {names}. "
            f"Next: ibkr-trader reconcile takes over, then cancel again; or {ways}"
        )
    return reply


def _cancelled(face: Face, desk: Desk, head: str, *, orders: list[Order]) -> output.Reply:
    if not orders:
        text = f"{head}  nothing to cancel"
        return output.Reply(schema="cancelled/1", data={"orders": []}, blocks=[text])
    filled = [order for order in orders if order.status is OrderStatus.FILLED]
    gone = sum(order.status is OrderStatus.CANCELLED for order in orders)
    blocks: list[str | output.Table] = [
        f"{head}  {gone} of {len(orders)} cancelled; none of them can trade any more",
        orders_table(orders, utc=face.utc),
    ]
    if filled:
        names = ", ".join(order.order_id for order in filled)
        blocks.append(f"Filled before the cancel: {names}. Next: ibkr-trader positions")
    blocks += _bare(desk, orders)
    return output.Reply(
        schema="cancelled/1",
        data={"orders": [order_document(order) for order in orders]},
        blocks=blocks,
        exit=Exit.INCOMPLETE if filled else Exit.DONE,
    )


def _bare(desk: Desk, cancelled: list[Order]) -> list[str]:
    """Say which positions have lost their stop by this."""
    portfolio = desk.trader.portfolio
    held = {
        one.spec.contract.con_id
        for one in cancelled
        if one.spec.role.is_protective or one.spec.order_type in STOP_TYPES
    }
    return [
        f"Not protected any more: {quantity(one.quantity, signed=True)} {label(one.contract)}."
        f" Next: ibkr-trader undo  ibkr-trader close {ticker(one.contract)}"
        for one in portfolio.positions.values()
        if one.contract.con_id in held and not protection(one, portfolio.orders.values()).is_covered
    ]
