"""An order in TWS's own words: everything placeOrder can say, kept so that it can be echoed.

The simulator acts on a small part of it (`session_orders` translates that part); the rest is
returned in openOrder and completedOrder as it came.
"""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.conditions import Condition
from ibkr_trader.sim.gateway.contracts import ComboLeg, DeltaNeutral, WireContract
from ibkr_trader.sim.gateway.kinds import ZERO

Tag = tuple[str, str]


class WireOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every field of placeOrder but the order id; `None` is unset, names are TWS's."""

    contract: WireContract = WireContract()
    sec_id_type: str = ""
    sec_id: str = ""
    legs: tuple[ComboLeg, ...] = ()
    leg_prices: tuple[Decimal | None, ...] = ()
    routing: tuple[Tag, ...] = ()
    delta_neutral: tuple[DeltaNeutral, ...] = ()

    action: str = ""
    quantity: Decimal = ZERO
    order_type: str = ""
    limit_price: Decimal | None = None
    aux_price: Decimal | None = None
    tif: str = ""
    oca_group: str = ""
    account: str = ""
    open_close: str = ""
    origin: int = 0
    order_ref: str = ""
    transmit: bool = True
    parent_id: int = 0
    block_order: bool = False
    sweep_to_fill: bool = False
    display_size: int | None = None
    trigger_method: int = 0
    outside_rth: bool = False
    hidden: bool = False

    discretionary_amount: Decimal = ZERO
    good_after_time: str = ""
    good_till_date: str = ""
    fa_group: str = ""
    fa_method: str = ""
    fa_percentage: str = ""
    fa_profile: str = ""
    model_code: str = ""
    short_sale_slot: int = 0
    designated_location: str = ""
    exempt_code: int = -1
    oca_type: int = 0
    rule_80a: str = ""
    settling_firm: str = ""
    all_or_none: bool = False
    min_quantity: int | None = None
    percent_offset: Decimal | None = None
    etrade_only: bool = False
    firm_quote_only: bool = False
    nbbo_price_cap: Decimal | None = None
    auction_strategy: int = 0
    starting_price: Decimal | None = None
    stock_ref_price: Decimal | None = None
    delta: Decimal | None = None
    stock_range_lower: Decimal | None = None
    stock_range_upper: Decimal | None = None
    override_constraints: bool = False
    volatility: Decimal | None = None
    volatility_type: int | None = None

    hedge_order_type: str = ""
    hedge_aux_price: Decimal | None = None
    hedge_con_id: int = 0
    hedge_settling_firm: str = ""
    hedge_clearing_account: str = ""
    hedge_clearing_intent: str = ""
    hedge_open_close: str = ""
    hedge_short_sale: bool = False
    hedge_short_sale_slot: int = 0
    hedge_designated_location: str = ""

    continuous_update: bool = False
    reference_price_type: int | None = None
    trail_stop_price: Decimal | None = None
    trailing_percent: Decimal | None = None
    scale_init_level_size: int | None = None
    scale_subs_level_size: int | None = None
    scale_price_increment: Decimal | None = None
    scale_price_adjust_value: Decimal | None = None
    scale_price_adjust_interval: int | None = None
    scale_profit_offset: Decimal | None = None
    scale_auto_reset: bool = False
    scale_init_position: int | None = None
    scale_init_fill_quantity: int | None = None
    scale_random_percent: bool = False
    scale_table: str = ""
    active_start_time: str = ""
    active_stop_time: str = ""
    hedge_type: str = ""
    hedge_param: str = ""
    opt_out_smart_routing: bool = False
    clearing_account: str = ""
    clearing_intent: str = ""
    not_held: bool = False
    algo_strategy: str = ""
    algo_params: tuple[Tag, ...] = ()
    algo_id: str = ""
    what_if: bool = False
    misc_options: tuple[Tag, ...] = ()
    solicited: bool = False
    randomize_size: bool = False
    randomize_price: bool = False

    reference_contract_id: int = 0
    is_pegged_change_decrease: bool = False
    pegged_change_amount: Decimal = ZERO
    reference_change_amount: Decimal = ZERO
    reference_exchange: str = ""

    conditions: tuple[Condition, ...] = ()
    conditions_ignore_rth: bool = False
    conditions_cancel_order: bool = False

    adjusted_order_type: str = ""
    trigger_price: Decimal | None = None
    limit_price_offset: Decimal | None = None
    adjusted_stop_price: Decimal | None = None
    adjusted_stop_limit_price: Decimal | None = None
    adjusted_trailing_amount: Decimal | None = None
    adjustable_trailing_unit: int = 0
    ext_operator: str = ""
    soft_dollar_name: str = ""
    soft_dollar_value: str = ""
    cash_quantity: Decimal | None = None
    mifid2_decision_maker: str = ""
    mifid2_decision_algo: str = ""
    mifid2_execution_trader: str = ""
    mifid2_execution_algo: str = ""
    no_auto_price_for_hedge: bool = False
    is_oms_container: bool = False
    discretionary_to_limit: bool = False
    use_price_mgmt_algo: bool = False
    duration: int | None = None
    post_to_ats: int | None = None
    auto_cancel_parent: bool = False
    advanced_error_override: str = ""
    manual_order_time: str = ""
    min_trade_quantity: int | None = None
    min_compete_size: int | None = None
    compete_offset: Decimal | None = None
    mid_offset_at_whole: Decimal | None = None
    mid_offset_at_half: Decimal | None = None
    customer_account: str = ""
    professional_customer: bool = False
    include_overnight: bool = False
    manual_order_indicator: int | None = None
    imbalance_only: bool = False
