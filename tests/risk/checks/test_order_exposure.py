from __future__ import annotations

import pytest

from ibkr_trader.core.models import OrderSpec
from ibkr_trader.risk.limits import SymbolLimitRegistry, SymbolLimits
from tests.risk.world import (
    D,
    aged,
    held,
    judge,
    limit,
    quote,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
)

CAPPED = SymbolLimitRegistry(default=SymbolLimits(symbol="*", max_order_exposure=D(1500)))


@pytest.mark.parametrize(
    ("order", "denied"),
    [
        (spec("BUY", 10), True),  # 1,500.10 at the ask
        (spec("SELL", 10), False),  # 1,499.90 at the bid
        (limit("BUY", 10, "150"), False),
        (limit("BUY", 10, "150.01"), True),
        (limit("SELL", 10, "140"), False),  # it sells at the bid
        (limit("SELL", 10, "150.01"), True),
        (stop("BUY", 10, "150.02"), True),
        (stop("SELL", 10, "145"), False),
    ],
)
def test_the_value_is_that_of_the_most_it_may_pay(order: OrderSpec, *, denied: bool) -> None:
    found = judge("order_exposure", submit(order), view(symbol_limits=CAPPED))
    assert bool(found) is denied


def test_the_message_and_the_hint_of_a_bracket_too_large() -> None:
    (breach,) = judge(
        "order_exposure", submit(spec("BUY", 100)), view(quotes={1: aged(quote("150", "150.02"))})
    )
    assert breach.message == "BUY 100 AAPL is worth 15,002.00; the limit is 10,000.00."
    assert breach.hint == "use --quantity 66 or less"


def test_a_close_may_be_worth_more() -> None:
    world = view(held(100), symbol_limits=CAPPED)
    assert reasons(review(submit(spec("SELL", 100)), world)) == set()
