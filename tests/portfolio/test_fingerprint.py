"""What has moved between two looks at the broker is named, and what has not is not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.portfolio.fingerprint import Fingerprint, fingerprint, in_words, moved
from ibkr_trader.portfolio.state import fold
from tests.orders.samples import accepted, bracket_specs, fill, filled, order, written

ENTRY, TARGET, STOP = bracket_specs()
THEN = Fingerprint(
    held={"AAPL": Decimal(10)}, orders={"k7qav-1-stop": "SELL 10 STOP 145.00"}, executions=("e1",)
)


def test_a_picture_in_few_words_is_the_same_again() -> None:
    bought = fill(order_id=ENTRY.order_id)
    state = fold([written(ENTRY), accepted(ENTRY), accepted(STOP), filled(bought)])
    made = fingerprint(state)
    assert made.held == {"AAPL": Decimal(10)}
    assert made.orders == {STOP.order_id: "SELL 10 STOP 145.00"}
    assert made.executions == ("e1",)
    assert list(moved(made, fingerprint(state))) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"held": {"AAPL": Decimal(6)}}, "The position in AAPL was 10 and is 6."),
        ({"held": {}}, "The position in AAPL was 10 and is 0."),
        (
            {"held": {"AAPL": Decimal(10), "MSFT": Decimal(-5)}},
            "The position in MSFT was 0 and is -5.",
        ),
        ({"orders": {}}, "k7qav-1-stop (SELL 10 STOP 145.00) does not work any more."),
        (
            {"orders": {"k7qav-1-stop": "SELL 6 STOP 145.00"}},
            "k7qav-1-stop was SELL 10 STOP 145.00 and is SELL 6 STOP 145.00.",
        ),
        (
            {"orders": {**THEN.orders, "foreign-9": "BUY 1 MARKET"}},
            "foreign-9 (BUY 1 MARKET) works, and did not.",
        ),
        ({"executions": ("e1", "e2")}, "1 execution has come in."),
        ({"executions": ("e2", "e3")}, "2 executions have come in."),
    ],
)
def test_what_moved_is_named(changes: dict[str, object], words: str) -> None:
    assert list(moved(THEN, msgspec.structs.replace(THEN, **changes))) == [words]


def test_executions_forgotten_at_the_end_of_a_day_are_no_news() -> None:
    assert list(moved(THEN, msgspec.structs.replace(THEN, executions=()))) == []


def test_a_trail_that_moves_is_the_same_order_and_a_change_asked_for_is_not() -> None:
    terms: dict[str, Any] = {"order_type": OrderType.TRAIL, "limit_price": None, "side": Side.SELL}
    trail = order(role=OrderRole.STOP, stop_price=Decimal(140), trail_percent=Decimal(2), **terms)
    later = order(role=OrderRole.STOP, stop_price=Decimal(141), trail_percent=Decimal(2), **terms)
    assert in_words(trail) == in_words(later) == "SELL 10 TRAIL 2.00"
    asked = order(desired=msgspec.structs.replace(order().spec, limit_price=Decimal(151)))
    assert in_words(asked) == "BUY 10 LIMIT 151.00"
