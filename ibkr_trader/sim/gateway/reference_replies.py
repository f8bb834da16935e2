"""Replies about news, scanners and advisors (WIRE.md 5.4, 5.6), each with its table row."""

import msgspec

from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.items import Literal, Many, Row, Scope, Values
from ibkr_trader.sim.gateway.kinds import FLAG, ID, INT, MAYBE_ZERO, TEXT
from ibkr_trader.sim.gateway.layout import Layout, rows


class NewsBulletin(msgspec.Struct, frozen=True, kw_only=True):
    """A word from the broker: 1 regular, 2 exchange unavailable, 3 available again."""

    message_id: int
    kind: int
    text: str
    exchange: str


class NewsProviders(msgspec.Struct, frozen=True, kw_only=True):
    """Codes and names of news providers."""

    providers: tuple[tuple[str, str], ...] = ()


class NewsArticle(msgspec.Struct, frozen=True, kw_only=True):
    """The text of an article."""

    req_id: int
    kind: int
    text: str


class TickNews(msgspec.Struct, frozen=True, kw_only=True):
    """A headline as it breaks."""

    req_id: int
    at_millis: int
    provider: str
    article_id: str
    headline: str
    extra: str = ""


class HistoricalNews(msgspec.Struct, frozen=True, kw_only=True):
    """A past headline."""

    req_id: int
    time: str
    provider: str
    article_id: str
    headline: str


class HistoricalNewsEnd(msgspec.Struct, frozen=True, kw_only=True):
    """No more headlines now; perhaps more of them further back."""

    req_id: int
    has_more: bool = False


class ScannerParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What scanners exist, as XML."""

    xml: str


class ScannerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One contract that a scanner found."""

    rank: int
    contract: WireContract
    market_name: str = ""
    distance: str = ""
    benchmark: str = ""
    projection: str = ""
    legs: str = ""


class ScannerData(msgspec.Struct, frozen=True, kw_only=True):
    """What a scanner found."""

    req_id: int
    rows: tuple[ScannerRow, ...]


class ReceiveFa(msgspec.Struct, frozen=True, kw_only=True):
    """A financial advisor's configuration, as XML."""

    fa_type: int
    xml: str


class ReplaceFaEnd(msgspec.Struct, frozen=True, kw_only=True):
    """A financial advisor's configuration was replaced."""

    req_id: int
    text: str


_REQ_ID = Row("req_id", ID)
_SCANNED = (
    Row("con_id", INT),
    *rows(TEXT, "symbol sec_type expiry"),
    Row("strike", MAYBE_ZERO),
    *rows(TEXT, "right exchange currency local_symbol"),
)
_SCANNER_ROW = Layout(
    ScannerRow,
    Row("rank", INT),
    Scope("contract", _SCANNED),
    Row("market_name", TEXT),
    Scope("contract", rows(TEXT, "trading_class")),
    *rows(TEXT, "distance benchmark projection legs"),
)

REFERENCE_REPLIES: dict[type[msgspec.Struct], Layout[msgspec.Struct]] = {
    NewsBulletin: Layout(
        NewsBulletin,
        Literal("14"),
        Literal("1"),
        *rows(ID, "message_id kind"),
        *rows(TEXT, "text exchange"),
    ),
    NewsProviders: Layout(NewsProviders, Literal("85"), Values("providers", (TEXT, TEXT))),
    NewsArticle: Layout(NewsArticle, Literal("83"), *rows(ID, "req_id kind"), Row("text", TEXT)),
    TickNews: Layout(
        TickNews,
        Literal("84"),
        *rows(ID, "req_id at_millis"),
        *rows(TEXT, "provider article_id headline extra"),
    ),
    HistoricalNews: Layout(
        HistoricalNews, Literal("86"), _REQ_ID, *rows(TEXT, "time provider article_id headline")
    ),
    HistoricalNewsEnd: Layout(HistoricalNewsEnd, Literal("87"), _REQ_ID, Row("has_more", FLAG)),
    ScannerParameters: Layout(ScannerParameters, Literal("19"), Literal("1"), Row("xml", TEXT)),
    ScannerData: Layout(
        ScannerData, Literal("20"), Literal("3"), _REQ_ID, Many("rows", _SCANNER_ROW)
    ),
    ReceiveFa: Layout(ReceiveFa, Literal("16"), Literal("1"), Row("fa_type", ID), Row("xml", TEXT)),
    ReplaceFaEnd: Layout(ReplaceFaEnd, Literal("103"), _REQ_ID, Row("text", TEXT)),
}
