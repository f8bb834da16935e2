"""`halt` and `resume` at a desk: on record, carried out, and told as it then stands."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.account_lock import AccountLock
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SessionHeader, SqliteJournal
from ibkr_trader.adapters.journal_file import newest
from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit, Incomplete, Unconfirmed
from ibkr_trader.cli.halted_symbol import found, require_known
from ibkr_trader.cli.halts import halts
from ibkr_trader.cli.order_view import order_document, orders_table, sentence
from ibkr_trader.cli.stopping import ORIGIN
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.core.accounts import masked
from ibkr_trader.core.contracts import is_named, label, ticker
from ibkr_trader.core.enums import OrderStatus, TradingState
from ibkr_trader.core.errors import TraderError
from ibkr_trader.core.events import BaseEvent, StateEvent
from ibkr_trader.core.text import quantity
from ibkr_trader.execution.killing import await_no_openers, holding, opening
from ibkr_trader.portfolio.ledger_fold import quantity_of
from ibkr_trader.portfolio.state import fold
from ibkr_trader.risk.guard import READONLY

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Contract, Order
    from ibkr_trader.execution.closing import Closed
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.trader import Trader

_LOCK_PATIENCE = 0.0  # whoever holds the account reads the flag


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be halted, and how far."""

    reason: str
    symbol: str = ""
    keeps_entries: bool = False
    flattens: bool = False


async def halt(face: Face, wish: Wish, *, timeout: float | None) -> output.Reply:
    """Halt, see to it that nothing could open any more, and close what is held, if wished.

    Raises:
        Unconfirmed: If nobody agrees to the closing; it is halted all the same.
        TraderError: Whatever keeps the account from being known.
    """
    async with desk_for(face, timeout=timeout) as desk:
        trader = desk.trader
        if wish.symbol:
            await require_known(desk, wish.symbol)
        if face.dry_run:
            return _would_halt(face, desk, wish)
        patience = timeout if timeout is not None else face.settings().timeout_seconds
        trader.halter.stop(
            wish.reason, origin=ORIGIN, symbol=wish.symbol, keeps_entries=wish.keeps_entries
        )
        if not wish.keeps_entries and not trader.outlook.is_readonly:
            await await_no_openers(trader, symbol=wish.symbol, timeout=patience)
        closed: list[Closed] = []
        if wish.flattens and holding(trader.portfolio, wish.symbol):
            await _agree_to_close(face, desk, wish)
            # On record before anything is closed: should this end in the middle, others go on.
            trader.halter.stop(wish.reason, origin=ORIGIN, symbol=wish.symbol, flatten=True)
            closed = await trader.halter.flattener.carry_out(
                wish.symbol.replace(" ", "."), timeout=patience, tell=face.tell
            )
        return _halted(face, desk, wish, closed)


async def resume(face: Face, reason: str, *, symbol: str) -> output.Reply:
    """End the halt of everything, or of `symbol`, once a person has confirmed it.

    Raises:
        Unconfirmed: If nobody does.
        Incomplete: If it was halted again meanwhile.
        JournalError: If it cannot be recorded: it stays as it is.
    """
    async with desk_for(face) as desk:
        trader, key = desk.trader, symbol.replace(" ", ".")
        note = trader.halter.notice()
        held = trader.outlook.book.switch.held.get(key)
        what = symbol or masked(trader.account)
        if held is None:
            return _not_halted(face, desk, reason, symbol=symbol)
        (halt,) = [one for one in halts(desk) if one.symbol == key and one.since is not None]
        words = msgspec.structs.replace(halt, ends="").words(utc=face.utc)  # this command ends it
        question = f"{what} is {halt.state}: {words}."
        if face.dry_run:
            text = [f"{title(face.settings(), desk)}  would resume {what}", "Nothing was changed."]
            data = {"sent": False, "symbol": symbol, "ended": halt.document()}
            return output.Reply(schema="preview/1", data=data, blocks=[*text])
        await _typed(face, f"{question} To resume, type {_named(trader)}:", trader.account)
        now = trader.outlook.book.switch.held.get(key)
        if now is None or now.at != held.at:
            message = f"{what} was halted anew while this was asked: nothing was resumed"
            raise Incomplete(message, hint="ibkr-trader status")
        seen = None if symbol else note
        trouble = trader.halter.resume(reason, origin=ORIGIN, symbol=symbol, seen=seen)
        return _resumed(face, desk, reason, ended=halt.document(), trouble=trouble, symbol=symbol)


