"""`close`: ending positions with everything that belongs to them, and saying what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.order_view import order_document, orders_table, sentence
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.config import Profile
from ibkr_trader.core.contracts import is_named, label, ticker
from ibkr_trader.core.models import OrderId
from ibkr_trader.core.text import quantity
from ibkr_trader.execution.closing import Closed, NotClosed, close_each, lost_in
from ibkr_trader.portfolio.flattening import unfinished
from ibkr_trader.portfolio.ledger_fold import quantity_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Contract, Order
    from ibkr_trader.execution.desk import Desk


async def close_positions(face: Face, symbol: str, *, timeout: float | None) -> output.Reply:
    """End what is held and what works in `symbol`; without one, every position.

    One that cannot be closed stops no other: the reply says what is left, and why.

    Raises:
        TraderError: Whatever keeps the only one from being known.
    """
    async with desk_for(face, timeout=timeout) as desk:
        portfolio = desk.trader.portfolio
        contracts = [
            one
            for con_id, one in unfinished(portfolio, client_id=desk.trader.client_id).items()
            if (is_named(one, symbol) if symbol else con_id in portfolio.positions)
        ]
        head = title(face.settings(), desk)
        if not contracts:
            return _flat_already(desk, head, symbol)
        if face.dry_run:
            return _would_close(desk, head, contracts)
        patience = timeout if timeout is not None else face.settings().timeout_seconds
        tell = face.tell if len(contracts) > 1 else _silently
        lost = _lost(desk, contracts)
        closed = await close_each(desk.trader, contracts, timeout=patience, tell=tell)
        trouble = closed[0].trouble
        if len(closed) == 1 and trouble is not None and not isinstance(trouble, NotClosed):
            raise trouble
        reply = _closed(face, desk, head, closed=closed)
        taken = [name for name in lost if desk.trader.portfolio.order(OrderId(name)) is not None]
        if taken:
            reply.blocks.append(f"Taken over from a lost journal of ours: {', '.join(taken)}.")
        return _with_what_is_left(face, desk, reply)


def _flat_already(desk: Desk, head: str, symbol: str) -> output.Reply:
    """There is nothing to end; what else is held shows somebody who has mistyped the symbol."""
    held = sorted(label(one.contract) for one in desk.trader.portfolio.positions.values())
    others = [f"Held: {', '.join(held)}"] if held else []
    return output.Reply(
        schema="closed/1",
        data={"closed": [], "left": [], "orders": [], "is_flat": True},
        blocks=[f"{head}  {symbol or 'the account'} is flat already; nothing was sent", *others],
    )


def _silently(_: str) -> None:
    """One position needs no story: the reply comes at once."""


def _working(desk: Desk, contract: Contract) -> Iterator[Order]:
    lost = lost_in(desk.trader, contract.con_id)
    for order in desk.trader.portfolio.orders.values():
        is_ours = not order.is_foreign or order.order_id in lost
        if order.spec.contract.con_id == contract.con_id and is_ours:
            yield order


def _lost(desk: Desk, contracts: list[Contract]) -> list[str]:
    """Return the names of what a lost journal of ours had in `contracts`."""
    found = (one for contract in contracts for one in lost_in(desk.trader, contract.con_id))
    orders = desk.trader.portfolio.orders
    return [orders[order_id].spec.reference for order_id in found]


def _with_what_is_left(face: Face, desk: Desk, reply: output.Reply) -> output.Reply:
    """Name the way out of what others' orders keep open, where one may take it without TWS."""
    left = {one["con_id"] for one in reply.data["left"]}
    strangers = [o for o in desk.trader.portfolio.orders.values() if o.is_foreign]
    is_held_up = any(order.spec.contract.con_id in left for order in strangers)
    if is_held_up and face.settings().profile is not Profile.LIVE:
        reply.blocks.append(
            "To cancel orders of others, too, in practice: ibkr-trader reset-account"
        )
    return reply


def _held(desk: Desk, contract: Contract) -> Decimal:
    return quantity_of(desk.trader.portfolio, contract.con_id)


def _would_close(desk: Desk, head: str, contracts: list[Contract]) -> output.Reply:
    lines: list[str] = []
    for one in contracts:
        if held := _held(desk, one):
            lines.append(f"  would close  {quantity(held, signed=True)} {label(one)} at the market")
        lines += [
            f"  would cancel  {order.order_id}  {sentence(order.spec)}"
            for order in _working(desk, one)
        ]
    held_now = [
        {"symbol": one.symbol, "quantity": _held(desk, one), "con_id": one.con_id}
        for one in contracts
    ]
    return output.Reply(
        schema="preview/1",
        data={"sent": False, "positions": held_now},
        blocks=[head, *lines, "Nothing was sent."],
    )


def _closed(face: Face, desk: Desk, head: str, *, closed: list[Closed]) -> output.Reply:
    left = [one for one in closed if one.trouble is not None or _held(desk, one.contract)]
    done = [one for one in closed if one not in left]
    orders = [order for one in closed for order in one.orders]
    blocks: list[str | output.Table] = []
    if done:
        blocks.append(f"{head}  closed {', '.join(label(one.contract) for one in done)}")
    blocks += [f"{head}  {_why(desk, one)}" for one in left]
    if orders:
        blocks.append(orders_table(orders, utc=face.utc))
    if left:
        blocks.append("Next: ibkr-trader positions  ibkr-trader orders")
    return output.Reply(
        schema="closed/1",
        data={
            "closed": [one.contract.symbol for one in done],
            "left": [_left(desk, one) for one in left],
            "orders": [order_document(order) for order in orders],
            "is_flat": not left,
        },
        blocks=blocks,
        exit=Exit.INCOMPLETE if left else Exit.DONE,
    )


def _why(desk: Desk, one: Closed) -> str:
    rest = f"{quantity(_held(desk, one.contract), signed=True)} {label(one.contract)} left"
    return f"not flat: {rest}" + (f"; {one.trouble.message}" if one.trouble is not None else "")


def _left(desk: Desk, one: Closed) -> dict[str, Any]:
    return {
        "symbol": ticker(one.contract),
        "con_id": one.contract.con_id,
        "quantity": _held(desk, one.contract),
        "why": one.trouble.message if one.trouble is not None else "",
    }
