from __future__ import annotations

import pytest

from ibkr_trader.core.enums import OrderRole, OrderType
from ibkr_trader.core.models import OrderSpec
from ibkr_trader.risk.entry_stops import covered, distance, trades
from ibkr_trader.risk.proposal import Change, Proposal, propose
from tests.risk.world import D, bracket, held, modify, spec, stop, view, working

TRAIL = {"order_type": OrderType.TRAIL}


@pytest.mark.parametrize(
    ("order", "base", "far"),
    [
        (stop("SELL", 10, "145"), "150", "5"),
        (stop("SELL", 10, "145"), "144", "0"),  # it would end at a gain
        (stop("BUY", 10, "155"), "150", "5"),
        (stop("BUY", 10, "155"), "156", "0"),
        (spec("SELL", 10, trail_amount="3", **TRAIL), "150", "3"),
        (spec("SELL", 10, trail_percent="2", **TRAIL), "150", "3"),
        (spec("SELL", 10, trail_percent="2", stop_price="140", **TRAIL), "150", "10"),
        (spec("SELL", 10, **TRAIL), "150", "0"),  # its form says what is wrong with it
    ],
)
def test_how_far_a_stop_is_from_what_was_paid(order: OrderSpec, base: str, far: str) -> None:
    assert distance(order, D(base)) == D(far)


def test_of_alternatives_one_ends_something() -> None:
    def part(group: str, size: int) -> OrderSpec:
        return stop("SELL", size, "145", oca_group=group)

    assert covered([]) == 0
    assert covered([part("a", 5), part("b", 6)]) == 11
    assert covered([part("a", 5), part("a", 6)]) == 6
    assert covered([part("", 6), part("", 5)]) == 6


def test_a_trade_has_its_entry_and_its_stops() -> None:
    (trade,) = trades(propose(bracket(10), view()), view())
    assert (trade.base, trade.quantity, trade.furthest) == (D("150.01"), D(10), D("5.01"))
    assert [one.order_id for one in trade.stops] == ["t-1-stop"]
    assert trade.loss == D("50.1")


def test_a_change_still_under_way_counts_as_it_was_asked_for() -> None:
    first, second = (
        stop("SELL", 5, at, name, role=OrderRole.STOP, parent_id="t-1-entry", oca_group=name)
        for at, name in (("140", "t-1-stop"), ("141", "t-1-stop.2"))
    )
    entry = working(spec("BUY", 10, "t-1-entry", role=OrderRole.ENTRY))
    wanted = stop(
        "SELL", 5, "130", "t-1-stop.2", role=OrderRole.STOP, parent_id="t-1-entry", oca_group="x"
    )
    world = view(entry, working(first), working(second, desired=wanted))
    change = modify("t-1-stop", stop_price="139")
    (trade,) = trades(propose(change, world), world)
    assert [str(one.stop_price) for one in trade.stops] == ["139", "130"]


def test_what_tightens_or_ends_makes_no_trade() -> None:
    there = working(stop("SELL", 10, "145", "t-1-stop", role=OrderRole.STOP))
    world = view(held(10), there)
    assert list(trades(propose(modify(there, stop_price="146"), world), world)) == []


def test_a_stop_of_nothing_ends_no_trade() -> None:
    loose = working(stop("SELL", 10, "145", "t-1-stop", role=OrderRole.STOP))
    change = Change(spec=loose.spec, before=loose, widens=True)
    command = modify(loose, stop_price="140")
    nothing = Proposal(command=command, changes=(change,), before={}, after={})
    assert list(trades(nothing, view(loose))) == []
