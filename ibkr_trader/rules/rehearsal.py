"""A strategy run over what was recorded, with a book of its own instead of a broker.

The rules and the admission are the same.

Nothing of the future is seen. A bar counts once it is complete, and an order that is decided
then meets the market with the next bar; a signal between two bars, too. All that a bar sets off
is asked at its end: `bar`, and once in each bar `price` and `time`; `position` after an
execution. The same events come to the same result, to the last digit.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import Bar, Quote, Session
from ibkr_trader.core.signals import Claim, FlowClaim, Malformed
from ibkr_trader.core.trading_day import session_from
from ibkr_trader.rules.admission import Admission, judge
from ibkr_trader.rules.bar_merging import BarMerger
from ibkr_trader.rules.market_days import NIGHT, Feed, openings
from ibkr_trader.rules.moment import Account, Moment, Trigger
from ibkr_trader.rules.rule_memory import RuleMemory
from ibkr_trader.rules.shadow_asking import Around, asked
from ibkr_trader.rules.shadow_book import ShadowBook
from ibkr_trader.rules.signal_memory import SignalMemory
from ibkr_trader.rules.study import Study
from ibkr_trader.rules.taken import Taken, taken, trigger_of

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract
    from ibkr_trader.rules.rule import Strategy

Recorded = Bar | Claim | FlowClaim | Malformed | Taken
_BY_BAR = (Trigger.BAR, Trigger.PRICE, Trigger.TIME)


class Happening(NamedTuple):
    """Something that was recorded, and when it was known: a bar at its end.

    A claim is judged as if it came then; a signal that was taken before is not judged again.
    """

    at: datetime
    what: Recorded


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a rehearsal is given beside its strategy.

    Attributes:
        part: How long each bar that is given lasts; the strategy's are made of them.
        equity: What the account is worth, all the time.
        zone: The exchange's.
        policy: What a signal must be like; where it names no symbols, those of the strategy may
            be named.
        sessions: The hours of each day, oldest first; see `hours_of`. Larger bars count from
            their openings. Without any, nobody knows whether the market is open.
    """

    part: timedelta
    sessions: tuple[Session, ...] = ()
    zone: tzinfo = UTC
    equity: Decimal = Decimal(100_000)
    policy: Admission = Admission()


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy in the middle of what was recorded.

    Attributes:
        studies: The bars and indicators, by symbol.
        mergers: What the bars under way have come to, by symbol.
        contracts: What is traded, by symbol.
        marks: What one of each was worth last.
        numbers: How many decisions there were: their names.
    """

    strategy: Strategy
    setting: Setting
    book: ShadowBook
    rules: RuleMemory = RuleMemory()
    signals: SignalMemory = SignalMemory()
    studies: Mapping[str, Study] = MappingProxyType({})
    mergers: Mapping[str, BarMerger] = MappingProxyType({})
    contracts: Mapping[str, Contract] = MappingProxyType({})
    marks: Mapping[str, Decimal] = MappingProxyType({})
    numbers: int = 0

    @classmethod
    def of(cls, strategy: Strategy, setting: Setting) -> Rehearsal:
        """Return the rehearsal of a strategy before anything has happened.

        Raises:
            ValueError: If its bars cannot be made of those that are given.
        """
        BarMerger(size=strategy.bar_size, part=setting.part)
        book = ShadowBook(strategy=strategy.name, version=strategy.version)
        return cls(strategy=strategy, setting=setting, book=book)

    def after(self, happening: Happening) -> tuple[Rehearsal, tuple[ev.BaseEvent, ...]]:
        """Return the rehearsal after one more, and what came of it, in its order."""
        at, what = happening
        match what:
            case Bar():
                return self._barred(what, at)
            case ev.PredictionSignalEvent() | ev.FlowThresholdEvent():
                return self._signalled(what, at)
            case _:
                return self._claimed(what, at)

    # -- bars --------------------------------------------------------------------------------

    def _barred(self, bar: Bar, at: datetime) -> tuple[Rehearsal, tuple[ev.BaseEvent, ...]]:
        symbol = bar.contract.symbol
        if symbol not in self.strategy.symbols:
            return self, ()
        book, fills = self.book.after(bar, at)
        marks = {**self.marks, symbol: bar.close}
        on = msgspec.structs.replace(self, book=book, marks=marks)
        if symbol not in on.contracts:
            contracts = {**on.contracts, symbol: bar.contract}
            on = msgspec.structs.replace(on, contracts=contracts)
        on, is_complete = _studied(on, bar)
        found: tuple[ev.BaseEvent, ...] = fills
        triggers = _BY_BAR if is_complete else _BY_BAR[1:]
        for trigger in (Trigger.POSITION, *triggers) if fills else triggers:
            on, events = _asked(on, symbol, trigger, at=at, last=bar.close)
            found += events
        return on, found

    # -- signals -----------------------------------------------------------------------------

    def _claimed(
        self, claim: Claim | FlowClaim | Malformed, at: datetime
    ) -> tuple[Rehearsal, tuple[ev.BaseEvent, ...]]:
        symbols = frozenset(self.strategy.symbols)
        if (policy := self.setting.policy).symbols is None:  # as at a desk
            policy = msgspec.structs.replace(policy, symbols=symbols)
        refusal = judge(claim, self.signals, policy, now=at)
        if refusal is None and not isinstance(claim, Malformed):
            return self._signalled(taken(claim, at), at)
        refused = ev.SignalRefusedEvent(
            at=at,
            ticker="" if isinstance(claim, Malformed) else claim.ticker,
            source=claim.source,
            signal_id=claim.signal_id,
            code=refusal.code if refusal is not None else "",
            message=refusal.message if refusal is not None else "",
        )
        return self, (refused,)

    def _signalled(self, event: Taken, at: datetime) -> tuple[Rehearsal, tuple[ev.BaseEvent, ...]]:
        memory = msgspec.structs.replace(self.signals.after(event), open=MappingProxyType({}))
        on = msgspec.structs.replace(self, signals=memory)
        if event.ticker not in self.strategy.symbols:
            return on, ()
        return _asked(on, event.ticker, trigger_of(event), at=at, news=event)


def in_order(
    bars: Iterable[Iterable[Bar]], part: timedelta, others: Iterable[Happening] = ()
) -> Iterator[Happening]:
    """Yield what was recorded as it was known: bars at their ends, signals in between.

    Args:
        bars: Of each symbol, oldest first.
        part: How long each lasts.
        others: Signals, oldest first; of the same moment as a bar's end they come after it.
    """

    def ended(some: Iterable[Bar]) -> Iterator[Happening]:
        return (Happening(one.at + part, one) for one in some)

    return heapq.merge(*(ended(some) for some in bars), others, key=lambda one: one.at)


def hours_of(starts: Iterable[datetime], part: timedelta) -> tuple[Session, ...]:
    """Return the hours of each day: from its first bar to the end of its last, of any symbol.

    Args:
        starts: When bars start, in any order.
        part: How long each lasts.
    """
    found: list[Session] = []
    for at in sorted(set(starts)):
        if found and at - found[-1].closes < NIGHT - part:
            found[-1] = Session(found[-1].opens, at + part)
        else:
            found.append(Session(at, at + part))
    return tuple(found)


def _studied(on: Rehearsal, bar: Bar) -> tuple[Rehearsal, bool]:
    """The study after a bar; and whether one of the strategy's own is complete with it."""
    symbol, size = bar.contract.symbol, on.strategy.bar_size
    study, setting = on.studies.get(symbol), on.setting
    if study is None:
        opens = openings(setting.sessions, setting.zone)
        study = Study.of(on.strategy.indicators, feed=Feed(size=size, opens=opens))
    whole: tuple[Bar, ...] = (bar,)
    mergers = on.mergers
    if size != setting.part:
        merger = mergers.get(symbol) or BarMerger(size=size, part=setting.part)
        day = session_from(setting.sessions, bar.at)  # of years of them, the one that matters here
        merger = msgspec.structs.replace(merger, sessions=() if day is None else (day,))
        merger, whole = merger.after(bar)
        mergers = {**mergers, symbol: merger}
    for one in whole:
        study = study.after(one)
    studies = {**on.studies, symbol: study}
    return msgspec.structs.replace(on, studies=studies, mergers=mergers), bool(whole)


