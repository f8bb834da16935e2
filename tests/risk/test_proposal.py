from __future__ import annotations

import pytest

from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.models import Order, OrderSpec, Position
from ibkr_trader.risk.proposal import changed_spec, propose
from tests.risk.world import (
    AAPL,
    MSFT,
    D,
    bracket,
    figures,
    held,
    limit,
    modify,
    portfolio,
    spec,
    stop,
    submit,
    view,
    working,
)

T = OrderType
FOUR = spec("SELL", 4, "o-1-x")


def test_of_a_bracket_the_entry_opens_and_the_exits_do_not() -> None:
    proposal = propose(bracket(), view())
    assert [change.opens for change in proposal.changes] == [True, False, False]
    assert proposal.is_new
    assert not proposal.reduces
    assert proposal.opened == (AAPL,)
    entry, target, _ = proposal.changes
    assert proposal.entry_of(target) is entry
    assert proposal.entry_of(entry) is None
    assert (proposal.before[1].longest, proposal.after[1].longest) == figures(0, 10)


@pytest.mark.parametrize(
    ("parts", "order", "opens"),
    [
        ([], spec("BUY", 1), True),
        ([], spec("SELL", 1), True),
        ([held(10)], spec("SELL", 10), False),
        ([held(10)], spec("SELL", 11), True),
        ([held(10)], spec("BUY", 1), True),
        ([held(-10)], spec("BUY", 10), False),
        ([held(-10)], spec("BUY", 11), True),
        # What works already counts as if it had filled.
        ([held(10), working(spec("SELL", 4, "o-1-x"))], spec("SELL", 6), False),
        ([held(10), working(spec("SELL", 4, "o-1-x"))], spec("SELL", 7), True),
        ([held(10), working(FOUR, OrderStatus.UNKNOWN)], spec("SELL", 7), True),
        ([held(10), working(FOUR, OrderStatus.INACTIVE)], spec("SELL", 7), True),
        ([held(10), working(FOUR, OrderStatus.PENDING_CANCEL)], spec("SELL", 7), True),
        # What may not fill makes no room.
        ([working(spec("BUY", 10, "o-1-x"))], spec("SELL", 1), True),
        ([held(10, MSFT)], spec("SELL", 10), True),
    ],
)
def test_what_opens_is_found_by_the_worst_case(
    parts: list[Order | Position], order: OrderSpec, *, opens: bool
) -> None:
    assert propose(submit(order), view(*parts)).reduces is not opens


def test_a_claim_or_a_role_proves_nothing() -> None:
    claim = submit(spec("SELL", 5, role=OrderRole.CLOSE), reduces=True)
    assert not propose(claim, view()).reduces


def test_a_close_in_the_group_of_the_exits_replaces_them() -> None:
    exits = working(stop("SELL", 10, "145", "o-1-stop", oca_group="x"))
    close = submit(spec("SELL", 10, oca_group="x"))
    assert propose(close, view(held(10), exits)).reduces
    assert not propose(submit(spec("SELL", 10)), view(held(10), exits)).reduces


def test_of_two_alternatives_the_smaller_opens_as_well() -> None:
    pair = submit(
        limit("BUY", 9, "149", "t-1-a", oca_group="x"), spec("BUY", 4, "t-1-b", oca_group="x")
    )
    assert [change.opens for change in propose(pair, view()).changes] == [True, True]
    small = working(limit("BUY", 4, "149", "o-1-b", oca_group="x"))
    world = view(working(limit("BUY", 9, "149", "o-1-a", oca_group="x")), small)
    assert not propose(modify(small, quantity=5), world).reduces
    assert not propose(modify(small, limit_price="149.50"), world).reduces
    assert propose(modify(small, quantity=3), world).reduces


def test_each_order_is_judged_on_top_of_those_before_it() -> None:
    both = submit(spec("SELL", 6, "t-1-a"), spec("SELL", 6, "t-1-b"))
    changes = propose(both, view(held(10))).changes
    assert [change.opens for change in changes] == [False, True]


def test_legs_in_two_contracts_are_kept_apart() -> None:
    both = submit(spec("SELL", 6, "t-1-a"), spec("SELL", 6, "t-1-b", contract=MSFT))
    proposal = propose(both, view(held(6)))
    assert [change.opens for change in proposal.changes] == [False, True]
    assert proposal.opened == (MSFT,)


@pytest.mark.parametrize("quantity", ["NaN", "0", "-3", "Infinity"])
def test_a_quantity_without_meaning_is_never_taken_for_reducing(quantity: str) -> None:
    assert not propose(submit(spec("SELL", quantity)), view(held(10))).reduces
    order = working(stop("SELL", 10, "145"))
    proposal = propose(modify(order, quantity=quantity), view(held(10), order))
    assert not proposal.reduces
    assert proposal.after == proposal.before


def order_of(kind: OrderType, side: str, **prices: str) -> Order:
    return working(spec(side, 10, order_type=kind, **prices))


