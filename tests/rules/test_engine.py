from __future__ import annotations

from asyncio import CancelledError
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.risk.sizing import FixedQuantity
from ibkr_trader.rules.engine import Passed, Verdict, decide
from ibkr_trader.rules.moment import Moment, Trigger
from ibkr_trader.rules.rule import Schedule
from ibkr_trader.rules.rule_memory import RuleMemory
from ibkr_trader.rules.wishes import Add, CannotWish, Enter, Exit, MoveStop, Tell
from tests.orders.samples import AT, later
from tests.rules.moments import D, Wishes, asking, decision, moment, rule, strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibkr_trader.rules.rule import Rule

EXIT, MORE = Exit(symbol="AAPL"), Add(symbol="AAPL", quantity=D(1))
LONG = Enter(symbol="AAPL", side=Side.BUY, size=FixedQuantity(D(1)))
STOP, WORD = MoveStop(symbol="AAPL", level=D(1)), Tell(message="hello")


class Raising:
    """An action that raises whatever it is given."""

    indicators = frozenset[Any]()

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def wishes(self, moment: Moment) -> Any:
        raise self.error


def ask(*rules: Rule, events: tuple[ev.BaseEvent, ...] = (), **more: Any) -> Verdict:
    memory = RuleMemory()
    for event in events:
        memory = memory.after(event)
    options = {key: more.pop(key) for key in ("is_shadow", "explains") if key in more}
    return decide(strategy(*rules), memory, moment(**more), **options)


def wished(verdict: Verdict) -> list[tuple[str, object]]:
    return [(one.rule, one.wish) for one in verdict.decided]


def why(verdict: Verdict) -> list[str]:
    return [str(one) for one in verdict.passed]


def test_a_rule_that_holds_decides_what_its_actions_wish_in_their_order() -> None:
    verdict = ask(rule("r", Wishes(STOP), Wishes(WORD, EXIT)))
    assert wished(verdict) == [("r", STOP), ("r", WORD), ("r", EXIT)]
    assert (verdict.passed, verdict.faults) == ((), {})


@pytest.mark.parametrize(("answer", "reason"), [(False, "f says no"), (None, "f cannot tell")])
def test_one_that_does_not_hold_or_cannot_tell_does_nothing_and_says_why(
    answer: bool | None, reason: str
) -> None:
    silent = rule(when=asking(lambda _: answer, text="f"))
    assert ask(silent) == Verdict(passed=(Passed(rule="r", reasons=(reason,)),))
    assert ask(silent, explains=False) == Verdict(passed=(Passed(rule="r", reasons=()),))


def test_only_what_the_trigger_sets_off_is_asked() -> None:
    bar = rule("bar", when=asking(on=Trigger.BAR))
    assert wished(ask(bar)) == []
    assert wished(ask(bar, trigger=Trigger.BAR)) == [("bar", EXIT)]


def test_only_rules_for_the_symbol_are_asked_and_of_the_others_nothing_is_said() -> None:
    mine, other = frozenset({"AAPL", "MSFT"}), frozenset({"MSFT"})
    verdict = ask(rule("mine", symbols=mine), rule("other", symbols=other))
    assert wished(verdict) == [("mine", EXIT)]
    assert verdict.passed == ()


def test_outside_its_hours_it_is_not_even_asked() -> None:
    def never(_: Moment) -> bool:
        raise AssertionError

    hours = Schedule(begins=time(10, 1), ends=time(16))  # it is 10:00 in New York
    verdict = ask(rule(when=asking(never), schedule=hours))
    assert why(verdict) == ["r: it is outside its hours"]
    assert wished(ask(rule(schedule=Schedule(begins=time(10), ends=time(16))))) == [("r", EXIT)]


def test_after_it_has_acted_it_rests() -> None:
    slow = rule(cooldown=timedelta(minutes=15))
    acted = (decision(),)
    verdict = ask(slow, events=acted, now=later(899))
    assert why(verdict) == ["r: it rests until 15:15:00 UTC, after it has acted"]
    assert wished(ask(slow, events=acted, now=later(900))) == [("r", EXIT)]


def test_the_same_at_once_is_wished_once_and_something_else_at_any_time() -> None:
    """A rule that has just entered must be able to leave."""
    entered = (decision(wish="open"),)
    both = rule("r", Wishes(WORD, LONG))
    verdict = ask(both, events=entered, now=later(9.9))
    assert wished(verdict) == [("r", WORD)]
    assert why(verdict) == ["r: it has just decided to open, and may again at 15:00:10 UTC"]
    assert wished(ask(both, events=entered, now=later(10))) == [("r", WORD), ("r", LONG)]
    assert wished(ask(rule(), events=entered, now=later(1))) == [("r", EXIT)]
    news = rule(when=asking(on=Trigger.SIGNAL))
    closed = (decision(),)
    assert wished(ask(news, events=closed, now=later(1), trigger=Trigger.SIGNAL)) == [("r", EXIT)]


def test_what_it_has_just_wished_does_not_take_the_symbol_from_another() -> None:
    verdict = ask(rule("r", priority=1), rule("x"), events=(decision(),), now=later(1))
    assert wished(verdict) == [("x", EXIT)]


