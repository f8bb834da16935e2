"""A rule: when this holds, do that; with a priority, a pause after it, and hours."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec

from ibkr_trader.core.registry import Registry
from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.rules.condition import Condition
from ibkr_trader.rules.moment import Trigger

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.moment import Moment
    from ibkr_trader.rules.wishes import Wish

USUAL_PRIORITY = 100
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_COOLDOWN = timedelta(days=7)  # a memory of that is kept across restarts
LEAST_REST = timedelta(seconds=10)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")  # no slash: an origin is `strategy/NAME/RULE`
NAME_FORM = 'a short name of letters, digits, - _ and ., such as "my-entry"'
_OFTEN = frozenset({Trigger.PRICE, Trigger.POSITION, Trigger.TIME})


class Action(Protocol):
    """What a rule does: a frozen value that turns into wishes, once it is known when."""

    @property
    def indicators(self) -> frozenset[Key]:
        """The indicators that it needs."""

    def wishes(self, moment: Moment) -> tuple[Wish, ...]:
        """Return what is to be so, with every price worked out; none is nothing to do.

        Raises:
            CannotWish: If it lacks what it needs; the message says what.
        """


ACTIONS: Registry[type[Action]] = Registry("action", "ibkr_trader.rules.actions")


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When a rule may act, by the exchange's clock; an end before its start is past midnight.

    The hours after that midnight belong to the day before.
    """

    begins: time = time.min
    ends: time = time.max
    days: frozenset[str] = frozenset(DAYS)

    def holds(self, local: datetime) -> bool:
        """Whether `local`, in the exchange's zone, lies in it."""
        now, day = local.time(), local.weekday()
        if self.begins <= self.ends:
            inside = self.begins <= now <= self.ends
        else:
            inside = now >= self.begins or now <= self.ends
            day -= 1 if now < self.begins else 0  # Monday's is Sunday: it counts from the end
        return inside and DAYS[day] in self.days


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """When `when` holds, do `then`.

    Attributes:
        name: What it is called, once in a strategy.
        priority: Those with a lower one come first; of two that want to trade, the first does.
        cooldown: How long it does nothing in a symbol after it has acted there: a restart
            does not shorten it. See `rest` for none.
        schedule: When it may act; None is at any time.
        on: What sets it off; empty is whatever its condition names.
        symbols: Those that it is for; empty are all of its strategy.
    """

    name: str
    when: Condition
    then: tuple[Action, ...]
    priority: int = USUAL_PRIORITY
    cooldown: timedelta = timedelta(0)
    schedule: Schedule | None = None
    on: frozenset[Trigger] = frozenset()
    symbols: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"the rule's name must be {NAME_FORM}")
        if not timedelta(0) <= self.cooldown <= LONGEST_COOLDOWN:
            raise ValueError(f"cooldown must be from 0 to {LONGEST_COOLDOWN.days} days")

    def rest(self, trigger: Trigger) -> timedelta:
        """Return how long it does not wish the same thing again, asked because of `trigger`.

        What holds at a price holds at the next one, too, a quarter of a second later, and what
        was refused then would be again. So a rule that names no cooldown gets a short one where
        it is asked that often; to a signal, which comes once, it answers at any time. It holds
        back the same kind of wish alone: a method of a Python strategy that has just entered
        must be able to leave.
        """
        return self.cooldown or (LEAST_REST if trigger in _OFTEN else timedelta(0))

    @property
    def triggers(self) -> frozenset[Trigger]:
        """What it is asked at."""
        return self.on or self.when.triggers

    @property
    def indicators(self) -> frozenset[Key]:
        """What it and its actions need."""
        return self.when.indicators.union(*(action.indicators for action in self.then))


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that belong together, and what they may do.

    Raises:
        ValueError: If a name is none, or two rules have the same.

    Attributes:
        name: What it is called; its orders carry it as their origin.
        version: A short name for its text.
        symbols: What it trades.
        bar_size: Of its bars and indicators.
        rules: In whatever order they are given, they come in that of their priority.
        description: For people.
    """

    name: str
    version: str
    symbols: tuple[str, ...]
    rules: tuple[Rule, ...]
    bar_size: timedelta = timedelta(minutes=1)
    envelope: Envelope = Envelope()
    description: str = ""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"the strategy's name must be {NAME_FORM}")
        if len({rule.name for rule in self.rules}) < len(self.rules):
            raise ValueError("two rules have the same name")
        ordered = tuple(sorted(self.rules, key=lambda rule: rule.priority))
        msgspec.structs.force_setattr(self, "rules", ordered)

    @property
    def indicators(self) -> frozenset[Key]:
        """What its rules need."""
        return frozenset().union(*(rule.indicators for rule in self.rules))

    def at(self, trigger: Trigger) -> tuple[Rule, ...]:
        """Return the rules that `trigger` sets off."""
        return tuple(rule for rule in self.rules if trigger in rule.triggers)
