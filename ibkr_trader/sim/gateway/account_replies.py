"""Replies about the session and the account (WIRE.md 5.1, 5.4), each with its table row."""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.contracts import CONTRACT11, WireContract
from ibkr_trader.sim.gateway.items import Literal, Part, Row, Scope, Values
from ibkr_trader.sim.gateway.kinds import ID, INT, MAX_DOUBLE, MAYBE_ZERO, NUMBER, TEXT
from ibkr_trader.sim.gateway.layout import Layout, rows


class ManagedAccounts(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts, comma-separated."""

    accounts: str


class NextValidId(msgspec.Struct, frozen=True, kw_only=True):
    """The first order id that is free."""

    order_id: int


class CurrentTime(msgspec.Struct, frozen=True, kw_only=True):
    """The exchange's time in seconds since the epoch."""

    seconds: int


class CurrentTimeMillis(msgspec.Struct, frozen=True, kw_only=True):
    """The exchange's time in milliseconds since the epoch."""

    millis: int


class UserInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The white-branding id, which nobody has."""

    req_id: int
    branding: str = ""


class PositionReply(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one contract; zero says that it was closed."""

    account: str
    contract: WireContract
    position: Decimal
    avg_cost: Decimal


class PositionEnd(msgspec.Struct, frozen=True, kw_only=True):
    """No more positions."""


class PositionMulti(msgspec.Struct, frozen=True, kw_only=True):
    """A position, for a request by account or model."""

    req_id: int
    account: str
    contract: WireContract
    position: Decimal
    avg_cost: Decimal
    model_code: str = ""


class PositionMultiEnd(msgspec.Struct, frozen=True, kw_only=True):
    """No more positions."""

    req_id: int


class AccountValue(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the account."""

    key: str
    value: str
    currency: str
    account: str


class PortfolioValue(msgspec.Struct, frozen=True, kw_only=True):
    """A position with its value and its gain."""

    contract: WireContract
    position: Decimal
    market_price: Decimal
    market_value: Decimal
    average_cost: Decimal
    unrealized_pnl: Decimal
    realized_pnl: Decimal
    account: str


class AccountUpdateTime(msgspec.Struct, frozen=True, kw_only=True):
    """When the figures were taken, `HH:MM`."""

    clock: str


class AccountDownloadEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The first picture of the account is complete."""

    account: str


class AccountUpdateMulti(msgspec.Struct, frozen=True, kw_only=True):
    """One figure, for a request by account or model."""

    req_id: int
    account: str
    model_code: str
    key: str
    value: str
    currency: str


class AccountUpdateMultiEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The first picture is complete."""

    req_id: int


class AccountSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a summary."""

    req_id: int
    account: str
    tag: str
    value: str
    currency: str


class AccountSummaryEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The summary is complete."""

    req_id: int


class Pnl(msgspec.Struct, frozen=True, kw_only=True):
    """The account's gain of the day, open and realised."""

    req_id: int
    daily: Decimal | None
    unrealized: Decimal | None
    realized: Decimal | None


class PnlSingle(msgspec.Struct, frozen=True, kw_only=True):
    """One position's gain of the day, open and realised, and its value."""

    req_id: int
    position: Decimal
    daily: Decimal | None
    unrealized: Decimal | None
    realized: Decimal | None
    value: Decimal | None


class SoftDollarTiers(msgspec.Struct, frozen=True, kw_only=True):
    """Soft-dollar tiers: name, value, display name."""

    req_id: int
    tiers: tuple[tuple[str, str, str], ...] = ()


class FamilyCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts and their family codes."""

    codes: tuple[tuple[str, str], ...]


def _simple(number: int, struct: type[msgspec.Struct], *items: Row) -> Layout[msgspec.Struct]:
    return Layout(struct, Literal(str(number)), Literal("1"), *items)


_REQ_ID = Row("req_id", ID)
_PORTFOLIO_CONTRACT = (
    Row("con_id", INT),
    *rows(TEXT, "symbol sec_type expiry"),
    Row("strike", MAYBE_ZERO),
    *rows(TEXT, "right multiplier primary_exchange currency local_symbol trading_class"),
)
_HOLDING = rows(NUMBER, "position avg_cost")

ACCOUNT_REPLIES: dict[type[msgspec.Struct], Layout[msgspec.Struct]] = {
    ManagedAccounts: _simple(15, ManagedAccounts, Row("accounts", TEXT)),
    NextValidId: _simple(9, NextValidId, Row("order_id", ID)),
    CurrentTime: _simple(49, CurrentTime, Row("seconds", ID)),
    CurrentTimeMillis: Layout(CurrentTimeMillis, Literal("109"), Row("millis", ID)),
    UserInfo: Layout(UserInfo, Literal("107"), _REQ_ID, Row("branding", TEXT)),
    PositionReply: Layout(
        PositionReply,
        Literal("61"),
        Literal("3"),
        Row("account", TEXT),
        Part("contract", CONTRACT11),
        *_HOLDING,
    ),
    PositionEnd: _simple(62, PositionEnd),
    PositionMulti: Layout(
        PositionMulti,
        Literal("71"),
        Literal("3"),
        _REQ_ID,
        Row("account", TEXT),
        Part("contract", CONTRACT11),
        *_HOLDING,
        Row("model_code", TEXT),
    ),
    PositionMultiEnd: _simple(72, PositionMultiEnd, _REQ_ID),
    AccountValue: Layout(
        AccountValue, Literal("6"), Literal("2"), *rows(TEXT, "key value currency account")
    ),
    PortfolioValue: Layout(
        PortfolioValue,
        Literal("7"),
        Literal("8"),
        Scope("contract", _PORTFOLIO_CONTRACT),
        *rows(NUMBER, "position market_price market_value average_cost"),
        *rows(NUMBER, "unrealized_pnl realized_pnl"),
        Row("account", TEXT),
        scopes={"contract": WireContract},
    ),
    AccountUpdateTime: _simple(8, AccountUpdateTime, Row("clock", TEXT)),
    AccountDownloadEnd: _simple(54, AccountDownloadEnd, Row("account", TEXT)),
    AccountUpdateMulti: _simple(
        73, AccountUpdateMulti, _REQ_ID, *rows(TEXT, "account model_code key value currency")
    ),
    AccountUpdateMultiEnd: _simple(74, AccountUpdateMultiEnd, _REQ_ID),
    AccountSummary: _simple(63, AccountSummary, _REQ_ID, *rows(TEXT, "account tag value currency")),
    AccountSummaryEnd: _simple(64, AccountSummaryEnd, _REQ_ID),
    Pnl: Layout(Pnl, Literal("94"), _REQ_ID, *rows(MAX_DOUBLE, "daily unrealized realized")),
    PnlSingle: Layout(
        PnlSingle,
        Literal("95"),
        _REQ_ID,
        Row("position", NUMBER),
        *rows(MAX_DOUBLE, "daily unrealized realized value"),
    ),
    SoftDollarTiers: Layout(
        SoftDollarTiers, Literal("77"), _REQ_ID, Values("tiers", (TEXT, TEXT, TEXT))
    ),
    FamilyCodes: Layout(FamilyCodes, Literal("78"), Values("codes", (TEXT, TEXT))),
}
