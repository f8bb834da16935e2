"""An order as the exchange sees it: the terms a client asked for, and what became of it.

Prices, order types and times in force are in TWS's own words (`MKT`, `STP LMT`, `GTC`),
because the exchange also has to refuse what it does not know. Both values are frozen: each
change makes a new `SimOrder`, so an event that carries one shows the order as it was then.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from ibkr_trader.core.enums import Side

ZERO = Decimal(0)
OPENING_TIFS = frozenset({"OPG", "AUC"})  # both trade at the calculated opening price, or not


class OrderKey(NamedTuple):
    """What names an order for TWS: the client that placed it, and that client's order id."""

    client_id: int
    order_id: int


class SimStatus(StrEnum):
    """The states TWS reports, and `Untransmitted`, which it never mentions."""

    UNTRANSMITTED = "Untransmitted"  # placed with transmit=0: silent, invisible, dies at a restart
    PRE_SUBMITTED = "PreSubmitted"
    SUBMITTED = "Submitted"
    PENDING_CANCEL = "PendingCancel"
    CANCELLED = "Cancelled"
    FILLED = "Filled"
    INACTIVE = "Inactive"  # refused; for the exchange that is the end of it

    @property
    def is_closed(self) -> bool:
        """Whether the order cannot trade any more."""
        return self in _CLOSED


