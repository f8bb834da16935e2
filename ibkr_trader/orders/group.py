"""The promise between orders: what a bracket, an OCO pair or a trailing stop has in common.

Native first: `open()` links the orders so that IBKR keeps the promise on its own
servers, even while we are down. `react()` adds what IBKR cannot do, and repeats what it
might fail to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from ibkr_trader.core.models import ZERO
from ibkr_trader.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from ibkr_trader.core.commands import Command, SubmitOrders
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.core.models import Contract, GroupId, OrderSpec, PriceBand


class OrderGroup(Protocol):
    """The policy of a group of orders, as a value that is replaced and never changed."""

    @property
    def group_id(self) -> GroupId:
        """The stem of every order id in the group: ids are derived, not drawn."""

    @property
    def is_closed(self) -> bool:
        """Whether no order of the group can trade any more."""

    def open(self) -> SubmitOrders:
        """Return the orders that start the group; they are sent all or none."""

    def react(self, event: BaseEvent) -> Step:
        """Return what follows from `event`; an unrelated event changes nothing.

        What a group believes of its orders follows from order events alone, so that a
        restart can rebuild it from them, with the commands dropped. What it has asked for is
        its own memory: after a restart, and on a link that follows a lost one, it may ask once
        more, which must do no harm.
        """


@runtime_checkable
class Follower(Protocol):
    """A group that acts on prices. The others hear none: for them only time passes."""

    @property
    def follows(self) -> frozenset[Contract]:
        """The contracts whose prices it wants; the same for as long as it lives."""

    @property
    def outside_rth(self) -> bool:
        """Whether prices outside regular hours mean anything to it."""


@runtime_checkable
class Forgetful(Protocol):
    """A group that can be told that what it asked for never left, so that it asks again."""

    def unsent(self, command: Command, /) -> OrderGroup:
        """Return the group as if it had not asked for `command`."""


class Step(NamedTuple):
    """A group after one event.

    Attributes:
        group: Its next self.
        commands: What to do.
        events: What to tell.
        is_at_rest: Whether time alone changes nothing from now on: it need not hear of it before
            something else happens. A desk of hundreds of brackets lets it pass four times a second.
    """

    group: OrderGroup
    commands: tuple[Command, ...] = ()
    events: tuple[BaseEvent, ...] = ()
    is_at_rest: bool = False


class GroupFactory(Protocol):
    """Rebuilds a group from what it was opened with: journal and recovery use it."""

    def __call__(
        self, group_id: GroupId, specs: tuple[OrderSpec, ...], plan: Mapping[str, str], /
    ) -> OrderGroup:
        """Return the group as it was when it was opened; `plan` as `SubmitOrders` had it."""


class Setting(NamedTuple):
    """Where a new group begins.

    Attributes:
        group_id: Fresh: the stem of its order ids.
        contract: What the broker has resolved the symbol to.
        account: The account that trades.
        bands: The contract's price steps; prices are rounded to them.
        mark: What the contract is worth now; None if nobody says.
        held: What is held of the contract, signed.
    """

    group_id: GroupId
    contract: Contract
    account: str
    bands: Sequence[PriceBand] = ()
    mark: Decimal | None = None
    held: Decimal = ZERO


class GroupRequest(Protocol):
    """What somebody asks for, of any order type: a frozen value that can judge itself."""

    @property
    def symbol(self) -> str:
        """What is to be traded."""

    def validate(self) -> None:
        """Refuse what contradicts itself; `ValueError` names every fault at once."""

    def group(self, setting: Setting) -> OrderGroup:
        """Return the new group; its `open()` says what to send."""


ORDER_TYPES: Registry[GroupFactory] = Registry("order type", "ibkr_trader.orders")

__all__ = [
    "ORDER_TYPES",
    "Follower",
    "Forgetful",
    "GroupFactory",
    "GroupRequest",
    "OrderGroup",
    "Setting",
    "Step",
]
