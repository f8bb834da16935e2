"""Sending what was asked for, and telling what became of it: bracket or single order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibkr_trader.cli import output, previewing, values
from ibkr_trader.cli.bracket_ticket import remedies, worth
from ibkr_trader.cli.confirming import confirm_large
from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.order_view import (
    order_document,
    orders_table,
    sentence,
    spec_document,
    specs_table,
)
from ibkr_trader.cli.remarks import passed, remarks, with_remarks
from ibkr_trader.cli.sizing import Unsized, sized
from ibkr_trader.cli.trading import desk_for, title, usage
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.text import price
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.orders.bracket_orders import BracketOrderRequest

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
    face: Face,
    request: OrderRequest | GroupRequest | Unsized,
    *,
    wait: str,
    timeout: float | None,
    preview: bool = False,
    without_stop: bool = False,
) -> output.Reply:
    """Place `request` (or say what would be placed) and reply with how it stands.

    A `preview` says more than a dry run, and gives a token to send exactly that.
    `without_stop` says that it is meant to be opened without one.

    Raises:
        TraderError: Whatever keeps it from being placed, or from being known.
    """
    how = values.choice(wait, "--wait", Wait)
    previewing.require_sense(face, preview=preview)
    if isinstance(request, BracketOrderRequest):
        try:
            request.validate()
        except ValueError as error:
            raise UsageFault(str(error), remedies=remedies(request)) from error
    async with desk_for(face, timeout=timeout, looks=preview) as desk:
        told: list[str] = []
        if isinstance(request, Unsized):
            request, told = await sized(desk.trader, request)
        with usage():
            prepared = await prepare(desk.trader, request, without_stop=without_stop)
        if preview:
            head = _head(face, desk, prepared)
            reply = await previewing.preview(face, desk, prepared, head=head, wait=how)
        elif face.dry_run:
            reply = would_send(face, desk, prepared)
        else:
            patience = timeout if timeout is not None else face.settings().timeout_seconds
            await confirm_large(face, desk, prepared.command)
            reply = await send(face, desk, prepared, wait=how, patience=patience)
        return _with_size(reply, told)


async def send(
    face: Face, desk: Desk, prepared: Prepared, *, wait: Wait, patience: float
) -> output.Reply:
    """Send a group that is ready, and reply with how it stands after at most `patience` seconds.

    Raises:
        TraderError: Whatever keeps it from being placed, or from being known.
    """
    warnings = remarks(desk, prepared.command)
    orders = await place(desk.trader, prepared, wait=wait, timeout=patience)
    reply = _reply(face, orders, prepared, _head(face, desk, prepared))
    if wait is Wait.FILLED and orders and orders[0].filled < orders[0].spec.quantity:
        reply.blocks.append(f"Not filled within {patience:g} s. Next: ibkr-trader orders")
        reply.exit = Exit.INCOMPLETE
    return with_remarks(reply, warnings, at=2)


def would_send(face: Face, desk: Desk, prepared: Prepared) -> output.Reply:
    """Reply with what would be sent.

    Raises:
        RiskCheckError: If our checks would deny it.
    """
    warnings = passed(desk, prepared.command)
    return with_remarks(_preview(prepared, _head(face, desk, prepared)), warnings, at=2)


def _head(face: Face, desk: Desk, prepared: Prepared) -> str:
    return f"{title(face.settings(), desk)}  {_headline(prepared)}"


def _with_size(reply: output.Reply, told: list[str]) -> output.Reply:
    """The reply with how its quantity was found, if a rule found it."""
    if told:
        reply.blocks[1:1] = told
        reply.data["size"] = told
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


def _preview(prepared: Prepared, head: str) -> output.Reply:
    specs, quote = prepared.command.orders, prepared.quote
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
