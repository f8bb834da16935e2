"""Requests for contracts, reference data, news and scanners (WIRE.md 3.4, 3.5)."""

import msgspec

from ibkr_trader.sim.gateway.contracts import CONTRACT12, WireContract
from ibkr_trader.sim.gateway.items import Literal, Part, Row
from ibkr_trader.sim.gateway.kinds import FLAG, ID, INT, TEXT
from ibkr_trader.sim.gateway.layout import Layout, rows


class ReqContractDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Ask what a contract is; more than one may answer."""

    req_id: int
    contract: WireContract
    include_expired: bool = False
    sec_id_type: str = ""
    sec_id: str = ""
    issuer_id: str = ""


class ReqMatchingSymbols(msgspec.Struct, frozen=True, kw_only=True):
    """Search for a symbol or a name."""

    req_id: int
    pattern: str


class ReqMarketRule(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the price increments of a rule."""

    rule_id: int


class ReqSecDefOptParams(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for an underlying's option chain."""

    req_id: int
    symbol: str
    exchange: str
    sec_type: str
    con_id: int


class ReqMktDepthExchanges(msgspec.Struct, frozen=True, kw_only=True):
    """Ask which exchanges publish their book."""


class ReqSmartComponents(msgspec.Struct, frozen=True, kw_only=True):
    """Ask what the letters of an exchange map mean."""

    req_id: int
    bbo_exchange: str


class ReqNewsBulletins(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to the broker's bulletins."""

    all_messages: bool


class CancelNewsBulletins(msgspec.Struct, frozen=True, kw_only=True):
    """End that subscription."""


class ReqNewsProviders(msgspec.Struct, frozen=True, kw_only=True):
    """Ask who provides news."""


class ReqNewsArticle(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for one article."""

    req_id: int
    provider: str
    article_id: str


class ReqHistoricalNews(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for past headlines."""

    req_id: int
    con_id: int
    providers: str
    start: str
    end: str
    total: int


class ReqScannerSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to a market scanner."""

    req_id: int
    number_of_rows: int
    instrument: str
    location: str
    scan_code: str


class CancelScanner(msgspec.Struct, frozen=True, kw_only=True):
    """End that subscription."""

    req_id: int


class ReqScannerParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Ask what scanners exist."""


class ReqFundamentalData(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a company report."""

    req_id: int


class CancelFundamentalData(msgspec.Struct, frozen=True, kw_only=True):
    """Withdraw that question."""

    req_id: int


class DisplayGroupRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Anything about the display groups of TWS's windows (67 to 70)."""

    req_id: int


class ReqWshData(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for corporate-calendar data (100, 102)."""

    req_id: int


class CancelWshData(msgspec.Struct, frozen=True, kw_only=True):
    """Withdraw that question (101, 103)."""

    req_id: int


class Verify(msgspec.Struct, frozen=True, kw_only=True):
    """Anything of the vendor verification handshake (65, 66, 72, 73)."""


_VERSION = Literal("1")
_REQ_ID = Row("req_id", ID)
_GROUPS: Layout[msgspec.Struct] = Layout(DisplayGroupRequest, _VERSION, _REQ_ID)
_VERIFY: Layout[msgspec.Struct] = Layout(Verify)

REFERENCE_REQUESTS: dict[int, Layout[msgspec.Struct]] = {
    9: Layout(
        ReqContractDetails,
        Literal("8"),
        _REQ_ID,
        Part("contract", CONTRACT12),
        Row("include_expired", FLAG),
        *rows(TEXT, "sec_id_type sec_id"),
        Row("issuer_id", TEXT, since=176),
    ),
    81: Layout(ReqMatchingSymbols, _REQ_ID, Row("pattern", TEXT)),
    91: Layout(ReqMarketRule, Row("rule_id", ID)),
    78: Layout(
        ReqSecDefOptParams, _REQ_ID, *rows(TEXT, "symbol exchange sec_type"), Row("con_id", INT)
    ),
    82: Layout(ReqMktDepthExchanges),
    83: Layout(ReqSmartComponents, _REQ_ID, Row("bbo_exchange", TEXT)),
    12: Layout(ReqNewsBulletins, _VERSION, Row("all_messages", FLAG)),
    13: Layout(CancelNewsBulletins, _VERSION),
    85: Layout(ReqNewsProviders),
    84: Layout(ReqNewsArticle, _REQ_ID, *rows(TEXT, "provider article_id")),
    86: Layout(
        ReqHistoricalNews,
        _REQ_ID,
        Row("con_id", INT),
        *rows(TEXT, "providers start end"),
        Row("total", INT),
    ),
    22: Layout(
        ReqScannerSubscription,
        _REQ_ID,
        Row("number_of_rows", INT),
        *rows(TEXT, "instrument location scan_code"),
    ),
    23: Layout(CancelScanner, _VERSION, _REQ_ID),
    24: Layout(ReqScannerParameters, _VERSION),
    52: Layout(ReqFundamentalData, Literal("2"), _REQ_ID),
    53: Layout(CancelFundamentalData, _VERSION, _REQ_ID),
    67: _GROUPS,
    68: _GROUPS,
    69: _GROUPS,
    70: _GROUPS,
    100: Layout(ReqWshData, _REQ_ID),
    102: Layout(ReqWshData, _REQ_ID),
    101: Layout(CancelWshData, _REQ_ID),
    103: Layout(CancelWshData, _REQ_ID),
    65: _VERIFY,
    66: _VERIFY,
    72: _VERIFY,
    73: _VERIFY,
}
