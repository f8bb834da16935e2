"""What a trader tells a dashboard: everything on the screen, as plain values.

A trader sends `Glimpse`s, at most a few a second and never more than the dashboard has read:
the panels whole, the orders as what has changed of them. `Scene.after` puts them together,
so a glimpse that was never made costs nothing and loses nothing.

Figures are Decimals or None (unknown), times are UTC, names are as people read them. Text that
came from outside has been through `core.text.plain`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType

import msgspec

from ibkr_trader.core.models import ZERO

MOST_LINES = 500  # of the feed that are kept


class Light(Enum):
    """How one of the three links stands."""

    UP = "up"
    WAITING = "waiting"
    DOWN = "down"
    UNKNOWN = "unknown"


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Whose desk it is, and how it stands.

    Attributes:
        profile: sim, paper or live.
        account: As it may be shown: see `core.text.masked`.
        state: ACTIVE, REDUCING or HALTED; `reason` is why it is not ACTIVE.
        halts: The symbols that are halted by themselves.
        alarms: How many stand that nobody has taken note of.
        socket, link, data: The three lights, and `trouble` in words what is wrong with them.
        now: By the exchange's clock.
        zone: The exchange's, as the tz database has it.
        is_open: Whether the regular session is on; None if nobody knows.
        turns_at: When that changes next.
        day_net: The day's result after commissions, at the market.
        day_limit: What may be lost in a day.
        heat: What is lost if every stop hits now; `heat_limit` what may be.
        efficiency: Messages for each order that traded.
        armed_until: Of a live desk.
    """

    profile: str
    account: str
    state: str
    reason: str = ""
    halts: tuple[str, ...] = ()
    alarms: int = 0
    socket: Light = Light.UNKNOWN
    link: Light = Light.UNKNOWN
    data: Light = Light.UNKNOWN
    trouble: str = ""
    now: datetime
    zone: str = "America/New_York"
    is_open: bool | None = None
    turns_at: datetime | None = None
    day_net: Decimal | None = None
    day_limit: Decimal | None = None
    net_liquidation: Decimal | None = None
    heat: Decimal | None = None
    heat_limit: Decimal | None = None
    efficiency: Decimal | None = None
    armed_until: datetime | None = None
    is_readonly: bool = False
    version: str = ""
    pid: int = 0


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One position with what protects it.

    Attributes:
        con_id: Its key.
        symbol: As people read it; `ticker` as a command takes it.
        quantity: Signed.
        pnl: Open profit at the market.
        distance_fraction: From the market to the stop, as a part of the price.
        r: Profit in multiples of what was risked.
        covered: How much of it working stops would end; `coverage` as a fraction.
        surplus: What exits could trade beyond it.
        naked_since: Since when a part is without a stop.
        stop_id: The order that is its nearest stop; empty without one.
        tick: The contract's price step at the market.
        is_closing: It is on its way to flat.
    """

    con_id: int
    symbol: str
    ticker: str
    quantity: Decimal
    average: Decimal | None = None
    last: Decimal | None = None
    pnl: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    distance_fraction: Decimal | None = None
    r: Decimal | None = None
    covered: Decimal = ZERO
    coverage: Decimal = ZERO
    surplus: Decimal = ZERO
    naked_since: datetime | None = None
    stop_id: str = ""
    tick: Decimal | None = None
    is_closing: bool = False
    remarks: tuple[str, ...] = ()


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order that may still trade.

    Attributes:
        order_id: Its key, in full; `short` as people read it.
        number: The broker's, which may be typed; 0 if there is none.
        terms: Its prices in one cell.
        can_limit, can_stop: Which prices a change may name.
        rule: Who placed it: a person, a rule, a group.
        is_pending: A change or a cancel has been asked for, and is not confirmed.
        is_protective: It would end a position at a loss: a stop.
        is_last_stop: Without it the position would not be covered any more.
        note: What the broker says of it.
    """

    order_id: str
    short: str
    number: int = 0
    con_id: int
    symbol: str
    ticker: str
    side: str
    quantity: Decimal
    filled: Decimal = ZERO
    kind: str
    terms: str
    limit: Decimal | None = None
    stop: Decimal | None = None
    can_limit: bool = False
    can_stop: bool = False
    tif: str = ""
    status: str
    group: str = ""
    role: str = ""
    rule: str = ""
    created_at: datetime | None = None
    is_pending: bool = False
    is_foreign: bool = False
    is_unknown: bool = False
    is_protective: bool = False
    is_last_stop: bool = False
    note: str = ""