def record_alone(face: Face, options: dict[str, Any]) -> tuple[bool, list[Order] | None]:
    """Put the halt into the journal without any desk, if nobody holds the account.

    Returns:
        Whether it is on record, and which of our orders could still open, as the journal
        knew last; None if it cannot be read.
    """
    folder = face.place().folder
    path, clock = face.place().journal, SystemClock()
    is_recorded = False
    left: list[Order] | None = None
    event = StateEvent(
        at=clock.now(),
        state=TradingState.HALTED,
        reason=options["reason"],
        symbol=options["symbol"].replace(" ", "."),
        origin=ORIGIN,
        keeps_entries=options["keep_entries"],
    )
    header = SessionHeader(command="ibkr-trader halt")
    with (
        contextlib.suppress(TraderError, OSError),
        AccountLock(folder / "account.lock").acquire(timeout=_LOCK_PATIENCE),
        SqliteJournal(path, clock=clock, header=header) as journal,
    ):
        journal.append([event])
        is_recorded = True
    with contextlib.suppress(TraderError, OSError):
        if newest(path).exists():
            with SqliteJournal(path, clock=clock, read_only=True) as journal:
                known = fold(one for one in journal.resume() if isinstance(one, BaseEvent))
                left = list(opening(known, options["symbol"]))
    return is_recorded, left


async def _agree_to_close(face: Face, desk: Desk, wish: Wish) -> None:
    held = ", ".join(_held(desk, one) for one in holding(desk.trader.portfolio, wish.symbol))
    question = f"{masked(desk.trader.account)}: close {held} at the market? Type FLATTEN:"
    await _typed(face, question, "FLATTEN")


def _named(trader: Trader) -> str:
    """What has to be typed; who does not know the account's id in full is not to learn it here."""
    shown = masked(trader.account)
    return shown if shown == trader.account else f"the account's id ({shown})"


async def _typed(face: Face, question: str, word: str) -> None:
    """Have a person type `word`; off a terminal `--yes` answers."""
    if face.yes:
        return
    if not face.is_attended:
        message = f"{question.rstrip(':')}. There is no terminal to type it on"
        raise Unconfirmed(message, hint="repeat the command with --yes")
    await face.ask_typed(question, word)


def _held(desk: Desk, contract: Contract) -> str:
    held = quantity_of(desk.trader.portfolio, contract.con_id)
    return f"{quantity(held, signed=True)} {label(contract)}"


def _would_halt(face: Face, desk: Desk, wish: Wish) -> output.Reply:
    portfolio = desk.trader.portfolio
    orders = () if wish.keeps_entries else opening(portfolio, wish.symbol)
    held = holding(portfolio, wish.symbol) if wish.flattens else ()
    lines = [f"  would cancel  {one.order_id}  {sentence(one.spec)}" for one in orders]
    lines += [f"  would close  {_held(desk, one)} at the market" for one in held]
    head = f"{title(face.settings(), desk)}  would halt {wish.symbol or 'everything'}"
    data = {
        "sent": False,
        "symbol": wish.symbol,
        "orders": [order_document(one) for one in orders],
        "positions": [
            {"symbol": ticker(o), "quantity": quantity_of(portfolio, o.con_id)} for o in held
        ],
    }
    blocks: list[str | output.Table] = [head, *lines, "Nothing was sent."]
    return output.Reply(schema="preview/1", data=data, blocks=blocks)


def _halted(face: Face, desk: Desk, wish: Wish, closed: list[Closed]) -> output.Reply:
    portfolio = desk.trader.portfolio
    known = [o for i in desk.trader.halter.taken_back if (o := portfolio.order(i)) is not None]
    taken = [order for order in known if is_named(order.spec.contract, wish.symbol)]
    cancelled = [order for order in taken if order.status.is_closed]
    working = opening(portfolio, wish.symbol)
    left, kept = ((), working) if wish.keeps_entries else (working, ())
    not_closed = [one for one in closed if _is_open(desk, one)]
    still_held = holding(portfolio, wish.symbol)
    blocks: list[str | output.Table] = [_headline(face, desk, wish)]
    blocks += _about_orders(wish, cancelled, left=left, kept=kept)
    if wish.symbol:
        blocks.append(found(desk, wish.symbol))
    if taken:
        blocks.append(orders_table(taken, utc=face.utc))
    if wish.flattens:
        blocks += _about_positions(desk, closed, not_closed)
    if left and desk.trader.outlook.is_readonly:
        blocks.append(READONLY.message)
    is_incomplete = bool(left or not_closed or (wish.flattens and still_held))
    more = "  ibkr-trader positions  ibkr-trader orders" if is_incomplete else ""
    blocks.append(f"Next: ibkr-trader status{more}")
    flag = face.place().kill_flag
    data: dict[str, Any] = {
        "state": TradingState.HALTED,
        "symbol": wish.symbol,
        "reason": wish.reason,
        "flag": str(flag) if flag.exists() else None,
        "is_recorded": desk.trader.record.is_complete,
        "cancelled": [order_document(one) for one in cancelled],
        "left": [one.order_id for one in left],
        "kept": [one.order_id for one in kept],
        "closed": [ticker(one.contract) for one in closed if one not in not_closed],
        "not_closed": [_not_closed(desk, one) for one in not_closed],
        "is_flat": not still_held,
        "trouble": "",
    }
    code = Exit.INCOMPLETE if is_incomplete else Exit.DONE
    return output.Reply(schema="halted/1", data=data, blocks=blocks, exit=code)


