from __future__ import annotations

import pytest

from ibkr_trader.core.models import Contract, Order
from tests.risk.world import (
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


def resting(count: int, side: str = "BUY") -> list[Order]:
    price = "140" if side == "BUY" else "160"
    return [working(limit(side, 1, price, f"o-{n}-single")) for n in range(count)]


@pytest.mark.parametrize(("count", "denied"), [(9, False), (10, True)])
def test_ten_on_one_side_of_a_symbol(count: int, *, denied: bool) -> None:
    found = judge("working_orders", submit(limit("BUY", 1, "141")), view(*resting(count)))
    assert bool(found) is denied
    assert all("BUY orders in AAPL" in breach.message for breach in found)


def test_the_exits_of_a_bracket_count_on_theirs() -> None:
    assert judge("working_orders", bracket(), view(*resting(8, "SELL"))) == []
    (breach,) = judge("working_orders", bracket(), view(*resting(9, "SELL")))
    assert (breach.actual, breach.limit) == ("11", "10")


@pytest.mark.parametrize(("count", "denied"), [(42, False), (43, True)])
def test_in_all_some_places_are_kept_for_closing(count: int, *, denied: bool) -> None:
    elsewhere = [
        working(
            limit("BUY", 1, "10", f"o-{n}-single", contract=Contract(symbol=f"S{n}", con_id=9 + n))
        )
        for n in range(count)
    ]
    found = judge("working_orders", bracket(), view(*elsewhere))
    assert bool(found) is denied
    close = view(held(5), *elsewhere, *resting(20, "SELL"), limits=limits(max_working=10))
    assert reasons(review(submit(spec("BUY", 1)), close)) >= {"working_orders"}


def test_a_close_always_finds_a_place() -> None:
    crowd = view(held(50), *resting(20, "SELL"), limits=limits(max_working=10))
    assert reasons(review(submit(spec("SELL", 5)), crowd)) == set()


def test_a_change_adds_no_order() -> None:
    crowd = resting(12)
    assert judge("working_orders", modify(crowd[0], quantity=2), view(*crowd)) == []
