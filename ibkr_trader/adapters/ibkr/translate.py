"""Orders: the client library's values <-> ours. Nothing else turns a float into a price.

Every order that leaves states its lifetime, account, reference and outside-hours flag, and
every text is checked: a NUL in a reference would shift all fields behind it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.messages import OrderReport, WhatIfReport
from ibkr_trader.adapters.ibkr.translate_contracts import contract_of
from ibkr_trader.adapters.ibkr.translate_stops import (
    ORDER_TYPES,
    adjustment_of,
    fill_in_adjustment,
    fill_in_trail,
    good_after_text,
    limit_price_of,
    moment_of,
    order_type_of,
    stop_price_of,
    text_of,
)
from ibkr_trader.adapters.ibkr.translate_values import decimal, plain
from ibkr_trader.core.enums import OcaType, OrderType, Side, TimeInForce
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.ids import is_reference
from ibkr_trader.core.models import ZERO, WhatIf
from ibkr_trader.core.shapes import PRICES, TRAIL_TYPES

if TYPE_CHECKING:
    from ibkr_trader.adapters.ibkr.lib_types import LibContract, LibOrder, LibOrderState
    from ibkr_trader.core.models import OrderSpec

_TEXT = re.compile(r"[ -~]{0,64}")

_OCA_TYPES = {1: OcaType.CANCEL, 2: OcaType.REDUCE, 3: OcaType.REDUCE_NO_BLOCK}
_OCA_NUMBERS = {ours: number for number, ours in _OCA_TYPES.items()}


def fill_in_order(
    spec: OrderSpec,
    order: LibOrder,
    *,
    parent_id: int,
    transmit: bool,
    asked: frozenset[str] | None = None,
) -> None:
    """Write `spec` into the library's empty `order`.

    Args:
        spec: The order in full.
        order: What is sent.
        parent_id: The broker's id of its entry; 0 if none.
        transmit: Whether it releases what was sent before it.
        asked: The figures that a change names; None for a new order.

    Raises:
        InvariantBroken: If the spec is not fit to be sent: the guard should have denied it.
    """
    _check_form(spec)
    order.orderId = spec.broker_order_id
    order.action = spec.side.value
    order.totalQuantity = plain(spec.quantity)
    order.orderType = ORDER_TYPES[spec.order_type]
    if spec.order_type in TRAIL_TYPES:
        fill_in_trail(spec, order, asked)
    else:
        order.lmtPrice, order.auxPrice = text_of(spec.limit_price), text_of(spec.stop_price)
    fill_in_adjustment(spec.adjustment, order)
    order.tif = spec.time_in_force.value
    order.goodAfterTime = good_after_text(spec.good_after)
    order.ocaGroup = spec.oca_group
    order.ocaType = 0 if spec.oca_type is None else _OCA_NUMBERS[spec.oca_type]
    order.account = spec.account
    order.orderRef = spec.order_id
    order.outsideRth = spec.outside_rth
    order.openClose = ""
    order.parentId = parent_id
    order.transmit = transmit


def _check_form(spec: OrderSpec) -> None:
    terms = (spec, spec.adjustment) if spec.adjustment is not None else (spec,)
    prices = [getattr(one, name) for one in terms for name in PRICES]
    if spec.adjustment is not None:
        prices.append(spec.adjustment.trigger)
    wrong = [
        what
        for what, is_wrong in (
            ("the reference", not is_reference(spec.order_id)),
            ("the account", not spec.account or _TEXT.fullmatch(spec.account) is None),
            ("the OCA group", _TEXT.fullmatch(spec.oca_group) is None),
            ("the contract", spec.contract.con_id <= 0),
            ("the broker's id", spec.broker_order_id <= 0),
            ("the quantity", not (spec.quantity.is_finite() and spec.quantity > ZERO)),
            ("a price", any(price is not None and not price.is_finite() for price in prices)),
        )
        if is_wrong
    ]
    if wrong:
        raise InvariantBroken(f"order {spec.order_id!r} cannot be sent: {', '.join(wrong)}")


def order_report(
    contract: LibContract, order: LibOrder, state: LibOrderState, *, is_completed: bool = False
) -> OrderReport:
    """Return what openOrder or completedOrder says.

    Raises:
        ValueError: If a figure of it makes no sense.
    """
    order_type = order_type_of(order.orderType) or OrderType.MARKET
    is_trail = order_type in TRAIL_TYPES
    filled = (decimal(order.filledQuantity) or ZERO) if is_completed else ZERO
    remark = state.completedStatus if is_completed else state.warningText
    if order_type is OrderType.MARKET and order.orderType != "MKT":
        remark = f"order type {order.orderType}. {remark}".strip()  # at its worst, any price
    return OrderReport(
        order_id=order.orderId,
        client_id=order.clientId,
        perm_id=order.permId,
        parent_id=order.parentId,
        ref=order.orderRef,
        contract=contract_of(contract),
        account=order.account,
        side=_side(order.action),
        # A completed order states no quantity once it is completely filled.
        quantity=decimal(order.totalQuantity) or filled,
        order_type=order_type,
        limit_price=limit_price_of(order, order_type),
        stop_price=stop_price_of(order, order_type),
        trail_amount=decimal(order.auxPrice) or None if is_trail else None,
        trail_percent=decimal(order.trailingPercent) or None if is_trail else None,
        time_in_force=_time_in_force(order.tif),
        outside_rth=order.outsideRth,
        oca_group=order.ocaGroup,
        oca_type=_OCA_TYPES.get(order.ocaType) if order.ocaGroup else None,
        status=state.status,
        remark=remark,
        filled=filled,
        adjustment=adjustment_of(order, order_type),
        good_after=moment_of(order.goodAfterTime),
    )


def what_if_report(order: LibOrder, state: LibOrderState) -> WhatIfReport:
    """Return what openOrder says in answer to a what-if.

    Raises:
        ValueError: If a figure of it makes no sense.
    """
    return WhatIfReport(
        order.orderId,
        WhatIf(
            initial_margin=decimal(state.initMarginAfter),
            maintenance_margin=decimal(state.maintMarginAfter),
            equity_with_loan=decimal(state.equityWithLoanAfter),
            initial_margin_change=decimal(state.initMarginChange),
            commission=decimal(state.commission),
            min_commission=decimal(state.minCommission),
            max_commission=decimal(state.maxCommission),
            commission_currency=state.commissionCurrency,
            warning=state.warningText,
        ),
    )


def _side(action: str) -> Side:
    # SSHORT and SLONG are what institutions write; both sell.
    return Side.BUY if action == "BUY" else Side.SELL


def _time_in_force(tif: str) -> TimeInForce:
    try:
        return TimeInForce(tif)
    except ValueError:
        return TimeInForce.DAY  # DTC and AUC end with the day, as does an order that states none
