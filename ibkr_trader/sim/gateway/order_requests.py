"""Requests about orders and executions (WIRE.md 3.2), each with its table row."""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.contracts import CONTRACT11, WireContract
from ibkr_trader.sim.gateway.items import Literal, Part, Row, Scope, Values
from ibkr_trader.sim.gateway.kinds import FLAG, ID, INT, MAYBE_INT, NUMBER, TEXT
from ibkr_trader.sim.gateway.layout import Layout, rows
from ibkr_trader.sim.gateway.place_order import WIRE_ORDER
from ibkr_trader.sim.gateway.wire_order import WireOrder


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Place, modify, release or preview an order: which one is the session's to find out."""

    order_id: int
    order: WireOrder


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel one order."""

    order_id: int
    manual_time: str = ""
    ext_operator: str = ""
    manual_indicator: int | None = None


class GlobalCancel(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel every order of the account."""

    ext_operator: str = ""
    manual_indicator: int | None = None


class ReqOpenOrders(msgspec.Struct, frozen=True, kw_only=True):
    """This client's open orders."""


class ReqAllOpenOrders(msgspec.Struct, frozen=True, kw_only=True):
    """Every client's open orders."""


class ReqAutoOpenOrders(msgspec.Struct, frozen=True, kw_only=True):
    """Bind manual orders to client 0."""

    auto_bind: bool


class ReqCompletedOrders(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that ended today."""

    api_only: bool


class ReqExecutions(msgspec.Struct, frozen=True, kw_only=True):
    """Today's executions, filtered; empty and zero mean any."""

    req_id: int
    client_id: int = 0
    account: str = ""
    time: str = ""
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    side: str = ""
    last_days: int | None = None
    dates: tuple[str, ...] = ()


class ExerciseOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Exercise or lapse an option."""

    req_id: int
    contract: WireContract
    action: int
    quantity: Decimal
    account: str
    override: bool
    manual_time: str = ""
    customer_account: str = ""
    professional_customer: bool = False


_VERSION = Literal("1")
_MANUAL = (Row("ext_operator", TEXT, since=192), Row("manual_indicator", MAYBE_INT, since=192))
_DEAD = (Literal(since=187, until=190),) * 3

ORDER_REQUESTS: dict[int, Layout[msgspec.Struct]] = {
    3: Layout(
        PlaceOrder,
        Row("order_id", ID),
        Scope("order", WIRE_ORDER.rows),
        scopes={"order": WireOrder},
    ),
    4: Layout(
        CancelOrder,
        Literal("1", until=192),
        Row("order_id", ID),
        Row("manual_time", TEXT, since=169),
        *_DEAD,
        *_MANUAL,
    ),
    58: Layout(GlobalCancel, Literal("1", until=192), *_MANUAL),
    5: Layout(ReqOpenOrders, _VERSION),
    16: Layout(ReqAllOpenOrders, _VERSION),
    15: Layout(ReqAutoOpenOrders, _VERSION, Row("auto_bind", FLAG)),
    99: Layout(ReqCompletedOrders, Row("api_only", FLAG)),
    7: Layout(
        ReqExecutions,
        Literal("3"),
        Row("req_id", ID),
        Row("client_id", INT),
        *rows(TEXT, "account time symbol sec_type exchange side"),
        Row("last_days", MAYBE_INT, since=200),
        Values("dates", (TEXT,), since=200),
    ),
    21: Layout(
        ExerciseOptions,
        Literal("2"),
        Row("req_id", ID),
        Part("contract", CONTRACT11),
        Row("action", INT),
        Row("quantity", NUMBER),
        Row("account", TEXT),
        Row("override", FLAG),
        Row("manual_time", TEXT, since=180),
        Row("customer_account", TEXT, since=183),
        Row("professional_customer", FLAG, since=184),
    ),
}
