"""The link, the broker's words on the account, and time itself."""

from __future__ import annotations

from datetime import datetime
from typing import final

from ibkr_trader.core.enums import DataType
from ibkr_trader.core.events.root import BaseEvent
from ibkr_trader.core.models import AccountValues, Contract, OrderId, Position


class SystemEvent(BaseEvent, frozen=True, kw_only=True):
    """News of the desk itself and its link to the broker."""


@final
class ConnectEvent(SystemEvent, frozen=True, kw_only=True):
    """A connection stands; nothing is known yet. `epoch` counts connections."""

    epoch: int
    server_version: int = 0
    accounts: tuple[str, ...] = ()
    is_simulator: bool = False


@final
class DisconnectEvent(SystemEvent, frozen=True, kw_only=True):
    """The link is down, or silent for too long.

    `until` is the end of the gateway's restart window, if it was lost within: that was expected.
    """

    epoch: int
    reason: str
    until: datetime | None = None


@final
class SyncEvent(SystemEvent, frozen=True, kw_only=True):
    """Everything was asked and answered in this epoch: orders, fills, positions, account.

    `positions` are what is held: from here on they are ours, whatever was believed before. Orders
    that are `claimed` were called filled meanwhile: the positions may not have that yet.
    """

    epoch: int
    positions: tuple[Position, ...] = ()
    claimed: tuple[OrderId, ...] = ()


@final
class ErrorEvent(SystemEvent, frozen=True, kw_only=True):
    """The broker or a part of ours reports a trouble that belongs to no order.

    Where it `needs_look`, nothing is opened until a person has looked.
    """

    code: int
    message: str
    is_serious: bool = False
    needs_look: bool = False


@final
class PositionReportEvent(SystemEvent, frozen=True, kw_only=True):
    """What the broker says is held: it confirms our ledger and never adds to it."""

    position: Position


@final
class AccountEvent(SystemEvent, frozen=True, kw_only=True):
    """The account's values as the broker now states them."""

    values: AccountValues


@final
class DataTypeEvent(SystemEvent, frozen=True, kw_only=True):
    """Quotes of a contract are live, frozen or delayed from now on."""

    contract: Contract
    data_type: DataType


@final
class DriftEvent(SystemEvent, frozen=True, kw_only=True):
    """Broker and journal disagree; settled in the broker's favour.

    Where it `needs_look`, nothing is opened until a person has looked.
    """

    subject: str
    ours: str
    theirs: str
    needs_look: bool = False


@final
class TimeEvent(SystemEvent, frozen=True, kw_only=True):
    """Time has passed and nothing happened: for those who wait for something overdue."""
