"""What is in force at the desk: halts, limits, losses, closings, cover, and people's acts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import final

import msgspec

from ibkr_trader.core.enums import Care, TradingState
from ibkr_trader.core.events.system import SystemEvent
from ibkr_trader.core.models import ZERO, Contract, GroupId, OrderId, OrderSpec


@final
class StateEvent(SystemEvent, frozen=True, kw_only=True):
    """The trading state changed, and why: of everything, or of one `symbol` alone.

    HALTED and REDUCING hold until somebody resumes; a cause that ends by itself is no event.
    `origin` is who decided: a person, a limit's name, a signal. `keeps_entries` halts without
    cancelling what could still open. `flattens` promises that what is held is closed, by whoever
    runs; told again, of the same moment, without it: the promise is kept.
    """

    state: TradingState
    reason: str
    symbol: str = ""
    origin: str = ""
    keeps_entries: bool = False
    flattens: bool = False


@final
class ArmEvent(SystemEvent, frozen=True, kw_only=True):
    """A live desk was armed until `until`, or (None) disarmed, and why.

    `token` names the armed time: what is kept of any other than the newest is void.
    """

    until: datetime | None
    reason: str
    origin: str = ""
    token: str = ""


@final
class OperatorEvent(SystemEvent, frozen=True, kw_only=True):
    """A person at a dashboard pressed a key that acts; what came of it is told by other events.

    Attributes:
        operator: Who sat there, as the dashboard says.
        action: What a person would call it.
        command: What it calls at the trader, with its family: `revise.cancel`.
    """

    operator: str
    action: str
    command: str


@final
class LimitsEvent(SystemEvent, frozen=True, kw_only=True):
    """The symbols' limits now in force, as the text of a limits file."""

    content: str
    origin: str = ""


@final
class EquityEvent(SystemEvent, frozen=True, kw_only=True):
    """The account is worth more than ever, or its peak is counted anew from here."""

    net_liquidation: Decimal
    peak: Decimal


@final
class LossEvent(SystemEvent, frozen=True, kw_only=True):
    """The day's loss reached a level of its limit: of one symbol, or (empty) of the account.

    `level` is 1 (one is told), 2 (nothing more is opened) or 3 (the desk is halted). `is_resumed`
    is of the memory of a halt that a person has ended since: see `execution/loss_watch.py`.
    """

    level: int = 1
    is_resumed: bool = False
    loss: Decimal
    limit: Decimal
    symbol: str = ""
    message: str
    is_serious: bool = False


@final
class TrailEvent(SystemEvent, frozen=True, kw_only=True):
    """A stop that rests already is let follow the market from now on, by a running trader.

    `plan` is how, as `orders/managed_trails.py` writes it; an empty one ends it. `stop` is where
    the stop stood then, and `origin` who decided.
    """

    order_id: OrderId
    plan: Mapping[str, str] = msgspec.field(default_factory=dict)
    stop: Decimal | None = None
    origin: str = ""


@final
class NoticeEvent(SystemEvent, frozen=True, kw_only=True):
    """A rule tells people something; `origin` is which."""

    origin: str
    message: str
    is_serious: bool = False


@final
class AlarmEvent(SystemEvent, frozen=True, kw_only=True):
    """Something that a person must hear of: told again and again until one takes note of it.

    The newest of a `key` is how the alarm stands.

    Attributes:
        key: What it is about: one trouble is one alarm, however often it shows.
        message: In words.
        since: When it was first seen.
        count: How often it has shown.
        is_over: It has ended by itself.
        must_be_seen: It waits for a person even when it has.
        seen_by: Who has taken note; empty is nobody yet.
        reason: What they said to it.
    """

    key: str
    message: str
    since: datetime
    count: int = 1
    is_over: bool = False
    must_be_seen: bool = True
    seen_by: str = ""
    reason: str = ""


@final
class CloseRequestEvent(SystemEvent, frozen=True, kw_only=True):
    """It is decided to end flat in `contract`: until `CloseEndEvent`, whoever runs goes on.

    Told again, of the same group and moment, once it is known which `stop` is taken away and
    must come back if the position cannot be closed. `correlation_id` ties it and its orders to
    what caused it: the id of a decision.
    """

    group_id: GroupId
    contract: Contract
    account: str
    origin: str = ""
    correlation_id: str = ""
    stop: OrderSpec | None = None


@final
class CloseEndEvent(SystemEvent, frozen=True, kw_only=True):
    """A closing is over: flat with nothing left of ours, or `message` says why not."""

    group_id: GroupId
    message: str = ""


@final
class CareEvent(SystemEvent, frozen=True, kw_only=True):
    """A person says that the desk looks after a position from here on, or leaves it alone.

    It ends with the position: once flat, or turned round, the next one is another matter.

    Attributes:
        held: What was held then, signed; of an adopted one, as much as was taken over.
        origin: Who says so.
    """

    contract: Contract
    care: Care
    held: Decimal
    origin: str = ""


@final
class GroupEvent(SystemEvent, frozen=True, kw_only=True):
    """An order group concluded or needs attention."""

    group_id: GroupId
    message: str
    is_serious: bool = False


@final
class CoverEvent(SystemEvent, frozen=True, kw_only=True):
    """A position is not protected as it should be, or is again.

    Attributes:
        held: What is held, signed.
        covered: How much of it working stops would end.
        surplus: What exits could trade beyond it.
        since: Since when a part of it has been without a stop; None if none is.
    """

    contract: Contract
    held: Decimal
    covered: Decimal
    surplus: Decimal = ZERO
    since: datetime | None = None
    message: str
    is_serious: bool = False

    @property
    def is_well(self) -> bool:
        """Whether nothing is bare, nothing too much, and nothing has failed."""
        return self.since is None and not self.surplus and not self.is_serious
