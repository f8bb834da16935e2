"""The rows that openOrder and completedOrder share, and the state that stands beside an order.

Defaults are those that a live TWS was recorded to send (an unset limit price is `0`, an unset
trigger is Java's largest double), so that a client sees here what it will see there.
"""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.contracts import CONTRACT11
from ibkr_trader.sim.gateway.items import Item, Literal, Part, Row
from ibkr_trader.sim.gateway.kinds import (
    FLAG,
    INT,
    MAX_INT,
    MAYBE,
    MAYBE_INT,
    MAYBE_ZERO,
    NUMBER,
    TEXT,
    Kind,
    instead,
)
from ibkr_trader.sim.gateway.layout import rows
from ibkr_trader.sim.gateway.order_blocks import (
    SCALE,
)


class OrderState(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in openOrder beside the order: its status and, for a what-if, its cost."""

    status: str
    init_margin_before: Decimal | None = None
    maint_margin_before: Decimal | None = None
    equity_before: Decimal | None = None
    init_margin_change: Decimal | None = None
    maint_margin_change: Decimal | None = None
    equity_change: Decimal | None = None
    init_margin_after: Decimal | None = None
    maint_margin_after: Decimal | None = None
    equity_after: Decimal | None = None
    commission: Decimal | None = None
    min_commission: Decimal | None = None
    max_commission: Decimal | None = None
    commission_currency: str = ""
    warning_text: str = ""
    reject_reason: str = ""


def _none_is_empty(text: str) -> str:
    return "" if text == "None" else text


ECHO_ADJUSTED_TYPE = instead(Kind(_none_is_empty, TEXT.write), "None")
_TIF = instead(TEXT, "DAY")
ECHO_OCA_TYPE = instead(INT, "3")
ECHO_INTENT = instead(TEXT, "IB")

ECHO_TERMS: tuple[Item, ...] = (
    Part("contract", CONTRACT11),
    Row("action", TEXT),
    Row("quantity", NUMBER),
    Row("order_type", TEXT),
    *rows(MAYBE_ZERO, "limit_price aux_price"),
    Row("tif", _TIF),
    *rows(TEXT, "oca_group account"),
    Literal(),  # openClose, which TWS leaves empty
    Row("origin", INT),
    Row("order_ref", TEXT),
)
ECHO_VALIDITY: tuple[Item, ...] = (
    *rows(FLAG, "outside_rth hidden"),
    Row("discretionary_amount", NUMBER),
    Row("good_after_time", TEXT),
)
ECHO_OWNERSHIP: tuple[Item, ...] = (
    *rows(TEXT, "fa_group fa_method fa_percentage"),
    Row("fa_profile", TEXT, until=177),
    *rows(TEXT, "model_code good_till_date rule_80a"),
    Row("percent_offset", MAYBE),
    Row("settling_firm", TEXT),
    Row("short_sale_slot", INT),
    Row("designated_location", TEXT),
    Row("exempt_code", INT),
)
ECHO_PRICES = rows(
    MAYBE, "starting_price stock_ref_price delta stock_range_lower stock_range_upper"
)
ECHO_VOLATILITY: tuple[Item, ...] = (
    Row("volatility", MAYBE),
    Row("volatility_type", instead(MAYBE_INT, "0")),
    Row("hedge_order_type", TEXT),
    Row("hedge_aux_price", MAYBE),
)
ECHO_SCALE: tuple[Item, ...] = (
    *rows(MAX_INT, "scale_init_level_size scale_subs_level_size"),
    Row("scale_price_increment", MAYBE),
    *SCALE,
)
ECHO_REFERENCE: tuple[Item, ...] = (
    Row("continuous_update", FLAG),
    Row("reference_price_type", instead(MAYBE_INT, "0")),
    *rows(MAYBE, "trail_stop_price trailing_percent"),
)
ECHO_PEG: tuple[Item, ...] = (
    Row("min_trade_quantity", MAYBE_INT, since=170),
    Row("min_compete_size", instead(MAYBE_INT, "100"), since=170),
    Row("compete_offset", instead(MAYBE, "0.02"), since=170),
    *rows(MAYBE, "mid_offset_at_whole mid_offset_at_half", since=170),
)
ECHO_CUSTOMER: tuple[Item, ...] = (
    Row("customer_account", TEXT, since=183),
    Row("professional_customer", FLAG, since=184),
)
