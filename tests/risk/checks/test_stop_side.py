from __future__ import annotations

import pytest

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderType
from ibkr_trader.core.models import Adjustment, OrderSpec
from ibkr_trader.risk.view import FactMissing
from tests.risk.world import (
    D,
    aged,
    bracket,
    held,
    judge,
    limit,
    limits,
    modify,
    quote,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)

SHORT = spec("SELL", 10, "t-1-entry", role=OrderRole.ENTRY)
LOW = limit("BUY", 10, "120", "t-1-entry", role=OrderRole.ENTRY)
BREAKOUT = stop("BUY", 10, "160", "t-1-entry", role=OrderRole.ENTRY)


def words(command: SubmitOrders) -> list[str]:
    found = judge("stop_side", command, view())
    keys = {
        "fire at once": "side", "at a loss": "target", "decimal": "far", "by chance": "near",
        "touched at once": "touch", "price is gone": "limit",
    }  # fmt: skip
    texts = [breach.message + breach.hint for breach in found]
    return [word for text in texts for key, word in keys.items() if key in text]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (bracket(), []),
        (bracket(loss="150.01"), ["side"]),
        (bracket(loss="155", profit="145"), ["target", "side"]),
        (bracket(profit="150.01"), ["target"]),
        (bracket(loss="120.01"), []),  # 20 % below 150.01 is 120.008
        (bracket(loss="120.00"), ["far"]),
        (bracket(loss="14.5"), ["far"]),
        (bracket(loss="149.70"), []),  # 0.2 % below is 149.71
        (bracket(loss="149.72"), ["near"]),
        (bracket(entry=SHORT, loss="155", profit="145"), []),
        (bracket(entry=SHORT), ["target", "side"]),
        # The entry's own price counts, wherever the market is.
        (bracket(entry=LOW, loss="115", profit="125"), []),
        (bracket(entry=LOW, loss="121", profit="119"), ["target", "side"]),
        (bracket(entry=BREAKOUT, loss="158", profit="165"), []),
        (bracket(entry=BREAKOUT, loss="161"), ["target", "side"]),
    ],
)
def test_brackets(command: SubmitOrders, expected: list[str]) -> None:
    assert words(command) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (stop("BUY", 10, "155"), []),
        (stop("BUY", 10, "150.01"), ["side"]),
        (stop("SELL", 10, "145"), []),
        (stop("SELL", 10, "149.99"), ["side"]),
        (stop("SELL", 10, "15"), ["far"]),
        (limit("SELL", 10, "1"), []),
        (spec("SELL", 10, order_type=OrderType.MARKET_IF_TOUCHED, stop_price="170"), []),
        (spec("SELL", 10, order_type=OrderType.TRAIL, trail_percent="2"), []),
        (spec("SELL", 10, order_type=OrderType.TRAIL, trail_percent="21"), ["far"]),
        (spec("SELL", 10, order_type=OrderType.TRAIL, trail_percent="0.1"), ["near"]),
        (spec("SELL", 10, order_type=OrderType.TRAIL, trail_amount="3"), []),
        (spec("SELL", 10, order_type=OrderType.TRAIL, trail_amount="31"), ["far"]),
        (
            spec("SELL", 10, order_type=OrderType.TRAIL, trail_amount="3", stop_price="151"),
            ["side"],
        ),
        (spec("SELL", 10, order_type=OrderType.TRAIL), []),  # the form says what is missing
        (
            spec("BUY", 10, order_type=OrderType.STOP_LIMIT, stop_price="149", limit_price="150"),
            ["side"],
        ),
    ],
)
def test_stops_that_stand_alone_are_judged_by_the_market(
    order: OrderSpec, expected: list[str]
) -> None:
    assert words(submit(order)) == expected


T = OrderType
TOUCHES = [
    ("BUY", T.MARKET_IF_TOUCHED, {"stop_price": "145"}, []),
    ("BUY", T.MARKET_IF_TOUCHED, {"stop_price": "150.01"}, ["touch"]),
    ("SELL", T.MARKET_IF_TOUCHED, {"stop_price": "149.99"}, ["touch"]),
    ("SELL", T.LIMIT_IF_TOUCHED, {"stop_price": "155", "limit_price": "154"}, []),
    ("SELL", T.LIMIT_IF_TOUCHED, {"stop_price": "145", "limit_price": "144"}, ["touch"]),
    ("SELL", T.LIMIT_IF_TOUCHED, {"limit_price": "144"}, []),  # the form says what is missing
]


@pytest.mark.parametrize(("side", "kind", "prices", "expected"), TOUCHES)
def test_what_waits_for_a_touch_waits_for_a_better_price(
    side: str, kind: OrderType, prices: dict[str, str], expected: list[str]
) -> None:
    assert words(submit(spec(side, 10, order_type=kind, **prices))) == expected


