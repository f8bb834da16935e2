"""Sending a scale-in, and telling what is held and covered after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.cli import output, previewing, values
from ibkr_trader.cli.confirming import confirm_large
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.order_view import (
    order_document,
    orders_table,
    sentence,
    spec_document,
    specs_table,
)
from ibkr_trader.cli.remarks import passed, remarks, with_remarks
from ibkr_trader.cli.trading import desk_for, title, usage
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.text import average, price, quantity
from ibkr_trader.execution.desk import cancel
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.scaling import Addition, add, prepare_addition
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Order
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.orders.linked_orders import ScaleInRequest

_FOLLOW = "The exits follow each fill while a trader runs: ibkr-trader run --headless"


async def add_to_position(
    face: Face, request: ScaleInRequest, *, wait: str, timeout: float | None, preview: bool = False
) -> output.Reply:
    """Add to a position (or say what would be sent) and reply with how it stands.

    Raises:
        TraderError: Whatever keeps it from being sent, or from being known.
    """
    how = values.choice(wait, "--wait", Wait)
    previewing.require_sense(face, preview=preview)
    async with desk_for(face, timeout=timeout, looks=preview) as desk:
        with usage():
            addition = await prepare_addition(desk.trader, request)
        if preview:
            head = _head(face, desk, addition)
            return await previewing.preview(face, desk, addition, head=head, wait=how)
        if face.dry_run:
            return would_send(face, desk, addition)
        patience = timeout if timeout is not None else face.settings().timeout_seconds
        await confirm_large(face, desk, addition.command)
        return await send(face, desk, addition, wait=how, patience=patience)


async def send(
    face: Face, desk: Desk, addition: Addition, *, wait: Wait, patience: float
) -> output.Reply:
    """Send an addition that is ready, and reply with what is held and covered after it.

    What does not fill within `patience` seconds is taken back, unless a trader runs that will
    see to the exits, or the order was only to be accepted.

    Raises:
        TraderError: Whatever keeps it from being sent, or from being known.
    """
    warnings = remarks(desk, addition.command)
    entry, *exits = await add(desk.trader, addition, wait=wait, timeout=patience)
    notes: list[str] = []
    joins, is_alone = addition.group is None, face.desk is None
    if wait is Wait.FILLED and not entry.status.is_closed:
        late = f"Not filled within {patience:g} s"
        if joins and is_alone:  # nobody would size the exits
            entry = await cancel(desk.trader, entry.order_id, timeout=patience, origin="scale-in")
            notes.append(f"{late}: the rest was taken back.")
        else:
            notes.append(f"{late}: it works on.")
    elif joins and is_alone and not entry.status.is_closed:
        notes.append(_FOLLOW)
    head = _head(face, desk, addition)
    reply = _reply(face, desk, head, orders=(entry, *exits), notes=notes)
    if wait is Wait.FILLED and entry.filled < entry.spec.quantity:
        reply.exit = Exit.INCOMPLETE
    return with_remarks(reply, warnings, at=2)


def would_send(face: Face, desk: Desk, addition: Addition) -> output.Reply:
    """Reply with what would be sent.

    Raises:
        RiskCheckError: If our checks would deny it.
    """
    warnings = passed(desk, addition.command)
    return with_remarks(_preview(addition, _head(face, desk, addition)), warnings, at=2)


def _head(face: Face, desk: Desk, addition: Addition) -> str:
    return f"{title(face.settings(), desk)}  {_headline(addition)}"


def _headline(addition: Addition) -> str:
    spec = addition.command.orders[0]
    mark = addition.quote.mark if addition.quote is not None else None
    market = f"  (market {price(mark)})" if mark is not None else ""
    return f"scale-in {spec.group_id}  {sentence(spec)}{market}"


def _preview(addition: Addition, head: str) -> output.Reply:
    specs = addition.command.orders
    after = quantity(abs(addition.held) + specs[0].quantity)
    names = ", ".join(order.order_id for order in addition.exits)
    follow = f"After each fill these follow, up to {after}: {names}"
    beside = f"These stay as they are, with exits of its own beside them: {names}"
    return output.Reply(
        schema="preview/1",
        data={
            "sent": False,
            "orders": [spec_document(spec) for spec in specs],
            "exits": [order_document(order) for order in addition.exits],
        },
        blocks=[
            f"{head}  would be sent",
            specs_table(specs),
            follow if addition.group is None else beside,
            "Nothing was sent.",
        ],
    )


def _reply(
    face: Face, desk: Desk, head: str, *, orders: tuple[Order, ...], notes: list[str]
) -> output.Reply:
    entry, portfolio = orders[0], desk.trader.portfolio
    contract = entry.spec.contract
    position = portfolio.positions.get(contract.con_id)
    blocks: list[str | output.Table] = [head, orders_table(orders, utc=face.utc)]
    is_covered = True
    if position is None:
        blocks.append(f"{label(contract)} is flat: its exits have ended it.")
    else:
        guard = protection(position, portfolio.orders.values())
        is_covered = guard.is_covered
        held = f"{quantity(position.quantity, signed=True)} {label(contract)}"
        covered = f"{quantity(guard.covered)} of {quantity(abs(position.quantity))}"
        blocks.append(f"Held {held} from {average(position.average_cost)}; {covered} have a stop.")
    blocks += notes
    if not is_covered:
        blocks.append(f"Not covered: ibkr-trader close {ticker(contract)}, or ibkr-trader cover")
    blocks.append("Next: ibkr-trader positions  ibkr-trader orders")
    return output.Reply(
        schema="scaled/1",
        data={
            "group": entry.spec.group_id,
            "orders": [order_document(order) for order in orders],
            "held": position.quantity if position is not None else 0,
            "is_covered": is_covered,
        },
        blocks=blocks,
        exit=Exit.DONE if is_covered else Exit.INCOMPLETE,
    )
