"""Replies about contracts and reference data (WIRE.md 5.5), each with its table row."""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.items import Item, Literal, Many, Row, Scope, Values, When
from ibkr_trader.sim.gateway.kinds import ESCAPED, ID, INT, MAYBE_ZERO, NUMBER, TEXT, ZERO
from ibkr_trader.sim.gateway.layout import Layout, rows


class ContractDetailsReply(msgspec.Struct, frozen=True, kw_only=True):
    """What one contract is: its ticks, its lot, its hours."""

    req_id: int
    contract: WireContract
    market_name: str = ""
    min_tick: Decimal = Decimal("0.01")
    order_types: str = ""
    valid_exchanges: str = ""
    price_magnifier: int = 1
    under_con_id: int = 0
    long_name: str = ""
    contract_month: str = ""
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    time_zone: str = "US/Eastern"
    trading_hours: str = ""
    liquid_hours: str = ""
    sec_ids: tuple[tuple[str, str], ...] = ()
    under_symbol: str = ""
    under_sec_type: str = ""
    market_rules: str = ""
    real_expiry: str = ""
    stock_type: str = ""
    min_size: Decimal = Decimal(1)
    size_increment: Decimal = Decimal(1)
    suggested_increment: Decimal = Decimal(100)


class BondDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What one bond is."""

    req_id: int
    contract: WireContract
    cusip: str = ""
    coupon: Decimal = ZERO
    maturity: str = ""
    issue_date: str = ""
    ratings: str = ""
    market_name: str = ""
    min_tick: Decimal = Decimal("0.001")
    order_types: str = ""
    valid_exchanges: str = ""
    long_name: str = ""
    market_rules: str = ""


class ContractDetailsEnd(msgspec.Struct, frozen=True, kw_only=True):
    """No more contracts match."""

    req_id: int


class SymbolSample(msgspec.Struct, frozen=True, kw_only=True):
    """One contract that a search found."""

    con_id: int
    symbol: str
    sec_type: str
    primary_exchange: str
    currency: str
    derivatives: tuple[str, ...] = ()
    description: str = ""
    issuer_id: str = ""


class SymbolSamples(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found."""

    req_id: int
    samples: tuple[SymbolSample, ...]


class MarketRule(msgspec.Struct, frozen=True, kw_only=True):
    """Price increments: from which price, which step."""

    rule_id: int
    increments: tuple[tuple[Decimal, Decimal], ...]


class OptionParameters(msgspec.Struct, frozen=True, kw_only=True):
    """An option chain: its expirations and strikes."""

    req_id: int
    exchange: str
    under_con_id: int
    trading_class: str
    multiplier: str
    expirations: tuple[str, ...]
    strikes: tuple[Decimal, ...]


class OptionParametersEnd(msgspec.Struct, frozen=True, kw_only=True):
    """No more chains."""

    req_id: int


class DepthExchanges(msgspec.Struct, frozen=True, kw_only=True):
    """Exchange, security type, listing exchange, service, group."""

    exchanges: tuple[tuple[str, str, str, str, int], ...]


class SmartComponents(msgspec.Struct, frozen=True, kw_only=True):
    """Bit, exchange, letter."""

    req_id: int
    components: tuple[tuple[int, str, str], ...]


