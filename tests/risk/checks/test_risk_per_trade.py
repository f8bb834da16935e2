from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType
from ibkr_trader.core.models import AccountValues, Contract, Order
from ibkr_trader.risk.check import CHECKS, Gauge, Unit
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.risk.world import (
    ACCOUNT,
    D,
    bracket,
    held,
    judge,
    limit,
    limits,
    modify,
    portfolio,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)

EXIT: dict[str, Any] = {"role": OrderRole.STOP, "parent_id": "t-1-entry"}
LOW = limit("BUY", 10, "140", "t-1-entry", role=OrderRole.ENTRY)


def worth(equity: str | int | None, *parts: Any, **changes: Any) -> RiskView:
    amount = D(equity) if equity is not None else None
    values = AccountValues(account=ACCOUNT, net_liquidation=amount)
    return view(portfolio=portfolio(*parts, values=values), **changes)


def refused(command: Any, world: RiskView) -> bool:
    return bool(judge("risk_per_trade", command, world))


@pytest.mark.parametrize(
    ("quantity", "loss", "denied"),
    # A market order is expected at the ask of 150.01: 5.01 a share to the stop at 145.
    [(49, "145", False), (50, "145", True), (10, "125.01", False), (10, "125", True)],
)
def test_at_most_250(quantity: int, loss: str, *, denied: bool) -> None:
    assert refused(bracket(quantity, loss=loss), view()) is denied


@pytest.mark.parametrize(
    ("equity", "denied"),
    [("5010", False), ("5009", True), ("25000", False), ("0", True), ("-1", True)],
)
def test_and_at_most_a_hundredth_of_the_account(equity: str, *, denied: bool) -> None:
    assert refused(bracket(10), worth(equity)) is denied


def test_the_figures_and_what_would_fit() -> None:
    (breach,) = judge("risk_per_trade", bracket(60), view())
    assert breach.message == (
        "BUY 60 AAPL could lose 300.60 at its stop, 5.01 a share from 150.01; the limit is "
        "250.00 (1 % of net liquidation, and max_risk_per_trade is 250.00)."
    )
    assert (breach.limit, breach.actual) == ("250", "300.6")
    assert breach.hint == "use --quantity 49 or less"


def test_a_share_that_is_too_much_alone_asks_for_another_stop() -> None:
    (breach,) = judge("risk_per_trade", bracket(10), worth(500))
    assert breach.hint == "a single share would lose 5.01: move the stop nearer"


def test_shorts_count_alike() -> None:
    short = spec("SELL", 50, "t-1-entry", role=OrderRole.ENTRY)
    assert refused(bracket(50, entry=short, loss="154.99", profit="145"), view()) is False
    assert refused(bracket(50, entry=short, loss="155", profit="145"), view()) is True


@pytest.mark.parametrize(
    ("terms", "denied"),
    [
        ({"trail_amount": "25"}, False),
        ({"trail_amount": "25.01"}, True),
        ({"trail_percent": "16"}, False),
        ({"trail_percent": "17"}, True),
        # Where it begins is as far as it ever is.
        ({"trail_amount": "5", "stop_price": "125"}, True),
        ({"trail_amount": "30", "stop_price": "126"}, False),
    ],
)
def test_a_trail_counts_by_its_distance(terms: dict[str, str], *, denied: bool) -> None:
    entry = spec("BUY", 10, "t-1-entry", role=OrderRole.ENTRY)
    trail = spec("SELL", 10, "t-1-stop", order_type=OrderType.TRAIL, **EXIT, **terms)
    assert refused(submit(entry, trail), view()) is denied


def test_a_limit_entry_counts_from_its_limit_and_a_stop_entry_from_its_trigger() -> None:
    low = limit("BUY", 50, "140", "t-1-entry", role=OrderRole.ENTRY)
    assert refused(bracket(50, entry=low, loss="135"), view()) is False
    high = stop("BUY", 50, "160", "t-1-entry", role=OrderRole.ENTRY)
    assert refused(bracket(50, entry=high, loss="145"), view()) is True


def several(*parts: tuple[int, str], quantity: int = 20) -> SubmitOrders:
    """A bracket whose stops end so many each, at their prices."""
    entry = spec("BUY", quantity, "t-1-entry", role=OrderRole.ENTRY)
    stops = [
        stop("SELL", size, at, f"t-1-stop.{n}", oca_group=f"x{n}", **EXIT)
        for n, (size, at) in enumerate(parts, 2)
    ]
    return submit(entry, *stops)


def test_stops_for_parts_add_up() -> None:
    # 10 x 5.01 and 10 x 20.01 are 250.20
    (breach,) = judge("risk_per_trade", several((10, "145"), (10, "130")), view())
    assert breach.actual == "250.2"
    assert "at its stops" in breach.message
    assert refused(several((10, "145"), (10, "131")), view()) is False


