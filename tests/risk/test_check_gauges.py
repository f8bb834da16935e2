"""Every check says how much of its limit is in use, and what it says agrees with what it does."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.core.enums import OrderStatus, OrderType
from ibkr_trader.core.events import CloseRequestEvent
from ibkr_trader.core.models import GroupId, Order, Position
from ibkr_trader.risk.check import CHECKS, Gauge, Unit
from ibkr_trader.risk.history import History
from ibkr_trader.risk.limits import SymbolLimitRegistry, SymbolLimits
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.risk.world import (
    AAPL,
    ACCOUNT,
    NOW,
    D,
    aged,
    held,
    judge,
    limit,
    limits,
    portfolio,
    quote,
    spec,
    stop,
    submit,
    view,
    working,
)


def read(name: str, world: RiskView, subject: str = "") -> list[Gauge]:
    gauge = CHECKS[name].gauge
    assert gauge is not None
    return [one for one in gauge(world) if one.subject == subject]


def room(name: str, world: RiskView, subject: str = "") -> Decimal:
    (one,) = read(name, world, subject)
    assert one.headroom is not None
    return one.headroom


@pytest.mark.parametrize("name", sorted(name for name, _ in CHECKS.items()))
def test_every_check_has_a_gauge_that_speaks_for_it(name: str) -> None:
    worlds = [
        view(),
        view(held(-10), working(stop("BUY", 10, "155"), OrderStatus.UNKNOWN), is_synced=False),
        view(held(10), quotes={}, details={}, portfolio=portfolio(held(10), values=None)),
    ]
    gauge = CHECKS[name].gauge
    assert gauge is not None, "say in its file how much of it is in use"
    for world in worlds:
        try:
            found = list(gauge(world))
        except FactMissing:
            continue  # `limits` shows what is missing
        assert {one.check for one in found} <= {name}
        assert all(one.note or one.limit is not None or one.used is not None for one in found)


def test_the_share_of_nothing_is_not_known() -> None:
    assert Gauge(check="tick", limit=D(0), used=D(5)).share is None
    assert Gauge(check="tick", limit=D(10), used=D(15)).share == D("1.5")
    assert Gauge(check="tick", limit=D(10), used=D(15)).headroom == 0
    assert Gauge(check="tick", limit=D(10)).headroom is None


# -- the oracle: what a gauge leaves passes, one more does not ------------------------------


def test_order_quantity_agrees_with_its_gauge() -> None:
    world = view(limits=limits(max_order_quantity=D(37)))
    left = int(room("order_quantity", world))
    assert judge("order_quantity", submit(spec("BUY", left)), world) == []
    assert judge("order_quantity", submit(spec("BUY", left + 1)), world)


OWN = SymbolLimitRegistry(
    symbols={
        "AAPL": SymbolLimits(symbol="AAPL", max_order_exposure=D(700), max_position_size=D(30))
    },
    default=SymbolLimits(symbol="*", max_order_exposure=D(5_000), max_position_size=D(60)),
)


@pytest.mark.parametrize(("subject", "own"), [("AAPL", OWN), ("AAPL", SymbolLimitRegistry())])
def test_order_exposure_agrees_with_its_gauge(subject: str, own: SymbolLimitRegistry) -> None:
    world = view(held(1), symbol_limits=own)
    left = room("order_exposure", world, subject)
    at = str(left / 10)
    assert judge("order_exposure", submit(limit("BUY", 10, at)), world) == []
    over = str(left / 10 + D("0.01"))
    assert judge("order_exposure", submit(limit("BUY", 10, over)), world)


def test_order_exposure_shows_the_default_for_all_others() -> None:
    assert room("order_exposure", view(symbol_limits=OWN)) == 5_000


parts = st.lists(
    st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 12)), min_size=0, max_size=5
)


@settings(deadline=None)
@given(st.integers(-15, 15), parts, st.booleans())
def test_position_size_agrees_with_its_gauge(
    holding: int, orders: list[tuple[str, int]], has_own: bool
) -> None:
    """On the side on which the position could become largest, to the last share."""
    some: list[Order | Position] = [
        working(limit(side, size, "150", f"t-{number + 2}-single"))
        for number, (side, size) in enumerate(orders)
    ]
    some += [held(holding)] if holding else []
    world = view(*some, symbol_limits=OWN if has_own else SymbolLimitRegistry())
    here = world.exposure.contract(AAPL)
    if here.longest >= -here.shortest:
        side, could = "BUY", here.longest
    else:
        side, could = "SELL", -here.shortest
    (gauge,) = read("position_size", world, "AAPL") or read("position_size", world)
    assert gauge.used == could
    assert gauge.headroom is not None
    left = int(gauge.headroom)
    if left:
        assert judge("position_size", submit(spec(side, left)), world) == []
    assert judge("position_size", submit(spec(side, left + 1)), world)


@given(st.integers(0, 8), st.integers(0, 8))
def test_working_orders_agree_with_their_gauge(buys: int, sells: int) -> None:
    orders = [
        working(limit(side, 1, "150", f"t-{side.lower()}{number}-single"))
        for side, count in (("BUY", buys), ("SELL", sells))
        for number in range(count)
    ]
    roomy = limits(max_working=20, closing_reserve=5, max_working_per_side=8)
    world = view(held(100), *orders, limits=roomy)
    left = int(min(room("working_orders", world), D(8) - (gauge_of(world) or D(0))))
    some = [
        limit("BUY", 1, "150", f"n-1-{number}", broker_order_id=900 + number)
        for number in range(left + 1)
    ]
    if left:
        assert judge("working_orders", submit(*some[:left]), world) == []
    assert judge("working_orders", submit(*some), world)


def gauge_of(world: RiskView) -> Decimal | None:
    found = read("working_orders", world, "AAPL BUY")
    return found[0].used if found else None


@pytest.mark.parametrize("word", ["second", "minute", "day"])
def test_order_rate_agrees_with_its_gauge(word: str) -> None:
    window = {"second": 1, "minute": 60, "day": 86_400}[word]
    some: dict[str, Any] = {f"max_openings_per_{one}": 100 for one in ("second", "minute", "day")}
    some[f"max_openings_per_{word}"] = 3
    for count in range(4):
        went = tuple(NOW - timedelta(seconds=window * 0.9) for _ in range(count))
        world = view(history=History(openings=went), limits=limits(**some))
        denied = judge("order_rate", submit(spec()), world)
        assert bool(denied) is (room("order_rate", world, f"a {word}") < 1)


def test_buying_power_agrees_with_its_gauge() -> None:
    world = view(limits=limits(max_funds_used=D("0.001")))
    left = room("buying_power", world)
    assert left == 1_000
    assert judge("buying_power", submit(limit("BUY", 5, "200")), world) == []
    assert judge("buying_power", submit(limit("BUY", 5, "200.01")), world)
    order = working(limit("BUY", 2, "150"))
    assert room("buying_power", view(order, limits=limits(max_funds_used=D("0.001")))) == 700


def test_a_market_order_agrees_with_its_gauge() -> None:
    for ask, passes in (("151.50", True), ("151.51", False)):
        world = view(held(1), quotes={1: aged(quote("150.00", ask))})
        (one,) = read("market_order", world, "AAPL")
        assert one.unit is Unit.MONEY
        assert one.limit is not None
        assert one.used is not None
        assert (one.used <= one.limit) is passes
        order = submit(spec(order_type=OrderType.MARKET))
        assert (judge("market_order", order, world) == []) is passes


def test_a_market_order_without_a_quote_has_only_its_rule() -> None:
    for quotes in ({}, {1: aged(quote(None, "150"))}):
        assert read("market_order", view(held(1), quotes=quotes), "AAPL") == []


# -- those without a figure -----------------------------------------------------------------


def said(name: str, world: RiskView, subject: str = "") -> str:
    (one,) = read(name, world, subject)
    return one.note


def test_rules_say_how_they_stand() -> None:
    assert said("account", view()) == f"only {ACCOUNT} is traded"
    assert said("knowledge", view()) == "in sync; no orders of unknown fate"
    assert said("knowledge", view(is_synced=False)).startswith("not in sync")
    lost = working(limit("BUY", 1, "150"), OrderStatus.UNKNOWN)
    assert said("knowledge", view(lost)) == "in sync; 1 order of unknown fate"
    assert said("duplicate", view()) == "the same order again within 10 s is a mistake"
    assert said("stop_side", view()).startswith("a stop is 0.2 % to 20 %")


def test_what_is_being_closed_is_named() -> None:
    assert said("closing", view()) == "nothing is being closed"
    request = CloseRequestEvent(at=NOW, group_id=GroupId("c-1"), contract=AAPL, account=ACCOUNT)
    world = view(portfolio=portfolio(held(5)).apply(request))
    assert said("closing", world, "AAPL").startswith("being closed since 2026-11-20 15:00:00 UTC")
