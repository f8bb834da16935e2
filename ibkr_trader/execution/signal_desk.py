"""The door of every signal: judged, written down, handed to the rules, and answered.

The order of things is what makes a signal act once. It is judged and its rules are asked; then
the signal and what was decided go on record in one write; only then is anything done. Whoever
comes with it again by the same source, after a restart too, finds it on record. A source is
answered at the very end, so what it acknowledges cannot be lost.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.errors import AmbiguousContract, BrokerUnavailable, JournalError
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.signals import MALFORMED, Claim, Malformed, SignalReply
from ibkr_trader.execution.refusals import Refusals
from ibkr_trader.rules.admission import (
    BUSY,
    UNAVAILABLE,
    UNKNOWN_SYMBOL,
    Admission,
    Refusal,
    judge,
)
from ibkr_trader.rules.taken import taken, trigger_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ibkr_trader.core.models import ContractDetails
    from ibkr_trader.core.signals import FlowClaim, Incoming
    from ibkr_trader.execution.rule_desk import RuleDesk, Weighed
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.execution.turns import Turns
    from ibkr_trader.rules.signal_memory import SignalMemory
    from ibkr_trader.rules.taken import Taken

logger = logging.getLogger(__name__)
_INTERRUPTED = "the process ended before it was known what came of it; it is not acted upon again"
_BUSY = SignalReply(
    outcome=Outcome.REFUSED,
    reasons=("too many signals of this symbol wait for their turn",),
)
_NOT_WRITTEN = "the journal does not take it, so nothing was done about it"
_OFF_RECORD = "the journal does not take it: its exit is carried out, and is not on record"
_REST_NOT_DONE = "nothing else of it was done"


class SignalDesk:
    """Takes signals for one trader.

    Attributes:
        admission: What a signal must be like; where it names no symbols, those of the strategies
            are taken.
        also: Symbols that are taken beside those.
        ours_since: Since when the account is ours to trade; None if nobody else may trade it.
    """

    def __init__(self, trader: Trader, rules: RuleDesk, *, turns: Turns) -> None:
        self._trader = trader
        self._rules = rules
        self._turns = turns
        self.admission = Admission()
        self.also: frozenset[str] = frozenset()
        self.ours_since: datetime | None = None
        self._refusals = Refusals(trader)

    @property
    def _memory(self) -> SignalMemory:
        return self._trader.remembered.signals

    def settle_open(self) -> tuple[ev.BaseEvent, ...]:
        """Say of each signal that the last process left open that it is not acted upon again.

        What was decided about it is named: what came of that, each decision's own end says.
        """
        now, rules = self._trader.clock.now(), self._trader.remembered.rules
        ends = tuple(
            _end(
                one,
                now,
                outcome=Outcome.UNKNOWN,
                reasons=(_INTERRUPTED,),
                decisions=rules.decided_for(one.name),
            )
            for one in self._memory.open.values()
        )
        if ends:
            self._trader.record.write(ends)
        return ends

    async def take(self, claim: Incoming) -> SignalReply:
        """Judge a signal, act on it if it is taken, and return what came of it.

        It is on record by then, unless the reply says that it is not final. If the caller is
        cancelled, what is under way goes on.
        """
        refusal = self._judge(claim)
        if refusal is not None or isinstance(claim, Malformed):
            return self._refusals.refuse(claim, refusal or Refusal(MALFORMED, ""))
        if isinstance(claim, Claim) and claim.is_standing:
            # What is taken is a record more, so this never comes twice.
            number = self._trader.journal.state.last_record
            claim = msgspec.structs.replace(claim, signal_id=f"{claim.ticker}-{number}")
        reply = await self._turns.ask(claim.ticker, lambda: self._handle(claim), busy=_BUSY)
        if reply is _BUSY:
            return self._refusals.refuse(claim, Refusal(BUSY, reply.reasons[0]))
        return reply

    async def _handle(self, claim: Claim | FlowClaim) -> SignalReply:
        try:
            details = await self._trader.learn(claim.ticker)
        except AmbiguousContract as error:
            return self._refusals.refuse(claim, Refusal(UNKNOWN_SYMBOL, error.message))
        except BrokerUnavailable as error:
            return self._refusals.refuse(claim, Refusal(UNAVAILABLE, error.message))
        # From here to the record nothing waits: two of the same name cannot both pass.
        refusal = self._judge(claim)
        if refusal is not None:
            return self._refusals.refuse(claim, refusal)
        event = taken(claim, self._trader.clock.now())
        valid_until = event.made_at + self.admission.oldest(claim.grace)
        return await self._decide(event, details, valid_until=valid_until)

    async def _decide(
        self, event: Taken, details: ContractDetails, *, valid_until: datetime
    ) -> SignalReply:
        weighed = self._rules.weigh(details, trigger_of(event), cause=event.name, news=event)
        try:
            self._trader.record.write([event, *weighed.events])
        except JournalError as error:
            return await self._unrecorded(weighed, error)
        ends = await self._rules.act(weighed, valid_until=valid_until)
        reply = self._answer(event, ends, weighed)
        shadow = self._rules.shadow
        shadow.look(details, trigger_of(event), cause=event.name, seen=weighed.moments, news=event)
        return reply

    async def _unrecorded(self, weighed: Weighed, error: JournalError) -> SignalReply:
        """Do only what gets out, and have the source keep the signal: nobody has written it down.

        Whoever comes with it again finds a position that is closed already.
        """
        ends = await self._rules.exit_unrecorded(weighed)
        if not ends:
            reasons = (_NOT_WRITTEN, error.message)
            return SignalReply(outcome=Outcome.REFUSED, reasons=reasons, is_final=False)
        rest = (_REST_NOT_DONE,) if len(ends) < len(weighed.plans) else ()
        return SignalReply(
            outcome=_first(end.outcome for end in ends),
            reasons=(_OFF_RECORD, error.message, *rest, *_told(ends)),
            is_final=False,
        )

    def _answer(
        self, event: Taken, ends: tuple[ev.DecisionEndEvent, ...], weighed: Weighed
    ) -> SignalReply:
        raised = tuple(f"{one.strategy}/{one.rule} raised: {one.message}" for one in weighed.faults)
        reasons = (*raised, *(_told(ends) if ends else weighed.passed))
        failed = (Outcome.FAILED,) if raised else ()
        reply = SignalReply(
            outcome=_first((*failed, *(end.outcome for end in ends))),
            reasons=reasons,
            decisions=tuple(end.decision_id for end in ends),
        )
        end = _end(
            event,
            self._trader.clock.now(),
            outcome=reply.outcome,
            reasons=reasons,
            decisions=reply.decisions,
        )
        try:
            self._trader.record.write([end])
        except JournalError as error:  # that it was taken is on record: it is not taken again
            logger.warning("the end of signal %s is not on record: %s", event.signal_id, error)
        return msgspec.structs.replace(reply, is_final=not self._memory.is_wanted(event))

    def _judge(self, claim: Incoming) -> Refusal | None:
        named = self.admission.symbols
        symbols = (self._rules.symbols if named is None else named) | self.also
        return judge(
            claim,
            self._memory,
            msgspec.structs.replace(self.admission, symbols=symbols),
            now=self._trader.clock.now(),
            ours_since=self.ours_since,
        )


def _end(
    event: Taken,
    now: datetime,
    *,
    outcome: Outcome,
    reasons: tuple[str, ...] = (),
    decisions: tuple[str, ...] = (),
) -> ev.SignalEndEvent:
    return ev.SignalEndEvent(
        at=now,
        ticker=event.ticker,
        source=event.source,
        signal_id=event.signal_id,
        outcome=outcome,
        reasons=reasons,
        decisions=decisions,
    )


def _told(ends: tuple[ev.DecisionEndEvent, ...]) -> tuple[str, ...]:
    """What there is to say of each end; of several, whose it is and what came of it."""
    if len(ends) == 1:
        return ends[0].reasons
    return tuple(
        f"{end.strategy}, {short_id(end.decision_id)}: {end.outcome.lower()}"
        + "".join(f"; {reason}" for reason in end.reasons)
        for end in ends
    )


# What a producer should hear of before all else. Who hears "refused" may believe that nothing was
# sent, so it is said only where nothing was.
_FIRST = (Outcome.UNKNOWN, Outcome.FAILED, Outcome.ACTED, Outcome.REFUSED)


def _first(outcomes: Iterable[Outcome]) -> Outcome:
    found = set(outcomes)
    return next((one for one in _FIRST if one in found), Outcome.NOTHING)
