"""Runs strategies: their rules are asked, what they decide is on record, then it is carried out.

What a rule decides is written down before anything is done about it, so a restart knows that it
has acted, whatever became of it. Nothing is decided twice: of a decision that a restart finds
open, it is said that nobody knows more, and the broker's picture tells the rest; an exit that is
missing is said aloud (`execution/left_open.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Stage
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.origins import rule_origin
from ibkr_trader.execution.left_open import last_words
from ibkr_trader.execution.shadow_desk import ShadowDesk
from ibkr_trader.execution.wishing import Came, Wishing
from ibkr_trader.rules.decided import Occasion
from ibkr_trader.rules.engine import Verdict, decide
from ibkr_trader.rules.moment import Moment
from ibkr_trader.rules.wish_text import terms_of
from ibkr_trader.rules.wishes import Exit

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import ContractDetails
    from ibkr_trader.execution.moments import Moments
    from ibkr_trader.execution.studies import Studies
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.rules.moment import Trigger
    from ibkr_trader.rules.rule import Strategy
    from ibkr_trader.rules.rule_memory import RuleMemory
    from ibkr_trader.rules.taken import Taken
    from ibkr_trader.rules.wishes import Wish

logger = logging.getLogger(__name__)


class Plan(NamedTuple):
    """A decision on its way: what is on record, and what is to be done."""

    event: ev.DecisionEvent
    wish: Wish


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """What every strategy has to say to one moment, before anything is written or done.

    Attributes:
        passed: Why rules did not act, as `strategy/rule: reason`.
        moments: What they were asked about, by the size of their bars.
    """

    plans: tuple[Plan, ...] = ()
    faults: tuple[ev.FaultEvent, ...] = ()
    passed: tuple[str, ...] = ()
    moments: Mapping[timedelta, Moment] = MappingProxyType({})

    @property
    def events(self) -> tuple[ev.BaseEvent, ...]:
        """What goes on record first."""
        return (*self.faults, *(plan.event for plan in self.plans))

    @property
    def exits(self) -> Weighed:
        """What of it only ends positions: the decisions alone."""
        return Weighed(plans=tuple(one for one in self.plans if isinstance(one.wish, Exit)))


class RuleDesk:
    """The strategies of one trader.

    Attributes:
        studies: The bars and indicators that rules look at.
        shadow: The strategies whose decisions are only written down.
        timeout: Seconds to wait for the broker at each step of what is carried out.
    """

    def __init__(
        self, trader: Trader, studies: Studies, *, moments: Moments, timeout: float = 30.0
    ) -> None:
        self._trader = trader
        self.studies = studies
        self._moments = moments
        self._strategies: dict[str, Strategy] = {}
        self.shadow = ShadowDesk(trader, studies, moments=moments)
        self.timeout = timeout

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """Those that trade, in the order in which they came."""
        return tuple(self._strategies.values())

    @property
    def symbols(self) -> frozenset[str]:
        """What any of them trades, or would."""
        every = (*self.strategies, *self.shadows)
        return frozenset(symbol for strategy in every for symbol in strategy.symbols)

    @property
    def shadows(self) -> tuple[Strategy, ...]:
        """Those whose decisions are only written down."""
        return self.shadow.strategies

    @property
    def _memory(self) -> RuleMemory:
        return self._trader.remembered.rules

    def admit(self, strategy: Strategy, stage: Stage) -> None:
        """Take a strategy in, in place of one of its name at that stage."""
        if stage is Stage.LIVE:
            self._strategies[strategy.name] = strategy
            self._trader.outlook.strategies.envelopes[strategy.name] = strategy.envelope
        else:
            self.shadow.admit(strategy)

    def dismiss(self, name: str, stage: Stage) -> None:
        """Let a strategy go; what it holds keeps its stops."""
        if stage is Stage.LIVE:
            self._strategies.pop(name, None)
            self._trader.outlook.strategies.envelopes.pop(name, None)
        else:
            self.shadow.dismiss(name)

    def settle_open(self) -> tuple[ev.BaseEvent, ...]:
        """Say of each decision that the last process left open what is known; return what is said.

        An exit whose position is still held is told as serious: nobody carries it out any more.
        """
        said = last_words(self._trader)
        if said:
            self._trader.record.write(said)
        return said

    def weigh(
        self,
        details: ContractDetails,
        trigger: Trigger,
        *,
        cause: str,
        news: Taken | None = None,
        bar_size: timedelta | None = None,
    ) -> Weighed:
        """Ask every strategy that trades the contract; nothing is written, nothing is done.

        Shadows are asked about the same moments, once this is carried out.

        Args:
            details: The contract.
            trigger: What sets the rules off.
            cause: The same for the record: a signal's name, or the trigger's.
            news: The signal, if it is one.
            bar_size: Of the bar that is complete: only strategies with such bars are asked.
        """
        plans: list[Plan] = []
        faults: list[ev.FaultEvent] = []
        passed: list[str] = []
        seen: dict[timedelta, Moment] = {}
        for strategy in self._strategies.values():
            size = strategy.bar_size
            if (
                details.contract.symbol not in strategy.symbols
                or bar_size not in {None, size}
                or not strategy.at(trigger)
            ):
                continue
            study = self.studies.study(details.contract.symbol, size)
            moment = seen.get(size) or self._moments.at(details, trigger, study=study, news=news)
            seen[size] = moment
            explains = news is not None  # else nobody is told
            verdict = decide(strategy, self._memory, moment, explains=explains)
            occasion = Occasion(strategy, moment, cause)
            plans += self._plans(occasion, verdict)
            faults += occasion.faults(verdict)
            passed += [f"{strategy.name}/{one}" for one in verdict.passed if one.reasons]
        return Weighed(plans=tuple(plans), faults=tuple(faults), passed=tuple(passed), moments=seen)

    async def act(
        self, weighed: Weighed, *, valid_until: datetime | None = None, is_vital: bool = False
    ) -> tuple[ev.DecisionEndEvent, ...]:
        """Carry out what is on record already, one after the other; each end is recorded.

        What is vital is told even if the journal does not take it, and owed to it.
        """
        ends: list[ev.DecisionEndEvent] = []
        for plan in weighed.plans:
            came = await self._carry_out(plan, valid_until)
            end = ev.DecisionEndEvent(
                at=self._trader.clock.now(),
                strategy=plan.event.strategy,
                decision_id=plan.event.decision_id,
                outcome=came.outcome,
                reasons=came.reasons,
                order_ids=came.order_ids,
            )
            ends.append(end)
            try:
                self._trader.record.attempt([end], is_vital=is_vital)
            except (
                JournalError
            ) as error:  # the orders are on record; of the end, the next start says
                logger.warning("the end of %s is not on record: %s", end.decision_id, error)
        return tuple(ends)

    async def exit_unrecorded(self, weighed: Weighed) -> tuple[ev.DecisionEndEvent, ...]:
        """Carry out the exits of what the journal did not take, and nothing else of it.

        A full disk keeps nobody from getting out: as with a close by hand, what was decided is
        owed to the journal, and written with the next record that it takes.
        """
        exits = weighed.exits
        if exits.plans:
            self._trader.record.attempt(exits.events, is_vital=True)
        return await self.act(exits, is_vital=True)

    async def _carry_out(self, plan: Plan, valid_until: datetime | None) -> Came:
        wishing = Wishing(
            self._trader,
            origin=rule_origin(plan.event.strategy, plan.event.rule),
            cause=plan.event.decision_id,
            timeout=self.timeout,
            valid_until=valid_until,
        )
        return await wishing.carry_out(plan.wish)

    def _plans(self, occasion: Occasion, verdict: Verdict) -> list[Plan]:
        name = self._trader.new_group_id
        return [
            Plan(occasion.decision(one, name=name(), terms=terms_of(one.wish)), one.wish)
            for one in verdict.decided
        ]
