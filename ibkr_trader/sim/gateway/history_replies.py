"""Replies that carry bars and past ticks (WIRE.md 5.6), each with its table row."""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.items import Literal, Many, Row, Scope, Values
from ibkr_trader.sim.gateway.kinds import FLAG, ID, INT, NUMBER, TEXT
from ibkr_trader.sim.gateway.layout import Layout, rows
from ibkr_trader.sim.gateway.tick_replies import sizes


class RealTimeBar(msgspec.Struct, frozen=True, kw_only=True):
    """Five seconds of trading."""

    req_id: int
    at: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    average: Decimal
    count: int


class HistoricalBar(msgspec.Struct, frozen=True, kw_only=True):
    """One bar of history."""

    date: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    average: Decimal
    count: int


class HistoricalData(msgspec.Struct, frozen=True, kw_only=True):
    """Bars; `start` and `end` move to their own message at 196."""

    req_id: int
    start: str
    end: str
    bars: tuple[HistoricalBar, ...]


class HistoricalDataEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The bars are complete (from 196)."""

    req_id: int
    start: str
    end: str


class HistoricalUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """The latest bar of a request that is kept up to date."""

    req_id: int
    bar: HistoricalBar


class HistoricalSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """Trading sessions: start, end, day."""

    req_id: int
    start: str
    end: str
    time_zone: str
    sessions: tuple[tuple[str, str, str], ...]


class HeadTimestamp(msgspec.Struct, frozen=True, kw_only=True):
    """Where history starts."""

    req_id: int
    time: str


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """How much traded at which price."""

    req_id: int
    bins: tuple[tuple[Decimal, int], ...]


class HistoricalMids(msgspec.Struct, frozen=True, kw_only=True):
    """Past midpoints: time, price, size."""

    req_id: int
    ticks: tuple[tuple[int, str, Decimal, Decimal], ...]
    done: bool = True


class HistoricalBidAsks(msgspec.Struct, frozen=True, kw_only=True):
    """Past quotes: time, mask, bid, ask, sizes."""

    req_id: int
    ticks: tuple[tuple[int, int, Decimal, Decimal, Decimal, Decimal], ...]
    done: bool = True


class HistoricalLasts(msgspec.Struct, frozen=True, kw_only=True):
    """Past trades: time, mask, price, size, exchange, conditions."""

    req_id: int
    ticks: tuple[tuple[int, int, Decimal, Decimal, str, str], ...]
    done: bool = True


_REQ_ID = Row("req_id", ID)
_OHLC = rows(NUMBER, "open high low close")
_BAR = Layout(
    HistoricalBar,
    Row("date", TEXT),
    *_OHLC,
    *sizes("volume"),
    Row("average", NUMBER),
    Row("count", INT),
)
_UPDATE = (
    Row("count", INT),
    Row("date", TEXT),
    *rows(NUMBER, "open close high low average"),
    *sizes("volume"),
)

HISTORY_REPLIES: dict[type[msgspec.Struct], Layout[msgspec.Struct]] = {
    RealTimeBar: Layout(
        RealTimeBar,
        Literal("50"),
        Literal("3"),
        *rows(ID, "req_id at"),
        *_OHLC,
        *sizes("volume"),
        Row("average", NUMBER),
        Row("count", INT),
    ),
    HistoricalData: Layout(
        HistoricalData,
        Literal("17"),
        _REQ_ID,
        *rows(TEXT, "start end", until=196),
        Many("bars", _BAR),
    ),
    HistoricalDataEnd: Layout(HistoricalDataEnd, Literal("108"), _REQ_ID, *rows(TEXT, "start end")),
    HistoricalUpdate: Layout(
        HistoricalUpdate,
        Literal("90"),
        _REQ_ID,
        Scope("bar", _UPDATE),
        scopes={"bar": HistoricalBar},
    ),
    HistoricalSchedule: Layout(
        HistoricalSchedule,
        Literal("106"),
        _REQ_ID,
        *rows(TEXT, "start end time_zone"),
        Values("sessions", (TEXT, TEXT, TEXT)),
    ),
    HeadTimestamp: Layout(HeadTimestamp, Literal("88"), _REQ_ID, Row("time", TEXT)),
    Histogram: Layout(Histogram, Literal("89"), _REQ_ID, Values("bins", (NUMBER, INT))),
    HistoricalMids: Layout(
        HistoricalMids,
        Literal("96"),
        _REQ_ID,
        Values("ticks", (ID, TEXT, NUMBER, NUMBER)),
        Row("done", FLAG),
    ),
    HistoricalBidAsks: Layout(
        HistoricalBidAsks,
        Literal("97"),
        _REQ_ID,
        Values("ticks", (ID, ID, NUMBER, NUMBER, NUMBER, NUMBER)),
        Row("done", FLAG),
    ),
    HistoricalLasts: Layout(
        HistoricalLasts,
        Literal("98"),
        _REQ_ID,
        Values("ticks", (ID, ID, NUMBER, NUMBER, TEXT, TEXT)),
        Row("done", FLAG),
    ),
}
