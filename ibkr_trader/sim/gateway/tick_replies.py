"""Replies that stream quotes and ticks (WIRE.md 5.6), each with its table row.

Sizes below version 163 are whole numbers on the wire: the oldest client reads them as ints.
"""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.items import Item, Literal, Row
from ibkr_trader.sim.gateway.kinds import FLAG, ID, INT, NUMBER, TEXT, WHOLE, ZERO
from ibkr_trader.sim.gateway.layout import Layout, rows

FRACTIONS = 163


class MarketDataType(msgspec.Struct, frozen=True, kw_only=True):
    """How live the quotes of a subscription are."""

    req_id: int
    data_type: int


class TickReqParams(msgspec.Struct, frozen=True, kw_only=True):
    """The tick of a subscription."""

    req_id: int
    min_tick: Decimal
    bbo_exchange: str = ""
    permissions: int = 3


class TickPrice(msgspec.Struct, frozen=True, kw_only=True):
    """A price and its size."""

    req_id: int
    tick_type: int
    price: Decimal
    size: Decimal = ZERO
    mask: int = 0


class TickSize(msgspec.Struct, frozen=True, kw_only=True):
    """A size alone."""

    req_id: int
    tick_type: int
    size: Decimal


class TickGeneric(msgspec.Struct, frozen=True, kw_only=True):
    """A number that is neither price nor size."""

    req_id: int
    tick_type: int
    value: Decimal


class TickString(msgspec.Struct, frozen=True, kw_only=True):
    """A text, such as the time of the last trade."""

    req_id: int
    tick_type: int
    text: str


class TickSnapshotEnd(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot is complete."""

    req_id: int


class TickOption(msgspec.Struct, frozen=True, kw_only=True):
    """An option's computed price and greeks; -1 and -2 mean not computed."""

    req_id: int
    tick_type: int
    attribute: int = 1
    implied_vol: Decimal = Decimal(-1)
    delta: Decimal = Decimal(-2)
    price: Decimal = Decimal(-1)
    dividend: Decimal = Decimal(-1)
    gamma: Decimal = Decimal(-2)
    vega: Decimal = Decimal(-2)
    theta: Decimal = Decimal(-2)
    under_price: Decimal = Decimal(-1)


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the book inserted (0), updated (1) or deleted (2); side 1 is the bid."""

    req_id: int
    position: int
    operation: int
    side: int
    price: Decimal
    size: Decimal


class DepthL2(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the book with its market maker."""

    req_id: int
    position: int
    market_maker: str
    operation: int
    side: int
    price: Decimal
    size: Decimal
    is_smart: bool


class TickLast(msgspec.Struct, frozen=True, kw_only=True):
    """One trade (1 `Last`, 2 `AllLast`)."""

    req_id: int
    tick_type: int
    at: int
    price: Decimal
    size: Decimal
    mask: int = 0
    exchange: str = ""
    conditions: str = ""


class TickBidAsk(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the best bid and offer."""

    req_id: int
    at: int
    bid: Decimal
    ask: Decimal
    bid_size: Decimal
    ask_size: Decimal
    mask: int = 0


class TickMid(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the midpoint."""

    req_id: int
    at: int
    price: Decimal


_REQ_ID = Row("req_id", ID)
_TICK = (_REQ_ID, Row("tick_type", ID))


def sizes(names: str) -> tuple[Row, ...]:
    """Return rows of sizes: whole below 163, possibly fractional from there."""
    whole = rows(WHOLE, names, until=FRACTIONS)
    return tuple(gated for row in whole for gated in (row, Row(row.name, NUMBER, since=FRACTIONS)))


def _layout(number: int, struct: type[msgspec.Struct], *items: Item) -> Layout[msgspec.Struct]:
    return Layout(struct, Literal(str(number)), *items)


def _by_tick(kind: int, struct: type[msgspec.Struct], *items: Item) -> Layout[msgspec.Struct]:
    return Layout(struct, Literal("99"), _REQ_ID, Literal(str(kind)), Row("at", ID), *items)


TICK_REPLIES: dict[type[msgspec.Struct], Layout[msgspec.Struct]] = {
    MarketDataType: _layout(58, MarketDataType, Literal("1"), _REQ_ID, Row("data_type", ID)),
    TickReqParams: _layout(
        81,
        TickReqParams,
        _REQ_ID,
        Row("min_tick", NUMBER),
        Row("bbo_exchange", TEXT),
        Row("permissions", INT),
    ),
    TickPrice: _layout(
        1,
        TickPrice,
        Literal("6"),
        *_TICK,
        Row("price", NUMBER),
        *sizes("size"),
        Row("mask", INT),
    ),
    TickSize: _layout(2, TickSize, Literal("6"), *_TICK, *sizes("size")),
    TickGeneric: _layout(45, TickGeneric, Literal("6"), *_TICK, Row("value", NUMBER)),
    TickString: _layout(46, TickString, Literal("6"), *_TICK, Row("text", TEXT)),
    TickSnapshotEnd: _layout(57, TickSnapshotEnd, Literal("1"), _REQ_ID),
    TickOption: _layout(
        21,
        TickOption,
        *_TICK,
        Row("attribute", INT),
        *rows(NUMBER, "implied_vol delta price dividend gamma vega theta under_price"),
    ),
    Depth: _layout(
        12,
        Depth,
        Literal("1"),
        _REQ_ID,
        *rows(INT, "position operation side"),
        Row("price", NUMBER),
        *sizes("size"),
    ),
    DepthL2: _layout(
        13,
        DepthL2,
        Literal("1"),
        _REQ_ID,
        Row("position", INT),
        Row("market_maker", TEXT),
        *rows(INT, "operation side"),
        Row("price", NUMBER),
        *sizes("size"),
        Row("is_smart", FLAG),
    ),
    TickLast: _layout(
        99,
        TickLast,
        *_TICK,
        Row("at", ID),
        Row("price", NUMBER),
        *sizes("size"),
        Row("mask", INT),
        *rows(TEXT, "exchange conditions"),
    ),
    TickBidAsk: _by_tick(
        3, TickBidAsk, *rows(NUMBER, "bid ask"), *sizes("bid_size ask_size"), Row("mask", INT)
    ),
    TickMid: _by_tick(4, TickMid, Row("price", NUMBER)),
}
