"""The answers of the commands that only look: the broker's picture, told in full."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.cli import output
from ibkr_trader.cli.care_words import care_lines, care_of, looked_after
from ibkr_trader.cli.day_view import day_document, day_rows, price_held
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.halts import halts, state_words
from ibkr_trader.cli.order_view import (
    fill_document,
    fills_table,
    order_document,
    orders_table,
)
from ibkr_trader.cli.past_orders import named_orders, past_orders
from ibkr_trader.cli.position_view import guard_document, positions_table, troubles
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.cli.trailing import trail_document, trail_words, trailed
from ibkr_trader.cli.wording import FIRST_ORDER, when
from ibkr_trader.core.contracts import is_named, label
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.ids import parse_order_id
from ibkr_trader.core.text import UNKNOWN, money, price, quantity
from ibkr_trader.execution.outlook import DAY
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Order, Position, Quote
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.portfolio.protection import Protection

_MARK_SECONDS = 2.0
_LAST = 1 << 62
_DAY_TRADES = "day_trades_left"  # a count, among amounts of money


async def orders(face: Face, *, order_id: str, symbol: str, everything: bool) -> output.Reply:
    """Return open orders; with `everything` or an id, the day's closed ones too."""
    async with desk_for(face) as desk:
        portfolio = desk.trader.portfolio
        known = list(portfolio.orders.values())
        if everything:
            known = [*past_orders(desk), *portfolio.closed.values(), *known]
        if order_id:
            known = named_orders(desk, order_id)
        found = [order for order in known if is_named(order.spec.contract, symbol)]
        found.sort(key=_place)
        head = title(face.settings(), desk)
        trails = trailed(desk, found)
        notes = {order_id: trail_words(trail) for order_id, trail in trails.items()}
        table = orders_table(found, utc=face.utc, notes=notes)
        blocks: list[str | output.Table] = [head, table]
        if not found:
            # While something is halted, a first order might well be denied.
            first = "" if state_words(desk) else f". First one: {FIRST_ORDER}"
            blocks = [f"{head}  no {'' if everything else 'open '}orders{first}"]
            blocks += [f"Next: {one.ends}" for one in halts(desk) if one.since is not None]
        documents = [
            {**order_document(one), "managed_trail": trail_document(trails.get(one.order_id))}
            for one in found
        ]
        data = {"account": desk.trader.account, "orders": documents}
        return output.Reply(schema="orders/1", data=data, blocks=blocks)


async def positions(face: Face, *, symbol: str) -> output.Reply:
    """Return what is held, with its protection."""
    async with desk_for(face) as desk:
        portfolio = desk.trader.portfolio
        known = [p for p in portfolio.positions.values() if is_named(p.contract, symbol)]
        held = await asyncio.gather(*(marked(desk, position) for position in known))
        working, ended = list(portfolio.orders.values()), list(portfolio.closed.values())
        head = title(face.settings(), desk)
        blocks: list[str | output.Table] = [head, positions_table(held, working)]
        guards = [_with_trails(desk, protection(one, working, ended)) for one in held]
        # One that nobody goes on with, as at a desk that is read-only, is as bare as it looks.
        runs = {run.request.contract.con_id for run in desk.trader.closer.runs()}
        leaving = [one for one in guards if one.position.contract.con_id in runs]
        staying = [one for one in looked_after(desk, guards) if one not in leaving]
        blocks += [f"{label(one.position.contract)}: its close is on its way" for one in leaving]
        blocks += troubles(staying, utc=face.utc)
        blocks += care_lines(desk)
        if not all(guard.is_exact for guard in staying):
            blocks.append("Next: ibkr-trader cover --fix")
        if not held:
            blocks = [f"{head}  no positions"]
        data = {
            "account": desk.trader.account,
            "positions": [
                guard_document(guard, care=care_of(desk, guard.position.contract.con_id))
                for guard in guards
            ],
        }
        return output.Reply(schema="positions/1", data=data, blocks=blocks)


def _with_trails(desk: Desk, guard: Protection) -> Protection:
    """The protection with a remark on each of its stops that a trader moves."""
    found = (desk.trader.portfolio.order(order_id) for order_id in guard.orders)
    trails = trailed(desk, (order for order in found if order is not None))
    said = ((order_id, trail_words(trail)) for order_id, trail in trails.items())
    return msgspec.structs.replace(guard, remarks=(*guard.remarks, *said))


