from __future__ import annotations

import pytest

from ibkr_trader.core.enums import OrderType
from ibkr_trader.core.models import Adjustment, OrderSpec, PriceBand
from ibkr_trader.risk.view import FactMissing
from tests.risk.world import (
    D,
    bracket,
    details,
    held,
    judge,
    limit,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
)

BANDS = (
    PriceBand(D("0"), D("0.0001")),
    PriceBand(D("1"), D("0.01")),
    PriceBand(D("200"), D("0.05")),
)


@pytest.mark.parametrize(
    ("order", "hint"),
    [
        (spec("BUY", 10), ""),
        (limit("BUY", 10, "0.9999"), ""),
        (limit("BUY", 10, "0.99995"), "use --limit 0.9999 or 1"),
        (limit("BUY", 10, "1.00"), ""),
        (limit("BUY", 10, "1.0001"), "use --limit 1 or 1.01"),
        (limit("BUY", 10, "199.99"), ""),
        (limit("BUY", 10, "200.01"), "use --limit 200 or 200.05"),
        (stop("SELL", 10, "145.005"), "use --stop 145 or 145.01"),
        (
            spec("SELL", 10, order_type=OrderType.TRAIL, trail_amount="2.00005"),
            "use --trail-amount 2 or 2.01",
        ),
    ],
)
def test_prices_are_multiples_of_their_step(order: OrderSpec, hint: str) -> None:
    found = judge("tick", submit(order), view(details={1: details(bands=BANDS)}))
    assert [breach.hint for breach in found] == ([hint] if hint else [])


def test_the_message_of_a_bad_stop_in_a_bracket() -> None:
    (breach,) = judge("tick", bracket(loss="145.123"), view())
    assert breach.message == "The stop price 145.123 of AAPL is not a multiple of 0.01."


def test_a_close_with_a_bad_price_is_denied_but_not_for_want_of_details() -> None:
    close = submit(limit("SELL", 10, "155.001"))
    assert reasons(review(close, view(held(10)))) == {"tick"}
    with pytest.raises(FactMissing):
        judge("tick", close, view(held(10), details={}))
    assert reasons(review(close, view(held(10), details={}))) == set()


def test_the_prices_of_what_a_stop_turns_into_are_judged_too() -> None:
    odd = Adjustment(
        trigger=D("155.001"), order_type=OrderType.TRAIL, stop_price=D("150.001"),
        trail_amount=D("2.5"),
    )  # fmt: skip
    found = judge("tick", submit(stop("SELL", 10, "145", adjustment=odd)), view())
    assert [breach.message.split(" of ")[0] for breach in found] == [
        "The adjustment's trigger 155.001", "The adjusted stop price 150.001",
    ]  # fmt: skip
    assert found[0].hint == "use 155 or 155.01"
