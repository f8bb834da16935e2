"""Whose wish a cancel was."""

from __future__ import annotations

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import OrderId
from ibkr_trader.orders.wishes import PERSONS, UNDO, is_taken_back
from tests.orders.samples import AT, spec, written

ID = OrderId("memo-1-stop")


@pytest.mark.parametrize(
    ("origin", "answer"),
    [
        ("cli", True),
        ("library", True),
        ("close", True),
        ("cover", True),
        ("timed", True),
        ("undo", True),
        ("broker", False),
        ("recovery", False),
        ("oco", False),
    ],
)
def test_an_order_is_taken_back_by_anybody_but_the_group_itself_and_chance(
    origin: str, *, answer: bool
) -> None:
    event = ev.CancelRequestEvent(at=AT, order_id=ID, origin=origin)
    assert is_taken_back(event, own="oco") is answer


def test_other_news_takes_nothing_back() -> None:
    assert not is_taken_back(written(spec()))
    assert not is_taken_back(ev.TimeEvent(at=AT))


def test_what_undo_takes_away_on_its_way_is_nobody_s_wish() -> None:
    assert UNDO not in PERSONS
