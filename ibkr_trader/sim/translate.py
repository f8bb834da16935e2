"""The exchange's values <-> the core's: orders, contracts, quotes, positions, figures."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from ibkr_trader.core.enums import DataType, OcaType, OrderRole, OrderType, SecType, TimeInForce
from ibkr_trader.core.ids import is_ours, parse_order_id
from ibkr_trader.core.models import (
    AccountValues,
    Contract,
    ContractDetails,
    Fill,
    FillId,
    GroupId,
    OrderId,
    OrderSpec,
    Position,
    Quote,
)
from ibkr_trader.sim.account import PositionRecord, Totals
from ibkr_trader.sim.calendar import ZONE_NAME, local_date, market_day
from ibkr_trader.sim.instruments import Instrument, Tape
from ibkr_trader.sim.matching import SIMULATED_TYPES
from ibkr_trader.sim.orders import Execution, OrderTerms, SimOrder

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


def terms_of(spec: OrderSpec, *, parent_number: int, transmit: bool) -> OrderTerms:
    """Return what the exchange is asked for by `spec`."""
    is_trail = spec.order_type in {OrderType.TRAIL, OrderType.TRAIL_LIMIT}
    return OrderTerms(
        con_id=spec.contract.con_id,
        action=spec.side.value,
        quantity=spec.quantity,
        order_type=ORDER_TYPES[spec.order_type],
        limit_price=spec.limit_price,
        aux_price=spec.trail_amount if is_trail else spec.stop_price,
        trail_stop_price=spec.stop_price if is_trail else None,
        trailing_percent=spec.trail_percent,
        tif=spec.time_in_force.value,
        outside_rth=spec.outside_rth,
        parent_id=parent_number,
        transmit=transmit,
        oca_group=spec.oca_group,
        oca_type=_OCA_NUMBERS[spec.oca_type] if spec.oca_type is not None else 0,
        account=spec.account,
        order_ref=spec.order_id,
    )


def order_id_of(order: SimOrder | Execution, install: str) -> OrderId:
    """Return the id by which we know an order: our reference, or one made of its permanent id."""
    ref = order.terms.order_ref if isinstance(order, SimOrder) else order.order_ref
    if is_ours(ref, install):
        return OrderId(ref)
    return OrderId(f"foreign-{order.perm_id}")


def spec_of(
    order: SimOrder, contract: Contract, *, order_id: OrderId, parent_id: OrderId | None
) -> OrderSpec:
    """Return the terms that the exchange states."""
    parts = parse_order_id(order_id)
    terms = order.terms
    is_trail = terms.order_type == "TRAIL"
    return OrderSpec(
        order_id=order_id,
        group_id=parts.group_id if parts is not None else GroupId(order_id),
        role=parts.role if parts is not None else OrderRole.SINGLE,
        contract=contract,
        account=terms.account,
        side=order.side,
        quantity=order.quantity,
        order_type=_FROM_TWS[terms.order_type],
        limit_price=terms.limit_price
        if "LMT" in terms.order_type or terms.order_type == "LOC"
        else None,
        stop_price=order.stop_price,
        trail_amount=terms.aux_price or None if is_trail else None,
        trail_percent=terms.trailing_percent or None if is_trail else None,
        time_in_force=TimeInForce(terms.tif),
        outside_rth=terms.outside_rth,
        parent_id=parent_id,
        oca_group=order.oca_group,
        oca_type=_OCA_TYPES.get(order.oca_type) if order.oca_group else None,
        broker_order_id=order.order_id,
    )


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
        bands=instrument.bands,
        min_size=instrument.min_size,
        order_types=frozenset(order_type.replace(" ", "") for order_type in SIMULATED_TYPES),
        time_zone=ZONE_NAME,
        liquid_sessions=tuple(day.regular for day in found if day is not None),
        trading_sessions=tuple(day.trading for day in found if day is not None),
    )


def quote_of(tape: Tape, contract: Contract) -> Quote:
    """Return a tape as a quote."""
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
    )
