from __future__ import annotations

import pytest

from ibkr_trader.core.models import Order, Position
from ibkr_trader.risk.limits import SymbolLimitRegistry, SymbolLimits
from tests.risk.world import (
    D,
    bracket,
    held,
    judge,
    limit,
    limits,
    modify,
    reasons,
    review,
    spec,
    submit,
    view,
    working,
)

FIFTY = limits(max_position_size=D(50))


@pytest.mark.parametrize(
    ("side", "quantity", "parts", "denied"),
    [
        ("BUY", 50, [], False),
        ("BUY", 51, [], True),
        ("SELL", 50, [], False),
        ("SELL", 51, [], True),
        ("BUY", 10, [held(40)], False),
        ("BUY", 11, [held(40)], True),
        ("SELL", 90, [held(40)], False),
        ("SELL", 91, [held(40)], True),
        ("BUY", 10, [working(limit("BUY", 40, "149", "t-0-single"))], False),
        ("BUY", 11, [working(limit("BUY", 40, "149", "t-0-single"))], True),
        ("BUY", 50, [working(limit("SELL", 40, "152", "t-0-single"))], False),
        # A sale that works may not fill: it makes no room.
        ("BUY", 11, [held(40), working(limit("SELL", 40, "152", "t-0-single"))], True),
    ],
)
def test_every_subset_of_the_working_orders_stays_within(
    side: str, quantity: int, parts: list[Order | Position], *, denied: bool
) -> None:
    found = judge("position_size", submit(spec(side, quantity)), view(*parts, limits=FIFTY))
    assert bool(found) is denied


def test_the_message_has_the_figures_and_the_hint_the_command() -> None:
    (breach,) = judge("position_size", bracket(60), view(limits=FIFTY))
    assert breach.message == "BUY 60 AAPL would make 60 shares; the limit is 50 (you hold 0)."
    assert breach.hint == "use --quantity 50 or less"
    assert (breach.limit, breach.actual, breach.headroom) == ("50", "60", "50")


def test_the_message_counts_what_other_orders_may_add() -> None:
    world = view(held(-10), working(limit("SELL", 35, "152", "t-0-single")), limits=FIFTY)
    (breach,) = judge("position_size", submit(spec("SELL", 10)), world)
    assert breach.message == (
        "SELL 10 AAPL would make 55 shares short; the limit is 50 "
        "(you hold -10, and other orders may add 35)."
    )
    assert breach.hint == "use --quantity 5 or less"


def test_without_room_the_hint_says_so() -> None:
    (breach,) = judge("position_size", submit(spec("BUY", 1)), view(held(50), limits=FIFTY))
    assert "no room" in breach.hint
    assert breach.headroom == "0"


def test_the_symbols_own_limit_binds() -> None:
    own = SymbolLimitRegistry(symbols={"AAPL": SymbolLimits(symbol="AAPL", max_position_size=D(5))})
    assert judge("position_size", submit(spec("BUY", 6)), view(symbol_limits=own))
    assert not judge("position_size", submit(spec("BUY", 5)), view(symbol_limits=own))


def test_above_the_limit_already_one_may_still_come_down() -> None:
    assert reasons(review(submit(spec("SELL", 30)), view(held(80), limits=FIFTY))) == set()


def test_a_change_counts_the_larger_of_old_and_new() -> None:
    order = working(limit("BUY", 40, "149"), filled=10)
    world = view(held(10), order, limits=FIFTY)
    assert not judge("position_size", modify(order, quantity=50), world)
    (breach,) = judge("position_size", modify(order, quantity=60), world)
    assert "(you hold 10)" in breach.message
    assert breach.hint == "use --quantity 50 or less"


def test_a_keener_price_within_a_limit_tightened_since_is_no_new_size() -> None:
    order = working(limit("BUY", 60, "149"))
    assert not judge("position_size", modify(order, limit_price="150"), view(order, limits=FIFTY))
