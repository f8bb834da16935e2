"""People are told of a source that fails, of one that works again, and not all the time."""

from __future__ import annotations

from ibkr_trader.adapters.signals.health import QUIET, Health, nobody

DOWN = "signals of api do not come: down; it is tried again"
AGAIN = "signals of api come again"


class Patient:
    """A source's health, on a clock of the test's own, and what was said of it."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.now = 0.0
        self.health = Health("api", say=self.said.append, monotonic=lambda: self.now)


def test_a_change_is_told_once() -> None:
    one = Patient()
    one.health.mend()
    assert one.said == []
    one.health.worsen("down")
    one.health.worsen("down")
    assert one.said == [DOWN]
    one.health.mend()
    one.health.mend()
    assert one.said == [DOWN, AGAIN]


def test_one_that_comes_and_goes_is_told_of_once_a_minute() -> None:
    one = Patient()
    for _ in range(10):
        one.health.worsen("down")
        one.health.mend()
    assert one.said == [DOWN, AGAIN]
    one.now = QUIET
    one.health.worsen("down")
    assert one.said == [DOWN, AGAIN, DOWN]


def test_what_was_kept_back_is_told_if_it_lasts() -> None:
    one = Patient()
    one.health.worsen("down")
    one.health.mend()
    one.health.worsen("down")
    one.now = QUIET
    one.health.worsen("down")
    assert one.said == [DOWN, AGAIN, DOWN]


def test_it_works_again_once_all_of_it_does() -> None:
    one = Patient()
    one.health.worsen("down", of="AAPL")
    one.health.worsen("down", of="MSFT")
    one.health.mend(of="AAPL")
    one.health.mend(of="TSLA")
    assert one.said == [DOWN]
    one.health.mend(of="MSFT")
    assert one.said == [DOWN, AGAIN]


def test_an_end_is_told_and_nobody_need_listen() -> None:
    one = Patient()
    one.health.end("x is read to its end")
    assert one.said == ["no more signals come from api: x is read to its end"]
    Health("api", say=nobody).end("over")


def test_its_trouble_can_be_asked_for_until_all_of_it_works() -> None:
    one = Patient()
    assert one.health.trouble == ""
    one.health.worsen("no answer", of="AAPL")
    one.health.worsen("garbage", of="MSFT")
    assert one.health.trouble == "no answer"
    one.health.mend(of="AAPL")
    assert one.health.trouble == "garbage"
    one.health.mend(of="MSFT")
    assert one.health.trouble == ""
    one.health.worsen("down")
    one.health.end("it is read to its end")
    assert one.health.trouble == "", "to end is no trouble"
