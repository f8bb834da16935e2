"""Undoing a cancel: what it took away is placed again, as far as today's position allows."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.errors import TraderError
from ibkr_trader.core.events import BaseEvent
from ibkr_trader.core.models import Order
from ibkr_trader.core.trading_day import NEW_YORK
from ibkr_trader.execution.desk import settle_closed
from ibkr_trader.execution.guardian import open_markets
from ibkr_trader.execution.placing import (
    QUOTE_TIMEOUT,
    SETTLE_TIMEOUT,
    Wait,
    place,
    prepare,
    route,
)
from ibkr_trader.orders.wishes import UNDO
from ibkr_trader.portfolio.replacing import Piece, pieces, through
from ibkr_trader.portfolio.undoing import Act, Story, last_act, story_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.commands import Command
    from ibkr_trader.execution.placing import Prepared
    from ibkr_trader.execution.trader import Trader

_RECENT = 5_000  # records of the journal's end that are read first
_MORE = 4  # times as many, if they do not tell
_AHEAD = timedelta(minutes=1)  # the simulator's clock may have been set back since


class CannotUndo(TraderError):
    """What was cancelled does not come back, and the message says why."""


class NothingToUndo(CannotUndo):
    """Nobody has cancelled anything today."""


class AlreadyUndone(CannotUndo):
    """It has come back already; `orders` are what stands for it now."""

    def __init__(self, message: str, *, orders: tuple[Order, ...]) -> None:
        super().__init__(message, hint="ibkr-trader orders")
        self.orders = orders


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """The last act of cancelling, and what would come back of it now."""

    story: Story
    pieces: tuple[Piece, ...]

    @property
    def is_possible(self) -> bool:
        """Whether anything would come back."""
        return any(piece.request is not None for piece in self.pieces)


async def plan(trader: Trader) -> Undoing:
    """Return what the last cancel of today took away, and what of it could come back now.

    Raises:
        NothingToUndo: If no order was cancelled on request today.
        AlreadyUndone: If that has been undone.
        CannotUndo: If its orders may still be live, or nothing of it was left.
        BrokerUnavailable: If nobody answers.
        JournalError: If the journal is damaged.
    """
    await trader.recovery.settled(timeout=SETTLE_TIMEOUT)
    story = _story(trader)
    portfolio = trader.portfolio
    alive = [order_id for order_id in story.act.orders if order_id in portfolio.orders]
    if alive:
        message = f"{', '.join(alive)} may still be live: it is not cancelled yet"
        raise CannotUndo(message, hint="ibkr-trader orders")
    exits = trader.guardian.policy.known.exits | story.exits
    found = pieces(story, portfolio, known_exits=exits)
    if not found:
        message = f"nothing of {', '.join(story.act.orders)} was left when it was cancelled"
        raise CannotUndo(message, hint="ibkr-trader orders --all")
    for contract in {piece.contract.con_id: piece.contract for piece in found}.values():
        await trader.study(contract, timeout=QUOTE_TIMEOUT)
    markets = open_markets(trader)
    checked: list[Piece] = []
    for piece in found:
        market = markets.get(piece.contract.con_id)
        trouble = through(piece, market) if market is not None else ""
        if trouble:
            piece = msgspec.structs.replace(piece, request=None, trouble=trouble)  # noqa: PLW2901
        checked.append(piece)
    return Undoing(story=story, pieces=tuple(checked))


async def carry_out(
    trader: Trader, undoing: Undoing, piece: Piece, *, timeout: float
) -> tuple[Order, ...]:
    """Place one piece again, and return its orders once the broker has them.

    Raises:
        RiskCheckError: If our checks deny it.
        OrderRejectedError: If the broker refuses one of its orders.
        OutcomeUnknown: If it may have been sent and nobody says so.
        BrokerUnavailable: If the broker was gone before anything was sent.
    """
    prepared = await prepared_for(trader, undoing, piece)
    for order_id in piece.takes:
        await route(trader, CancelOrder(order_id=order_id, origin=UNDO))
    if piece.takes:
        await settle_closed(trader, piece.takes, timeout=timeout)
    return await place(trader, prepared, wait=Wait.ACCEPTED, timeout=timeout)


async def prepared_for(trader: Trader, undoing: Undoing, piece: Piece) -> Prepared:
    """Return the piece as it would be sent; it carries what it undoes.

    Raises:
        CannotUndo: If its parts do not go together any more.
    """
    assert piece.request is not None  # noqa: S101 - whoever asks has looked
    try:
        prepared = await prepare(trader, piece.request)
    except ValueError as error:
        raise CannotUndo(str(error), hint="ibkr-trader orders --all") from error
    command = msgspec.structs.replace(
        prepared.command,
        origin=UNDO,
        correlation_id=undoing.story.act.key,
        without_stop=_was_alone(undoing.story, piece),
    )
    return prepared._replace(command=command)


def _was_alone(story: Story, piece: Piece) -> bool:
    """Whether what comes back had no stop when it was placed: that was meant, and still is.

    An entry of a bracket, or one that joined a position, does not come back without one.
    """
    group = [o for o in story.orders.values() if o.spec.group_id == piece.group_id]
    return all(order.spec.role is not OrderRole.STOP for order in group)


def _story(trader: Trader) -> Story:
    journal, now = trader.journal, trader.clock.now()
    newest = journal.state.last_record
    today = _day_of(now)
    act: Act | None = None
    for since in _windows(newest):
        act = act or last_act(_read(trader, since))
        if act is None and _begins_before(trader, since, today):
            break  # a journal of years must not be read in the middle of a day's trading
        if act is None:
            continue
        if not today <= act.at <= now + _AHEAD:
            break
        story = story_of(act, _read(trader, since))
        if story.again:
            orders = tuple(o for i in story.again if (o := trader.portfolio.order(i)) is not None)
            message = f"already undone: {', '.join(story.again)} stands for it"
            raise AlreadyUndone(message, orders=orders)
        if story.is_whole:
            return story
    message = "nothing to undo: no order was cancelled on request today"
    raise NothingToUndo(message, hint="ibkr-trader orders --all")


def _windows(newest: int) -> Iterator[int]:
    """Where to begin to read, further and further back."""
    size = _RECENT
    while size < newest:
        yield newest - size
        size *= _MORE
    yield 0


def _begins_before(trader: Trader, since: int, moment: datetime) -> bool:
    events = (message for message in _read(trader, since) if isinstance(message, BaseEvent))
    first = next(events, None)
    return first is not None and first.at < moment


def _read(trader: Trader, since: int) -> Iterator[Command | BaseEvent]:
    return (message for _, message in trader.journal.messages(since=since))


def _day_of(now: datetime) -> datetime:
    """The exchange's midnight before `now`, in UTC."""
    zone = ZoneInfo(NEW_YORK)
    return datetime.combine(now.astimezone(zone).date(), time(), tzinfo=zone).astimezone(UTC)
