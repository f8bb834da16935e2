"""`eod-close`: what is due, what was done about it, and what is left."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.adapters.private_files import replace_private
from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.order_view import order_document, orders_table
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.cli.wording import when
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.errors import BrokerUnavailable, TraderError
from ibkr_trader.core.text import quantity
from ibkr_trader.execution.day_end import (
    DayEndPlan,
    Due,
    MarketEnd,
    end_day,
    look_again,
    not_seen,
    survey,
)
from ibkr_trader.execution.timed_exits import place_timed_exits
from ibkr_trader.portfolio.alarms import Trouble

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Order, OrderId
    from ibkr_trader.execution.trader import Trader


LIFE_FILE = "eod.json"


class Where(StrEnum):
    """Who ends the day: cron by calling us, the broker by a timed exit, or both."""

    CRON = "cron"
    BROKER = "broker"
    BOTH = "both"


class DayEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    plan: DayEndPlan
    where: Where = Where.CRON


async def end(face: Face, asked: DayEnd, *, timeout: float | None) -> output.Reply:
    """End the day where it is due, and reply with how it stands.

    Raises:
        TraderError: Whatever keeps the broker from telling how it stands.
    """
    async with desk_for(face, timeout=timeout) as desk:
        trader = desk.trader
        patience = timeout if timeout is not None else face.settings().timeout_seconds
        found = await survey(trader, ExchangeCalendar(), asked.plan)
        head = title(face.settings(), desk)
        if face.dry_run:
            return _reply(face, head, asked, found, is_dry=True)
        before = _working(trader)
        if asked.where is not Where.CRON:
            for one in found:
                await _time(trader, one, asked.plan, timeout=patience)
        if asked.where is not Where.BROKER:
            await end_day(trader, found, timeout=patience, tell=face.tell)
        is_sure = await _is_confirmed(trader, found, before)
        reply = _reply(face, head, asked, found)
        reply.data["sent"] = _working(trader) != before
        if not is_sure:
            reply.exit = Exit.UNKNOWN
        _sign_of_life(face, trader.clock.now(), reply)
        _alarm(trader, found)
        return reply


async def _is_confirmed(
    trader: Trader, ends: list[MarketEnd], before: dict[OrderId, Decimal]
) -> bool:
    """Ask the broker how it stands; one who is gone by now does not undo what was sent."""
    try:
        await look_again(trader, ends)
    except BrokerUnavailable as error:
        if _working(trader) == before and not any(end.due is Due.NOW for end in ends):
            raise
        not_seen(trader, ends, error.message)
        return False
    return True


def _alarm(trader: Trader, ends: list[MarketEnd]) -> None:
    """Call somebody if the day does not end flat: a line in cron's mail is read too late."""
    left = [label(one.contract) for one in ends if not one.is_well]
    message = f"the day is NOT ended flat: {', '.join(left)}; ibkr-trader positions"
    trader.alarming.raise_alarm(Trouble("day-end", message, is_over=not left))


def _sign_of_life(face: Face, now: datetime, reply: output.Reply) -> None:
    """Leave a file behind, whose age and word tell a watcher whether the day is looked after."""
    path = face.settings().place.folder / LIFE_FILE
    word = {"at": now, "exit": int(reply.exit), "is_flat": reply.data["is_flat"]}
    try:
        replace_private(path, msgspec.json.encode(word) + b"\n")
    except OSError as error:  # a full disk: what was done is done
        face.tell(f"{path} could not be written: {error.strerror}")


def _working(trader: Trader) -> dict[OrderId, Decimal]:
    """What works of ours, with its size: it is another after anything that was sent."""
    orders = trader.portfolio.orders.values()
    return {one.order_id: one.spec.quantity for one in orders if not one.is_foreign}


async def _time(trader: Trader, end: MarketEnd, plan: DayEndPlan, *, timeout: float) -> None:
    """Have the broker end it by itself, if that moment is still to come."""
    at = plan.acts_at(end.day)
    if end.due is not Due.EARLY or at is None or not (end.held or end.timed):
        return
    try:
        await place_timed_exits(trader, end.contract, at, timeout=timeout)
    except TraderError as error:  # the others must still be timed
        end.trouble = error.message


