"""Blocks of rows that placeOrder, openOrder and completedOrder share, each stated once."""

from decimal import Decimal

from ibkr_trader.sim.gateway.conditions import CONDITIONS
from ibkr_trader.sim.gateway.contracts import COMBO_LEG, DELTA_NEUTRAL, WireContract
from ibkr_trader.sim.gateway.items import Item, Many, Row, Values, Variants, When
from ibkr_trader.sim.gateway.kinds import (
    FLAG,
    INFINITY,
    INT,
    MAYBE,
    MAYBE_INT,
    NUMBER,
    TEXT,
)
from ibkr_trader.sim.gateway.layout import rows


def is_set_above_zero(value: Decimal | None) -> bool:
    """Whether a scale increment switches the scale block on."""
    return value is not None and value > 0


def is_peg_bench(order_type: str) -> bool:
    """Whether the order pegs to a benchmark."""
    return order_type in ("PEG BENCH", "PEGBENCH")


def is_peg_best(order_type: str) -> bool:
    """Whether the order pegs to the best."""
    return order_type in ("PEG BEST", "PEGBEST")


def is_peg_mid(order_type: str) -> bool:
    """Whether the order pegs to the midpoint."""
    return order_type in ("PEG MID", "PEGMID")


def is_ats(contract: WireContract) -> bool:
    """Whether the order is routed to IBKR's own trading system."""
    return contract.exchange == "IBKRATS"


def is_infinite(value: Decimal | None) -> bool:
    """Whether a PEG BEST order competes up to the midpoint."""
    return value == INFINITY


LEGS: tuple[Item, ...] = (
    Many("legs", COMBO_LEG),
    Values("leg_prices", (MAYBE,)),
    Values("routing", (TEXT, TEXT)),
)
SCALE: tuple[Item, ...] = (
    When(
        "scale_price_increment",
        is_set_above_zero,
        (
            Row("scale_price_adjust_value", MAYBE),
            Row("scale_price_adjust_interval", MAYBE_INT),
            Row("scale_profit_offset", MAYBE),
            Row("scale_auto_reset", FLAG),
            *rows(MAYBE_INT, "scale_init_position scale_init_fill_quantity"),
            Row("scale_random_percent", FLAG),
        ),
    ),
)
HEDGE: tuple[Item, ...] = (
    Row("hedge_type", TEXT),
    When("hedge_type", bool, (Row("hedge_param", TEXT),)),
)
NEUTRAL: tuple[Item, ...] = (Many("delta_neutral", DELTA_NEUTRAL),)
HEDGE_ORDER: tuple[Item, ...] = (
    When(
        "hedge_order_type",
        bool,
        (
            Row("hedge_con_id", INT),
            *rows(TEXT, "hedge_settling_firm hedge_clearing_account hedge_clearing_intent"),
            Row("hedge_open_close", TEXT),
            Row("hedge_short_sale", FLAG),
            Row("hedge_short_sale_slot", INT),
            Row("hedge_designated_location", TEXT),
        ),
    ),
)
ALGO: tuple[Item, ...] = (
    Row("algo_strategy", TEXT),
    When("algo_strategy", bool, (Values("algo_params", (TEXT, TEXT)),)),
)
PEG_BENCH: tuple[Item, ...] = (
    When(
        "order_type",
        is_peg_bench,
        (
            Row("reference_contract_id", INT),
            Row("is_pegged_change_decrease", FLAG),
            *rows(NUMBER, "pegged_change_amount reference_change_amount"),
            Row("reference_exchange", TEXT),
        ),
    ),
)
CONDITION_BLOCK: tuple[Item, ...] = (
    Variants("conditions", CONDITIONS),
    When("conditions", bool, rows(FLAG, "conditions_ignore_rth conditions_cancel_order")),
)
