"""`undo`: what was cancelled last comes back, and what of it does not is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit, Incomplete
from ibkr_trader.cli.order_view import (
    order_document,
    orders_table,
    spec_document,
    specs_table,
)
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.errors import RiskCheckError, TraderError
from ibkr_trader.core.ids import short_id
from ibkr_trader.execution.undoing import (
    AlreadyUndone,
    CannotUndo,
    NothingToUndo,
    carry_out,
    plan,
    prepared_for,
)
from ibkr_trader.risk.verdict import Denied

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Order, OrderSpec
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.undoing import Undoing


async def undo(face: Face, *, timeout: float | None, only: str = "") -> output.Reply:
    """Place again what was cancelled last, or say what keeps it from coming back.

    Args:
        face: Of the command.
        timeout: Seconds for each order.
        only: The act that is meant: another one, of somebody else meanwhile, stays undone.

    Raises:
        TraderError: Whatever keeps all of it from coming back, or from being known.
    """
    async with desk_for(face, timeout=timeout) as desk:
        head = title(face.settings(), desk)
        try:
            found = await plan(desk.trader)
            if only and only != _act(found):
                message = f"something else was cancelled last by now: {_of(found)}"
                hint = "look at it, then repeat: ibkr-trader undo --dry-run"
                raise Incomplete(message, hint=hint)
            if not found.is_possible:
                raise _impossible(found)
            if face.dry_run:
                return await _preview(desk, found, head)
            patience = timeout if timeout is not None else face.settings().timeout_seconds
            placed, failed = await _placed(desk, found, timeout=patience)
        except (NothingToUndo, AlreadyUndone) as answer:
            return _nothing(face, head, answer)
        except CannotUndo as error:
            raise Incomplete(error.message, hint=error.hint) from error
        return _reply(face, head, found, placed=placed, failed=failed)


async def _placed(
    desk: Desk, found: Undoing, *, timeout: float
) -> tuple[list[Order], list[TraderError]]:
    """Place all of it again; where nothing came back, what kept the first of it is raised."""
    placed: list[Order] = []
    failed: list[TraderError] = []
    for piece in found.pieces:
        if piece.request is None:
            continue
        try:
            placed += await carry_out(desk.trader, found, piece, timeout=timeout)
        except TraderError as error:  # the other groups must still come back
            failed.append(error)
    if failed and not placed:
        raise failed[0]
    return placed, failed


def _nothing(face: Face, head: str, answer: NothingToUndo | AlreadyUndone) -> output.Reply:
    orders = answer.orders if isinstance(answer, AlreadyUndone) else ()
    blocks: list[str | output.Table] = [f"{head}  {answer.message}"]
    if orders:
        blocks.append(orders_table(orders, utc=face.utc))
    data = {
        "undone": [],
        "orders": [order_document(order) for order in orders],
        "sent": False,
        "failed": [],
    }
    return output.Reply(schema="undo/1", data=data, blocks=blocks)


def _impossible(found: Undoing) -> Incomplete:
    troubles = "; ".join(piece.trouble for piece in found.pieces)
    symbol = ticker(found.pieces[0].contract)
    hint = f"ibkr-trader close {symbol}" if "at once" in troubles else "ibkr-trader positions"
    return Incomplete(f"it cannot be undone: {troubles}", hint=hint)


async def _preview(desk: Desk, found: Undoing, head: str) -> output.Reply:
    specs: list[OrderSpec] = []
    reduces = True
    blocks: list[str | output.Table] = [
        f"{head}  would place again what was cancelled in {_symbols(found)}: {_of(found)}"
    ]
    for piece in found.pieces:
        if piece.request is None:
            continue
        command = (await prepared_for(desk.trader, found, piece)).command
        if piece.takes:  # beside them it would be too much; they go first
            names = ", ".join(short_id(order_id) for order_id in piece.takes)
            blocks.append(f"  would cancel {names} first: linked, it comes back with the others")
        else:
            verdict = desk.trader.router.preview(command)
            if isinstance(verdict, Denied):
                raise RiskCheckError(verdict.reasons, breaches=verdict.breaches)
            reduces &= verdict.reduces
        specs += command.orders
    blocks += [specs_table(specs), *_left(found), "Nothing was sent."]
    return output.Reply(
        schema="preview/1",
        data={
            "sent": False,
            "act": _act(found),
            "reduces": reduces,
            "orders": [spec_document(spec) for spec in specs],
        },
        blocks=blocks,
    )


def _reply(
    face: Face,
    head: str,
    found: Undoing,
    *,
    placed: list[Order],
    failed: list[TraderError],
) -> output.Reply:
    left = [*_left(found), *(f"  not placed: {error.message}" for error in failed)]
    blocks: list[str | output.Table] = [
        f"{head}  placed again what was cancelled: {_of(found)}",
        orders_table(placed, utc=face.utc),
        *left,
        "Next: ibkr-trader cover  ibkr-trader orders",
    ]
    data = {
        "undone": list(found.story.act.orders),
        "orders": [order_document(order) for order in placed],
        "sent": True,
        "failed": [line.strip() for line in left],
    }
    code = Exit.INCOMPLETE if left else Exit.DONE
    return output.Reply(schema="undo/1", data=data, blocks=blocks, exit=code)


def _symbols(found: Undoing) -> str:
    return ", ".join(sorted({label(piece.contract) for piece in found.pieces}))


def _act(found: Undoing) -> str:
    """What names the act of cancelling that would be undone: its orders."""
    return ",".join(found.story.act.orders)


def _of(found: Undoing) -> str:
    return ", ".join(short_id(order_id) for order_id in found.story.act.orders)


def _left(found: Undoing) -> list[str]:
    return [
        f"  not possible: {label(piece.contract)}: {piece.trouble}"
        for piece in found.pieces
        if piece.request is None
    ]