def test_what_no_stop_ends_is_taken_to_end_at_the_furthest() -> None:
    assert refused(several((5, "145"), (5, "140")), view()) is False  # 15 x 10.01 + 5 x 5.01
    assert refused(several((5, "145"), (5, "135")), view()) is True
    # Alternatives that are more than the entry count from the worst on.
    assert refused(several((20, "149"), (20, "138")), view()) is False
    assert refused(several((20, "149"), (20, "137")), view()) is True


def test_a_multiplier_counts() -> None:
    # Sized by hand: one option at 2.50 with a stop at 1.00 loses 150.
    option = Contract(symbol="AAPL", con_id=1, multiplier=D(100))
    entry = limit("BUY", 1, "2.50", "t-1-entry", role=OrderRole.ENTRY, contract=option)
    assert refused(bracket(1, entry=entry, loss="0.01", profit="5"), view()) is False
    two = limit("BUY", 2, "2.50", "t-1-entry", role=OrderRole.ENTRY, contract=option)
    (breach,) = judge("risk_per_trade", bracket(2, entry=two, loss="1.00", profit="5"), view())
    assert breach.hint == "use --quantity 1 or less"


def test_without_a_stop_there_is_nothing_to_reckon() -> None:
    assert judge("risk_per_trade", submit(spec("BUY", 90)), view(quotes={})) == []
    assert judge("risk_per_trade", submit(spec("SELL", 10)), worth(None, held(10))) == []


def test_what_is_not_known_stands_against_it() -> None:
    with pytest.raises(FactMissing, match="net liquidation"):
        judge("risk_per_trade", bracket(), worth(None))
    assert reasons(review(bracket(60), view(quotes={}))) >= {"quote_fresh"}


# -- a scale-in ------------------------------------------------------------------------------


def test_a_scale_in_counts_with_what_it_adds_at_the_stop_that_follows() -> None:
    there = working(stop("SELL", 10, "145", "t-1-stop", **EXIT), OrderStatus.PRESUBMITTED)

    def added(quantity: int) -> SubmitOrders:
        return submit(spec("BUY", quantity, "t-1-entry.2", role=OrderRole.ENTRY), kind="bracket")

    world = view(held(10), there)
    assert refused(added(49), world) is False
    (breach,) = judge("risk_per_trade", added(50), world)
    assert breach.hint == "use --quantity 49 or less"


# -- changes ---------------------------------------------------------------------------------


def waiting(*, loss: str = "135", profit: str = "145", size: int = 10) -> list[Order]:
    """A bracket whose entry has yet to fill."""
    entry = limit("BUY", size, "140", "t-1-entry", role=OrderRole.ENTRY)
    orders = bracket(size, entry=entry, loss=loss, profit=profit).orders
    return [working(one, held_for="child" if one.parent_id else "") for one in orders]


def test_a_larger_or_dearer_entry_counts_with_the_stops_it_has() -> None:
    world = view(*waiting())
    assert refused(modify("t-1-entry", quantity=50), world) is False
    (breach,) = judge("risk_per_trade", modify("t-1-entry", quantity=51), world)
    assert (breach.actual, breach.hint) == ("255", "use --quantity 50 or less")
    assert refused(modify("t-1-entry", limit_price="160"), world) is False
    assert refused(modify("t-1-entry", limit_price="160.01"), world) is True
    assert refused(modify("t-1-entry", limit_price="139"), world) is False


def test_a_larger_scale_in_counts_with_the_stop_that_follows() -> None:
    there = working(stop("SELL", 10, "135", "t-1-stop", **EXIT), OrderStatus.PRESUBMITTED)
    more = working(limit("BUY", 5, "140", "t-1-entry.2", role=OrderRole.ENTRY))
    world = view(held(10), there, more)
    assert refused(modify(more, quantity=50), world) is False
    assert refused(modify(more, quantity=51), world) is True


def test_an_entry_without_stops_is_none_of_its_business() -> None:
    entry = working(limit("BUY", 10, "140"))
    assert judge("risk_per_trade", modify(entry, quantity=90), view(entry)) == []


@pytest.mark.parametrize(("at", "denied"), [("115", False), ("114.99", True)])
def test_a_stop_moved_away_from_an_entry_that_waits(at: str, *, denied: bool) -> None:
    assert refused(modify("t-1-stop", stop_price=at), view(*waiting())) is denied