class GaugeRow(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one limit is in use: `share` is 1 when all of it is."""

    name: str
    used: str
    limit: str
    share: Decimal | None = None
    note: str = ""


class Came(Enum):
    """What came of a decision, as far as anybody has stated it."""

    ACTED = "acted"
    NOTHING = "nothing"  # rightly nothing to do
    REFUSED = "refused"
    DENIED = "denied"  # by the guard
    FAILED = "failed"
    UNKNOWN = "unknown"
    WOULD = "would"  # only a shadow's
    NOTE = "note"  # it is told, and says nothing of an outcome
    ALERT = "alert"  # the same, and serious


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule, a signal, a group or a limit led to, and why."""

    at: datetime
    source: str
    text: str
    came: Came = Came.NOTE


class FeedKind(Enum):
    """What a line of the feed is about; a screen colours it."""

    FILL = "fill"
    CHANGE = "change"
    REFUSAL = "refusal"
    KEY = "key"
    ALERT = "alert"
    NOTE = "note"


class FeedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened; `number` counts them, from the trader's start."""

    number: int
    at: datetime
    kind: FeedKind
    text: str


class Glimpse(msgspec.Struct, frozen=True, kw_only=True):
    """What a trader sends: the panels whole, and of orders and feed only what is new.

    Attributes:
        is_first: It holds all orders: nothing known before counts.
        orders: New and changed ones; `gone` are those that cannot trade any more.
        feed: New lines, oldest first.
        equity: The account's worth lately, oldest first.
        events: How many events the trader has heard of.
        skipped: How many glimpses were left out because the last one was still unread.
    """

    head: Head
    is_first: bool = False
    positions: tuple[PositionRow, ...] = ()
    orders: tuple[OrderRow, ...] = ()
    gone: tuple[str, ...] = ()
    gauges: tuple[GaugeRow, ...] = ()
    warnings: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    feed: tuple[FeedLine, ...] = ()
    equity: tuple[Decimal, ...] = ()
    events: int = 0
    skipped: int = 0


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of the trader; see `Glimpse` for the fields."""

    head: Head
    positions: tuple[PositionRow, ...] = ()
    orders: Mapping[str, OrderRow] = MappingProxyType({})
    gauges: tuple[GaugeRow, ...] = ()
    warnings: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    feed: tuple[FeedLine, ...] = ()
    equity: tuple[Decimal, ...] = ()
    events: int = 0
    skipped: int = 0


def scene_after(before: Scene | None, glimpse: Glimpse) -> Scene:
    """Return the picture after `glimpse`; `before` is None at first."""
    known: dict[str, OrderRow] = {}
    if before is not None and not glimpse.is_first:
        known = dict(before.orders) if glimpse.orders or glimpse.gone else {}
    for row in glimpse.orders:
        known[row.order_id] = row
    for order_id in glimpse.gone:
        known.pop(order_id, None)
    is_same = before is not None and not (glimpse.is_first or glimpse.orders or glimpse.gone)
    orders: Mapping[str, OrderRow] = before.orders if is_same and before is not None else known
    lines = before.feed if before is not None and not glimpse.is_first else ()
    if glimpse.feed:
        lines = (*lines, *glimpse.feed)[-MOST_LINES:]
    return Scene(
        head=glimpse.head,
        positions=glimpse.positions,
        orders=orders,
        gauges=glimpse.gauges,
        warnings=glimpse.warnings,
        decisions=glimpse.decisions,
        feed=lines,
        equity=glimpse.equity,
        events=glimpse.events,
        skipped=glimpse.skipped,
    )
