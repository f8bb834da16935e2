"""The exchange's values <-> the core's: orders, contracts, quotes, positions, figures."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

import msgspec

from ibkr_trader.core.enums import DataType, OcaType, OrderRole, OrderType, SecType, TimeInForce
from ibkr_trader.core.ids import is_ours, parse_order_id
from ibkr_trader.core.models import (
    AccountValues,
    Adjustment,
    Contract,
    ContractDetails,
    Fill,
    FillId,
    GroupId,
    OrderId,
    OrderSpec,
    Position,
    Quote,
    WhatIf,
)
from ibkr_trader.sim.account import PositionRecord, Totals
from ibkr_trader.sim.adjusting import PERCENT_UNITS
from ibkr_trader.sim.calendar import ZONE_NAME, local_date, market_day
from ibkr_trader.sim.instruments import Instrument, Tape
from ibkr_trader.sim.matching import SIMULATED_TYPES, TRAIL_TYPES, own_limit
from ibkr_trader.sim.order_times import starts_at
from ibkr_trader.sim.orders import Execution, OrderTerms, Preview, SimOrder

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
_FROM_TWS = {tws: ours for ours, tws in ORDER_TYPES.items()}
_OCA_TYPES = {1: OcaType.CANCEL, 2: OcaType.REDUCE, 3: OcaType.REDUCE_NO_BLOCK}
_OCA_NUMBERS = {ours: number for number, ours in _OCA_TYPES.items()}
_HOURS_DAYS = 7
_AS_AMOUNT, _AS_PERCENT = 0, 100


def terms_of(
    spec: OrderSpec, *, parent_number: int, transmit: bool, asked: frozenset[str] | None = None
) -> OrderTerms:
    """Return what the exchange is asked for by `spec`.

    Args:
        spec: The order in full.
        parent_number: The number of its entry; 0 if none.
        transmit: Whether it releases what was sent before it.
        asked: The figures that a change names; None for a new order. A change of a trail
            repeats no price that moves by itself: ours is always old.
    """
    is_trail = spec.order_type in {OrderType.TRAIL, OrderType.TRAIL_LIMIT}
    plain = OrderTerms(
        con_id=spec.contract.con_id,
        action=spec.side.value,
        quantity=spec.quantity,
        order_type=ORDER_TYPES[spec.order_type],
        limit_price=spec.limit_price,
        aux_price=spec.trail_amount if is_trail else spec.stop_price,
        trail_stop_price=spec.stop_price if is_trail else None,
        trailing_percent=spec.trail_percent,
        tif=spec.time_in_force.value,
        good_after_time=f"{spec.good_after:%Y%m%d-%H:%M:%S}" if spec.good_after else "",
        outside_rth=spec.outside_rth,
        parent_id=parent_number,
        transmit=transmit,
        oca_group=spec.oca_group,
        oca_type=_OCA_NUMBERS[spec.oca_type] if spec.oca_type is not None else 0,
        account=spec.account,
        order_ref=spec.order_id,
    )
    if is_trail and asked is not None:
        plain = _as_a_change(plain, spec, asked)
    return plain if spec.adjustment is None else _with_adjustment(plain, spec.adjustment)


def _as_a_change(terms: OrderTerms, spec: OrderSpec, asked: frozenset[str]) -> OrderTerms:
    offset = None
    if spec.limit_price is not None and spec.stop_price is not None:
        offset = (spec.limit_price - spec.stop_price) * spec.side.sign
    return msgspec.structs.replace(
        terms,
        limit_price=None,
        limit_price_offset=offset,
        trail_stop_price=spec.stop_price if "stop_price" in asked else None,
    )


def _with_adjustment(terms: OrderTerms, adjustment: Adjustment) -> OrderTerms:
    is_percent = adjustment.trail_percent is not None
    return msgspec.structs.replace(
        terms,
        adjusted_order_type=ORDER_TYPES[adjustment.order_type],
        trigger_price=adjustment.trigger,
        adjusted_stop_price=adjustment.stop_price,
        adjusted_stop_limit_price=adjustment.limit_price,
        adjusted_trailing_amount=adjustment.trail_percent
        if is_percent
        else adjustment.trail_amount,
        adjustable_trailing_unit=_AS_PERCENT if is_percent else _AS_AMOUNT,
    )


def adjustment_of(terms: OrderTerms) -> Adjustment | None:
    """Return what a stop turns into; None if it stays what it is."""
    if not terms.adjusted_order_type or terms.trigger_price is None:
        return None
    amount = terms.adjusted_trailing_amount
    is_percent = terms.adjustable_trailing_unit in PERCENT_UNITS
    return Adjustment(
        trigger=terms.trigger_price,
        order_type=_FROM_TWS[terms.adjusted_order_type],
        stop_price=terms.adjusted_stop_price,
        limit_price=terms.adjusted_stop_limit_price,
        trail_amount=None if is_percent else amount,
        trail_percent=amount if is_percent else None,
    )


def order_id_of(
    order: SimOrder | Execution, install: str, *, on_record: Callable[[OrderId], bool]
) -> OrderId:
    """Return the id by which we know an order: our reference, or one made of its permanent id."""
    ref = order.terms.order_ref if isinstance(order, SimOrder) else order.order_ref
    if is_ours(ref, install) or on_record(OrderId(ref)):
        return OrderId(ref)
    return OrderId(f"foreign-{order.perm_id}")


def spec_of(
    order: SimOrder, contract: Contract, *, order_id: OrderId, parent_id: OrderId | None
) -> OrderSpec:
    """Return the terms that the exchange states."""
    parts = parse_order_id(order_id)
    terms = order.terms
    is_trail = terms.order_type in TRAIL_TYPES
    return OrderSpec(
        order_id=order_id,
        group_id=parts.group_id if parts is not None else GroupId(order_id),
        role=parts.role if parts is not None else OrderRole.SINGLE,
        contract=contract,
        account=terms.account,
        side=order.side,
        quantity=order.quantity,
        order_type=_FROM_TWS[terms.order_type],
        limit_price=_limit(order),
        stop_price=order.stop_price,
        trail_amount=terms.aux_price or None if is_trail else None,
        trail_percent=terms.trailing_percent or None if is_trail else None,
        adjustment=adjustment_of(terms),
        time_in_force=TimeInForce(terms.tif),
        good_after=starts_at(terms),
        outside_rth=terms.outside_rth,
        parent_id=parent_id,
        oca_group=order.oca_group,
        oca_type=_OCA_TYPES.get(order.oca_type) if order.oca_group else None,
        broker_order_id=order.order_id,
        reference="" if parts is not None else terms.order_ref,
    )


def _limit(order: SimOrder) -> Decimal | None:
    """Its limit; of a TRAIL LIMIT that has not begun to trail, the one it states."""
    is_trail_limit = order.terms.order_type == "TRAIL LIMIT"
    return own_limit(order) or (order.terms.limit_price if is_trail_limit else None)


def fill_of(execution: Execution, contract: Contract, order_id: OrderId) -> Fill:
    """Return an execution, without its commission: that is news of its own."""
    family, _, revision = execution.exec_id.rpartition(".")
    return Fill(
        fill_id=FillId(family),
        revision=int(revision),
        order_id=order_id,
        contract=contract,
        account=execution.account,
        side=execution.side,
        quantity=execution.shares,
        price=execution.price,
        at=execution.at,
        perm_id=execution.perm_id,
        broker_order_id=execution.order_id,
        client_id=execution.client_id,
        exchange=execution.exchange,
        is_liquidation=execution.is_liquidation,
    )


def contract_of(instrument: Instrument) -> Contract:
    """Return an instrument as the core names it."""
    is_option = instrument.sec_type == "OPT"
    return Contract(
        symbol=instrument.symbol,
        con_id=instrument.con_id,
        sec_type=SecType(instrument.sec_type),
        exchange=instrument.routing_exchange,
        currency=instrument.currency,
        primary_exchange=instrument.primary_exchange,
        expiry=instrument.expiry,
        strike=instrument.strike if is_option else None,
        right=instrument.right,
        multiplier=instrument.multiplier,
        local_symbol=instrument.local_symbol,
        trading_class=instrument.trading_class,
    )


def details_of(instrument: Instrument, now: datetime) -> ContractDetails:
    """Return what the exchange says of an instrument: its ticks, its lot, its hours."""
    today = local_date(now)
    days = (today + timedelta(days=n) for n in range(_HOURS_DAYS))
    found = [market_day(instrument.sec_type, day) for day in days]
    return ContractDetails(
        contract=contract_of(instrument),
        long_name=instrument.long_name,
        industry=instrument.sector,
        bands=instrument.bands,
        min_size=instrument.min_size,
        order_types=frozenset(order_type.replace(" ", "") for order_type in SIMULATED_TYPES),
        time_zone=ZONE_NAME,
        liquid_sessions=tuple(day.regular for day in found if day is not None),
        trading_sessions=tuple(day.trading for day in found if day is not None),
    )


def quote_of(tape: Tape, instrument: Instrument, contract: Contract) -> Quote:
    """Return an instrument's tape as a quote; `contract` is what the core calls it."""
    borrowing = instrument.borrowing
    return Quote(
        contract=contract,
        at=tape.at,
        bid=tape.bid,
        ask=tape.ask,
        last=tape.last,
        bid_size=tape.bid_size if tape.bid is not None else None,
        ask_size=tape.ask_size if tape.ask is not None else None,
        close=tape.close,
        data_type=DataType.LIVE,
        halted=tape.halted,
        volume=tape.volume,
        shortable=borrowing[0] if borrowing is not None else None,
    )


