"""The nouns of the domain, as frozen values: contracts, orders, fills, positions, quotes.

Orders carry a positive quantity and a side; positions are signed. Money, prices and
quantities are `Decimal`; times are aware and UTC; what is unset is `None`, never a
sentinel.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NewType

import msgspec

from ibkr_trader.core.enums import (
    DataType,
    OcaType,
    OrderRole,
    OrderStatus,
    OrderType,
    SecType,
    Side,
    TimeInForce,
)
from ibkr_trader.core.shapes import faults, type_faults

OrderId = NewType("OrderId", str)  # ours; travels in IBKR's orderRef: `<install>-<n>-<role>`
GroupId = NewType("GroupId", str)  # the stem of every order id in a group: `<install>-<n>`
FillId = NewType("FillId", str)  # IBKR's execId

ZERO = Decimal(0)


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """What is traded. `con_id` is 0 until the broker has resolved it to exactly one."""

    symbol: str
    con_id: int = 0
    sec_type: SecType = SecType.STOCK
    exchange: str = "SMART"
    currency: str = "USD"
    primary_exchange: str = ""
    expiry: str = ""  # YYYYMMDD
    strike: Decimal | None = None
    right: str = ""  # C or P
    multiplier: Decimal = Decimal(1)
    local_symbol: str = ""
    trading_class: str = ""


class PriceBand(msgspec.Struct, frozen=True):
    """From `low_edge` upward, prices move in steps of `increment`."""

    low_edge: Decimal
    increment: Decimal


class Session(msgspec.Struct, frozen=True):
    """One stretch during which the exchange trades, in UTC; `closes` is excluded."""

    opens: datetime
    closes: datetime


class ContractDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker says of a contract: its ticks, its lot, its hours, its branch."""

    contract: Contract
    long_name: str = ""
    industry: str = ""  # in the broker's words; empty if it has none
    bands: tuple[PriceBand, ...] = (PriceBand(ZERO, Decimal("0.01")),)
    min_size: Decimal = Decimal(1)
    order_types: frozenset[str] = frozenset()
    time_zone: str = "US/Eastern"
    liquid_sessions: tuple[Session, ...] = ()  # regular hours
    trading_sessions: tuple[Session, ...] = ()  # with pre- and after-market


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """What a resting stop turns into, at the broker, once the market reaches `trigger`.

    Exactly the prices that `order_type` needs are given: STOP, STOP_LIMIT, TRAIL or
    TRAIL_LIMIT. `stop_price` is where the new stop begins.
    """

    trigger: Decimal
    order_type: OrderType
    stop_price: Decimal | None = None
    limit_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to trade, before it has an id, a contract or an account.

    Exactly the prices that the type needs are given: `limit_price` for limit types,
    `stop_price` for stops (the trigger) and touched types, one of `trail_amount` and
    `trail_percent` for trails. `good_after` is the moment (UTC) before which the broker
    only keeps the order.
    """

    symbol: str
    quantity: Decimal
    side: Side
    order_type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    adjustment: Adjustment | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    good_after: datetime | None = None
    outside_rth: bool = False
    account: str | None = None
    client_order_id: str | None = None

    def validate(self) -> None:
        """Refuse what contradicts itself, before anything else happens.

        Raises:
            ValueError: With every fault at once.
        """
        found = list(type_faults(self))
        if found:
            raise ValueError("; ".join(found))
        found = [fault.text for fault in faults(self)]
        if not self.symbol.strip():
            found.insert(0, "the symbol is missing")
        if found:
            raise ValueError("; ".join(found))


class OrderSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One order in full, as it will go out: nothing left for the wire to decide.

    `broker_order_id` is IBKR's `orderId`, allocated by us before the journal has the
    order; 0 until then. `parent_id` names the entry that an exit waits for. `reference` is what
    an order of somebody else is called there: it may be of another desk of this account.
    """

    order_id: OrderId
    group_id: GroupId
    role: OrderRole
    contract: Contract
    account: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    adjustment: Adjustment | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    good_after: datetime | None = None
    outside_rth: bool = False
    parent_id: OrderId | None = None
    oca_group: str = ""
    oca_type: OcaType | None = None
    broker_order_id: int = 0
    reference: str = ""

    @property
    def is_sized_by_others(self) -> bool:
        """Whether fills of other orders change its size at the broker: its entry's, its group's."""
        return self.parent_id is not None or bool(self.oca_group)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order and what has become of it: a fold of its events, replaced and never changed.

    `spec` holds the terms the broker has confirmed; `desired` those of a modification
    still under way. `worst_case` quantity is what risk counts. `is_overridden`: its terms
    were changed at the broker and not here (by hand in TWS, or by a split): what would move
    its prices by itself must not fight that; its size may still have to be cut.
    """

    spec: OrderSpec
    status: OrderStatus
    filled: Decimal = ZERO
    filled_value: Decimal = ZERO  # sum of quantity x price
    commission: Decimal = ZERO
    reported_filled: Decimal = ZERO  # what order status claimed; executions decide
    heard: Decimal = ZERO  # the most of it that executions, or all positions stated, have told of
    taken_back: Decimal = ZERO  # of executions that were corrected or busted
    is_done: bool = False  # the broker itself calls it filled; executions may say so before it
    desired: OrderSpec | None = None
    perm_id: int = 0
    client_id: int = 0
    held_for: str = ""  # trigger, child, locate, child,trigger…: why the broker waits
    reason: str = ""  # the last words said about it, by the broker or by us
    code: int = 0  # the broker's code for them
    is_foreign: bool = False  # not placed by this installation
    is_overridden: bool = False
    is_unwanted: bool = False  # its cancel came before the order did, or nobody knows whether
    was_unwanted: bool = False  # ... by what was asked before the cancel that is under way
    unanswered: OrderSpec | None = None  # what it was asked to become as it ended
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def order_id(self) -> OrderId:
        """Our id."""
        return self.spec.order_id

    @property
    def remaining(self) -> Decimal:
        """What may still trade: zero once closed, the larger of both terms while modifying."""
        if self.status.is_closed:
            return ZERO
        wanted = self.spec.quantity
        if self.desired is not None:
            wanted = max(wanted, self.desired.quantity)
        return max(ZERO, wanted - max(self.filled, self.reported_filled))

    @property
    def is_asleep(self) -> bool:
        """Whether the broker keeps it until its entry trades; TWS names all that one waits for."""
        return "child" in self.held_for.lower()

    @property
    def unheard(self) -> Decimal:
        """What the broker calls filled, and neither an execution nor a position has told yet."""
        return max(ZERO, self.reported_filled - max(self.filled, self.heard))

    @property
    def average_fill_price(self) -> Decimal | None:
        """Mean price of the fills, or None before the first."""
        return self.filled_value / self.filled if self.filled else None


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution, in its latest revision.

    `fill_id` is the family of IBKR's execId (without the last part), `revision` that
    last part: a correction has the same family and a higher revision, and replaces.
    """

    fill_id: FillId
    revision: int
    order_id: OrderId
    contract: Contract
    account: str
    side: Side
    quantity: Decimal
    price: Decimal
    at: datetime
    perm_id: int = 0
    broker_order_id: int = 0
    client_id: int = 0
    commission: Decimal | None = None
    realized_pnl: Decimal | None = None
    exchange: str = ""
    is_liquidation: bool = False  # the broker closed it by itself: nobody asked for it


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one contract: `quantity` is positive for long, negative for short.

    `average_cost` is per share (per unit of multiplier). What the broker states includes
    commissions; what executions after it add does not, until it is stated again.
    """

    account: str
    contract: Contract
    quantity: Decimal
    average_cost: Decimal
    realized_pnl: Decimal = ZERO
    market_price: Decimal | None = None
    updated_at: datetime | None = None

    @property
    def market_value(self) -> Decimal | None:
        """Signed value at the market, or None without a price."""
        if self.market_price is None:
            return None
        return self.quantity * self.market_price * self.contract.multiplier

    @property
    def unrealized_pnl(self) -> Decimal | None:
        """Gain if closed at the market price, or None without one."""
        if self.market_price is None:
            return None
        return self.quantity * (self.market_price - self.average_cost) * self.contract.multiplier


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The market for one contract at one moment; a side nobody quotes is None."""

    contract: Contract
    at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    close: Decimal | None = None  # the previous session's
    data_type: DataType = DataType.LIVE
    halted: bool = False
    volume: Decimal | None = None  # the day's so far, as the broker counts it; None: nobody said
    shortable: Decimal | None = None  # IBKR's tick 236: above 2.5 there are a thousand to borrow

    @property
    def is_two_sided(self) -> bool:
        """Whether both sides are quoted and not crossed."""
        return self.bid is not None and self.ask is not None and ZERO < self.bid <= self.ask

    @property
    def mid(self) -> Decimal | None:
        """Halfway between bid and ask, or None when a side is missing."""
        if self.bid is None or self.ask is None:
            return None
        return (self.bid + self.ask) / 2

    @property
    def mark(self) -> Decimal | None:
        """The price to value a position at: last within bid and ask, else the nearer of them."""
        if self.bid is None or self.ask is None or self.bid > self.ask:
            return self.last or self.close
        if self.last is None:
            return self.mid
        return min(max(self.last, self.bid), self.ask)


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One interval of trading, stamped with its start."""

    contract: Contract
    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None  # None: nobody knows


class AccountValues(msgspec.Struct, frozen=True, kw_only=True):
    """The account as the broker states it, in its base currency; None is not stated."""

    account: str
    currency: str = "USD"
    net_liquidation: Decimal | None = None
    cash: Decimal | None = None
    available_funds: Decimal | None = None
    buying_power: Decimal | None = None
    initial_margin: Decimal | None = None
    maintenance_margin: Decimal | None = None
    gross_position_value: Decimal | None = None
    realized_pnl: Decimal | None = None
    unrealized_pnl: Decimal | None = None
    day_trades_left: Decimal | None = None  # -1: as many as one likes


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker says an order would do to the account; None is not stated.

    Margins are those of the whole account, after the order; amounts are in its currency.
    A commission that is not known beforehand is given as a range.
    """

    initial_margin: Decimal | None = None
    maintenance_margin: Decimal | None = None
    equity_with_loan: Decimal | None = None
    initial_margin_change: Decimal | None = None
    commission: Decimal | None = None
    min_commission: Decimal | None = None
    max_commission: Decimal | None = None
    commission_currency: str = ""
    warning: str = ""
