"""A strategy as a class: its conditions, its methods, and what becomes of what it gets wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.rules.actions.close_all import CloseAll
from ibkr_trader.rules.actions.notify import Notify
from ibkr_trader.rules.actions.open_position import OpenPosition
from ibkr_trader.rules.condition import Condition
from ibkr_trader.rules.distance import Distance
from ibkr_trader.rules.engine import Verdict, decide
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.program import (
    MOST_ACTIONS,
    Always,
    StrategyProgram,
    condition,
    enter,
    strategy_of,
)
from ibkr_trader.rules.rule import Strategy
from ibkr_trader.rules.rule_memory import RuleMemory
from ibkr_trader.rules.study import Study
from ibkr_trader.rules.wishes import Enter, Exit, Tell
from tests.rules.looks import look

if TYPE_CHECKING:
    from ibkr_trader.rules.moment import Moment
    from ibkr_trader.rules.rule import Action


def key(name: str, *numbers: int) -> tuple[str, tuple[Decimal, ...]]:
    return name, tuple(Decimal(one) for one in numbers)


class Named(StrategyProgram):
    """What every program below is called, and trades."""

    name, symbols = "mine", ("AAPL",)


class Full(Named):
    """One with everything that a class may say."""

    bars = "5 min"
    description = "All of it."
    envelope = Envelope(max_positions=1)
    needs = ("atr(14)", "vwap()")
    up = condition("crosses_above(sma(10), sma(50))")

    def on_bar(self, moment: Moment) -> Iterator[Action]:
        if not moment.holding.quantity:
            yield enter("long", stop_loss="2%", take_profit=["4%", "6%"], size="10")

    def on_price(self, moment: Moment) -> Iterable[Action]:
        return [CloseAll()] if moment.holding.quantity else []


def made(kind: type[StrategyProgram]) -> Strategy:
    return strategy_of(kind(), version="v1")


def asked(kind: type[StrategyProgram], moment: Moment) -> Verdict:
    return decide(made(kind), RuleMemory(), moment)


def test_a_class_is_a_strategy_with_a_rule_for_each_method_that_it_has() -> None:
    strategy = made(Full)
    assert (strategy.name, strategy.version, strategy.symbols) == ("mine", "v1", ("AAPL",))
    assert (strategy.bar_size.total_seconds(), strategy.description) == (300, "All of it.")
    assert strategy.envelope.max_positions == 1
    assert {rule.name: rule.triggers for rule in strategy.rules} == {
        "on_bar": {Trigger.BAR},
        "on_price": {Trigger.PRICE},
    }


def test_its_conditions_bring_their_indicators_and_so_does_what_it_needs() -> None:
    assert made(Full).indicators == {key("sma", 10), key("sma", 50), key("atr", 14), key("vwap")}


def test_what_it_inherits_counts_as_its_own() -> None:
    class Child(Full):
        down = condition("ema(9) < ema(21)")

        def on_time(self, moment: Moment) -> Iterable[Action]:
            return ()

    child = made(Child)
    assert [rule.name for rule in child.rules] == ["on_bar", "on_price", "on_time"]
    assert child.indicators > made(Full).indicators
    assert child.indicators - made(Full).indicators == {key("ema", 9), key("ema", 21)}


@pytest.mark.parametrize("trigger", Trigger)
def test_each_news_has_its_method_and_asks_no_other(trigger: Trigger) -> None:
    def method(_self: object, moment: Moment) -> list[Notify]:
        return [Notify(message=moment.trigger.value)]

    kind: Any = type("One", (Named,), {f"on_{trigger}": method})
    (decided,) = asked(kind, look(trigger=trigger)).decided
    assert decided.wish == Tell(message=trigger.value, is_serious=False)
    (other, *_) = (one for one in Trigger if one is not trigger)
    assert asked(kind, look(trigger=other)) == Verdict()
    with pytest.raises(NotImplementedError):
        getattr(StrategyProgram(), f"on_{trigger}")(look())


def test_its_actions_turn_into_wishes_with_their_prices() -> None:
    (entry,) = asked(Full, look(trigger=Trigger.BAR)).decided
    assert isinstance(entry.wish, Enter)
    assert (entry.rule, entry.wish.side, entry.wish.stop) == ("on_bar", Side.BUY, Decimal(98))
    assert entry.wish.targets == (Decimal(104), Decimal(106))
    assert not entry.facts
    (leave,) = asked(Full, look(held=10)).decided
    assert leave.wish == Exit(symbol="AAPL")
    assert asked(Full, look()).decided == ()


def test_one_target_or_none_may_be_written_as_it_is() -> None:
    one = enter("short", stop_loss="2%", take_profit="4%", reversal="close_first")
    assert [str(target) for target in one.take_profit] == ["4%"]
    assert (one.side, one.reversal) == ("short", "close_first")
    usual = OpenPosition(side="long", stop_loss=Distance.of("1"))
    assert enter("long", stop_loss="1") == usual
    with pytest.raises(ValueError, match="is no distance"):
        enter("long", stop_loss="far")


class Distant(Named):
    def on_bar(self, _moment: Moment) -> Iterator[Action]:
        yield enter("long", stop_loss="2atr")


class Asking(Named):
    def on_bar(self, moment: Moment) -> Iterator[Action]:
        if moment.indicator("atr"):
            yield CloseAll()


class Late(Named):
    def on_bar(self, moment: Moment) -> Iterator[Action]:
        if condition("bar.close > atr(14)").holds(moment):
            yield CloseAll()


class Earlier(Named):
    def on_bar(self, moment: Moment) -> Iterator[Action]:
        if condition("previous(atr()) > 1").holds(moment):
            yield CloseAll()


@pytest.mark.parametrize("kind", [Distant, Asking, Late, Earlier])
def test_an_indicator_that_nobody_declared_fences_the_rule_off_and_says_what_to_do(
    kind: type[StrategyProgram],
) -> None:
    verdict = asked(kind, look(trigger=Trigger.BAR, study=Study.of([key("sma", 2)])))
    assert verdict.decided == ()
    assert verdict.faults == {
        "on_bar": "LookupError: nobody declared atr(14): name it in the class's needs, or make "
        "the condition that asks for it an attribute of the class"
    }
    declared = type("Declared", (kind,), {"needs": "atr(14)"})
    for study in (None, Study.of([key("atr", 14)])):
        assert not asked(declared, look(trigger=Trigger.BAR, study=study)).faults


def doing(method: Any) -> type[StrategyProgram]:
    """A program whose one method this is."""
    return type("Doing", (Named,), {"on_price": method})


def raises(_self: object, _moment: Moment) -> list[Action]:
    raise ZeroDivisionError("oh")


def raises_late(_self: object, _moment: Moment) -> Iterator[Action]:
    yield CloseAll()
    raise KeyError("late")


def ends_the_process(_self: object, _moment: Moment) -> Iterator[Action]:
    raise SystemExit(3)
    yield


def ends_itself(_self: object, _moment: Moment) -> Iterator[Action]:
    raise GeneratorExit
    yield


def never_stops(_self: object, _moment: Moment) -> Iterator[Action]:
    return repeat(CloseAll())


def returns_one(_self: object, _moment: Moment) -> Any:
    return CloseAll()


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (raises, "ZeroDivisionError: oh"),
        (raises_late, "KeyError: 'late'"),
        (ends_the_process, "RuntimeError: it wants to end the process"),
        (ends_itself, "GeneratorExit"),
        (never_stops, f"RuntimeError: it yields more than {MOST_ACTIONS} actions at one moment"),
        (returns_one, "TypeError: 'CloseAll' object is not iterable"),
    ],
)
def test_what_a_method_does_wrong_fences_it_off_and_nothing_of_it_is_done(
    method: Any, message: str
) -> None:
    verdict = asked(doing(method), look())
    assert verdict.faults == {"on_price": message}
    assert not verdict.decided


def test_as_many_actions_as_may_be_are_taken() -> None:
    verdict = asked(doing(lambda *_: [Notify(message="x")] * MOST_ACTIONS), look())
    assert (len(verdict.decided), verdict.faults) == (MOST_ACTIONS, {})


def test_a_method_that_returns_nothing_does_nothing() -> None:
    silent = asked(doing(lambda *_: None), look())
    assert (silent.decided, silent.faults) == ((), {})


async def awaits(_self: object, _moment: Moment) -> list[Action]:
    return []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": ""}, "Wrong does not say its name"),
        ({"symbols": ()}, "Wrong does not say its symbols"),
        ({}, "Wrong does nothing: give it one of on_signal, on_flow, on_bar, on_pos"),
        ({"on_bar": awaits}, "on_bar is asynchronous"),
        ({"on_bar": raises, "bars": "5 parsecs"}, "parsecs"),
        ({"on_bar": raises, "needs": ("art(14)",)}, "art"),
        ({"on_bar": raises, "needs": "atr"}, "atr"),
    ],
)
def test_a_class_that_is_no_strategy_says_why(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(type("Wrong", (Named,), fields))


def test_a_class_without_a_name_says_so() -> None:
    with pytest.raises(ValueError, match="Nameless does not say its name"):
        made(type("Nameless", (StrategyProgram,), {"symbols": ("AAPL",)}))


def test_one_symbol_or_one_need_is_not_taken_apart_into_its_letters() -> None:
    strategy = made(type("One", (Named,), {"symbols": "AAPL", "needs": "sma(3)", "on_bar": raises}))
    assert strategy.symbols == ("AAPL",)
    assert strategy.indicators == {key("sma", 3)}


def test_a_method_is_asked_whenever_its_news_comes() -> None:
    always: Condition = Always(Trigger.TIME, frozenset())
    assert always.text == "on time"
    assert always.triggers == {Trigger.TIME}
    assert not always.indicators
    moment = look()
    assert always.holds(moment) is True
    assert (always.facts(moment), always.against(moment)) == ({}, ())
    (rule, *_) = made(Full).rules
    assert rule.then[0].indicators == frozenset()
