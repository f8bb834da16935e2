from __future__ import annotations

import pytest

from ibkr_trader.rules.moment import Moment, Trigger
from tests.rules.moments import ATR, asking, moment


def test_a_function_is_asked_with_the_moment() -> None:
    def is_seen(one: Moment) -> bool:
        return one is here

    here = moment()
    assert asking(is_seen).holds(here) is True
    assert asking(is_seen).holds(moment("151")) is False


def test_it_says_what_sets_it_off_and_what_it_needs() -> None:
    one = asking(on=Trigger.BAR, needs=frozenset({ATR}), text="two bars up")
    assert one.triggers == {Trigger.BAR}
    assert one.indicators == {ATR}
    assert one.text == "two bars up"
    assert one.facts(moment()) == {}


@pytest.mark.parametrize(
    ("answer", "reasons"), [(True, ()), (False, ("it says no",)), (None, ("it cannot tell",))]
)
def test_why_it_does_not_hold(answer: bool | None, reasons: tuple[str, ...]) -> None:
    one = asking(lambda _: answer, text="it")
    assert one.holds(moment()) is answer
    assert one.against(moment()) == reasons
