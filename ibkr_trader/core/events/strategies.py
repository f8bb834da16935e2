"""What strategies are let do, decide, and would have done."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import final

import msgspec

from ibkr_trader.core.enums import Outcome, Side, Stage, WouldBe
from ibkr_trader.core.events.root import BaseEvent
from ibkr_trader.core.models import ZERO, OrderId


class StrategyEvent(BaseEvent, frozen=True, kw_only=True):
    """News of one strategy."""

    strategy: str


@final
class StageEvent(StrategyEvent, frozen=True, kw_only=True):
    """How far a strategy may go from now on, in this very version.

    Attributes:
        version: A short name for its text.
        content: Its text, so that it can be brought back.
        suffix: What kind of text: `.toml` or `.py`.
        origin: Who decided.
    """

    stage: Stage
    version: str
    content: str = ""
    suffix: str = ".toml"
    origin: str = ""


@final
class FaultEvent(StrategyEvent, frozen=True, kw_only=True):
    """A rule raised, and is not asked again until its strategy is loaded anew.

    `is_shadow`: where it is only written down; the rule of that name that trades goes on.
    """

    rule: str
    message: str
    is_shadow: bool = False


@final
class DecisionEvent(StrategyEvent, frozen=True, kw_only=True):
    """A rule holds and its strategy wishes something: told before anything is done about it.

    Attributes:
        decision_id: Names it; its orders carry it as their correlation id.
        version: Of the strategy.
        cause: What set it off: a signal as `source/id`, or `bar`, `price`, `position`, `time`.
        wish: What is wished, by its registered name.
        terms: The wish in full, as text by name.
        words: The wish in one line, for people.
        facts: What the rule looked at, and what it saw.
        price: The market's price then; None if nobody knew it.
        is_shadow: It is only written down.
    """

    decision_id: str
    rule: str
    version: str
    ticker: str
    cause: str
    wish: str
    terms: Mapping[str, str] = msgspec.field(default_factory=dict)
    words: str = ""
    facts: Mapping[str, str] = msgspec.field(default_factory=dict)
    price: Decimal | None = None
    is_shadow: bool = False


@final
class DecisionEndEvent(StrategyEvent, frozen=True, kw_only=True):
    """What came of a decision; of one that a restart found open, nobody knows more."""

    decision_id: str
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    order_ids: tuple[OrderId, ...] = ()


@final
class WouldFillEvent(StrategyEvent, frozen=True, kw_only=True):
    """An execution that a shadow would have had, by a model: nothing was traded.

    Attributes:
        version: Of the strategy.
        decision_id: The decision whose order it is; of a stop or a target, the one that entered.
        kind: What kind of order.
        commission: What it would have cost.
        multiplier: Of the contract.
        gain: What the trip brought that this ends, commissions taken off; None if it ends none.
    """

    version: str
    ticker: str
    decision_id: str
    kind: WouldBe
    side: Side
    quantity: Decimal
    price: Decimal
    commission: Decimal = ZERO
    multiplier: Decimal = Decimal(1)
    gain: Decimal | None = None