def test_a_stop_moved_away_from_what_is_held_counts_from_what_was_paid() -> None:
    entry, _, protection = waiting(size=100)
    full: dict[str, Any] = {"filled": D(100), "filled_value": D(14_100)}
    done = working(entry.spec, OrderStatus.FILLED, full["filled"])
    done = Order(spec=entry.spec, status=OrderStatus.FILLED, **full)
    world = view(portfolio=portfolio(held(100), protection, past=(done,)))
    assert refused(modify("t-1-stop", stop_price="138.51"), world) is False  # tighter
    wider = modify("t-1-stop", stop_price="134.99")
    (breach,) = judge("risk_per_trade", wider, world)
    assert breach.message.startswith(
        "SELL 100 AAPL could lose 601.00 at the stop, 6.01 a share from 141.00; "
    )
    assert breach.hint == "use --stop 138.50 or more".replace("138.50", "138.5")
    # one that is nobody's child counts from the position's average
    alone = working(stop("SELL", 10, "145", "t-2-stop", role=OrderRole.STOP))
    assert refused(modify(alone, stop_price="125"), view(held(10), alone)) is False
    assert refused(modify(alone, stop_price="124.99"), view(held(10), alone)) is True


def test_the_hint_for_a_short_position_is_the_other_way_round() -> None:
    cover = working(stop("BUY", 100, "151", "t-2-stop", role=OrderRole.STOP))
    (breach,) = judge("risk_per_trade", modify(cover, stop_price="153"), view(held(-100), cover))
    assert breach.hint == "use --stop 152.5 or less"


def test_beside_other_stops_the_whole_trade_counts() -> None:
    entry = working(limit("BUY", 20, "140", "t-1-entry", role=OrderRole.ENTRY))
    near = working(stop("SELL", 10, "130", "t-1-stop", oca_group="x1", **EXIT))
    far = working(stop("SELL", 10, "125", "t-1-stop.2", oca_group="x2", **EXIT))
    world = view(entry, near, far)
    assert refused(modify(near, stop_price="129"), world) is True  # 11 x 10 and 15 x 10
    (breach,) = judge("risk_per_trade", modify(near, stop_price="129"), world)
    assert (breach.actual, breach.hint) == ("260", "move the stop less far")
    assert "at the stops" in breach.message


def test_a_wider_trail_has_no_price_to_name() -> None:
    trail = working(
        spec("SELL", 10, "t-2-stop", role=OrderRole.STOP, order_type=OrderType.TRAIL,
             trail_amount="3")
    )  # fmt: skip
    world = view(held(10), trail)
    assert refused(modify(trail, trail_amount="25"), world) is False
    (breach,) = judge("risk_per_trade", modify(trail, trail_amount="26"), world)
    assert breach.hint == "move the stop less far"


def test_a_stop_that_protects_nothing_yet_risks_nothing() -> None:
    loose = working(stop("SELL", 10, "145", "t-2-stop", role=OrderRole.STOP))
    assert judge("risk_per_trade", modify(loose, stop_price="100"), view(loose)) == []


# -- what it says ----------------------------------------------------------------------------


def read(world: RiskView) -> list[Gauge]:
    gauge = CHECKS["risk_per_trade"].gauge
    assert gauge is not None
    return list(gauge(world))


def test_its_gauge() -> None:
    note = "for each entry, at most 1 % of net liquidation"
    for equity, most in (("1000000", "250"), ("12000", "120"), (None, "250"), ("-5", "0")):
        (found,) = read(worth(equity))
        assert found == Gauge(check="risk_per_trade", limit=D(most), unit=Unit.MONEY, note=note)
    assert read(view(portfolio=portfolio(values=None)))[0].limit == D(250)


PRICES = st.decimals("20", "149", places=2)


@given(
    quantity=st.integers(1, 400),
    first=PRICES,
    second=PRICES,
    most=st.decimals("1", "2000", places=2),
    is_split=st.booleans(),
)
def test_what_it_proposes_fits_and_one_more_does_not(
    quantity: int, first: Decimal, second: Decimal, most: Decimal, *, is_split: bool
) -> None:
    """Of one stop exactly; of several at least it fits."""
    world = view(limits=limits(max_risk_per_trade=most))

    def order(size: int) -> SubmitOrders:
        if not is_split or size == 1:
            return several((size, str(first)), quantity=size)
        half = size // 2
        return several((size - half, str(first)), (half, str(second)), quantity=size)

    for breach in judge("risk_per_trade", order(quantity), world):
        match = re.fullmatch(r"use --quantity ([0-9]+) or less", breach.hint)
        if match is None:
            worst = 150 + D("0.01") - (first if not is_split else min(first, second))
            assert worst > most or is_split
            continue
        fits = int(match[1])
        assert 1 <= fits < quantity
        assert judge("risk_per_trade", order(fits), world) == []
        if not is_split:
            assert judge("risk_per_trade", order(fits + 1), world) != []
