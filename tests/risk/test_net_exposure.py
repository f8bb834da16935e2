from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.models import Contract, Order, Position
from ibkr_trader.risk.net_exposure import worst_net
from ibkr_trader.risk.proposal import propose
from ibkr_trader.risk.view import FactMissing
from tests.risk.world import (
    MSFT,
    D,
    aged,
    held,
    limit,
    portfolio,
    quote,
    spec,
    submit,
    view,
    working,
)

BUY = submit(limit("BUY", 10, "150"))


def net(*parts: Order | Position, command: Any = BUY, **changes: Any) -> Decimal:
    world = view(portfolio=portfolio(*parts), **changes)
    return worst_net(propose(command, world), world)


@pytest.mark.parametrize(
    ("parts", "most"),
    [
        ((), "1500.1"),  # at the ask of 150.01
        ((held(10, MSFT, "300"),), "4500.1"),
        ((held(-10, MSFT, "300"),), "3000"),  # short of 3,000 if the entry does not fill
        ((held(-4, MSFT, "300"),), "1200"),
        ((held(-2, MSFT, "300"),), "900.1"),
        # what may be bought back offsets nothing; what stays short for sure does
        (
            (held(-2, MSFT, "300"), working(limit("BUY", 1, "310", "t-0-x", contract=MSFT))),
            "1200.1",
        ),
        (
            (held(10, MSFT, "300"), working(limit("SELL", 10, "330", "t-0-x", contract=MSFT))),
            "4800.1",
        ),
    ],
)
def test_longs_less_what_stays_short_and_the_other_way_round(parts: Any, most: str) -> None:
    assert net(*parts) == D(most)


def test_what_closes_counts_as_it_stands() -> None:
    assert net(held(10), command=submit(spec("SELL", 10))) == 1500


def test_an_order_in_flight_counts_at_its_quote_or_is_not_known() -> None:
    flying = working(spec("SELL", 10, "t-0-single", contract=MSFT))
    assert net(flying) == 3000  # the mark of 300
    with pytest.raises(FactMissing, match="t-0-single"):
        net(flying, quotes={1: aged(quote())})


def test_multipliers_count() -> None:
    option = Contract(symbol="AAPL", con_id=1, multiplier=D(100))
    assert (
        net(
            command=submit(limit("BUY", 1, "2", contract=option)),
            quotes={1: aged(quote("1.9", "2.1"))},
        )
        == 210
    )


SIZES = st.integers(-20, 20)


@given(first=SIZES, second=SIZES, orders=st.lists(SIZES.filter(bool), max_size=4))
def test_no_subset_of_the_orders_leads_beyond_it(
    first: int, second: int, orders: list[int]
) -> None:
    """Against brute force: every subset of the working orders and the new one fills."""
    contracts = (Contract(symbol="AAPL", con_id=1), MSFT)
    prices = {1: D("150.01"), 2: D(300)}
    there = [
        held(size, one, str(prices[one.con_id]))
        for size, one in zip((first, second), contracts, strict=True)
        if size
    ]
    sent = [
        working(
            limit(
                "BUY" if n > 0 else "SELL",
                abs(n),
                str(prices[one.con_id]),
                f"t-{i}-x",
                contract=one,
            )
        )
        for i, n in enumerate(orders, 2)
        for one in (contracts[i % 2],)
    ]
    moves = [(o.spec.contract.con_id, o.spec.quantity * o.spec.side.sign) for o in sent]
    moves.append((1, D(10)))
    worst = D(0)
    for mask in range(2 ** len(moves)):
        total = sum((p.quantity * prices[p.contract.con_id] for p in there), D(0))
        for bit, (con_id, size) in enumerate(moves):
            if mask >> bit & 1:
                total += size * prices[con_id]
        worst = max(worst, abs(total))
    found = net(*there, *sent, command=submit(limit("BUY", 10, "150.01")))
    assert found == worst