def _reply(
    face: Face, head: str, asked: DayEnd, ends: list[MarketEnd], *, is_dry: bool = False
) -> output.Reply:
    open_ends = [one for one in ends if not one.is_well]
    orders: list[Order] = [order for one in ends for order in one.orders]
    blocks: list[str | output.Table] = [f"{head}  {_summary(ends, is_dry=is_dry)}"]
    blocks += [f"  {_line(face, asked, one, is_dry=is_dry)}" for one in ends]
    blocks += [f"  {label(one.contract)}: {note}" for one in ends for note in one.day.notes]
    if orders:
        blocks.append(orders_table(orders, utc=face.utc))
    if open_ends and not is_dry:
        blocks.append("Next: ibkr-trader positions  ibkr-trader orders")
    if is_dry:
        blocks.append("Nothing was sent.")
    data: dict[str, Any] = {
        "sent": False,
        "is_flat": all(one.is_flat for one in ends),
        "markets": [_document(asked, one) for one in ends],
        "orders": [order_document(order) for order in orders],
    }
    is_done = is_dry or not open_ends
    code = Exit.DONE if is_done else Exit.INCOMPLETE
    return output.Reply(schema="day-end/1", data=data, blocks=blocks, exit=code)


def _summary(ends: list[MarketEnd], *, is_dry: bool) -> str:
    if not ends:
        return "flat, with no order of ours; nothing to do"
    left = [label(one.contract) for one in ends if not one.is_well]
    if left and not is_dry:
        return f"the day is NOT ended flat: {', '.join(left)}"
    if all(one.is_flat for one in ends):
        return "the day is ended flat"
    if any(one.due is Due.NOW for one in ends):
        return "due now"
    is_timed = any(one.timed for one in ends)
    return "nothing is due; the broker ends it by itself" if is_timed else "nothing is due"


def _line(face: Face, asked: DayEnd, end: MarketEnd, *, is_dry: bool) -> str:
    size = f" {quantity(end.held, signed=True)}" if end.held else " flat"
    held = f"{label(end.contract)}{size}"
    working = f", {_orders(len(end.left))} of ours" if end.left else ""
    others = f", {_orders(len(end.strangers))} of others" if end.strangers else ""
    if end.expiring and end.due is not Due.EARLY:
        others += f", {', '.join(end.expiring)} only until the day ends"
    state = f"{held}{working}{others}"
    if end.is_flat:
        return f"{label(end.contract)} is flat{others}"
    if end.trouble:
        return f"{state}: {end.trouble}"
    return f"{state}: {_why(face, asked, end, is_dry=is_dry)}"


def _orders(count: int) -> str:
    return "1 order" if count == 1 else f"{count} orders"


def _why(face: Face, asked: DayEnd, end: MarketEnd, *, is_dry: bool) -> str:
    at = asked.plan.acts_at(end.day)
    closes = end.day.session.closes if end.day.session is not None else None
    if is_dry and end.due is Due.NOW:
        return "would be closed now"
    if end.timed:
        return f"the broker ends it at {when(at, utc=face.utc)} ({', '.join(end.timed)})"
    match end.due:
        case Due.EARLY:
            return f"would be ended at {when(at, utc=face.utc)}"
        case Due.HOLIDAY | Due.RELEASED:
            is_free = end.due is Due.RELEASED
            day = end.day.date
            return "released: left alone" if is_free else f"its market does not trade on {day}"
        case Due.OVER:
            return f"its market closed at {when(closes, utc=face.utc)}"
        case Due.MISSED:
            return f"its window is over; it closes at {when(closes, utc=face.utc)} (--now acts)"
        case Due.UNKNOWN:
            return "nobody says when its market closes (--now acts)"
        case Due.NOW:
            return "it is due, and still open"


def _document(asked: DayEnd, end: MarketEnd) -> dict[str, Any]:
    session = end.day.session
    return {
        "symbol": ticker(end.contract),
        "con_id": end.contract.con_id,
        "due": end.due,
        "date": end.day.date,
        "closes": session.closes if session is not None else None,
        "acts_at": asked.plan.acts_at(end.day),
        "held": end.held,
        "is_flat": end.is_flat,
        "trouble": end.trouble,
        "notes": end.day.notes,
        "left": end.left,
        "strangers": end.strangers,
        "timed": end.timed,
        "expiring": end.expiring,
    }
