"""Which rules of a strategy act at a moment, and what they wish: pure, and explained.

Rules are asked in the order of their priority. One that raises is fenced off, and says so; the
others are asked all the same. Of one moment a symbol gets at most one wish that trades: whoever
comes first has it, and the next is told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from traceback import format_exception_only
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.text import plain, quantity
from ibkr_trader.rules.proper_wishes import proper
from ibkr_trader.rules.rule_memory import Fenced
from ibkr_trader.rules.wish_text import kind_of
from ibkr_trader.rules.wishes import CannotWish, Wish, traded

if TYPE_CHECKING:
    from ibkr_trader.rules.moment import Moment
    from ibkr_trader.rules.rule import Rule, Strategy
    from ibkr_trader.rules.rule_memory import RuleMemory

_MOST = 300  # characters of what a rule raised


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that holds and one of its wishes, with what it looked at."""

    rule: str
    wish: Wish
    facts: Mapping[str, str]


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that does not act, and why not."""

    rule: str
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule}: {'; '.join(self.reasons)}"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy has to say to one moment.

    Attributes:
        faults: The rules that raised, with what they raised.
    """

    decided: tuple[Decided, ...] = ()
    passed: tuple[Passed, ...] = ()
    faults: Mapping[str, str] = msgspec.field(default_factory=dict)


def decide(
    strategy: Strategy,
    memory: RuleMemory,
    moment: Moment,
    *,
    is_shadow: bool = False,
    explains: bool = True,
) -> Verdict:
    """Return which rules of `strategy` act at `moment`, and why the others do not.

    Whatever a rule does wrong stays its own: nothing is raised.

    Args:
        strategy: Whose rules are asked.
        memory: What rules have decided before.
        moment: What they look at.
        is_shadow: Whether it is only written down: a shadow rests by its own decisions.
        explains: Whether somebody wants to know why a condition does not hold. To find that
            out costs ten times as much as to ask it.
    """
    decided: list[Decided] = []
    passed: list[Passed] = []
    faults: dict[str, str] = {}
    for rule in strategy.at(moment.trigger):
        if rule.symbols and moment.symbol not in rule.symbols:
            continue
        if Fenced(strategy.name, rule.name, is_shadow) in memory.faults:
            passed.append(Passed(rule=rule.name, reasons=("it raised, and is fenced off",)))
            continue
        try:
            past = _Past(memory, strategy.name, rule, moment, is_shadow)
            found = _ask(rule, moment, past=past, explains=explains)
        except KeyboardInterrupt:  # a person ends a rehearsal
            raise
        except BaseException as error:  # noqa: BLE001 - the fence: a rule is the user's own code
            # Nothing here waits, so no end of a task or a generator can be another's than its own.
            faults[rule.name] = plain(" ".join(format_exception_only(error)), limit=_MOST)
            continue
        if isinstance(found, Passed):
            passed.append(found)
        else:
            _take(rule, found, past=past, decided=decided, passed=passed)
    return Verdict(decided=tuple(decided), passed=tuple(passed), faults=faults)


class _Past(NamedTuple):
    """What one rule has done in the moment's symbol."""

    memory: RuleMemory
    strategy: str
    rule: Rule
    moment: Moment
    is_shadow: bool

    @property
    def rests(self) -> str:
        """Why it does nothing yet; empty if it may act."""
        until = self.memory.rests_until(
            self.strategy, self.rule, self.moment.symbol, is_shadow=self.is_shadow
        )
        if until is None or until <= self.moment.now:
            return ""
        return f"it rests until {until:%H:%M:%S} UTC, after it has acted"

    def repeats(self, wish: Wish) -> str:
        """Why it does not wish the same thing yet; empty if it may."""
        until = self.memory.repeats_at(
            self.strategy,
            self.rule,
            self.moment.symbol,
            is_shadow=self.is_shadow,
            wish=kind_of(wish),
            trigger=self.moment.trigger,
        )
        if until is None or until <= self.moment.now:
            return ""
        return f"it has just decided to {kind_of(wish)}, and may again at {until:%H:%M:%S} UTC"


def _ask(rule: Rule, moment: Moment, *, past: _Past, explains: bool) -> Passed | list[Decided]:
    """What one rule wishes, or why it does not act; whether it rests matters if it holds."""
    if rule.schedule is not None and not rule.schedule.holds(moment.now.astimezone(moment.zone)):
        return Passed(rule=rule.name, reasons=("it is outside its hours",))
    if not rule.when.holds(moment):
        against = rule.when.against(moment) if explains else ()
        return Passed(rule=rule.name, reasons=against)
    if rests := past.rests:
        return Passed(rule=rule.name, reasons=(rests,))
    try:
        found = [wish for action in rule.then for wish in action.wishes(moment)]
    except CannotWish as error:
        return Passed(rule=rule.name, reasons=(error.message,))
    if not found:
        return Passed(rule=rule.name, reasons=(_idle(moment),))
    wishes = [proper(wish, moment.symbol) for wish in found]
    # A Python condition may put anything there, and the journal must be able to read it back.
    facts = {str(name): str(value) for name, value in rule.when.facts(moment).items()}
    return [Decided(rule=rule.name, wish=wish, facts=facts) for wish in wishes]


def _idle(moment: Moment) -> str:
    """Why a rule that holds wishes nothing, as far as what is held says it."""
    held = moment.holding.quantity
    words = f"{quantity(held, signed=True)} are held" if held else "nothing is held"
    return f"it holds, and wishes nothing in {moment.symbol}: {words}"


def _take(
    rule: Rule,
    found: list[Decided],
    *,
    past: _Past,
    decided: list[Decided],
    passed: list[Passed],
) -> None:
    """Take over what a rule wishes, unless it just did, or the symbol is decided on already."""
    for one in found:
        symbol, reason = traded(one.wish), past.repeats(one.wish)
        before = next((old.rule for old in decided if symbol and traded(old.wish) == symbol), "")
        if before:
            reason = f"{before} has decided on {symbol} already"
        if reason:
            passed.append(Passed(rule=rule.name, reasons=(reason,)))
        else:
            decided.append(one)