PROTECTIVE = [
    (order_of(T.STOP, "SELL", stop_price="145"), {"stop_price": "146"}, "reduces"),
    (order_of(T.STOP, "SELL", stop_price="145"), {"stop_price": "144"}, "widens"),
    (order_of(T.STOP, "SELL", stop_price="145"), {"quantity": "9"}, "reduces"),
    (order_of(T.STOP, "SELL", stop_price="145"), {"quantity": "11"}, "opens"),
    (order_of(T.STOP, "SELL", stop_price="145"), {"quantity": "9", "stop_price": "144"}, "widens"),
    (
        order_of(T.STOP_LIMIT, "SELL", stop_price="145", limit_price="144"),
        {"limit_price": "143"},
        "reduces",
    ),
    (
        order_of(T.STOP_LIMIT, "SELL", stop_price="145", limit_price="144"),
        {"limit_price": "144.50"},
        "widens",
    ),
    (order_of(T.TRAIL, "SELL", trail_amount="3"), {"trail_amount": "2"}, "reduces"),
    (order_of(T.TRAIL, "SELL", trail_amount="3"), {"trail_amount": "4"}, "widens"),
    (order_of(T.TRAIL, "SELL", trail_percent="3"), {"trail_percent": "4"}, "widens"),
    (order_of(T.TRAIL, "SELL", trail_percent="3"), {"trail_amount": "1"}, "widens"),
    (order_of(T.LIMIT, "SELL", limit_price="155"), {"limit_price": "154"}, "reduces"),
    (order_of(T.LIMIT, "SELL", limit_price="155"), {"limit_price": "160"}, "reduces"),
    (order_of(T.MARKET_IF_TOUCHED, "SELL", stop_price="155"), {"stop_price": "160"}, "reduces"),
]
OPENING = [
    (order_of(T.LIMIT, "BUY", limit_price="149"), {"limit_price": "149.50"}, "opens"),
    (order_of(T.LIMIT, "BUY", limit_price="149"), {"limit_price": "148"}, "reduces"),
    (order_of(T.LIMIT, "BUY", limit_price="149"), {"quantity": "9"}, "reduces"),
    (order_of(T.LIMIT, "BUY", limit_price="149"), {"quantity": "11"}, "opens"),
    (
        order_of(T.LIMIT, "BUY", limit_price="149"),
        {"quantity": "9", "limit_price": "149.50"},
        "opens",
    ),
    (order_of(T.STOP, "BUY", stop_price="155"), {"stop_price": "154"}, "opens"),
    (order_of(T.STOP, "BUY", stop_price="155"), {"stop_price": "156"}, "reduces"),
    (order_of(T.MARKET_IF_TOUCHED, "BUY", stop_price="145"), {"stop_price": "146"}, "opens"),
    (order_of(T.MARKET_IF_TOUCHED, "BUY", stop_price="145"), {"stop_price": "144"}, "reduces"),
    (order_of(T.TRAIL, "BUY", trail_amount="3"), {"trail_amount": "2"}, "opens"),
    (order_of(T.TRAIL, "BUY", trail_amount="3"), {"trail_amount": "4"}, "reduces"),
]


@pytest.mark.parametrize(
    ("parts", "order", "terms", "verdict"),
    [((held(10),), *row) for row in PROTECTIVE] + [((), *row) for row in OPENING],
)
def test_changes(
    parts: tuple[Position, ...], order: Order, terms: dict[str, str], verdict: str
) -> None:
    proposal = propose(modify(order, **terms), view(*parts, order))
    (change,) = proposal.changes
    assert not proposal.is_new
    assert (change.opens, change.widens) == (verdict == "opens", verdict == "widens")
    assert proposal.reduces is (verdict == "reduces")


def test_until_confirmed_the_larger_terms_count() -> None:
    order = working(limit("BUY", 10, "149"))
    assert propose(modify(order, quantity=5), view(order)).after[1].longest == 10
    under_way = working(limit("BUY", 10, "149"), desired=limit("BUY", 20, "149"))
    proposal = propose(modify(under_way, quantity=15), view(under_way))
    assert proposal.reduces
    assert proposal.after[1].longest == 20


def test_a_change_is_built_on_the_one_under_way() -> None:
    order = working(stop("SELL", 10, "145"), desired=stop("SELL", 8, "147"))
    assert changed_spec(order, modify(order, stop_price="148")) == stop("SELL", 8, "148")
    assert changed_spec(working(order.spec), modify(order, quantity=7)) == stop("SELL", 7, "145")
    (change,) = propose(modify(order, stop_price="146"), view(held(10), order)).changes
    assert change.widens


def test_a_change_of_nothing_known_has_no_changes() -> None:
    assert propose(modify("t-9-single", quantity=D(1).to_eng_string()), view()).changes == ()


def test_the_exposure_of_another_portfolio_is_refused() -> None:
    world = view(held(10))
    stale = view(held(5), exposure=world.exposure)
    with pytest.raises(InvariantBroken):
        propose(submit(spec("SELL", 10)), stale)
    assert portfolio(held(5)).positions[1].quantity == 5
