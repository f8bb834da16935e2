"""`reset-account`: a practice account brought back to nothing, and what is left of it if not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit, Unconfirmed
from ibkr_trader.cli.order_view import orders_table, sentence
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.cli.wording import counted
from ibkr_trader.config import Profile
from ibkr_trader.config.account_kind import kind_of
from ibkr_trader.core.accounts import masked
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.errors import AccountMismatch
from ibkr_trader.core.text import quantity
from ibkr_trader.execution.resetting import clear, left_in

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Position
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.resetting import Cleared, Left

WORD = "RESET"


async def reset_account(face: Face, *, timeout: float | None) -> output.Reply:
    """Cancel every order, close every position, and reply with what the broker still has.

    Raises:
        AccountMismatch: If it is an account with real money in it.
        Unconfirmed: If nobody agrees.
        TraderError: Whatever keeps the account from being known.
    """
    _require_practice(face.settings().profile, "the profile live")
    async with desk_for(face, timeout=timeout) as desk:
        account = desk.trader.account
        _require_practice(kind_of(account), f"account {masked(account)}")
        await desk.trader.recovery.synchronize()
        before = left_in(desk.trader)
        head = title(face.settings(), desk)
        if face.dry_run or before.is_nothing:
            return _looked(face, head, before)
        await _agree(face, desk, before)
        patience = timeout if timeout is not None else face.settings().timeout_seconds
        done = await clear(desk.trader, timeout=patience, tell=face.tell)
        return _cleared(face, head, done)


def _require_practice(kind: Profile, what: str) -> None:
    if kind is Profile.LIVE:
        message = f"{what} is about real money: only a simulated or a paper account is reset"
        raise AccountMismatch(message, hint="ibkr-trader cancel --all; ibkr-trader close --all")


async def _agree(face: Face, desk: Desk, before: Left) -> None:
    """Have a person type it; off a terminal `--yes` answers."""
    if face.yes:
        return
    orders, positions = counted(len(before.orders), "order"), len(before.positions)
    question = (
        f"{masked(desk.trader.account)}: cancel {orders}, whoever placed them, and close "
        f"{counted(positions, 'position')} at the market? Type {WORD}:"
    )
    if not face.is_attended:
        message = f"{question.rstrip(':')}. There is no terminal to type it on"
        raise Unconfirmed(message, hint="repeat the command with --yes")
    await face.ask_typed(question, WORD)


def _looked(face: Face, head: str, before: Left) -> output.Reply:
    if before.is_nothing:
        blocks: list[str | output.Table] = [f"{head}  flat and empty already; nothing was sent"]
    else:
        lines = [f"  would cancel  {o.order_id}  {sentence(o.spec)}" for o in before.orders]
        lines += [f"  would close  {_held(one)} at the market" for one in before.positions]
        blocks = [head, *lines, "Nothing was sent."]
    return _reply(before, blocks, is_dry=face.dry_run)


def _cleared(face: Face, head: str, done: Cleared) -> output.Reply:
    left = done.left
    flat = [label(one.contract) for one in done.closed if one.trouble is None]
    said = f"{counted(len(done.cancelled), 'order')} cancelled"
    said += f", closed {', '.join(flat)}" if flat else ""
    state = "the account is flat and empty" if left.is_nothing else "NOT flat and empty"
    blocks: list[str | output.Table] = [f"{head}  {state}: {said}"]
    blocks += [f"  {trouble}" for trouble in done.troubles]
    blocks += [f"  still held: {_held(one)}" for one in left.positions]
    if left.orders:
        blocks.append(orders_table(left.orders, utc=face.utc))
    if not left.is_nothing:
        blocks.append("Next: ibkr-trader positions  ibkr-trader orders, then reset-account again")
    return _reply(left, blocks, done=done)


def _reply(
    left: Left,
    blocks: list[str | output.Table],
    *,
    done: Cleared | None = None,
    is_dry: bool = False,
) -> output.Reply:
    closed = done.closed if done is not None else ()
    data: dict[str, Any] = {
        "sent": done is not None,
        "is_flat": left.is_nothing,
        "cancelled": done.cancelled if done is not None else [],
        "closed": [ticker(one.contract) for one in closed if one.trouble is None],
        "left_orders": [order.order_id for order in left.orders],
        "left_positions": [
            {"symbol": ticker(one.contract), "quantity": one.quantity} for one in left.positions
        ],
        "troubles": done.troubles if done is not None else [],
    }
    is_done = is_dry or left.is_nothing
    code = Exit.DONE if is_done else Exit.INCOMPLETE
    return output.Reply(schema="reset/1", data=data, blocks=blocks, exit=code)


def _held(position: Position) -> str:
    return f"{quantity(position.quantity, signed=True)} {label(position.contract)}"
