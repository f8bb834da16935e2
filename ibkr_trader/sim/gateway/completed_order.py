"""completedOrder (101): an order that ended, told back on request and never unasked."""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.items import Item, Literal, Row, Scope, When
from ibkr_trader.sim.gateway.kinds import (
    FLAG,
    ID,
    INT,
    MAX_DOUBLE,
    MAX_INT,
    MAX_LONG,
    MAYBE_INT,
    MAYBE_ZERO,
    NUMBER,
    TEXT,
    ZERO,
)
from ibkr_trader.sim.gateway.layout import Layout, rows
from ibkr_trader.sim.gateway.order_blocks import (
    ALGO,
    CONDITION_BLOCK,
    HEDGE,
    LEGS,
    NEUTRAL,
    PEG_BENCH,
)
from ibkr_trader.sim.gateway.order_echo import (
    ECHO_CUSTOMER,
    ECHO_INTENT,
    ECHO_OCA_TYPE,
    ECHO_OWNERSHIP,
    ECHO_PEG,
    ECHO_PRICES,
    ECHO_REFERENCE,
    ECHO_SCALE,
    ECHO_TERMS,
    ECHO_VALIDITY,
    ECHO_VOLATILITY,
    OrderState,
)
from ibkr_trader.sim.gateway.wire_order import WireOrder

NO_HOLDINGS = "Not an insider or substantial shareholder"


class CompletedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that ended today; it has neither order id nor client id on the wire."""

    perm_id: int
    order: WireOrder
    state: OrderState
    filled: Decimal = ZERO
    parent_perm_id: int | None = None
    completed_time: str = ""
    completed_status: str = ""


_DONE_HEAD: tuple[Item, ...] = (
    *ECHO_OWNERSHIP,
    *ECHO_PRICES,
    Row("display_size", MAX_INT),
    *rows(FLAG, "sweep_to_fill all_or_none"),
    Row("min_quantity", MAYBE_INT),
    Row("oca_type", ECHO_OCA_TYPE),
    Row("trigger_method", INT),
    *ECHO_VOLATILITY,
)
_DONE_BODY: tuple[Item, ...] = (
    *ECHO_REFERENCE,
    Literal(),  # comboLegsDescrip
    *LEGS,
    *ECHO_SCALE,
    *HEDGE,
    Row("clearing_account", TEXT),
    Row("clearing_intent", ECHO_INTENT),
    Row("not_held", FLAG),
    *NEUTRAL,
    *ALGO,
    Row("solicited", FLAG),
)
_DONE_TAIL: tuple[Item, ...] = (
    *rows(FLAG, "randomize_size randomize_price"),
    *PEG_BENCH,
    *CONDITION_BLOCK,
    *rows(MAX_DOUBLE, "trail_stop_price limit_price_offset"),
    Row("cash_quantity", MAYBE_ZERO),
    *rows(FLAG, "no_auto_price_for_hedge is_oms_container"),
    Literal(),  # autoCancelDate
)
_HEDGE_ORDER: tuple[Item, ...] = (
    When(
        "hedge_order_type",
        bool,
        (
            Row("hedge_con_id", INT),
            Row("hedge_short_sale", FLAG),
            Row("hedge_short_sale_slot", INT),
            Row("hedge_designated_location", TEXT),
        ),
    ),
)
COMPLETED_ORDER: Layout[msgspec.Struct] = Layout(
    CompletedOrder,
    Literal("101"),
    Scope("order", ECHO_TERMS),
    Row("perm_id", ID),
    Scope("order", ECHO_VALIDITY + _DONE_HEAD + _HEDGE_ORDER + _DONE_BODY),
    Scope("state", (Row("status", TEXT),)),
    Scope("order", _DONE_TAIL),
    Row("filled", NUMBER),
    Literal(MAX_INT.write(None)),  # refFuturesConId
    Scope("order", (Row("auto_cancel_parent", FLAG),)),
    Literal(NO_HOLDINGS),
    Scope("order", (Row("imbalance_only", FLAG),)),
    Literal("0"),  # routeMarketableToBbo
    Row("parent_perm_id", MAX_LONG),
    *rows(TEXT, "completed_time completed_status"),
    Scope("order", ECHO_PEG + ECHO_CUSTOMER),
    Literal(since=198),  # submitter
    scopes={"order": WireOrder, "state": OrderState},
)