STOP_LIMIT = {"order_type": T.STOP_LIMIT, "role": OrderRole.STOP}
LIMITS = [
    (spec("SELL", 10, stop_price="145", limit_price="145", **STOP_LIMIT), []),
    (spec("SELL", 10, stop_price="145", limit_price="145.01", **STOP_LIMIT), ["limit"]),
    (spec("BUY", 10, stop_price="155", limit_price="155", **STOP_LIMIT), []),
    (spec("BUY", 10, stop_price="155", limit_price="154.99", **STOP_LIMIT), ["limit"]),
    (
        spec("SELL", 10, order_type=T.TRAIL_LIMIT, trail_amount="3", stop_price="147",
             limit_price="148", role=OrderRole.STOP),
        ["limit"],
    ),
    # Whoever opens may want to be paid back for the wait.
    (spec("BUY", 10, order_type=T.STOP_LIMIT, stop_price="155", limit_price="154"), []),
]  # fmt: skip


@pytest.mark.parametrize(("order", "expected"), LIMITS)
def test_a_protective_stop_can_trade_once_it_has_triggered(
    order: OrderSpec, expected: list[str]
) -> None:
    assert words(submit(order)) == expected


@pytest.mark.parametrize(("limit_price", "expected"), [("150", []), ("150.01", ["limit"])])
def test_what_a_stop_turns_into_can_trade_too(limit_price: str, expected: list[str]) -> None:
    """Its trigger may have been passed already: then it is tightened at once."""
    adjustment = Adjustment(
        trigger=D("149"), order_type=T.STOP_LIMIT, stop_price=D("150"), limit_price=D(limit_price)
    )
    order = stop("SELL", 10, "145", role=OrderRole.STOP, adjustment=adjustment)
    assert words(submit(order)) == expected


def exits_of(entry: OrderSpec, **terms: object) -> SubmitOrders:
    exits = spec("SELL", 10, "t-1-target", parent_id=entry.order_id, role=OrderRole.TARGET, **terms)
    return submit(entry, exits)


def test_targets_that_are_touched_have_their_trigger_judged() -> None:
    touched = {"order_type": OrderType.MARKET_IF_TOUCHED}
    assert words(exits_of(LOW, stop_price="121", **touched)) == []
    assert words(exits_of(LOW, stop_price="119", **touched)) == ["target"]


def test_an_exit_at_the_market_or_an_order_of_the_same_side_is_no_target() -> None:
    assert words(exits_of(LOW)) == []
    more = limit("BUY", 5, "110", "t-1-more", parent_id=LOW.order_id)
    assert words(submit(LOW, more)) == []


def test_an_exit_of_an_entry_that_waits_is_judged_by_it() -> None:
    waiting = [working(order) for order in bracket(entry=LOW, loss="115", profit="125").orders]
    assert judge("stop_side", modify("t-1-stop", stop_price="119"), view(*waiting)) == []
    assert judge("stop_side", modify("t-1-stop", stop_price="120"), view(*waiting))


def test_once_the_entry_has_filled_the_market_judges() -> None:
    entry, target, protection = bracket().orders
    half = [working(entry, filled=4), working(target), working(protection)]
    world = view(held(4), *half)
    assert judge("stop_side", modify("t-1-stop", stop_price="149.98"), world) == []
    assert judge("stop_side", modify("t-1-stop", stop_price="149.99"), world)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("100", "110", set()),  # still far, but nearer
        ("145", "149.98", set()),  # near, by its own decision
        ("145", "149.99", {"stop_side"}),
        ("145", "119", {"stop_side"}),
        ("145", "121", set()),
    ],
)
def test_a_working_stop_follows_the_market(old: str, new: str, expected: set[str]) -> None:
    protection = working(stop("SELL", 10, old, role=OrderRole.STOP))
    world = view(held(10), protection, limits=limits(max_risk_per_trade=D(1_000)))
    assert reasons(review(modify(protection, stop_price=new), world)) == expected


@pytest.mark.parametrize("quotes", [{}, {1: aged(seconds=60)}, {1: aged(quote(None, None))}])
def test_without_a_price_a_stop_may_protect_but_not_open(quotes: object) -> None:
    protect = submit(stop("SELL", 10, "145", role=OrderRole.STOP))
    assert reasons(review(protect, view(held(10), quotes=quotes))) == set()
    with pytest.raises(FactMissing):
        judge("stop_side", protect, view(held(10), quotes=quotes))
    assert reasons(review(bracket(), view(quotes={}))) == {"quote_fresh"}


def test_a_stop_that_has_been_passed_may_still_be_cut() -> None:
    passed = working(stop("SELL", 26, "151", "o-1-stop", role=OrderRole.STOP))
    world = view(held(6), passed)
    assert judge("stop_side", modify(passed, quantity=6), world) == []
    assert judge("stop_side", modify(passed, stop_price="151.50"), world) != []