_REQ_ID = Row("req_id", ID)
_SIZES: tuple[Item, ...] = (
    *rows(NUMBER, "min_size size_increment suggested_increment", since=164),
)
_CONTRACT_HEAD: tuple[Item, ...] = (
    *rows(TEXT, "symbol sec_type expiry"),
    Literal(since=182),  # lastTradeDate
    Row("strike", MAYBE_ZERO),
    *rows(TEXT, "right exchange currency local_symbol"),
)
_CONTRACT_DETAILS: Layout[msgspec.Struct] = Layout(
    ContractDetailsReply,
    Literal("10"),
    Literal("8", until=164),
    _REQ_ID,
    Scope("contract", _CONTRACT_HEAD),
    Row("market_name", TEXT),
    Scope("contract", (Row("trading_class", TEXT), Row("con_id", INT))),
    Row("min_tick", NUMBER),
    Literal("100", until=164),  # mdSizeMultiplier
    Scope("contract", (Row("multiplier", TEXT),)),
    *rows(TEXT, "order_types valid_exchanges"),
    *rows(INT, "price_magnifier under_con_id"),
    Row("long_name", ESCAPED),
    Scope("contract", (Row("primary_exchange", TEXT),)),
    *rows(TEXT, "contract_month industry category subcategory time_zone"),
    *rows(TEXT, "trading_hours liquid_hours"),
    Literal(),  # evRule
    Literal(),  # evMultiplier
    Values("sec_ids", (TEXT, TEXT)),
    Literal("1"),  # aggGroup
    *rows(TEXT, "under_symbol under_sec_type market_rules real_expiry stock_type"),
    Row("suggested_increment", NUMBER, since=163, until=164),
    *_SIZES,
    Scope(
        "contract",
        (When("sec_type", lambda kind: kind == "FUND", (Literal(),) * 17),),
        since=179,
    ),
    Literal("0", since=186),  # ineligibilityReasons
    scopes={"contract": WireContract},
)
_BOND_DETAILS: Layout[msgspec.Struct] = Layout(
    BondDetails,
    Literal("18"),
    Literal("6", until=164),
    _REQ_ID,
    Scope("contract", rows(TEXT, "symbol sec_type")),
    Row("cusip", TEXT),
    Row("coupon", NUMBER),
    *rows(TEXT, "maturity issue_date ratings"),
    Literal(),  # bondType
    Literal(),  # couponType
    *((Literal("0"),) * 3),  # convertible, callable, putable
    Literal(),  # descAppend
    Scope("contract", rows(TEXT, "exchange currency")),
    Row("market_name", TEXT),
    Scope("contract", (Row("trading_class", TEXT), Row("con_id", INT))),
    Row("min_tick", NUMBER),
    Literal("100", until=164),  # mdSizeMultiplier
    *rows(TEXT, "order_types valid_exchanges"),
    *((Literal(),) * 2),  # nextOptionDate, nextOptionType
    Literal("0"),  # nextOptionPartial
    Literal(),  # notes
    Row("long_name", ESCAPED),
    *((Literal(since=188),) * 3),  # time zone and hours
    *((Literal(),) * 2),  # evRule, evMultiplier
    Literal("0"),  # secIds
    Literal("1"),  # aggGroup
    Row("market_rules", TEXT),
    *((Literal("1", since=164),) * 3),  # sizes
    scopes={"contract": WireContract},
)
_SAMPLE = Layout(
    SymbolSample,
    Row("con_id", ID),
    *rows(TEXT, "symbol sec_type primary_exchange currency"),
    Values("derivatives", (TEXT,)),
    *rows(TEXT, "description issuer_id", since=176),
)

CONTRACT_REPLIES: dict[type[msgspec.Struct], Layout[msgspec.Struct]] = {
    ContractDetailsReply: _CONTRACT_DETAILS,
    BondDetails: _BOND_DETAILS,
    ContractDetailsEnd: Layout(ContractDetailsEnd, Literal("52"), Literal("1"), _REQ_ID),
    SymbolSamples: Layout(SymbolSamples, Literal("79"), _REQ_ID, Many("samples", _SAMPLE)),
    MarketRule: Layout(
        MarketRule, Literal("93"), Row("rule_id", ID), Values("increments", (NUMBER, NUMBER))
    ),
    OptionParameters: Layout(
        OptionParameters,
        Literal("75"),
        _REQ_ID,
        Row("exchange", TEXT),
        Row("under_con_id", ID),
        *rows(TEXT, "trading_class multiplier"),
        Values("expirations", (TEXT,)),
        Values("strikes", (NUMBER,)),
    ),
    OptionParametersEnd: Layout(OptionParametersEnd, Literal("76"), _REQ_ID),
    DepthExchanges: Layout(
        DepthExchanges, Literal("80"), Values("exchanges", (TEXT, TEXT, TEXT, TEXT, INT))
    ),
    SmartComponents: Layout(
        SmartComponents, Literal("82"), _REQ_ID, Values("components", (INT, TEXT, TEXT))
    ),
}
