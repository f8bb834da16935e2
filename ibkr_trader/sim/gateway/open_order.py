"""openOrder (5): an order told back, strict to the last position.

ib_insync fails on any missing or extra field in the middle.
"""

import msgspec

from ibkr_trader.sim.gateway.items import Item, Literal, Row, Scope
from ibkr_trader.sim.gateway.kinds import (
    FLAG,
    ID,
    INT,
    MAX_DOUBLE,
    MAX_INT,
    MAYBE,
    MAYBE_INT,
    MAYBE_ZERO,
    TEXT,
)
from ibkr_trader.sim.gateway.layout import Layout, rows
from ibkr_trader.sim.gateway.order_blocks import (
    ALGO,
    CONDITION_BLOCK,
    HEDGE,
    HEDGE_ORDER,
    LEGS,
    NEUTRAL,
    PEG_BENCH,
)
from ibkr_trader.sim.gateway.order_echo import (
    ECHO_ADJUSTED_TYPE,
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


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that the simulator holds, or the answer to a what-if."""

    order_id: int
    client_id: int
    perm_id: int
    order: WireOrder
    state: OrderState


_OPEN_HEAD: tuple[Item, ...] = (
    Literal(),  # sharesAllocation, dead
    *ECHO_OWNERSHIP,
    Row("auction_strategy", INT),
    *ECHO_PRICES,
    Row("display_size", MAX_INT),
    *rows(FLAG, "block_order sweep_to_fill all_or_none"),
    Row("min_quantity", MAYBE_INT),
    Row("oca_type", ECHO_OCA_TYPE),
    *rows(FLAG, "etrade_only firm_quote_only"),
    Row("nbbo_price_cap", MAYBE),
    *rows(INT, "parent_id trigger_method"),
    *ECHO_VOLATILITY,
    *HEDGE_ORDER,
    *ECHO_REFERENCE,
    Literal(),  # basisPoints
    Literal(),  # basisPointsType
    Literal(),  # comboLegsDescrip
    *LEGS,
    *ECHO_SCALE,
    *HEDGE,
    Row("opt_out_smart_routing", FLAG),
    Row("clearing_account", TEXT),
    Row("clearing_intent", ECHO_INTENT),
    Row("not_held", FLAG),
    *NEUTRAL,
    *ALGO,
    *rows(FLAG, "solicited what_if"),
)
_STATE: tuple[Item, ...] = (
    Row("status", TEXT),
    *rows(MAX_DOUBLE, "init_margin_before maint_margin_before equity_before"),
    *rows(MAX_DOUBLE, "init_margin_change maint_margin_change equity_change"),
    *rows(MAX_DOUBLE, "init_margin_after maint_margin_after equity_after"),
    *rows(MAYBE, "commission min_commission max_commission"),
    Row("commission_currency", TEXT),
    Literal(since=195),  # marginCurrency
    *(Literal(MAX_DOUBLE.write(None), since=195) for _ in range(9)),  # outside regular hours
    Literal(since=195),  # suggestedSize
    Row("reject_reason", TEXT, since=195),
    Literal("0", since=195),  # allocations
    Row("warning_text", TEXT),
)
_OPEN_TAIL: tuple[Item, ...] = (
    *rows(FLAG, "randomize_size randomize_price"),
    *PEG_BENCH,
    *CONDITION_BLOCK,
    Row("adjusted_order_type", ECHO_ADJUSTED_TYPE),
    Row("trigger_price", MAX_DOUBLE),
    Row("trail_stop_price", MAX_DOUBLE),
    *rows(MAX_DOUBLE, "limit_price_offset adjusted_stop_price adjusted_stop_limit_price"),
    Row("adjusted_trailing_amount", MAX_DOUBLE),
    Row("adjustable_trailing_unit", INT),
    *rows(TEXT, "soft_dollar_name soft_dollar_value"),
    Literal(),  # softDollarDisplayName
    Row("cash_quantity", MAYBE_ZERO),
    *rows(FLAG, "no_auto_price_for_hedge is_oms_container discretionary_to_limit"),
    Row("use_price_mgmt_algo", FLAG),
    Row("duration", MAYBE_INT, since=158),
    Row("post_to_ats", MAYBE_INT, since=160),
    Row("auto_cancel_parent", FLAG, since=162),
    *ECHO_PEG,
    *ECHO_CUSTOMER,
    Literal(since=185),  # bondAccruedInterest
    Row("include_overnight", FLAG, since=189),
    Row("ext_operator", TEXT, since=193),
    Row("manual_order_indicator", MAYBE_INT, since=193),
    Literal(since=198),  # submitter
    Row("imbalance_only", FLAG, since=199),
)
OPEN_ORDER: Layout[msgspec.Struct] = Layout(
    OpenOrder,
    Literal("5"),
    Row("order_id", ID),
    Scope("order", ECHO_TERMS),
    *rows(ID, "client_id perm_id"),
    Scope("order", ECHO_VALIDITY + _OPEN_HEAD),
    Scope("state", _STATE),
    Scope("order", _OPEN_TAIL),
    scopes={"order": WireOrder, "state": OrderState},
)
