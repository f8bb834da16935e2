from __future__ import annotations

import pytest

from ibkr_trader.core.enums import OrderRole, Side
from ibkr_trader.core.models import OrderSpec, Quote
from ibkr_trader.risk.pricing import (
    entry_of,
    entry_price,
    market_for,
    market_price,
    paid_at_most,
    worst_case,
)
from ibkr_trader.risk.proposal import propose
from ibkr_trader.risk.view import FactMissing
from tests.risk.world import (
    AAPL,
    MSFT,
    D,
    aged,
    bracket,
    held,
    limit,
    modify,
    quote,
    spec,
    stop,
    submit,
    view,
    working,
)


@pytest.mark.parametrize(
    ("have", "ask", "bid"),
    [
        (quote(), "150.01", "149.99"),
        (quote(None, "151", last=D(150)), "151", "150"),
        (quote("149", None, last=D(150)), "150", "149"),
        (quote("-1", "-1", last=D(150), close=D(148)), None, None),
        (quote("0", None, last=D(150)), "150", "150"),
        (quote(None, None, close=D(148)), "148", "148"),
        (quote(None, None), None, None),
    ],
)
def test_the_side_of_the_market_that_one_trades_against(
    have: Quote, ask: str | None, bid: str | None
) -> None:
    for side, price in ((Side.BUY, ask), (Side.SELL, bid)):
        if price is None:
            with pytest.raises(FactMissing, match="no price"):
                market_price(view(quotes={1: aged(have)}), AAPL, side)
        else:
            assert market_price(view(quotes={1: aged(have)}), AAPL, side) == D(price)


def test_what_closes_needs_a_fresh_price_and_what_opens_is_told_elsewhere() -> None:
    stale = view(held(10), quotes={1: aged(seconds=6)})
    (close,) = propose(submit(spec("SELL", 10)), stale).changes
    with pytest.raises(FactMissing, match="stale"):
        market_for(stale, close)
    fresh = view(held(10), quotes={1: aged(seconds=5)})
    assert market_for(fresh, close) == D("149.99")
    (opening,) = propose(submit(spec("BUY", 10)), stale).changes
    assert market_for(stale, opening) == D("150.01")


@pytest.mark.parametrize(
    ("order", "price"),
    [
        (spec("BUY", 1), "150.01"),
        (spec("SELL", 1), "149.99"),
        (limit("BUY", 1, "140"), "140"),
        (limit("SELL", 1, "140"), "149.99"),
        (limit("SELL", 1, "160"), "160"),
        (stop("BUY", 1, "160"), "160"),
        (stop("SELL", 1, "140"), "149.99"),
    ],
)
def test_the_most_that_changes_hands(order: OrderSpec, price: str) -> None:
    assert paid_at_most(view(), order) == D(price)


def test_the_entry_of_an_exit() -> None:
    command, world = bracket(), view()
    proposal = propose(command, world)
    entry, target, _ = proposal.changes
    assert entry_of(entry, proposal, world) is None
    assert entry_of(target, proposal, world) == command.orders[0]


@pytest.mark.parametrize(("filled", "found"), [(0, True), (4, False)])
def test_the_entry_that_works_until_it_fills(filled: int, *, found: bool) -> None:
    entry, _, protection = (working(order) for order in bracket().orders)
    entry = working(entry.spec, filled=filled)
    world = view(entry, protection)
    proposal = propose(modify(protection, stop_price="146"), world)
    assert (entry_of(proposal.changes[0], proposal, world) == entry.spec) is found


def test_an_entry_that_is_gone_is_none() -> None:
    _, _, protection = (working(order) for order in bracket().orders)
    world = view(held(10), protection)
    proposal = propose(modify(protection, stop_price="146"), world)
    assert entry_of(proposal.changes[0], proposal, world) is None


@pytest.mark.parametrize(
    ("entry", "price"),
    [
        (spec("BUY", 1, role=OrderRole.ENTRY), "150.01"),
        (limit("BUY", 1, "140"), "140"),
        (stop("BUY", 1, "160"), "160"),
        (spec("BUY", 1, limit_price="161", stop_price="160"), "161"),
    ],
)
def test_where_an_entry_fills(entry: OrderSpec, price: str) -> None:
    assert entry_price(view(), entry) == D(price)


def test_the_worst_case_adds_up() -> None:
    world = view(
        held(10, cost="100"),
        held(-10, MSFT, "300"),
        working(limit("BUY", 2, "140", "o-1-single")),
    )
    worst = worst_case(propose(submit(spec("BUY", 3)), world), world)
    assert worst.by_symbol == {"AAPL": 15 * D("150.01")}
    assert worst.gross == 3000 + 15 * D("150.01")
    assert worst.tied == 5 * D("150.01")


def test_the_worst_case_of_a_short_is_at_the_bid() -> None:
    world = view()
    worst = worst_case(propose(submit(spec("SELL", 3)), world), world)
    assert worst.gross == 3 * D("149.99")