_CLOSED = frozenset({SimStatus.CANCELLED, SimStatus.FILLED, SimStatus.INACTIVE})


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for, as it said it: nothing here has been checked.

    Attributes:
        con_id: The resolved instrument; an unknown one is refused with 200.
        action: `BUY` or `SELL`.
        order_type: TWS's word; one the exchange does not simulate is refused with 387.
        aux_price: The trigger of a stop or of a touched order, the amount of a trail.
        limit_price_offset: Of a TRAIL LIMIT: how far its limit stays behind its stop.
        tif: `DAY` when empty (then TWS says so with notice 10349).
        good_after_time: As typed: `YYYYMMDD HH:MM:SS [zone]` (New York without a zone), or
            `YYYYMMDD-HH:MM:SS` for UTC. `good_till_date` may also be a date alone.
        adjusted_order_type: What a stop turns into when the market reaches `trigger_price`;
            the prices that follow are the new order's, the trailing unit 0 for an amount and
            1 or 100 for percent. Empty for a stop that stays what it is.
        is_liquidation: The broker's own, to close what the account may not hold any more; no
            client can ask for that.
        unsupported: Names of attributes that were set and that the exchange does not simulate
            (conditions, algo, scale, hedge…): any of them is refused.
        wire: The order as it came, for the echo. The exchange never looks inside; it must be
            something msgspec can encode.
    """

    con_id: int
    action: str
    quantity: Decimal
    order_type: str
    limit_price: Decimal | None = None
    aux_price: Decimal | None = None
    trail_stop_price: Decimal | None = None
    trailing_percent: Decimal | None = None
    limit_price_offset: Decimal | None = None
    adjusted_order_type: str = ""
    trigger_price: Decimal | None = None
    adjusted_stop_price: Decimal | None = None
    adjusted_stop_limit_price: Decimal | None = None
    adjusted_trailing_amount: Decimal | None = None
    adjustable_trailing_unit: int = 0
    tif: str = "DAY"
    good_after_time: str = ""
    good_till_date: str = ""
    outside_rth: bool = False
    parent_id: int = 0
    transmit: bool = True
    oca_group: str = ""
    oca_type: int = 0
    account: str = ""
    order_ref: str = ""
    trigger_method: int = 0
    all_or_none: bool = False
    is_liquidation: bool = False
    unsupported: tuple[str, ...] = ()
    wire: Any = None


INACTIVE = "inactive"  # why an order is held that its client is told is Inactive


class SimOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order at one moment.

    Attributes:
        perm_id: Set from the start and never changed; 0 only while untransmitted.
        quantity: The size as the exchange now states it: a bracket's exits may be smaller
            than `terms.quantity` (RELIABILITY 1.0, bracket modes).
        stop_price: The trigger as it now stands; for a trail it follows the market.
        limit_offset: Of a TRAIL LIMIT: its limit is so far behind its stop.
        cap_price: The broker's own limit, where it is tighter than the order's (mktCapPrice).
        oca_group: What TWS echoes: the children of one parent are put in a group of their own.
        oca_cut: What fills of others in its group took off its size.
        oca_told: How much of `filled` its group has been told of.
        sized_at: What the others of its group had traded when its client last stated its size;
            None if it has not since its entry was done.
        is_triggered: A stop or trail whose trigger was reached; it now works as MKT or LMT.
        is_held: Accepted, but not able to trade before something happens: `why_held` says
            `child`, `locate`, or nothing for an order that waits for the market to open.
        sequence: Order of acceptance, for time priority.
        active_at: Not before this moment (goodAfterTime, or the opening of the session).
        expires_at: Cancelled at this moment; None is never.
        completed_status: TWS's words for completedOrder: `Filled Size: 10`, `Cancelled by Trader`.
    """

    client_id: int
    order_id: int
    terms: OrderTerms
    side: Side
    quantity: Decimal
    status: SimStatus
    perm_id: int = 0
    parent_perm_id: int = 0
    sequence: int = 0
    filled: Decimal = ZERO
    filled_value: Decimal = ZERO  # sum of quantity x price
    last_fill_price: Decimal = ZERO
    commission: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    why_held: str = ""
    is_held: bool = False
    stop_price: Decimal | None = None
    is_triggered: bool = False
    touches: int = 0  # consecutive prices beyond the trigger, for the double methods
    limit_offset: Decimal | None = None
    cap_price: Decimal = ZERO
    oca_group: str = ""
    oca_type: int = 0
    oca_cut: Decimal = ZERO
    sized_at: Decimal | None = None
    oca_told: Decimal = ZERO
    placed_at: datetime | None = None
    active_at: datetime | None = None
    expires_at: datetime | None = None
    completed_at: datetime | None = None
    completed_status: str = ""
    warning: str = ""  # TWS's warningText

    @property
    def key(self) -> OrderKey:
        """The name of the order."""
        return OrderKey(self.client_id, self.order_id)

    @property
    def parent_key(self) -> OrderKey | None:
        """The name of the order this one is attached to."""
        parent = self.terms.parent_id
        return OrderKey(self.client_id, parent) if parent else None

    @property
    def remaining(self) -> Decimal:
        """What has not traded."""
        return self.quantity - self.filled

    @property
    def whole(self) -> Decimal:
        """The most it may trade in all: what was asked for, less what its group has lost it."""
        return self.terms.quantity - self.oca_cut

    @property
    def is_manual(self) -> bool:
        """Whether a person entered it at TWS: such orders have ids below zero."""
        return self.order_id < 0

    @property
    def average_price(self) -> Decimal:
        """Mean price of the fills; 0 before the first, as TWS says it."""
        return self.filled_value / self.filled if self.filled else ZERO

    @property
    def is_visible(self) -> bool:
        """Whether the API may know of the order."""
        return self.status is not SimStatus.UNTRANSMITTED

    @property
    def told_status(self) -> str:
        """The status that clients are told."""
        return SimStatus.INACTIVE if self.why_held == INACTIVE else self.status

    @property
    def is_working(self) -> bool:
        """Whether it is open and known: what reqOpenOrders lists."""
        return self.is_visible and not self.status.is_closed


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """One fill, with what it cost.

    Attributes:
        exec_id: `xxxxxxxx.xxxxxxxx.nn.01`, unique for ever.
        shares: Positive; `side` says the direction.
        cum_quantity: Filled in total after this one; `average_price` likewise.
        realized_pnl: None if nothing was closed (TWS then sends its unset number).
        liquidity: 1 added, 2 removed.
        is_liquidation: The broker closed it by itself.
    """

    exec_id: str
    at: datetime
    con_id: int
    client_id: int
    order_id: int
    perm_id: int
    account: str
    exchange: str
    side: Side
    shares: Decimal
    price: Decimal
    cum_quantity: Decimal
    average_price: Decimal
    commission: Decimal
    currency: str
    realized_pnl: Decimal | None = None
    order_ref: str = ""
    liquidity: int = 2
    is_liquidation: bool = False


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a what-if: margins before, after, and what changes; the account's currency."""

    init_margin_before: Decimal
    init_margin_after: Decimal
    maint_margin_before: Decimal
    maint_margin_after: Decimal
    equity_before: Decimal
    equity_after: Decimal
    commission: Decimal
    currency: str = "USD"
    warning: str = ""

    @property
    def init_margin_change(self) -> Decimal:
        """What the order adds to the initial margin."""
        return self.init_margin_after - self.init_margin_before

    @property
    def maint_margin_change(self) -> Decimal:
        """What the order adds to the maintenance margin."""
        return self.maint_margin_after - self.maint_margin_before

    @property
    def equity_change(self) -> Decimal:
        """What the order does to the equity with loan value: it costs its commission."""
        return self.equity_after - self.equity_before


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why an order, a change or a cancel is not accepted: TWS's code and text."""

    code: int
    text: str
