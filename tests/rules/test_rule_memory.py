from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core import codec
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, Stage
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.rule import LEAST_REST, LONGEST_COOLDOWN
from ibkr_trader.rules.rule_memory import Acted, Fenced, RuleMemory
from tests.orders.samples import AT, later
from tests.rules.moments import decision, rule

if TYPE_CHECKING:
    from datetime import datetime

HOUR = timedelta(hours=1)


def told(*events: ev.BaseEvent) -> RuleMemory:
    memory = RuleMemory()
    for event in events:
        memory = memory.after(event)
    return memory


def until(
    memory: RuleMemory,
    cooldown: timedelta = HOUR,
    *,
    ticker: str = "AAPL",
    is_shadow: bool = False,
) -> datetime | None:
    return memory.rests_until("s", rule(cooldown=cooldown), ticker, is_shadow=is_shadow)


def again(
    memory: RuleMemory,
    wish: str = "close",
    trigger: Trigger = Trigger.PRICE,
    *,
    is_shadow: bool = False,
    **more: Any,
) -> datetime | None:
    return memory.repeats_at(
        "s", rule(**more), "AAPL", is_shadow=is_shadow, wish=wish, trigger=trigger
    )


def restarted(memory: RuleMemory, now: datetime) -> RuleMemory:
    checkpoint = ev.CheckpointEvent(
        at=now, decisions=memory.kept(now), open_decisions=tuple(memory.open.values())
    )
    return RuleMemory().after(codec.decode_event(codec.encode(checkpoint)))


def staged(stage: Stage) -> ev.StageEvent:
    return ev.StageEvent(at=AT, strategy="s", stage=stage, version="v2")


def test_a_rule_rests_in_the_symbol_in_which_it_acted() -> None:
    memory = told(decision())
    assert until(memory) == AT + HOUR
    assert until(memory, ticker="MSFT") is None
    assert memory.rests_until("other", rule(), "AAPL", is_shadow=False) is None
    assert memory.rests_until("s", rule("x"), "AAPL", is_shadow=False) is None


def test_without_a_cooldown_it_does_not_say_the_same_again_where_it_is_asked_all_the_time() -> None:
    memory = told(decision(wish="close"), decision(at=later(5), wish="notify"))
    assert until(memory, timedelta(0)) == later(5)
    assert again(memory, "close") == AT + LEAST_REST
    assert again(memory, "notify") == later(5) + LEAST_REST
    assert again(memory, "open") is None
    assert again(memory, "close", Trigger.SIGNAL) == AT
    assert again(memory, "close", Trigger.SIGNAL, cooldown=HOUR) == AT + HOUR
    assert again(memory, "close", is_shadow=True) is None
    assert again(told(decision(is_shadow=True)), is_shadow=True) == AT + LEAST_REST


def test_a_restart_remembers_each_kind_and_which_was_the_last() -> None:
    first, second = decision(wish="close"), decision(at=later(5), wish="notify")
    third = decision(at=later(7), wish="close")
    memory = restarted(told(first, second, third), AT)
    assert until(memory) == later(7) + HOUR
    assert again(memory, "close") == later(7) + LEAST_REST
    assert again(memory, "notify") == later(5) + LEAST_REST


def test_the_last_time_counts() -> None:
    assert until(told(decision(), decision(at=later(5)))) == later(5) + HOUR


def test_a_decision_is_open_until_somebody_says_what_came_of_it() -> None:
    memory = told(decision(), decision("x"))
    assert set(memory.open) == {"d-r", "d-x"}
    end = ev.DecisionEndEvent(at=AT, strategy="s", decision_id="d-r", outcome=Outcome.ACTED)
    memory = memory.after(end)
    assert set(memory.open) == {"d-x"}
    assert until(memory) == AT + HOUR


def test_a_shadow_rests_by_itself_holds_nothing_back_and_is_never_open() -> None:
    memory = told(decision(is_shadow=True))
    assert until(memory) is None
    assert until(memory, is_shadow=True) == AT + HOUR
    assert memory.open == {}
    memory = restarted(memory, AT)
    assert until(memory) is None
    assert until(memory, is_shadow=True) == AT + HOUR


