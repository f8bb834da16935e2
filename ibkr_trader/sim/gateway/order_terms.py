"""From TWS's order to the exchange's terms: what is simulated, what is only echoed, what is not.

Every attribute of a wire order is in exactly one of three groups: it becomes a term; it changes
nothing that the simulator does and is told back (clearing, identity, compliance); or it is named in
`UNSUPPORTED` and makes the exchange refuse the order. Nothing is accepted in silence.
"""

from ibkr_trader.sim.gateway.order_blocks import is_set_above_zero
from ibkr_trader.sim.gateway.wire_order import WireOrder
from ibkr_trader.sim.orders import OrderTerms

UNSUPPORTED = {
    "legs": "comboLegs",
    "delta_neutral": "deltaNeutralContract",
    "block_order": "blockOrder",
    "sweep_to_fill": "sweepToFill",
    "display_size": "displaySize",
    "hidden": "hidden",
    "discretionary_amount": "discretionaryAmt",
    "fa_group": "faGroup",
    "fa_profile": "faProfile",
    "min_quantity": "minQty",
    "percent_offset": "percentOffset",
    "nbbo_price_cap": "nbboPriceCap",
    "auction_strategy": "auctionStrategy",
    "starting_price": "startingPrice",
    "stock_ref_price": "stockRefPrice",
    "delta": "delta",
    "stock_range_lower": "stockRangeLower",
    "stock_range_upper": "stockRangeUpper",
    "volatility": "volatility",
    "hedge_order_type": "deltaNeutralOrderType",
    "continuous_update": "continuousUpdate",
    "scale_init_level_size": "scaleInitLevelSize",
    "scale_table": "scaleTable",
    "active_start_time": "activeStartTime",
    "active_stop_time": "activeStopTime",
    "hedge_type": "hedgeType",
    "not_held": "notHeld",
    "algo_strategy": "algoStrategy",
    "randomize_size": "randomizeSize",
    "randomize_price": "randomizePrice",
    "conditions": "conditions",
    "cash_quantity": "cashQty",
    "discretionary_to_limit": "discretionaryUpToLimitPrice",
    "duration": "duration",
    "post_to_ats": "postToAts",
    "auto_cancel_parent": "autoCancelParent",
    "min_trade_quantity": "minTradeQty",
    "compete_offset": "competeAgainstBestOffset",
    "include_overnight": "includeOvernight",
    "imbalance_only": "imbalanceOnly",
}
ECHOED = frozenset(
    {
        "contract", "sec_id_type", "sec_id", "leg_prices", "routing", "open_close", "origin",
        "fa_method", "fa_percentage", "model_code", "short_sale_slot",
        "designated_location", "exempt_code", "rule_80a", "settling_firm", "etrade_only",
        "firm_quote_only", "override_constraints", "volatility_type", "reference_price_type",
        "clearing_account", "clearing_intent", "opt_out_smart_routing", "algo_id", "misc_options",
        "solicited", "conditions_ignore_rth", "conditions_cancel_order",
        "ext_operator", "soft_dollar_name", "soft_dollar_value",
        "mifid2_decision_maker", "mifid2_decision_algo", "mifid2_execution_trader",
        "mifid2_execution_algo", "no_auto_price_for_hedge", "is_oms_container",
        "use_price_mgmt_algo", "advanced_error_override", "manual_order_time",
        "customer_account", "professional_customer", "manual_order_indicator",
    }
)  # fmt: skip
_ITEMS = tuple(UNSUPPORTED.items())
_NO_TYPE = {"None": ""}  # what openOrder says, and clients send back


def order_terms(order: WireOrder, con_id: int) -> OrderTerms:
    """Return what the exchange is asked for; `order` goes along as the echo."""
    unsupported = tuple(name for field, name in _ITEMS if getattr(order, field))
    if is_set_above_zero(order.scale_price_increment):
        unsupported += ("scalePriceIncrement",)
    return OrderTerms(
        con_id=con_id,
        action=order.action,
        quantity=order.quantity,
        order_type=order.order_type,
        limit_price=order.limit_price,
        aux_price=order.aux_price,
        trail_stop_price=order.trail_stop_price,
        trailing_percent=order.trailing_percent,
        limit_price_offset=order.limit_price_offset,
        adjusted_order_type=_NO_TYPE.get(order.adjusted_order_type, order.adjusted_order_type),
        trigger_price=order.trigger_price,
        adjusted_stop_price=order.adjusted_stop_price,
        adjusted_stop_limit_price=order.adjusted_stop_limit_price,
        adjusted_trailing_amount=order.adjusted_trailing_amount,
        adjustable_trailing_unit=order.adjustable_trailing_unit,
        tif=order.tif,
        good_after_time=order.good_after_time,
        good_till_date=order.good_till_date,
        outside_rth=order.outside_rth,
        parent_id=order.parent_id,
        transmit=order.transmit,
        oca_group=order.oca_group,
        oca_type=order.oca_type,
        account=order.account,
        order_ref=order.order_ref,
        trigger_method=order.trigger_method,
        all_or_none=order.all_or_none,
        unsupported=unsupported,
        wire=order,
    )