async def fills(face: Face, *, symbol: str) -> output.Reply:
    """Return the day's executions, oldest first."""
    async with desk_for(face) as desk:
        # what may be told again is remembered for longer than that
        begins = desk.trader.outlook.exchange_now - DAY
        told = (fill for fill in desk.trader.portfolio.fills.values() if fill.at >= begins)
        known = sorted(told, key=lambda fill: fill.at)
        found = [fill for fill in known if is_named(fill.contract, symbol)]
        head = title(face.settings(), desk)
        blocks: list[str | output.Table] = [head, fills_table(found, utc=face.utc)]
        if not found:
            blocks = [f"{head}  no fills today"]
        data = {"account": desk.trader.account, "fills": [fill_document(one) for one in found]}
        return output.Reply(schema="fills/1", data=data, blocks=blocks)


async def account(face: Face) -> output.Reply:
    """Return the account's values as the broker states them."""
    async with desk_for(face) as desk:
        await price_held(desk)
        values = desk.trader.portfolio.values
        stated = msgspec.structs.asdict(values) if values is not None else {}
        rows = tuple(
            (
                name.replace("_", " "),
                _day_trades(value)
                if name == _DAY_TRADES
                else money(value, values.currency if values else ""),
            )
            for name, value in stated.items()
            if name not in {"account", "currency"} and value is not None
        )
        return output.Reply(
            schema="account/1",
            data={
                "account": desk.trader.account,
                "values": stated,
                "day": day_document(desk),
            },
            blocks=[
                title(face.settings(), desk),
                output.Table(("VALUE", "AMOUNT"), rows, frozenset({"AMOUNT"})),
                *(f"{what}: {words}" for what, words in day_rows(desk)),
            ],
        )


def _day_trades(left: Decimal) -> str:
    return "as many as you like" if left < 0 else quantity(left)


async def quotes(face: Face, symbols: tuple[str, ...], *, timeout: float) -> output.Reply:
    """Return the market of each symbol; an unknown one is a fault, a silent one is not."""
    async with desk_for(face) as desk:
        found: list[tuple[str, Quote | None]] = []
        for symbol in symbols:
            details = await desk.trader.learn(symbol)
            quote = await desk.trader.market.quote(details.contract, timeout=timeout)
            found.append((symbol, quote))
        head, held_back = title(face.settings(), desk), state_words(desk)
    headers = ("SYMBOL", "BID", "ASK", "LAST", "CLOSE", "SIZE", "DATA", "AT")
    rows = tuple(_quote_row(symbol, quote, utc=face.utc) for symbol, quote in found)
    right = frozenset({"BID", "ASK", "LAST", "CLOSE", "SIZE"})
    silent = [symbol for symbol, quote in found if quote is None]
    blocks: list[str | output.Table] = [output.Table(headers, rows, right, spare=("CLOSE", "SIZE"))]
    if held_back:
        blocks.insert(0, head)
    if silent:
        blocks.append(f"No price came for {', '.join(silent)} within {timeout:g} s")
    return output.Reply(
        schema="quotes/1",
        data={"quotes": [_quote_document(symbol, quote) for symbol, quote in found]},
        blocks=blocks,
        exit=Exit.INCOMPLETE if silent else Exit.DONE,
    )


async def marked(desk: Desk, position: Position) -> Position:
    """The position at the present market, if that can be had soon."""
    quote = None
    with suppress(BrokerUnavailable):  # the head says that there is no link
        quote = await desk.trader.market.quote(position.contract, timeout=_MARK_SECONDS)
    if quote is None or quote.mark is None:
        return position
    return msgspec.structs.replace(position, market_price=quote.mark)


def _place(order: Order) -> tuple[int, int]:
    """Where an order stands in a list: by group and in the order of sending; strangers last."""
    parts = parse_order_id(order.order_id)
    return (parts.number if parts is not None else _LAST, order.spec.broker_order_id)


def _quote_row(symbol: str, quote: Quote | None, *, utc: bool) -> tuple[str, ...]:
    if quote is None:
        return (symbol, *([UNKNOWN] * 7))
    sizes = f"{quantity(quote.bid_size)} x {quantity(quote.ask_size)}"
    kind = quote.data_type.value + (" HALTED" if quote.halted else "")
    prices = (price(quote.bid), price(quote.ask), price(quote.last), price(quote.close))
    return (symbol, *prices, sizes, kind, when(quote.at, utc=utc))


def _quote_document(symbol: str, quote: Quote | None) -> dict[str, Any]:
    if quote is None:
        return {"symbol": symbol, "quote": None}
    fields = {k: v for k, v in msgspec.structs.asdict(quote).items() if k != "contract"}
    return {"symbol": symbol, "con_id": quote.contract.con_id, "quote": fields}