def _asked(
    on: Rehearsal,
    symbol: str,
    trigger: Trigger,
    *,
    at: datetime,
    last: Decimal | None = None,
    news: Taken | None = None,
) -> tuple[Rehearsal, tuple[ev.BaseEvent, ...]]:
    """Ask the rules about a symbol, and place what they wish."""
    if not on.strategy.at(trigger):
        return on, ()
    moment = _moment(on, symbol, trigger, at=at, last=last, news=news)
    numbers = count(on.numbers + 1)
    around = Around(
        on.rules,
        cause=trigger.value if news is None else news.name,
        name=lambda: f"r-{next(numbers)}",
        marks=on.marks.get,
    )
    book, faults, decisions = asked(on.strategy, on.book, moment, around=around)
    found = (*faults, *decisions)
    rules = on.rules
    for event in found:
        rules = rules.after(event)
    number = on.numbers + len(decisions)
    return msgspec.structs.replace(on, book=book, rules=rules, numbers=number), found


def _moment(
    on: Rehearsal,
    symbol: str,
    trigger: Trigger,
    *,
    at: datetime,
    last: Decimal | None,
    news: Taken | None,
) -> Moment:
    study, contract = on.studies.get(symbol), on.contracts.get(symbol)
    if last is None and study is not None and study.bar is not None:
        last = study.bar.close
    quote = Quote(contract=contract, at=at, last=last) if contract is not None else None
    holding = on.book.holding(contract, last) if contract is not None else None
    moment = Moment(
        now=at,
        symbol=symbol,
        trigger=trigger,
        zone=on.setting.zone,
        signal=news if isinstance(news, ev.PredictionSignalEvent) else None,
        flow=news if isinstance(news, ev.FlowThresholdEvent) else None,
        quote=quote,
        account=Account(equity=on.setting.equity, positions=len(on.book.opened)),
        session=session_from(on.setting.sessions, at),
        study=study,
    )
    return moment if holding is None else msgspec.structs.replace(moment, holding=holding)
