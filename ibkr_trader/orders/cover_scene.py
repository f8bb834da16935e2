"""One contract as the cover policy sees it: how it stands, what is remembered, what may follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.events import CoverEvent
from ibkr_trader.core.models import ZERO, Contract, Order, OrderId
from ibkr_trader.orders.asking import PATIENCE, SLOWLY, TRIES
from ibkr_trader.orders.cover_orders import Attach, CoverRules, Market

CHANGES = ("cut ", "room ", "size ")  # how what is tried of an order that is there begins


class Scene(NamedTuple):
    """One contract as it stands.

    Attributes:
        held, cost: The signed position, and what a unit of it has cost on average.
        orders: The live orders in the contract, whoever's.
        lost: The stops in it that ended lately, oldest first.
        since: Since when a part may have been without a stop, by the facts.
        ours: How much of what is held orders of ours have opened.
        is_known: Whether broker and ledger agree on what is held.
        is_closing: It is being ended for good, and nothing else may act on it.
        is_released: A person wants it left alone, with its orders.
        mark: The last price, for what it is worth.
        market: The market, only while it is open, fresh and not halted.
    """

    contract: Contract
    held: Decimal
    cost: Decimal = ZERO
    orders: tuple[Order, ...] = ()
    lost: tuple[Order, ...] = ()
    since: datetime | None = None
    ours: Decimal = ZERO
    is_known: bool = True
    is_closing: bool = False
    is_released: bool = False
    mark: Decimal | None = None
    market: Market | None = None

    @property
    def is_left_alone(self) -> bool:
        """Whether nothing may be done about it: it is ending, released, or nobody knows it."""
        return self.is_closing or self.is_released or not self.is_known


class Flatten(NamedTuple):
    """End the position for good."""

    contract: Contract


class Look(NamedTuple):
    """Get a fresh price: what follows depends on it."""

    contract: Contract


Action = CancelOrder | ModifyOrder | Attach | Flatten | Look


class Tried(NamedTuple):
    """How often something was done, and when last."""

    at: datetime
    times: int = 1


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of one contract.

    Attributes:
        naked_since: Since when a part has been without a stop, by the facts.
        naked_seen: When this was first seen here.
        surplus_seen: When too many exits were first seen.
        is_told: Whether the beginning was told, so that the end is told too.
        alerted_at: When it was last called out.
        tried: What was done, by what it was.
        placed: When stops were put in place of late; the policy keeps it beyond the watch.
    """

    naked_since: datetime | None = None
    naked_seen: datetime | None = None
    surplus_seen: datetime | None = None
    is_told: bool = False
    alerted_at: datetime | None = None
    tried: Mapping[str, Tried] = MappingProxyType({})
    placed: tuple[datetime, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to remember."""
        return self.naked_seen is not None or self.surplus_seen is not None

    @property
    def is_waiting(self) -> bool:
        """Whether something falls due soon, by time alone."""
        is_new = self.naked_seen is not None and self.alerted_at is None
        return is_new or (self.surplus_seen is not None and not self.tried)

    def may_try(self, key: str, now: datetime) -> bool:
        """Whether to take an exit away (again), which can only reduce what may trade.

        With patience at first, then slowly, for as long as it works on: a person who lets TWS
        take orders again tells us nothing.
        """
        before = self.tried.get(key)
        if before is None:
            return True
        return now - before.at >= (PATIENCE if before.times < TRIES else SLOWLY)

    def having_tried(self, key: str, now: datetime) -> Watch:
        """Return the watch that remembers it."""
        before = self.tried.get(key)
        times = 1 if before is None else before.times + 1
        return msgspec.structs.replace(self, tried={**self.tried, key: Tried(now, times)})

    def parted(self) -> Watch:
        """Return the watch without the changes that were tried: a lost link may have them.

        What was placed counts on: where it has not arrived, that is proven first.
        """
        kept = {key: one for key, one in self.tried.items() if not key.startswith(CHANGES)}
        return msgspec.structs.replace(self, tried=kept)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy knows of orders beside how they stand.

    Attributes:
        exits: Orders without the role of an exit that could only end something.
        loose: Orders of groups that do not size them: such a stop may be enlarged in place.
        wishes: Orders that a person asked to be cancelled.
    """

    exits: frozenset[OrderId] = frozenset()
    loose: frozenset[OrderId] = frozenset()
    wishes: frozenset[OrderId] = frozenset()

    @property
    def size(self) -> int:
        """How much is remembered."""
        return len(self.exits) + len(self.loose) + len(self.wishes)

    def only(self, orders: Iterable[OrderId]) -> Known:
        """Return what is known of these orders."""
        kept = frozenset(orders)
        return Known(exits=self.exits & kept, loose=self.loose & kept, wishes=self.wishes & kept)


class Terms(NamedTuple):
    """What the rules go by, beside the contract: settings, what is known of orders, the time."""

    rules: CoverRules
    known: Known
    now: datetime


class Found(NamedTuple):
    """What a rule has found in one contract: what to remember, to do and to tell."""

    watch: Watch
    actions: tuple[Action, ...] = ()
    events: tuple[CoverEvent, ...] = ()