def _not_closed(desk: Desk, one: Closed) -> dict[str, Any]:
    return {
        "symbol": ticker(one.contract),
        "quantity": quantity_of(desk.trader.portfolio, one.contract.con_id),
        "why": one.trouble.message if one.trouble is not None else "",
    }


def _headline(face: Face, desk: Desk, wish: Wish) -> str:
    head = title(face.settings(), desk)
    return f"{head}  {wish.symbol}: {wish.reason}" if wish.symbol else head


def _about_orders(
    wish: Wish, cancelled: list[Order], *, left: tuple[Order, ...], kept: tuple[Order, ...]
) -> list[str]:
    filled = [one.order_id for one in cancelled if one.status is OrderStatus.FILLED]
    if wish.keeps_entries:
        return [f"Nothing new is opened; {_count(len(kept))} kept, as you wish."]
    total = len(cancelled) + len(left)
    done = f"{len(cancelled) - len(filled)} of {_count(total)} cancelled"
    said = [done if total else "No opening order was working"]
    said[0] += "." if wish.flattens else "; stops and targets stay."
    if filled:
        said.append(f"Filled before the cancel: {', '.join(filled)}.")
    if left:
        names = ", ".join(one.order_id for one in left)
        said.append(f"NOT confirmed as cancelled: {names}. It is asked for again by itself.")
    return said


def _count(number: int) -> str:
    return f"{number} opening order{'' if number == 1 else 's'}"


def _about_positions(desk: Desk, closed: list[Closed], not_closed: list[Closed]) -> list[str]:
    done = [label(one.contract) for one in closed if one not in not_closed]
    said = [f"Closed {', '.join(done)}."] if done else []
    said += [
        f"NOT flat: {_held(desk, one.contract)}"
        + (f"; {one.trouble.message}" if one.trouble is not None else "")
        for one in not_closed
    ]
    return said or ["Nothing was held."]


def _is_open(desk: Desk, one: Closed) -> bool:
    return one.trouble is not None or bool(quantity_of(desk.trader.portfolio, one.contract.con_id))


def _not_halted(face: Face, desk: Desk, reason: str, *, symbol: str) -> output.Reply:
    what = symbol or "the desk"
    blocks: list[str | output.Table] = [
        f"{title(face.settings(), desk)}  {what} is not halted: there is nothing to resume"
    ]
    blocks += _still(face, desk)
    data = _resumption(desk, symbol, reason=reason)
    code = Exit.INCOMPLETE if not symbol and _is_held_back(desk) else Exit.DONE
    return output.Reply(schema="resumed/1", data=data, blocks=blocks, exit=code)


def _resumed(
    face: Face, desk: Desk, reason: str, *, ended: dict[str, Any], trouble: str, symbol: str
) -> output.Reply:
    what = symbol or "everything"
    blocks: list[str | output.Table] = [f"{title(face.settings(), desk)}  resumed {what}: {reason}"]
    blocks.append(f"It was {ended['state']} {ended['who']}: {ended['reason']}")
    if trouble:
        blocks.append(f"NOT resumed for good: {trouble}")
    blocks += _still(face, desk)
    is_held_back = bool(trouble) or (not symbol and _is_held_back(desk))
    data = _resumption(desk, symbol, reason=reason, ended=ended, trouble=trouble)
    code = Exit.INCOMPLETE if is_held_back else Exit.DONE
    return output.Reply(schema="resumed/1", data=data, blocks=blocks, exit=code)


def _resumption(
    desk: Desk,
    symbol: str,
    *,
    reason: str,
    ended: dict[str, Any] | None = None,
    trouble: str = "",
) -> dict[str, Any]:
    """How it stands after `resume`; `ended` is null if there was nothing to end."""
    return {
        "symbol": symbol,
        "reason": reason,
        "ended": ended,
        "trading_state": desk.trader.outlook.view().trading_state,
        "trouble": trouble,
        "halts": [one.document() for one in halts(desk)],
    }


def _still(face: Face, desk: Desk) -> list[str]:
    """What keeps from opening all the same."""
    return [
        f"Still {one.state}{f' {one.symbol}' if one.symbol else ''}: {one.words(utc=face.utc)}"
        for one in halts(desk)
    ]


def _is_held_back(desk: Desk) -> bool:
    return desk.trader.outlook.view().trading_state is not TradingState.ACTIVE
