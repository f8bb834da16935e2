"""Sending what was asked for, and telling what became of it: bracket or single order."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.cli import output, values
from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.order_view import (
    order_document,
    orders_table,
    sentence,
    spec_document,
    specs_table,
)
from ibkr_trader.cli.trading import desk_for, title, usage
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, TimeInForce
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.core.text import money, price
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.risk.verdict import Denied

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Order, OrderRequest, OrderSpec
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.placing import Prepared

_IDLE = frozenset(
    {OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.INACTIVE, OrderStatus.NOT_SENT}
)


async def place_order(
    face: Face, request: OrderRequest | BracketOrderRequest, *, wait: str, timeout: float | None
) -> output.Reply:
    """Place `request` (or say what would be placed) and reply with how it stands.

    Raises:
        TraderError: Whatever keeps it from being placed, or from being known.
    """
    how = values.choice(wait, "--wait", Wait)
    if isinstance(request, BracketOrderRequest):
        try:
            request.validate()
        except ValueError as error:
            raise UsageFault(str(error), remedies=_remedies(request)) from error
    async with desk_for(face, timeout=timeout) as desk:
        with usage():
            prepared = await prepare(desk.trader, request)
        head = f"{title(face.settings(), desk)}  {_headline(prepared)}"
        if face.dry_run:
            return _preview(desk, prepared, head)
        patience = timeout if timeout is not None else face.settings().timeout_seconds
        orders = await place(desk.trader, prepared, wait=how, timeout=patience)
        reply = _reply(face, orders, prepared, head)
        if how is Wait.FILLED and orders and orders[0].filled < orders[0].spec.quantity:
            reply.blocks.append(f"Not filled within {patience:g} s. Next: ibkr-trader orders")
            reply.exit = Exit.INCOMPLETE
        return reply


def _remedies(request: BracketOrderRequest) -> list[dict[str, str]]:
    """The other ways to read a bracket with its exits on the wrong sides: each is one."""
    stop, target = request.stop_loss.stop_price, request.take_profit.limit_price
    if stop is None or target is None:
        return []
    side = request.parent.side.opposite
    prices = {"--stop-loss": f"{target:f}", "--take-profit": f"{stop:f}"}
    swapped = msgspec.structs.replace(
        request,
        stop_loss=msgspec.structs.replace(request.stop_loss, stop_price=target),
        take_profit=msgspec.structs.replace(request.take_profit, limit_price=stop),
    )
    turned = msgspec.structs.replace(
        request,
        parent=msgspec.structs.replace(request.parent, side=side),
        stop_loss=msgspec.structs.replace(request.stop_loss, side=side.opposite),
        take_profit=msgspec.structs.replace(request.take_profit, side=side.opposite),
    )
    ways = ((swapped, prices), (turned, {"--side": side.value.lower()}))
    return [changes for bracket, changes in ways if _is_valid(bracket)]


def _is_valid(request: BracketOrderRequest) -> bool:
    try:
        request.validate()
    except ValueError:
        return False
    return True


def exit_of(entry: OrderRequest, *, order_type: OrderType, price: Decimal) -> OrderRequest:
    """Return the order that ends what `entry` begins, at `price`; the bracket says how long."""
    is_stop = order_type is OrderType.STOP
    return msgspec.structs.replace(
        entry,
        side=entry.side.opposite,
        order_type=order_type,
        limit_price=None if is_stop else price,
        stop_price=price if is_stop else None,
        time_in_force=TimeInForce.GTC,  # an entry may be IOC or FOK, a stop may not
    )


def _headline(prepared: Prepared) -> str:
    entry = prepared.command.orders[0]
    name = "bracket " if len(prepared.command.orders) > 1 else ""
    last = prepared.quote.mark if prepared.quote is not None else None
    return f"{name}{entry.group_id}  {sentence(entry)}" + (
        f"  (market {price(last)})" if last is not None else ""
    )


def _preview(desk: Desk, prepared: Prepared, head: str) -> output.Reply:
    specs = prepared.command.orders
    verdict = desk.trader.router.preview(prepared.command)
    if isinstance(verdict, Denied):
        raise RiskCheckError(
            "; ".join(breach.message for breach in verdict.breaches), breaches=verdict.breaches
        )
    return output.Reply(
        schema="preview/1",
        data={"sent": False, "orders": [spec_document(spec) for spec in specs]},
        blocks=[f"{head}  would be sent", specs_table(specs), "Nothing was sent."],
    )


def _reply(face: Face, orders: tuple[Order, ...], prepared: Prepared, head: str) -> output.Reply:
    lost = [order for order in orders if order.status in _IDLE]
    blocks: list[str | output.Table] = [head, orders_table(orders, utc=face.utc)]
    blocks += _worth(orders)
    if lost:
        names = ", ".join(f"{order.order_id} ({order.status.lower()})" for order in lost)
        blocks.append(f"Not working: {names}. Next: ibkr-trader positions")
    else:
        undo = "" if orders[0].status.is_closed else f"  ibkr-trader cancel {orders[0].order_id}"
        blocks.append(f"Next: ibkr-trader positions  ibkr-trader orders{undo}")
    data: dict[str, Any] = {
        "group": prepared.command.group_id,
        "orders": [order_document(order) for order in orders],
    }
    code = Exit.INCOMPLETE if lost else Exit.DONE
    return output.Reply(schema="placed/1", data=data, blocks=blocks, exit=code)


def _worth(orders: tuple[Order, ...]) -> list[str]:
    """What the exits of a bracket are worth, once the entry has a price."""
    entry = next((order for order in orders if order.spec.role is OrderRole.ENTRY), None)
    if entry is None or (paid := entry.average_fill_price or entry.spec.limit_price) is None:
        return []
    words = []
    for role, name in ((OrderRole.TARGET, "target"), (OrderRole.STOP, "stop")):
        spec = next((order.spec for order in orders if order.spec.role is role), None)
        if spec is not None and (at := spec.limit_price or spec.stop_price) is not None:
            words.append(f"{name} {money(_gain(entry.spec, paid, at), signed=True)}")
    return [f"From {price(paid)}: {' · '.join(words)} before commissions"] if words else []


def _gain(entry: OrderSpec, paid: Decimal, at: Decimal) -> Decimal:
    return (at - paid) * entry.side.sign * entry.quantity * entry.contract.multiplier
