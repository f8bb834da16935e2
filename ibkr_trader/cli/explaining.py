"""All there is to say of one order, group or position: its terms, its kin, what led to it.

The history is the journal's: who asked, what the checks said, each word of the broker. Reading
it must not keep the trader from its work, so it goes on in small steps, and back only so far.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ibkr_trader.cli.chain_view import Chain
from ibkr_trader.cli.chosen import unclear
from ibkr_trader.cli.event_words import EventWords
from ibkr_trader.cli.order_view import lasting, sentence
from ibkr_trader.cli.past_orders import on_record
from ibkr_trader.cli.position_view import troubles
from ibkr_trader.cli.record_words import naming, words_of
from ibkr_trader.cli.wording import when
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.contracts import label
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import SENTENCES, average, broker_words, money, plain, price, quantity
from ibkr_trader.execution.desk import UnknownOrder
from ibkr_trader.execution.long_reading import RECORDS, recent
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ibkr_trader.cli.past_orders import Reading
    from ibkr_trader.cli.record_words import Message
    from ibkr_trader.core.models import GroupId, Order, OrderId, OrderSpec, Position
    from ibkr_trader.execution.desk import Desk

_EARLIER = 8  # of what is on record, that are named


async def explain(desk: Desk, about: str, *, utc: bool) -> list[str]:
    """Return lines about an order, by its id, or about a position, by its contract's.

    Raises:
        UnknownOrder: If there is neither.
    """
    portfolio = desk.trader.portfolio
    if about.isascii() and about.isdecimal():
        position = portfolio.positions.get(int(about))
        if position is None:
            message = f"nothing is held of contract {about} any more"
            raise UnknownOrder(message, hint="ibkr-trader positions")
        return await _of_position(desk, position, utc=utc)
    found = portfolio.find(about)
    order = portfolio.order(found[0]) if len(found) == 1 else None
    if order is None:
        message = f"order {about} is unknown"
        raise UnknownOrder(message, hint="ibkr-trader orders --all")
    members = portfolio.groups.get(order.spec.group_id, ())
    kin = [one for key in members if (one := portfolio.order(key)) is not None]
    return await _of_order(desk, order, kin, utc=utc)


async def recall(desk: Desk, about: str, *, utc: bool, only_recent: bool = False) -> list[str]:
    """Return lines about what is on record, closed or not: an order, a group, a symbol's latest.

    Args:
        desk: Where to look.
        about: An order's name or its group's; or a symbol.
        utc: In which zone times are told.
        only_recent: What the journal's end has of a symbol will do; `about` may be no order.

    Raises:
        UnknownOrder: If nothing is on record of it.
        UsageFault: If it may mean several groups.
    """
    found = await on_record(desk, about, only_recent=only_recent)
    if not found.orders or (only_recent and not found.is_symbol):
        message = f"order {about} is unknown"
        raise UnknownOrder(message, hint="ibkr-trader orders --all")
    ids = list(dict.fromkeys(one.spec.group_id for one in found.orders))
    if len(ids) > 1 and not found.is_symbol:
        raise unclear(about, found.orders[-_EARLIER:])
    group = [one for one in found.orders if one.spec.group_id == ids[-1]]
    kin = [one for one in found.known.values() if one.spec.group_id == ids[-1]]
    kin.sort(key=lambda one: one.spec.broker_order_id)
    if len(group) == 1:
        lines = await _of_order(desk, group[0], kin, utc=utc, reading=found.reading)
    else:
        lines = await _of_group(desk, kin, utc=utc, reading=found.reading)
    return [*_before(ids), *lines]


def _before(ids: list[GroupId]) -> Iterator[str]:
    """What else is on record of a symbol: the latest is told in full."""
    if len(ids) > 1:
        earlier = [short_id(one) for one in ids[-_EARLIER - 1 : -1]]
        more = "…, " if len(ids) > _EARLIER + 1 else ""
        yield f"before it: {more}{', '.join(earlier)}; ibkr-trader why {earlier[-1]}"


async def _of_order(
    desk: Desk, order: Order, kin: list[Order], *, utc: bool, reading: Reading = recent
) -> list[str]:
    chain = Chain(order.order_id)
    history = await _history(
        desk, _concerns([order]), order=order, hear=chain.hear, utc=utc, reading=reading
    )
    way = chain.lines(utc=utc)
    lines = [*_terms(order, utc=utc), *(("", *_group(kin)) if len(kin) > 1 else ())]
    return [*lines, *(("", *way) if way else ()), "", *history]


async def _of_group(desk: Desk, orders: list[Order], *, utc: bool, reading: Reading) -> list[str]:
    history = await _history(desk, _concerns(orders), utc=utc, reading=reading)
    return [*_group(orders), "", *history]


def _concerns(orders: list[Order]) -> Callable[[Message], bool]:
    """Return what knows whether a record is about one of some orders, or about their group."""
    ids = {one.order_id for one in orders}
    groups = {one.spec.group_id for one in orders}
    names = "|".join(re.escape(short_id(one)) for one in ids)
    name = re.compile(rf"(?<![\w.-])(?:{names})(?![\w.-])")

    def concerns(message: Message) -> bool:
        match message:
            case SubmitOrders(orders=sent):
                return any(one.order_id in ids for one in sent)
            case ModifyOrder() | CancelOrder() | ev.OrderEvent():
                return message.order_id in ids
            case ev.GroupEvent() | ev.CloseEndEvent() | ev.CloseRequestEvent():
                return message.group_id in groups
            case ev.OperatorEvent(action=action):
                return name.search(action) is not None
            case _:
                return False

    return concerns


async def _of_position(desk: Desk, position: Position, *, utc: bool) -> list[str]:
    con_id, portfolio = position.contract.con_id, desk.trader.portfolio
    orders = [one for one in portfolio.orders.values() if one.spec.contract.con_id == con_id]
    lines = [
        *_standing(desk, position, orders, utc=utc),
        "",
        "orders:" if orders else "no orders",
        *(_member(one) for one in orders),
    ]
    ids = {one.order_id for one in orders}
    fills = {one.order_id for one in portfolio.fills.values() if one.contract.con_id == con_id}

    def concerns(message: Message) -> bool:
        match message:
            case ev.NewOrderEvent(order_id=order_id):
                return order_id in ids or order_id in fills
            case ev.FillEvent(fill=fill):
                return fill.contract.con_id == con_id
            case (
                ev.CoverEvent(contract=contract)
                | ev.CloseRequestEvent(contract=contract)
                | ev.CareEvent(contract=contract)
            ):
                return contract.con_id == con_id
            case _:
                return False

    return [*lines, "", *await _history(desk, concerns, utc=utc)]


def _standing(desk: Desk, position: Position, orders: list[Order], *, utc: bool) -> Iterator[str]:
    trader = desk.trader
    day = trader.outlook.pnl.contracts.get(position.contract.con_id)
    net = day.net if day is not None else None
    guard = protection(position, orders, trader.portfolio.closed.values())
    size, name = quantity(position.quantity, signed=True), label(position.contract)
    yield f"{size} {name} at {average(position.average_cost)}, now {price(position.market_price)}"
    gain = money(position.unrealized_pnl, signed=True)
    yield f"open {gain}, day {money(net, signed=True)}"
    cover = f"{quantity(guard.covered)} of {quantity(abs(position.quantity))}"
    yield f"stop {price(guard.stop)}, target {price(guard.target)}, covered {cover}"
    yield from troubles([guard], utc=utc)


def _terms(order: Order, *, utc: bool) -> Iterator[str]:
    spec = order.spec
    yield f"{short_id(order.order_id)}  {sentence(spec)}  {lasting(spec)}"
    filled = f"{order.status}, filled {quantity(order.filled)} of {quantity(spec.quantity)}"
    if order.average_fill_price is not None:
        filled += f" at {average(order.average_fill_price)}, commission {money(order.commission)}"
    yield filled
    if order.desired is not None:
        yield f"asked for, not confirmed: {sentence(order.desired)}"
    if reason := plain(broker_words(order.reason), limit=SENTENCES):
        yield f"the last words: {reason}" + (f" (code {order.code})" if order.code else "")
    if order.held_for and not order.status.is_closed:
        yield f"held for: {plain(order.held_for, limit=SENTENCES)}"
    yield f"id {order.order_id}, the broker's #{spec.broker_order_id}, permanent {order.perm_id}"
    yield f"created {when(order.created_at, utc=utc)}, updated {when(order.updated_at, utc=utc)}"
    yield from _links(spec)
    if order.is_foreign:
        yield "not placed here"
    if order.is_overridden:
        yield "its terms were changed at the broker, not here"


def _links(spec: OrderSpec) -> Iterator[str]:
    if spec.parent_id is not None:
        yield f"hangs from {short_id(spec.parent_id)}"
    if spec.oca_group:
        yield f"of the group {plain(spec.oca_group, limit=SENTENCES)}, of which one may trade"
    if (later := spec.adjustment) is not None:
        yield f"from {price(later.trigger)} on it becomes a {later.order_type} order"


def _group(orders: list[Order]) -> Iterator[str]:
    yield f"group {short_id(orders[0].spec.group_id)}:"
    yield from (_member(one) for one in orders)


def _member(order: Order) -> str:
    done = f", filled {quantity(order.filled)}" if order.filled else ""
    return f"  {short_id(order.order_id)}  {sentence(order.spec)}  {order.status}{done}"


async def _history(
    desk: Desk,
    concerns: Callable[[Message], bool],
    *,
    utc: bool,
    order: Order | None = None,
    hear: Callable[[Message], None] = lambda _: None,
    reading: Reading = recent,
) -> list[str]:
    """The journal's records that matter, each on a line, oldest first; `hear` is told all."""
    journal, words = desk.trader.journal, EventWords(utc=utc)
    is_cut = reading is recent and journal.state.last_record > RECORDS
    lines: list[str] = []
    is_news = _News()
    async for message in reading(journal):
        hear(message)
        if concerns(message) and (text := words_of(message, words, order)):
            if not is_news(message, text):
                continue
            at = message.at if isinstance(message, ev.BaseEvent) else None
            stamp = when(at, utc=utc) if at is not None else "asked"
            if order is None and isinstance(message, ModifyOrder | CancelOrder | ev.OrderEvent):
                text = naming(message.order_id, text)  # it may be of any of them
            lines.append(f"  {stamp}  {plain(text, limit=SENTENCES)}")
    if is_cut:
        lines.insert(0, f"  (older than the last {RECORDS:,} records is in the journal alone)")
    return ["history:", *lines] if lines else ["the journal has nothing of it"]


class _News:
    """Knows what the broker's word of an order says again: every look asks it for everything."""

    def __init__(self) -> None:
        self._said: dict[tuple[OrderId, str], str] = {}

    def __call__(self, message: Message, text: str) -> bool:
        """Whether `text` says more than the last of its kind did."""
        if not isinstance(message, ev.AcceptEvent | ev.StatusEvent):
            return True
        kind = (message.order_id, type(message).__name__)
        before, self._said[kind] = self._said.get(kind), text
        return text != before
