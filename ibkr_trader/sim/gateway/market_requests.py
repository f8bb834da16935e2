"""Requests for market data (WIRE.md 3.5), each with its table row."""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.contracts import (
    CONTRACT12,
    DATA_LEG,
    DELTA_NEUTRAL,
    DataLeg,
    DeltaNeutral,
    WireContract,
    is_bag,
)
from ibkr_trader.sim.gateway.items import Literal, Many, Part, Row, When
from ibkr_trader.sim.gateway.kinds import FLAG, ID, INT, MAYBE, TEXT
from ibkr_trader.sim.gateway.layout import Layout, rows


class ReqMktData(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to quotes, or take one snapshot."""

    req_id: int
    contract: WireContract
    legs: tuple[DataLeg, ...] = ()
    delta_neutral: tuple[DeltaNeutral, ...] = ()
    generic_ticks: str = ""
    snapshot: bool = False
    regulatory: bool = False
    options: str = ""


class CancelMktData(msgspec.Struct, frozen=True, kw_only=True):
    """End that subscription."""

    req_id: int


class ReqMarketDataType(msgspec.Struct, frozen=True, kw_only=True):
    """Choose live (1), frozen (2), delayed (3) or delayed-frozen (4) quotes."""

    data_type: int


class ReqRealTimeBars(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to five-second bars."""

    req_id: int
    contract: WireContract
    bar_size: int
    what: str
    use_rth: bool
    options: str = ""


class CancelRealTimeBars(msgspec.Struct, frozen=True, kw_only=True):
    """End that subscription."""

    req_id: int


class ReqHistoricalData(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for bars."""

    req_id: int
    contract: WireContract
    include_expired: bool
    end: str
    bar_size: str
    duration: str
    use_rth: bool
    what: str
    format_date: int
    legs: tuple[DataLeg, ...] = ()
    keep_up_to_date: bool = False
    options: str = ""


class CancelHistoricalData(msgspec.Struct, frozen=True, kw_only=True):
    """End bars that are kept up to date."""

    req_id: int


class ReqHeadTimestamp(msgspec.Struct, frozen=True, kw_only=True):
    """Ask where a contract's history starts."""

    req_id: int
    contract: WireContract
    include_expired: bool
    use_rth: bool
    what: str
    format_date: int


class CancelHeadTimestamp(msgspec.Struct, frozen=True, kw_only=True):
    """Withdraw that question."""

    req_id: int


class ReqHistogram(msgspec.Struct, frozen=True, kw_only=True):
    """Ask how much traded at which price."""

    req_id: int
    contract: WireContract
    use_rth: bool
    period: str


class CancelHistogram(msgspec.Struct, frozen=True, kw_only=True):
    """Withdraw that question."""

    req_id: int


class ReqHistoricalTicks(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for single ticks of the past."""

    req_id: int
    contract: WireContract
    start: str
    end: str
    count: int
    what: str
    use_rth: bool
    ignore_size: bool
    options: str = ""


class ReqTickByTick(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to single ticks."""

    req_id: int
    contract: WireContract
    tick_type: str
    count: int
    ignore_size: bool


class CancelTickByTick(msgspec.Struct, frozen=True, kw_only=True):
    """End that subscription."""

    req_id: int


class ReqMktDepth(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to the order book."""

    req_id: int
    contract: WireContract
    rows: int
    is_smart: bool
    options: str = ""


class CancelMktDepth(msgspec.Struct, frozen=True, kw_only=True):
    """End that subscription."""

    req_id: int
    is_smart: bool


class CalculateOption(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for an implied volatility (54) or an option price (55)."""

    req_id: int
    contract: WireContract
    value: Decimal | None
    under_price: Decimal | None


class CancelCalculation(msgspec.Struct, frozen=True, kw_only=True):
    """Withdraw that question."""

    req_id: int


_VERSION = Literal("1")
_REQ_ID = Row("req_id", ID)
_CONTRACT = Part("contract", CONTRACT12)
_LEGS = When("contract", is_bag, (Many("legs", DATA_LEG),))
_EXPIRED = Literal("0")  # includeExpired, which only changes what an absent contract means
_CALCULATION: Layout[msgspec.Struct] = Layout(
    CalculateOption, Literal("3"), _REQ_ID, _CONTRACT, *rows(MAYBE, "value under_price")
)
_CANCEL_CALCULATION: Layout[msgspec.Struct] = Layout(CancelCalculation, _VERSION, _REQ_ID)

MARKET_REQUESTS: dict[int, Layout[msgspec.Struct]] = {
    1: Layout(
        ReqMktData,
        Literal("11"),
        _REQ_ID,
        _CONTRACT,
        _LEGS,
        Many("delta_neutral", DELTA_NEUTRAL),
        Row("generic_ticks", TEXT),
        *rows(FLAG, "snapshot regulatory"),
        Row("options", TEXT),
    ),
    2: Layout(CancelMktData, Literal("2"), _REQ_ID),
    59: Layout(ReqMarketDataType, _VERSION, Row("data_type", INT)),
    50: Layout(
        ReqRealTimeBars,
        Literal("3"),
        _REQ_ID,
        _CONTRACT,
        Row("bar_size", INT),
        Row("what", TEXT),
        Row("use_rth", FLAG),
        Row("options", TEXT),
    ),
    51: Layout(CancelRealTimeBars, _VERSION, _REQ_ID),
    20: Layout(
        ReqHistoricalData,
        _REQ_ID,
        _CONTRACT,
        Row("include_expired", FLAG),
        *rows(TEXT, "end bar_size duration"),
        Row("use_rth", FLAG),
        Row("what", TEXT),
        Row("format_date", INT),
        _LEGS,
        Row("keep_up_to_date", FLAG),
        Row("options", TEXT),
    ),
    25: Layout(CancelHistoricalData, _VERSION, _REQ_ID),
    87: Layout(
        ReqHeadTimestamp,
        _REQ_ID,
        _CONTRACT,
        *rows(FLAG, "include_expired use_rth"),
        Row("what", TEXT),
        Row("format_date", INT),
    ),
    90: Layout(CancelHeadTimestamp, _REQ_ID),
    88: Layout(
        ReqHistogram, _REQ_ID, _CONTRACT, _EXPIRED, Row("use_rth", FLAG), Row("period", TEXT)
    ),
    89: Layout(CancelHistogram, _REQ_ID),
    96: Layout(
        ReqHistoricalTicks,
        _REQ_ID,
        _CONTRACT,
        _EXPIRED,
        *rows(TEXT, "start end"),
        Row("count", INT),
        Row("what", TEXT),
        *rows(FLAG, "use_rth ignore_size"),
        Row("options", TEXT),
    ),
    97: Layout(
        ReqTickByTick,
        _REQ_ID,
        _CONTRACT,
        Row("tick_type", TEXT),
        Row("count", INT),
        Row("ignore_size", FLAG),
    ),
    98: Layout(CancelTickByTick, _REQ_ID),
    10: Layout(
        ReqMktDepth,
        Literal("5"),
        _REQ_ID,
        _CONTRACT,
        Row("rows", INT),
        Row("is_smart", FLAG),
        Row("options", TEXT),
    ),
    11: Layout(CancelMktDepth, _VERSION, _REQ_ID, Row("is_smart", FLAG)),
    54: _CALCULATION,
    55: _CALCULATION,
    56: _CANCEL_CALCULATION,
    57: _CANCEL_CALCULATION,
}
