"""Orders: the client library's values <-> ours. Nothing else turns a float into a price.

Every order that leaves states its lifetime, account, reference and outside-hours flag, and
every text is checked: a NUL in a reference would shift all fields behind it.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.messages import OrderReport
from ibkr_trader.adapters.ibkr.translate_contracts import contract_of
from ibkr_trader.adapters.ibkr.translate_values import decimal, plain
from ibkr_trader.core.enums import OcaType, OrderType, Side, TimeInForce
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.ids import is_reference
from ibkr_trader.core.models import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from ibkr_trader.adapters.ibkr.lib_types import LibContract, LibOrder, LibOrderState
    from ibkr_trader.core.models import OrderSpec

_TEXT = re.compile(r"[ -~]{0,64}")

ORDER_TYPES: Mapping[OrderType, str] = MappingProxyType(
    {
        OrderType.MARKET: "MKT",
        OrderType.LIMIT: "LMT",
        OrderType.STOP: "STP",
        OrderType.STOP_LIMIT: "STP LMT",
        OrderType.TRAIL: "TRAIL",
        OrderType.TRAIL_LIMIT: "TRAIL LIMIT",
        OrderType.MARKET_IF_TOUCHED: "MIT",
        OrderType.LIMIT_IF_TOUCHED: "LIT",
        OrderType.MARKET_ON_CLOSE: "MOC",
        OrderType.LIMIT_ON_CLOSE: "LOC",
    }
)
_FROM_TWS = {tws.replace(" ", ""): ours for ours, tws in ORDER_TYPES.items()}
_OCA_TYPES = {1: OcaType.CANCEL, 2: OcaType.REDUCE, 3: OcaType.REDUCE_NO_BLOCK}
_OCA_NUMBERS = {ours: number for number, ours in _OCA_TYPES.items()}
_WITH_LIMIT = frozenset(
    {
        OrderType.LIMIT,
        OrderType.STOP_LIMIT,
        OrderType.TRAIL_LIMIT,
        OrderType.LIMIT_IF_TOUCHED,
        OrderType.LIMIT_ON_CLOSE,
    }
)
_WITH_TRIGGER = frozenset(
    {
        OrderType.STOP,
        OrderType.STOP_LIMIT,
        OrderType.MARKET_IF_TOUCHED,
        OrderType.LIMIT_IF_TOUCHED,
    }
)
_TRAILS = frozenset({OrderType.TRAIL, OrderType.TRAIL_LIMIT})


def fill_in_order(spec: OrderSpec, order: LibOrder, *, parent_id: int, transmit: bool) -> None:
    """Write `spec` into the library's empty `order`.

    Raises:
        InvariantBroken: If the spec is not fit to be sent: the guard should have denied it.
    """
    _check_form(spec)
    order.orderId = spec.broker_order_id
    order.action = spec.side.value
    order.totalQuantity = plain(spec.quantity)
    order.orderType = ORDER_TYPES[spec.order_type]
    order.lmtPrice = _text(spec.limit_price)
    order.auxPrice = _text(spec.trail_amount if spec.order_type in _TRAILS else spec.stop_price)
    if spec.order_type in _TRAILS:
        order.trailStopPrice = _text(spec.stop_price)
        order.trailingPercent = _text(spec.trail_percent)
    order.tif = spec.time_in_force.value
    order.ocaGroup = spec.oca_group
    order.ocaType = 0 if spec.oca_type is None else _OCA_NUMBERS[spec.oca_type]
    order.account = spec.account
    order.orderRef = spec.order_id
    order.outsideRth = spec.outside_rth
    order.openClose = ""
    order.parentId = parent_id
    order.transmit = transmit


def _text(price: Decimal | None) -> str:
    return "" if price is None else plain(price)


def _check_form(spec: OrderSpec) -> None:
    prices = (spec.limit_price, spec.stop_price, spec.trail_amount, spec.trail_percent)
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
    order_type = _FROM_TWS.get(order.orderType.replace(" ", ""), OrderType.MARKET)
    is_trail = order_type in _TRAILS
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
        limit_price=decimal(order.lmtPrice) if order_type in _WITH_LIMIT else None,
        stop_price=_stop_price(order, order_type),
        trail_amount=decimal(order.auxPrice) or None if is_trail else None,
        trail_percent=decimal(order.trailingPercent) or None if is_trail else None,
        time_in_force=_time_in_force(order.tif),
        outside_rth=order.outsideRth,
        oca_group=order.ocaGroup,
        oca_type=_OCA_TYPES.get(order.ocaType) if order.ocaGroup else None,
        status=state.status,
        remark=remark,
        filled=filled,
        is_what_if=order.whatIf,
    )


def _stop_price(order: LibOrder, order_type: OrderType) -> Decimal | None:
    if order_type in _TRAILS:
        return decimal(order.trailStopPrice)
    return decimal(order.auxPrice) if order_type in _WITH_TRIGGER else None


def _side(action: str) -> Side:
    # SSHORT and SLONG are what institutions write; both sell.
    return Side.BUY if action == "BUY" else Side.SELL


def _time_in_force(tif: str) -> TimeInForce:
    try:
        return TimeInForce(tif)
    except ValueError:
        return TimeInForce.DAY  # DTC and AUC end with the day, as does an order that states none
