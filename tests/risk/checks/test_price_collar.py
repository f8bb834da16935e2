from __future__ import annotations

import pytest

from ibkr_trader.core.enums import OrderRole, OrderType
from ibkr_trader.core.models import OrderSpec
from ibkr_trader.risk.check import CHECKS, Unit
from ibkr_trader.risk.verdict import Approved, Denied
from ibkr_trader.risk.view import FactMissing
from tests.risk.world import (
    D,
    aged,
    bracket,
    held,
    judge,
    limit,
    modify,
    quote,
    reasons,
    review,
    spec,
    submit,
    view,
    working,
)


def triggered(side: str, at: str, price: str, kind: OrderType = OrderType.STOP_LIMIT) -> OrderSpec:
    return spec(side, 10, order_type=kind, stop_price=at, limit_price=price)


@pytest.mark.parametrize(
    ("order", "edge"),
    [
        (limit("BUY", 10, "151.51"), ""),  # 1 % above the ask of 150.01
        (limit("BUY", 10, "151.52"), "151.51"),
        (limit("BUY", 10, "150.01"), ""),
        (limit("BUY", 10, "15"), ""),  # rests: may be anywhere
        (limit("SELL", 10, "148.50"), ""),
        (limit("SELL", 10, "148.49"), "148.5"),
        (limit("SELL", 10, "1500"), ""),
        (spec("BUY", 10), ""),
        (triggered("BUY", "160", "164.80"), ""),
        (triggered("BUY", "160", "164.81"), "164.8"),
        (triggered("SELL", "140", "135.79"), "135.8"),
        (triggered("BUY", "140", "144.21", OrderType.LIMIT_IF_TOUCHED), "144.2"),
        # It trades at the close, wherever the market is by then.
        (spec("BUY", 10, order_type=OrderType.LIMIT_ON_CLOSE, limit_price="154.51"), ""),
        (spec("BUY", 10, order_type=OrderType.LIMIT_ON_CLOSE, limit_price="154.52"), "154.51"),
    ],
)
def test_only_the_aggressive_side_is_bounded(order: OrderSpec, edge: str) -> None:
    found = judge("price_collar", submit(order), view())
    assert [breach.limit for breach in found] == ([edge] if edge else [])


@pytest.mark.parametrize(("price", "denied"), [("4.19", False), ("4.21", True)])
def test_cheap_shares_have_five_percent(price: str, *, denied: bool) -> None:
    world = view(quotes={1: aged(quote("3.99", "4.00"))})
    assert bool(judge("price_collar", submit(limit("BUY", 10, price)), world)) is denied


@pytest.mark.parametrize(("price", "denied"), [("135.00", False), ("134.98", True)])
def test_closing_orders_have_ten_percent(price: str, *, denied: bool) -> None:
    world = view(held(10))
    assert bool(judge("price_collar", submit(limit("SELL", 10, price)), world)) is denied


def test_a_stale_quote_does_not_refuse_a_close() -> None:
    stale = view(held(10), quotes={1: aged(seconds=60)})
    close = submit(limit("SELL", 10, "1"))
    with pytest.raises(FactMissing):
        judge("price_collar", close, stale)
    assert reasons(review(close, stale)) == set()


def test_the_target_of_an_entry_below_the_market_is_not_aggressive() -> None:
    low = limit("BUY", 10, "120", "t-1-entry", role=OrderRole.ENTRY)
    assert judge("price_collar", bracket(entry=low, loss="115", profit="125"), view()) == []


def test_so_is_a_change_of_it_while_the_entry_waits() -> None:
    command = bracket(
        entry=limit("BUY", 10, "120", "t-1-entry", role=OrderRole.ENTRY),
        loss="115",
        profit="125",
    )
    waiting = [working(order) for order in command.orders]
    assert judge("price_collar", modify("t-1-target", limit_price="126"), view(*waiting)) == []


def test_the_message() -> None:
    (breach,) = judge("price_collar", submit(limit("BUY", 10, "1500")), view())
    assert breach.message == (
        "The BUY limit 1,500.00 is 899.93 % above 150.01; at most 1 % is paid past it."
    )
    assert breach.hint == "use --limit 151.51 or less; check the decimal point"


def test_its_gauge_has_every_collar() -> None:
    gauge = CHECKS["price_collar"].gauge
    assert gauge is not None
    assert [(one.limit, one.unit, one.note) for one in gauge(view())] == [
        (D("0.01"), Unit.PERCENT, "a limit that trades at once"),
        (D("0.03"), Unit.PERCENT, "a limit behind a trigger"),
        (D("0.05"), Unit.PERCENT, "an opening limit below 5.00"),
        (D("0.10"), Unit.PERCENT, "a closing limit"),
    ]


def test_who_wants_out_far_past_the_market_is_told_and_let_out() -> None:
    out = submit(limit("SELL", 10, "120"))
    verdict = review(out, view(held(10)))
    assert isinstance(verdict, Approved)
    assert [one.check for one in verdict.warnings] == ["price_collar"]
    assert isinstance(review(submit(limit("SELL", 10, "120")), view()), Denied)
