"""Replies about orders, executions and errors (WIRE.md 5.1, 5.3), each with its table row."""

from datetime import datetime
from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.contracts import CONTRACT11, WireContract
from ibkr_trader.sim.gateway.items import Literal, Part, Row
from ibkr_trader.sim.gateway.kinds import (
    ESCAPED,
    ID,
    INT,
    MAX_DOUBLE,
    MAYBE_INT,
    NUMBER,
    PLAIN_TIME,
    TEXT,
    ZERO,
    ZONED_TIME,
)
from ibkr_trader.sim.gateway.layout import Layout, rows


class ErrorMessage(msgspec.Struct, frozen=True, kw_only=True):
    """An error or a notice; `req_id` is a request, an order, or -1."""

    req_id: int
    code: int
    text: str
    reject_json: str = ""
    at_millis: int = 0


class OrderStatusReply(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order stands."""

    order_id: int
    status: str
    filled: Decimal
    remaining: Decimal
    avg_fill_price: Decimal
    perm_id: int
    parent_id: int
    last_fill_price: Decimal
    client_id: int
    why_held: str = ""
    mkt_cap_price: Decimal = ZERO


class OpenOrderEnd(msgspec.Struct, frozen=True, kw_only=True):
    """No more open orders."""


class ExecDetails(msgspec.Struct, frozen=True, kw_only=True):
    """One execution; `req_id` is -1 when it is news and not an answer."""

    req_id: int
    order_id: int
    contract: WireContract
    exec_id: str
    at: datetime
    account: str
    exchange: str
    side: str
    shares: Decimal
    price: Decimal
    perm_id: int
    client_id: int
    liquidation: int = 0
    cum_quantity: Decimal = ZERO
    avg_price: Decimal = ZERO
    order_ref: str = ""
    model_code: str = ""
    last_liquidity: int = 2


class ExecDetailsEnd(msgspec.Struct, frozen=True, kw_only=True):
    """No more executions."""

    req_id: int


class CommissionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an execution cost and, if it closed something, earned."""

    exec_id: str
    commission: Decimal | None
    currency: str
    realized_pnl: Decimal | None = None


class OrderBound(msgspec.Struct, frozen=True, kw_only=True):
    """A manual order got an order id of client 0."""

    perm_id: int
    client_id: int
    order_id: int


class CompletedOrdersEnd(msgspec.Struct, frozen=True, kw_only=True):
    """No more completed orders."""


ORDER_REPLIES: dict[type[msgspec.Struct], Layout[msgspec.Struct]] = {
    ErrorMessage: Layout(
        ErrorMessage,
        Literal("4"),
        Literal("2", until=194),
        *rows(ID, "req_id code"),
        Row("text", ESCAPED),
        Row("reject_json", TEXT, since=166),
        Row("at_millis", INT, since=194),
    ),
    OrderStatusReply: Layout(
        OrderStatusReply,
        Literal("3"),
        Row("order_id", ID),
        Row("status", TEXT),
        *rows(NUMBER, "filled remaining avg_fill_price"),
        *rows(ID, "perm_id parent_id"),
        Row("last_fill_price", NUMBER),
        Row("client_id", ID),
        Row("why_held", TEXT),
        Row("mkt_cap_price", NUMBER),
    ),
    OpenOrderEnd: Layout(OpenOrderEnd, Literal("53"), Literal("1")),
    ExecDetails: Layout(
        ExecDetails,
        Literal("11"),
        *rows(ID, "req_id order_id"),
        Part("contract", CONTRACT11),
        Row("exec_id", TEXT),
        Row("at", PLAIN_TIME, until=174),
        Row("at", ZONED_TIME, since=174),
        *rows(TEXT, "account exchange side"),
        *rows(NUMBER, "shares price"),
        *rows(ID, "perm_id client_id liquidation"),
        *rows(NUMBER, "cum_quantity avg_price"),
        Row("order_ref", TEXT),
        Literal(),  # evRule
        Literal(),  # evMultiplier
        Row("model_code", TEXT),
        Row("last_liquidity", INT),
        Literal("0", since=178),  # pendingPriceRevision
        Literal(since=198),  # submitter
    ),
    ExecDetailsEnd: Layout(ExecDetailsEnd, Literal("55"), Literal("1"), Row("req_id", ID)),
    CommissionReport: Layout(
        CommissionReport,
        Literal("59"),
        Literal("1"),
        Row("exec_id", TEXT),
        Row("commission", MAX_DOUBLE),
        Row("currency", TEXT),
        Row("realized_pnl", MAX_DOUBLE),
        Literal(MAX_DOUBLE.write(None)),  # yield
        Literal(MAYBE_INT.write(None)),  # yieldRedemptionDate
    ),
    OrderBound: Layout(OrderBound, Literal("100"), *rows(ID, "perm_id client_id order_id")),
    CompletedOrdersEnd: Layout(CompletedOrdersEnd, Literal("102")),
}
