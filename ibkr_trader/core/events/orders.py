"""What becomes of an order, each step as a fact."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import final

import msgspec

from ibkr_trader.core.events.root import BaseEvent, Breach
from ibkr_trader.core.models import ZERO, Fill, Order, OrderId, OrderSpec


class OrderEvent(BaseEvent, frozen=True, kw_only=True):
    """News of one order."""

    order_id: OrderId


@final
class NewOrderEvent(OrderEvent, frozen=True, kw_only=True):
    """We wrote the order down and hand it to the broker: from here it may exist there."""

    spec: OrderSpec
    kind: str = "single"
    origin: str = ""
    correlation_id: str = ""
    plan: Mapping[str, str] = msgspec.field(default_factory=dict)  # see `SubmitOrders`
    reduces: bool = False  # the guard found that it could only lower risk: it is an exit


@final
class DenyEvent(OrderEvent, frozen=True, kw_only=True):
    """Our own checks refused the order, or a change to it; nothing was sent."""

    breaches: tuple[Breach, ...]
    spec: OrderSpec | None = None  # the order, when it was new


@final
class NotSentEvent(OrderEvent, frozen=True, kw_only=True):
    """It is certain that the broker never had the order."""

    reason: str


@final
class AcceptEvent(OrderEvent, frozen=True, kw_only=True):
    """The broker stated the terms of a live order: ours, adopted, or changed by hand in TWS.

    `from_snapshot` marks the answer to a question of ours about what is open now: stronger
    evidence than a message that may be late.
    """

    spec: OrderSpec
    from_snapshot: bool = False
    perm_id: int = 0
    client_id: int = 0
    is_foreign: bool = False
    warning: str = ""


@final
class AdoptEvent(OrderEvent, frozen=True, kw_only=True):
    """A person took over an order that a lost journal of ours had placed: it is ours again.

    Nothing was sent. `order` is as it stood, under its own id; `was` is what it was called here
    until then, and its executions and exits with it.
    """

    order: Order
    was: OrderId
    origin: str = ""


@final
class StatusEvent(OrderEvent, frozen=True, kw_only=True):
    """The broker says the order is alive: held until something happens, or working.

    Repeats and stale reports are normal; `filled` is only a claim until executions come.
    """

    is_working: bool  # False: held by the broker (trigger, parent, opening)
    filled: Decimal = ZERO
    remaining: Decimal = ZERO
    average_price: Decimal | None = None
    perm_id: int = 0
    client_id: int = 0
    held_for: str = ""


@final
class FillEvent(OrderEvent, frozen=True, kw_only=True):
    """An execution, or a correction of one: `replaces` is the revision it takes the place of."""

    fill: Fill
    replaces: Fill | None = None

    @property
    def quantity_delta(self) -> Decimal:
        """What this changes in the filled quantity; negative only for a correction."""
        return self.fill.quantity - (self.replaces.quantity if self.replaces else ZERO)

    @property
    def value_delta(self) -> Decimal:
        """What this changes in quantity x price."""
        before = self.replaces.quantity * self.replaces.price if self.replaces else ZERO
        return self.fill.quantity * self.fill.price - before


@final
class DoneEvent(OrderEvent, frozen=True, kw_only=True):
    """The broker says the order is completely filled; the executions may still be on their way."""

    filled: Decimal
    average_price: Decimal | None = None


@final
class CommissionEvent(OrderEvent, frozen=True, kw_only=True):
    """What an execution cost; it may come late, twice or never, and never delays a fill."""

    fill_id: str
    commission: Decimal
    currency: str = "USD"
    realized_pnl: Decimal | None = None


@final
class ModifyEvent(OrderEvent, frozen=True, kw_only=True):
    """We asked for these new terms; `AcceptEvent` will say that they hold."""

    spec: OrderSpec
    origin: str = ""  # who asked; see `SubmitOrders`


@final
class ModifyRejectEvent(OrderEvent, frozen=True, kw_only=True):
    """The change was refused; the order works on under its old terms."""

    code: int
    reason: str


@final
class CancelRequestEvent(OrderEvent, frozen=True, kw_only=True):
    """A cancel is asked for: by us, or the broker says that one is under way."""

    origin: str = ""


@final
class CancelEvent(OrderEvent, frozen=True, kw_only=True):
    """The order was cancelled; whatever had filled stays filled."""

    reason: str = ""
    code: int = 0


@final
class CancelRejectEvent(OrderEvent, frozen=True, kw_only=True):
    """The cancel was refused: a question, not an answer, until the order is looked up."""

    code: int
    reason: str


@final
class ExpireEvent(OrderEvent, frozen=True, kw_only=True):
    """The order's time ran out."""

    reason: str = ""


@final
class RejectEvent(OrderEvent, frozen=True, kw_only=True):
    """The broker refused the order, in its own words."""

    code: int
    reason: str


@final
class HoldEvent(OrderEvent, frozen=True, kw_only=True):
    """The broker set the order aside (`Inactive`): perhaps a refusal, perhaps a hold that ends."""

    reason: str = ""
    code: int = 0


@final
class UnknownEvent(OrderEvent, frozen=True, kw_only=True):
    """Nobody can say whether the broker has the order; it counts at its worst."""

    reason: str


@final
class WarningEvent(OrderEvent, frozen=True, kw_only=True):
    """The broker remarked on the order; its state is unchanged."""

    code: int
    reason: str
