"""Requests about the session and the account (WIRE.md 3.1, 3.3), each with its table row."""

import msgspec

from ibkr_trader.sim.gateway.items import Literal, Row
from ibkr_trader.sim.gateway.kinds import FLAG, ID, INT, TEXT
from ibkr_trader.sim.gateway.layout import Layout, rows


class StartApi(msgspec.Struct, frozen=True, kw_only=True):
    """The client says who it is; the conversation starts."""

    client_id: int
    capabilities: str = ""


class ReqIds(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the next free order id."""


class ReqManagedAccounts(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the accounts."""


class ReqCurrentTime(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the time, in seconds."""


class ReqCurrentTimeMillis(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the time, in milliseconds."""


class SetServerLogLevel(msgspec.Struct, frozen=True, kw_only=True):
    """Set how much the server logs; accepted and without effect, as nothing answers it."""

    level: int


class ReqUserInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the white-branding id."""

    req_id: int


class ReqPositions(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to positions."""


class CancelPositions(msgspec.Struct, frozen=True, kw_only=True):
    """End that subscription."""


class ReqPositionsMulti(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to the positions of one account or model."""

    req_id: int
    account: str
    model_code: str


class CancelPositionsMulti(msgspec.Struct, frozen=True, kw_only=True):
    """End that subscription."""

    req_id: int


class ReqAccountUpdates(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to, or leave, account values and the portfolio."""

    subscribe: bool
    account: str


class ReqAccountUpdatesMulti(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to the values of one account or model."""

    req_id: int
    account: str
    model_code: str
    ledger_only: bool


class CancelAccountUpdatesMulti(msgspec.Struct, frozen=True, kw_only=True):
    """End that subscription."""

    req_id: int


class ReqAccountSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to some tags of a group of accounts."""

    req_id: int
    group: str
    tags: str


class CancelAccountSummary(msgspec.Struct, frozen=True, kw_only=True):
    """End that subscription."""

    req_id: int


class ReqPnl(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to the account's profit and loss."""

    req_id: int
    account: str
    model_code: str


class CancelPnl(msgspec.Struct, frozen=True, kw_only=True):
    """End that subscription."""

    req_id: int


class ReqPnlSingle(msgspec.Struct, frozen=True, kw_only=True):
    """Subscribe to one position's profit and loss."""

    req_id: int
    account: str
    model_code: str
    con_id: int


class CancelPnlSingle(msgspec.Struct, frozen=True, kw_only=True):
    """End that subscription."""

    req_id: int


class RequestFa(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a financial advisor's configuration."""

    fa_type: int


class ReplaceFa(msgspec.Struct, frozen=True, kw_only=True):
    """Replace a financial advisor's configuration."""

    fa_type: int
    xml: str
    req_id: int


class ReqSoftDollarTiers(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for soft-dollar tiers."""

    req_id: int


class ReqFamilyCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for account family codes."""


_VERSION = Literal("1")
_REQ_ID = Row("req_id", ID)
_MODEL = rows(TEXT, "account model_code")

ACCOUNT_REQUESTS: dict[int, Layout[msgspec.Struct]] = {
    71: Layout(StartApi, Literal("2"), Row("client_id", ID), Row("capabilities", TEXT)),
    8: Layout(ReqIds, _VERSION),
    17: Layout(ReqManagedAccounts, _VERSION),
    49: Layout(ReqCurrentTime, _VERSION),
    105: Layout(ReqCurrentTimeMillis),
    14: Layout(SetServerLogLevel, _VERSION, Row("level", INT)),
    104: Layout(ReqUserInfo, _REQ_ID),
    61: Layout(ReqPositions, _VERSION),
    64: Layout(CancelPositions, _VERSION),
    74: Layout(ReqPositionsMulti, _VERSION, _REQ_ID, *_MODEL),
    75: Layout(CancelPositionsMulti, _VERSION, _REQ_ID),
    6: Layout(ReqAccountUpdates, Literal("2"), Row("subscribe", FLAG), Row("account", TEXT)),
    76: Layout(ReqAccountUpdatesMulti, _VERSION, _REQ_ID, *_MODEL, Row("ledger_only", FLAG)),
    77: Layout(CancelAccountUpdatesMulti, _VERSION, _REQ_ID),
    62: Layout(ReqAccountSummary, _VERSION, _REQ_ID, *rows(TEXT, "group tags")),
    63: Layout(CancelAccountSummary, _VERSION, _REQ_ID),
    92: Layout(ReqPnl, _REQ_ID, *_MODEL),
    93: Layout(CancelPnl, _REQ_ID),
    94: Layout(ReqPnlSingle, _REQ_ID, *_MODEL, Row("con_id", INT)),
    95: Layout(CancelPnlSingle, _REQ_ID),
    18: Layout(RequestFa, _VERSION, Row("fa_type", INT)),
    19: Layout(ReplaceFa, _VERSION, Row("fa_type", INT), Row("xml", TEXT), _REQ_ID),
    79: Layout(ReqSoftDollarTiers, _REQ_ID),
    80: Layout(ReqFamilyCodes),
}