def position_of(
    record: PositionRecord, contract: Contract, *, account: str, at: datetime
) -> Position:
    """Return a position; its average cost is per unit, as the core has it."""
    return Position(
        account=account,
        contract=contract,
        quantity=record.quantity,
        average_cost=record.average_cost / contract.multiplier,
        updated_at=at,
    )


def what_if_of(preview: Preview) -> WhatIf:
    """Return the answer to a what-if."""
    return WhatIf(
        initial_margin=preview.init_margin_after,
        maintenance_margin=preview.maint_margin_after,
        equity_with_loan=preview.equity_after,
        initial_margin_change=preview.init_margin_change,
        commission=preview.commission,
        commission_currency=preview.currency,
        warning=preview.warning,
    )


def values_of(totals: Totals, *, account: str, currency: str) -> AccountValues:
    """Return the account's figures."""
    return AccountValues(
        account=account,
        currency=currency,
        net_liquidation=totals.net_liquidation,
        cash=totals.cash,
        available_funds=totals.available_funds,
        buying_power=totals.buying_power,
        initial_margin=totals.init_margin,
        maintenance_margin=totals.maint_margin,
        gross_position_value=totals.gross_value,
        realized_pnl=totals.realized,
        unrealized_pnl=totals.unrealized,
        day_trades_left=Decimal(-1),  # as many as one likes
    )