def test_of_one_that_rests_and_does_not_hold_it_is_said_that_it_does_not_hold() -> None:
    slow = rule(cooldown=timedelta(minutes=15), when=asking(lambda _: False, text="f"))
    verdict = ask(slow, events=(decision(),), now=later(1))
    assert why(verdict) == ["r: f says no"]


def test_a_shadow_rests_by_its_own_decisions() -> None:
    slow, both = rule(cooldown=timedelta(minutes=15)), (False, True)
    for shadow_acted in both:
        acted = (decision(is_shadow=shadow_acted),)
        decided = [wished(ask(slow, events=acted, now=later(1), is_shadow=one)) for one in both]
        assert decided == ([[], [("r", EXIT)]] if not shadow_acted else [[("r", EXIT)], []])


def test_what_cannot_be_wished_is_said() -> None:
    verdict = ask(rule("r", Wishes(WORD), Raising(CannotWish("no price"))))
    assert verdict == Verdict(passed=(Passed(rule="r", reasons=("no price",)),))


def test_a_rule_that_holds_and_finds_nothing_to_do_says_so() -> None:
    idle = "r: it holds, and wishes nothing in AAPL"
    assert why(ask(rule("r", Wishes()))) == [f"{idle}: nothing is held"]
    assert why(ask(rule("r", Wishes()), held=-5)) == [f"{idle}: -5 are held"]


def test_of_two_that_trade_the_first_by_priority_has_the_symbol() -> None:
    verdict = ask(rule("late", Wishes(LONG, WORD)), rule("first", priority=1))
    assert wished(verdict) == [("first", EXIT), ("late", WORD)]
    assert why(verdict) == ["late: first has decided on AAPL already"]


def test_of_its_own_wishes_too_the_first_that_trades_has_the_symbol() -> None:
    verdict = ask(rule("r", Wishes(STOP, MORE, EXIT, STOP)))
    assert wished(verdict) == [("r", STOP), ("r", MORE), ("r", STOP)]
    assert why(verdict) == ["r: r has decided on AAPL already"]


def test_a_rule_that_raises_is_fenced_off_and_the_others_are_asked() -> None:
    def broken(_: Moment) -> bool:
        raise KeyError("price")

    verdict = ask(rule("bad", when=asking(broken)), rule("good"))
    assert wished(verdict) == [("good", EXIT)]
    assert verdict.faults == {"bad": "KeyError: 'price'"}
    fault = ev.FaultEvent(at=AT, strategy="s", rule="bad", message="KeyError: 'price'")
    again = ask(rule("bad", when=asking(broken)), rule("good"), events=(fault,))
    assert again.faults == {}
    assert why(again) == ["bad: it raised, and is fenced off"]
    assert ask(rule("bad", when=asking(broken)), events=(fault,), is_shadow=True).faults


@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit, CancelledError, BaseException])
def test_nothing_that_a_rule_raises_ends_the_trader(kind: type[BaseException]) -> None:
    def broken(_: Moment) -> bool:
        raise kind

    acts = rule("acts", Raising(kind("x")))
    verdict = ask(rule("asks", when=asking(broken)), acts, rule("good"))
    assert wished(verdict) == [("good", EXIT)]
    assert set(verdict.faults) == {"asks", "acts"}
    assert all(kind.__name__ in text for text in verdict.faults.values())


def test_a_person_may_end_it() -> None:
    with pytest.raises(KeyboardInterrupt):
        ask(rule("r", Raising(KeyboardInterrupt())))


class Speechless(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("a\nb\x1b[31m"), "ValueError: a b[31m"),
        (ValueError("x" * 1000), "ValueError: " + "x" * 287 + "…"),
        (RecursionError(), "RecursionError"),
    ],
)
def test_what_it_raised_is_told_on_one_harmless_line(error: Exception, said: str) -> None:
    assert ask(rule("r", Raising(error))).faults == {"r": said}


def test_even_an_error_that_cannot_be_told_stays_the_rules_own() -> None:
    assert "Speechless" in ask(rule("r", Raising(Speechless()))).faults["r"]


def test_an_action_that_returns_no_wish_is_fenced_off() -> None:
    assert ask(rule("r", Wishes(WORD, "sell"))).faults == {"r": "TypeError: a str is no wish"}  # type: ignore[arg-type] # the point
    other = ask(rule("r", Wishes(Exit(symbol="MSFT"))))
    assert "asked about AAPL, and wishes something of MSFT" in other.faults["r"]


def test_what_it_looked_at_is_kept_as_text_that_the_journal_can_read_back() -> None:
    class Odd(msgspec.Struct, frozen=True):
        text = "odd"
        triggers = frozenset({Trigger.PRICE})
        indicators = frozenset[Any]()

        def holds(self, moment: Moment) -> bool:
            return True

        def facts(self, moment: Moment, /) -> Mapping[Any, Any]:
            return {"price": 1.5, 2: None}

        def against(self, moment: Moment) -> tuple[str, ...]:
            return ()

    verdict = ask(rule(when=Odd()))
    assert verdict.decided[0].facts == {"price": "1.5", "2": "None"}