def test_a_rule_that_raised_is_fenced_off_until_its_strategy_is_loaded_anew() -> None:
    live = ev.FaultEvent(at=AT, strategy="s", rule="r", message="KeyError: 1")
    other = ev.FaultEvent(at=AT, strategy="t", rule="r", message="no")
    shadow = ev.FaultEvent(at=AT, strategy="s", rule="r", message="its own", is_shadow=True)
    memory = told(live, other, shadow)
    assert not Fenced("s", "r").is_shadow
    assert not Acted("s", "r", "AAPL").is_shadow
    assert memory.faults == {
        Fenced("s", "r"): "KeyError: 1",
        Fenced("t", "r"): "no",
        Fenced("s", "r", is_shadow=True): "its own",
    }
    assert set(memory.after(staged(Stage.LIVE)).faults) == {
        Fenced("t", "r"),
        Fenced("s", "r", is_shadow=True),
    }
    assert set(memory.after(staged(Stage.SHADOW)).faults) == {Fenced("s", "r"), Fenced("t", "r")}


def test_what_is_no_news_of_a_rule_changes_nothing() -> None:
    memory = told(decision())
    assert memory.after(ev.TimeEvent(at=AT)) is memory


def test_a_checkpoint_has_what_is_open_in_full_and_of_the_rest_only_when_it_was() -> None:
    full: dict[str, Any] = {"facts": {"price.last": "150"}, "terms": {"symbol": "AAPL"}}
    end = ev.DecisionEndEvent(at=AT, strategy="s", decision_id="d-r", outcome=Outcome.ACTED)
    memory = told(decision(**full), end, decision("x", **full))
    (first, second) = memory.kept(AT)
    assert (first.facts, first.terms, second.facts) == ({}, {}, {})
    again = restarted(memory, AT)
    assert set(again.open) == {"d-x"}
    assert again.open["d-x"].facts == {"price.last": "150"}
    assert until(again) == AT + HOUR
    assert told(decision("gone")).after(ev.CheckpointEvent(at=AT)) == RuleMemory()


def test_what_no_cooldown_can_reach_is_let_go() -> None:
    memory = told(decision())
    assert memory.kept(AT + LONGEST_COOLDOWN - timedelta(seconds=1))
    assert memory.kept(AT + LONGEST_COOLDOWN) == ()


@given(
    st.lists(st.integers(min_value=0, max_value=200), max_size=6),
    st.integers(min_value=0, max_value=7 * 24),
    st.integers(min_value=0, max_value=400),
    st.booleans(),
)
def test_a_restart_never_shortens_a_cooldown(
    acted: list[int], hours: int, now: int, is_shadow: bool
) -> None:
    decisions = [decision(at=AT + at * HOUR, is_shadow=is_shadow) for at in sorted(acted)]
    moment, cooldown = AT + now * HOUR, hours * HOUR
    memory = told(*decisions)
    before = until(memory, cooldown, is_shadow=is_shadow)
    after = until(restarted(memory, moment), cooldown, is_shadow=is_shadow)
    rests = before is not None and before > moment
    assert rests == (after is not None and after > moment)
    assert not rests or before == after


def test_what_a_cause_led_to_is_known_whether_it_has_ended_or_not() -> None:
    first = decision(decision_id="d1", cause="api/1", ticker="AAPL")
    second = decision(decision_id="d2", cause="api/1", ticker="MSFT", at=later(1))
    shadow = decision(decision_id="d3", cause="api/1", ticker="TSLA", is_shadow=True)
    end = ev.DecisionEndEvent(at=AT, strategy="s", decision_id="d1", outcome=Outcome.ACTED)
    memory = told(second, first, shadow, end, decision(decision_id="d4", cause="api/2"))
    assert memory.decided_for("api/1") == ("d2",)  # d1 has ended, and its rule has acted since
    assert told(second, first, shadow, end).decided_for("api/1") == ("d1", "d2")
    assert memory.decided_for("api/9") == ()
