from __future__ import annotations

import pytest

from ibkr_trader.risk.view import FactMissing
from tests.risk.world import D, details, held, judge, limits, reasons, review, spec, submit, view


@pytest.mark.parametrize(("quantity", "denied"), [(1, False), (20, False), (21, True)])
def test_at_most(quantity: int, *, denied: bool) -> None:
    world = view(limits=limits(max_order_quantity=D(20)))
    found = judge("order_quantity", submit(spec("BUY", quantity)), world)
    assert bool(found) is denied
    if denied:
        assert found[0].hint == "use --quantity 20 or less"


@pytest.mark.parametrize(("quantity", "denied"), [(4, True), (5, False)])
def test_at_least_what_the_exchange_takes(quantity: int, *, denied: bool) -> None:
    world = view(details={1: details(min_size=D(5))})
    found = judge("order_quantity", submit(spec("BUY", quantity)), world)
    assert [breach.hint for breach in found] == (["use --quantity 5 or more"] if denied else [])


def test_without_details_it_cannot_say() -> None:
    with pytest.raises(FactMissing):
        judge("order_quantity", submit(spec()), view(details={}))


def test_a_close_may_be_large() -> None:
    assert reasons(review(submit(spec("SELL", 500)), view(held(500)))) == set()
