"""From the exchange's orders and executions to the replies that describe them."""

from typing import Any

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.sim.gateway.completed_order import CompletedOrder
from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.open_order import OpenOrder
from ibkr_trader.sim.gateway.order_echo import OrderState
from ibkr_trader.sim.gateway.order_replies import CommissionReport, ExecDetails, OrderStatusReply
from ibkr_trader.sim.gateway.times import zoned_text
from ibkr_trader.sim.gateway.wire_order import WireOrder
from ibkr_trader.sim.matching import TRAIL_TYPES, own_limit, told_why
from ibkr_trader.sim.orders import ZERO, Execution, Preview, SimOrder


def order_status(order: SimOrder) -> OrderStatusReply:
    """Return where an order stands."""
    return OrderStatusReply(
        order_id=order.order_id,
        status=order.told_status,
        filled=order.filled,
        remaining=order.remaining,
        avg_fill_price=order.average_price,
        perm_id=order.perm_id,
        parent_id=order.terms.parent_id,
        last_fill_price=order.last_fill_price,
        client_id=order.client_id,
        why_held=told_why(order),
        mkt_cap_price=order.cap_price,
    )


def open_order(order: SimOrder, contract: WireContract | None = None) -> OpenOrder:
    """Return an order as openOrder tells it: as it came, save for what the exchange changed.

    One that came over no wire (a person entered it) is told with `contract`.
    """
    return OpenOrder(
        order_id=order.order_id,
        client_id=order.client_id,
        perm_id=order.perm_id,
        order=_echo(order, contract),
        state=_state(order),
    )


def completed_order(order: SimOrder, contract: WireContract | None = None) -> CompletedOrder:
    """Return an order that ended; TWS states no quantity for one that filled completely."""
    ended = order.completed_at
    wire = _echo(order, contract)
    if order.filled >= order.quantity:
        wire = msgspec.structs.replace(wire, quantity=ZERO)
    return CompletedOrder(
        perm_id=order.perm_id,
        order=wire,
        state=_state(order),
        filled=order.filled,
        parent_perm_id=order.parent_perm_id or None,
        completed_time=zoned_text(ended) if ended else "",
        completed_status=order.completed_status,
    )


def exec_details(execution: Execution, contract: WireContract, *, req_id: int) -> ExecDetails:
    """Return an execution; `req_id` is -1 for news."""
    return ExecDetails(
        req_id=req_id,
        order_id=execution.order_id,
        contract=contract,
        exec_id=execution.exec_id,
        at=execution.at,
        account=execution.account,
        exchange=execution.exchange,
        side="BOT" if execution.side is Side.BUY else "SLD",
        shares=execution.shares,
        price=execution.price,
        perm_id=execution.perm_id,
        client_id=execution.client_id,
        liquidation=int(execution.is_liquidation),
        cum_quantity=execution.cum_quantity,
        avg_price=execution.average_price,
        order_ref=execution.order_ref,
        last_liquidity=execution.liquidity,
    )


def commission_report(execution: Execution) -> CommissionReport:
    """Return what an execution cost."""
    return CommissionReport(
        exec_id=execution.exec_id,
        commission=execution.commission,
        currency=execution.currency,
        realized_pnl=execution.realized_pnl,
    )


def preview_order(client_id: int, order_id: int, order: WireOrder, *, answer: Preview) -> OpenOrder:
    """Return the answer to a what-if: an openOrder with margins, and never an order."""
    state = OrderState(
        status="PreSubmitted",
        init_margin_before=answer.init_margin_before,
        maint_margin_before=answer.maint_margin_before,
        equity_before=answer.equity_before,
        init_margin_change=answer.init_margin_change,
        maint_margin_change=answer.maint_margin_change,
        equity_change=answer.equity_change,
        init_margin_after=answer.init_margin_after,
        maint_margin_after=answer.maint_margin_after,
        equity_after=answer.equity_after,
        commission=answer.commission,
        commission_currency=answer.currency,
        warning_text=answer.warning,
    )
    return OpenOrder(order_id=order_id, client_id=client_id, perm_id=0, order=order, state=state)


_OWN = ("quantity", "oca_group", "oca_type")  # the exchange's own figures, not its terms'
# What the exchange, or a person at TWS, may change of what a client sent.
_TERMS = (
    *("action", "order_type", "limit_price", "aux_price", "trail_stop_price", "trailing_percent"),
    *("tif", "good_after_time", "good_till_date", "outside_rth", "parent_id", "trigger_method"),
    *("account", "order_ref", "all_or_none", "limit_price_offset", "adjusted_order_type"),
    *("trigger_price", "adjusted_stop_price", "adjusted_stop_limit_price"),
    *("adjusted_trailing_amount", "adjustable_trailing_unit"),
)


def _wire(order: SimOrder, contract: WireContract | None) -> WireOrder:
    """Return the order as it came; one that came in process has no wire form, so it gets one."""
    wire = order.terms.wire
    return wire if isinstance(wire, WireOrder) else WireOrder(contract=contract or WireContract())


def _currency(order: SimOrder) -> str:
    return _wire(order, None).contract.currency or "USD"


def _echo(order: SimOrder, contract: WireContract | None) -> WireOrder:
    wire, terms = _wire(order, contract), order.terms
    stated: dict[str, Any] = {name: getattr(order, name) for name in _OWN}
    stated |= {name: getattr(terms, name) for name in _TERMS}
    if terms.order_type in TRAIL_TYPES and order.stop_price is not None:
        stated["trail_stop_price"] = order.stop_price
        stated["limit_price"] = own_limit(order) or terms.limit_price
    changed = {name: value for name, value in stated.items() if getattr(wire, name) != value}
    return msgspec.structs.replace(wire, **changed) if changed else wire


def _state(order: SimOrder) -> OrderState:
    return OrderState(
        status=order.told_status,
        commission=order.commission or None,
        commission_currency=_currency(order) if order.commission else "",
        warning_text=order.warning,
    )
