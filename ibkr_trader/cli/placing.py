"""Sending what was asked for, and telling what became of it: bracket or single order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibkr_trader.cli import output, values
from ibkr_trader.cli.bracket_ticket import remedies, worth
from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.order_view import (
    order_document,
    orders_table,
    sentence,
    spec_document,
    specs_table,
)
from ibkr_trader.cli.trading import desk_for, title, usage
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.core.text import price
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.risk.verdict import Denied

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Order, OrderRequest
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.placing import Prepared
    from ibkr_trader.orders.group import GroupRequest

_NAMES = {"bracket": "bracket ", "oco": "OCO ", "trail": "trail ", "managed-trail": "trail "}
_IDLE = frozenset(
    {OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.INACTIVE, OrderStatus.NOT_SENT}
)


async def place_order(
    face: Face, request: OrderRequest | GroupRequest, *, wait: str, timeout: float | None
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
            raise UsageFault(str(error), remedies=remedies(request)) from error
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


def _headline(prepared: Prepared) -> str:
    entry = prepared.command.orders[0]
    name = _NAMES.get(prepared.command.kind, "")
    last = prepared.quote.mark if prepared.quote is not None else None
    legs = [spec for spec in prepared.command.orders if spec.parent_id is None]
    what = sentence(entry) if len(legs) == 1 else f"{label(entry.contract)}, {len(legs)} legs"
    return f"{name}{entry.group_id}  {what}" + (
        f"  (market {price(last)})" if last is not None else ""
    )


def _preview(desk: Desk, prepared: Prepared, head: str) -> output.Reply:
    specs, quote = prepared.command.orders, prepared.quote
    verdict = desk.trader.router.preview(prepared.command)
    if isinstance(verdict, Denied):
        raise RiskCheckError(
            "; ".join(breach.message for breach in verdict.breaches), breaches=verdict.breaches
        )
    return output.Reply(
        schema="preview/1",
        data={"sent": False, "orders": [spec_document(spec) for spec in specs]},
        blocks=[
            f"{head}  would be sent",
            specs_table(specs),
            *worth(specs, specs[0].limit_price or (quote.mark if quote is not None else None)),
            *_notes(prepared),
            "Nothing was sent.",
        ],
    )


def _reply(face: Face, orders: tuple[Order, ...], prepared: Prepared, head: str) -> output.Reply:
    lost = [order for order in orders if order.status in _IDLE]
    blocks: list[str | output.Table] = [head, orders_table(orders, utc=face.utc)]
    blocks += _worth(orders)
    blocks += _notes(prepared)
    if lost:
        names = ", ".join(f"{order.order_id} ({order.status.lower()})" for order in lost)
        blocks.append(f"Not working: {names}. Next: ibkr-trader positions")
    else:
        first = [o.order_id for o in orders if not (o.spec.parent_id or o.status.is_closed)]
        # All that it has is named by the group itself.
        whole = first[0] if len(first) == 1 else prepared.command.group_id
        undo = f"  ibkr-trader cancel {whole}" if first else ""
        blocks.append(f"Next: ibkr-trader positions  ibkr-trader orders{undo}")
    data: dict[str, Any] = {
        "group": prepared.command.group_id,
        "orders": [order_document(order) for order in orders],
    }
    code = Exit.INCOMPLETE if lost else Exit.DONE
    return output.Reply(schema="placed/1", data=data, blocks=blocks, exit=code)


def _notes(prepared: Prepared) -> list[str]:
    """What the group itself has to say of how its orders hang together."""
    notes: tuple[str, ...] = getattr(prepared.group, "notes", ())
    return list(notes)


def _worth(orders: tuple[Order, ...]) -> list[str]:
    """What the exits of a bracket are worth, once the entry has a price."""
    entry = next((order for order in orders if order.spec.role is OrderRole.ENTRY), None)
    paid = (entry.average_fill_price or entry.spec.limit_price) if entry is not None else None
    return worth([order.spec for order in orders], paid)
