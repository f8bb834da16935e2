"""`cover`: how stops cover each position, and once over, what was done about it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli import output
from ibkr_trader.cli.care_words import care_lines, care_of, looked_after
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.looking import marked
from ibkr_trader.cli.position_view import cover_table, position_document, troubles
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.core.contracts import label
from ibkr_trader.core.errors import TraderError
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import quantity
from ibkr_trader.execution.covering import carry_out, fixes, orphans
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Position
    from ibkr_trader.execution.covering import Fix, Orphans
    from ibkr_trader.execution.desk import Desk

_ROUNDS = 5  # what makes room goes first, one after the other


async def cover(face: Face, *, fix: bool, timeout: float | None) -> output.Reply:
    """Return how every position is covered, and with `fix` act first, once.

    Raises:
        TraderError: Whatever keeps the broker from telling how it stands.
    """
    face.changes = fix  # without it, this only looks
    async with desk_for(face, timeout=timeout) as desk:
        if not (fix or desk.trader.outlook.is_synced):
            # What was so when the link broke may not be called covered now.
            await desk.trader.recovery.synchronize()
        patience = timeout if timeout is not None else face.settings().timeout_seconds
        done: list[str] = []
        failed: list[str] = []
        for _ in range(_ROUNDS if fix else 0):
            found = await fixes(desk.trader)
            for one in found:
                if face.dry_run and one.command is not None:
                    done.append(one.words)
                else:
                    await _do(desk, one, patience, done=done, failed=failed)
            if face.dry_run or failed or not found:
                break
        return await _reply(face, desk, done=done, failed=failed)


async def _do(desk: Desk, fix: Fix, patience: float, *, done: list[str], failed: list[str]) -> None:
    if fix.command is None:
        failed.append(fix.words)
        return
    try:
        await carry_out(desk.trader, fix.command, timeout=patience)
    except TraderError as error:  # the other positions must still be covered
        failed.append(f"{fix.words}: {error.message}")
    else:
        done.append(fix.words)


async def _reply(face: Face, desk: Desk, *, done: list[str], failed: list[str]) -> output.Reply:
    portfolio = desk.trader.portfolio
    held = await asyncio.gather(*(marked(desk, one) for one in portfolio.positions.values()))
    working, ended = list(portfolio.orders.values()), list(portfolio.closed.values())
    guards = [protection(one, working, ended) for one in held]
    left = orphans(desk.trader)
    meant = looked_after(desk, guards)
    is_well = all(guard.is_exact for guard in meant) and not left and not failed
    head = title(face.settings(), desk)
    state = "every position is covered" if guards else "no positions"
    blocks: list[str | output.Table] = [f"{head}  {state if is_well else 'NOT covered exactly'}"]
    if guards:
        blocks.append(cover_table(guards, desk.trader.clock.now()))
    verb = "would be done" if face.dry_run else "done"
    blocks += [f"  {verb}: {words}" for words in done]
    blocks += [f"  not possible: {words}" for words in failed]
    blocks += [f"  {line}" for line in (*troubles(meant, utc=face.utc), *care_lines(desk))]
    blocks += [
        f"  {label(one.contract)}: nothing stands behind {quantity(one.surplus)} of "
        + ", ".join(short_id(order_id) for order_id in one.orders)
        for one in left
    ]
    if face.dry_run:
        blocks.append("Nothing was sent.")
    elif not is_well:
        blocks.append(_next(has_acted=bool(done or failed)))
    data: dict[str, Any] = {
        "account": desk.trader.account,
        "is_covered": is_well,
        "positions": [_document(desk, one) for one in held],
        "orphans": [_orphans_document(one) for one in left],
        "policy": desk.trader.guardian.rules.policy,
        "sent": bool(done) and not face.dry_run,
        "done": done,
        "failed": failed,
    }
    return output.Reply(
        schema="cover/1", data=data, blocks=blocks, exit=Exit.DONE if is_well else Exit.INCOMPLETE
    )


def _orphans_document(one: Orphans) -> dict[str, Any]:
    return {"symbol": one.contract.symbol, "surplus": one.surplus, "orders": one.orders}


def _document(desk: Desk, held: Position) -> dict[str, Any]:
    working, ended = desk.trader.portfolio.orders, desk.trader.portfolio.closed
    care = care_of(desk, held.contract.con_id)
    return position_document(held, list(working.values()), list(ended.values()), care=care)


def _next(*, has_acted: bool) -> str:
    if has_acted:
        return "Next: ibkr-trader positions  ibkr-trader orders  ibkr-trader close SYMBOL"
    return "Next: ibkr-trader cover --fix"
