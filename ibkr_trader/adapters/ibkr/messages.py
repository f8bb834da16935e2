"""What the gateway said, message by message, in our own types.

Between the decoder and those who listen: nothing behind this module knows the client
library, and nothing before it knows what an order means to us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from ibkr_trader.core.enums import OcaType, OrderType, Side, TimeInForce
    from ibkr_trader.core.models import Adjustment, Contract, ContractDetails, PriceBand, WhatIf


class OrderReport(NamedTuple):
    """openOrder and completedOrder: an order's terms. A completed one has no id or client."""

    order_id: int
    client_id: int
    perm_id: int
    parent_id: int
    ref: str
    contract: Contract
    account: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail_amount: Decimal | None
    trail_percent: Decimal | None
    time_in_force: TimeInForce
    outside_rth: bool
    oca_group: str
    oca_type: OcaType | None
    status: str
    remark: str  # the warning of an open order, the closing words of a completed one
    filled: Decimal
    adjustment: Adjustment | None = None
    good_after: datetime | None = None


class OpenOrder(NamedTuple):
    """An order that the gateway holds, as it now stands."""

    report: OrderReport


class WhatIfReport(NamedTuple):
    """openOrder, as the answer to a what-if: no order, and never one."""

    order_id: int
    answer: WhatIf

    @property
    def is_complete(self) -> bool:
        """Whether it states the margin; TWS may answer before it has computed it."""
        return self.answer.initial_margin_change is not None


class CompletedOrder(NamedTuple):
    """An order of today that is over."""

    report: OrderReport


class StatusReport(NamedTuple):
    """OrderStatus: repeats and late ones are normal."""

    order_id: int
    status: str
    filled: Decimal
    remaining: Decimal
    average_price: Decimal | None
    perm_id: int
    parent_id: int
    client_id: int
    held_for: str


class Execution(NamedTuple):
    """One execution; `request_id` is -1 when it has just happened."""

    request_id: int
    order_id: int
    contract: Contract
    exec_id: str
    at: datetime
    account: str
    exchange: str
    side: Side
    quantity: Decimal
    price: Decimal
    perm_id: int
    client_id: int
    ref: str
    is_liquidation: bool = False


class Commission(NamedTuple):
    """What an execution cost; None is not stated."""

    exec_id: str
    commission: Decimal | None
    currency: str
    realized_pnl: Decimal | None


class PositionReport(NamedTuple):
    """What an account holds of one contract; the cost is per unit, without the multiplier."""

    account: str
    contract: Contract
    quantity: Decimal
    average_cost: Decimal


class AccountValue(NamedTuple):
    """One figure of an account, as text."""

    account: str
    key: str
    value: str
    currency: str


class AccountTime(NamedTuple):
    """A round of account figures is complete."""

    text: str


class End(NamedTuple):
    """An answer is complete: `what` names it, as the client library does."""

    what: str
    request_id: int = -1


class ErrorReport(NamedTuple):
    """An error or a notice: of a request, of an order, or of the session (-1)."""

    request_id: int
    code: int
    text: str


class Accounts(NamedTuple):
    """The accounts of this login."""

    names: tuple[str, ...]


class NextOrderId(NamedTuple):
    """The lowest order id the gateway will take from this client."""

    order_id: int


class ServerTime(NamedTuple):
    """The gateway's time, in whole seconds."""

    at: datetime


class Details(NamedTuple):
    """One contract that answers a look-up; the price bands are still to be asked for."""

    request_id: int
    details: ContractDetails
    market_rule: int | None


class MarketRule(NamedTuple):
    """A price grid."""

    rule_id: int
    bands: tuple[PriceBand, ...]


class Tick(NamedTuple):
    """One figure of a quote, by TWS's tick type; None is a side nobody quotes."""

    request_id: int
    tick_type: int
    value: Decimal | None
    size: Decimal | None = None


class DataTypeReport(NamedTuple):
    """Quotes of this request are live (1), frozen, delayed or delayed and frozen."""

    request_id: int
    data_type: int


class BarReport(NamedTuple):
    """One historical bar."""

    request_id: int
    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None


class SubscriptionsLost(NamedTuple):
    """Ours, not the gateway's: whatever was subscribed to has to be asked for again."""


class DecodeFailure(NamedTuple):
    """A message that could not be read: something was said and we do not know what."""

    message_id: int
    fields: tuple[str, ...]
    reason: str


Message = (
    OpenOrder
    | WhatIfReport
    | CompletedOrder
    | StatusReport
    | Execution
    | Commission
    | PositionReport
    | AccountValue
    | AccountTime
    | End
    | ErrorReport
    | Accounts
    | NextOrderId
    | ServerTime
    | Details
    | MarketRule
    | Tick
    | DataTypeReport
    | BarReport
    | SubscriptionsLost
    | DecodeFailure
)
