"""What a plan is made of: steps, each one thing that is not as it is meant, and what ends it.

A step with an action can be carried out as it stands; it never opens risk. One without an
action is told, with the command that a person may type.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.models import OrderId
from ibkr_trader.orders.cover_orders import Attach

if TYPE_CHECKING:
    from collections.abc import Mapping


class StepKind(StrEnum):
    """What is not as it is meant."""

    CANCEL = "cancel"  # an order of ours that nothing stands behind
    RESIZE = "resize"  # an exit that is too large, or a stop that is too small
    STOP = "stop"  # a stop that is missing, and that the settings say how to place
    NAKED = "naked"  # a stop that is missing, and nobody says where it belongs
    UNKNOWN = "unknown"  # an order of which nobody knows whether it is live
    DRIFT = "drift"  # broker and books disagree, or a group is wrong about what it holds
    CLOSING = "closing"  # a closing was begun and is not over
    LOST = "lost"  # an order of ours that the journal does not know
    FOREIGN = "foreign"  # somebody else's order or position: told, never touched
    RELEASED = "released"  # a position that a person wants left alone: likewise


SIGNS: Mapping[StepKind, str] = MappingProxyType(
    {
        StepKind.CANCEL: "-",
        StepKind.RESIZE: "~",
        StepKind.STOP: "+",
        StepKind.NAKED: "!",
        StepKind.UNKNOWN: "?",
        StepKind.DRIFT: "!",
        StepKind.CLOSING: "!",
        StepKind.LOST: "o",
        StepKind.FOREIGN: "f",
        StepKind.RELEASED: "r",
    }
)


class TakeOver(msgspec.Struct, frozen=True, kw_only=True):
    """Call an order of a lost journal ours again, as it stands; nothing is sent.

    Attributes:
        order_id: What it is called here until then.
        perm_id: What the broker calls it, for ever.
    """

    order_id: OrderId
    perm_id: int


class PlanStep(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a plan.

    Attributes:
        id: What a person names it by: `cancel-17-target`.
        symbol: The contract's name; empty where there is none.
        words: What is so, and what is to become of it.
        action: What carries it out; None if that is not for a plan to do.
        next: The command to type instead; empty if there is none.
        orders: The orders it is about.
        con_id: The contract whose position it is about; 0 if it is about none.
    """

    id: str
    kind: StepKind
    symbol: str
    words: str
    action: CancelOrder | ModifyOrder | Attach | TakeOver | None = None
    next: str = ""
    orders: tuple[OrderId, ...] = ()
    con_id: int = 0

    @property
    def sign(self) -> str:
        """What stands at the beginning of its line."""
        return SIGNS[self.kind]

    @property
    def differs(self) -> bool:
        """Whether something is not as it is meant: what others do is only told."""
        return self.kind not in {StepKind.FOREIGN, StepKind.RELEASED}

    @property
    def line(self) -> str:
        """The step in one line, by which it is known again."""
        return f"{self.id}: {self.words}"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes that the broker has what is meant.

    Attributes:
        steps: By symbol, then in the order in which they are to be done.
        fine: How many orders and positions are as they should be.
    """

    steps: tuple[PlanStep, ...] = ()
    fine: int = 0

    @property
    def differing(self) -> tuple[PlanStep, ...]:
        """The steps that say that something is not as it is meant."""
        return tuple(step for step in self.steps if step.differs)

    @property
    def doable(self) -> tuple[PlanStep, ...]:
        """The steps that can be carried out as they stand."""
        return tuple(step for step in self.steps if step.action is not None)
