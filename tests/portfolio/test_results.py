from __future__ import annotations

from decimal import Decimal

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import Fill, OrderId
from ibkr_trader.portfolio.results import Record, charged, round_trips
from tests.orders.samples import AAPL, MSFT, fill, later, values


def trade(side: Side, size: int, price: str, at: int, *, cost: str | None = "1") -> Fill:
    commission = Decimal(cost) if cost is not None else None
    return fill(size, price, key=f"e{at}", side=side, at=later(at), commission=commission)


def buy(size: int, price: str, at: int, *, cost: str | None = "1") -> Fill:
    return trade(Side.BUY, size, price, at, cost=cost)


def sell(size: int, price: str, at: int, *, cost: str | None = "1") -> Fill:
    return trade(Side.SELL, size, price, at, cost=cost)


def gains(*fills: Fill) -> list[Decimal]:
    return [trip.gain for trip in round_trips(fills)]


def test_a_trip_is_from_flat_to_flat_with_what_it_cost() -> None:
    trip = (buy(10, "100", 1), buy(10, "102", 2), sell(5, "110", 3), sell(15, "111", 4))
    assert gains(*trip) == [5 * 9 + 15 * 10 - 4]
    assert gains(*reversed(trip)) == gains(*trip)
    (one,) = round_trips(trip)
    assert (one.contract, one.closed_at) == (AAPL, later(4))


def test_what_is_still_open_is_no_trip() -> None:
    assert gains(buy(10, "100", 1), sell(9, "110", 2)) == []


def test_trips_follow_one_another_each_with_its_own_gain() -> None:
    first = (buy(10, "100", 1), sell(10, "101", 2))
    second = (sell(10, "101", 3), buy(10, "103", 4))
    assert gains(*first, *second) == [8, -22]


def test_what_goes_through_flat_ends_one_trip_and_begins_the_next() -> None:
    assert gains(buy(10, "100", 1), sell(15, "110", 2), buy(5, "108", 3)) == [98, 9]


def test_a_trip_says_who_opened_it_and_what_each_order_had_of_it() -> None:
    entry = buy(10, "100", 1), buy(5, "101", 2)
    turn = trade(Side.SELL, 20, "110", 3)
    back = buy(5, "108", 4)
    orders = ("in", "in", "turn", "back")
    fills = [
        msgspec.structs.replace(one, order_id=OrderId(name))
        for one, name in zip((*entry, turn, back), orders, strict=True)
    ]
    long, short = round_trips(fills)
    assert [values(p.order_id, p.side, p.quantity, p.value) for p in long.parts] == [
        ("in", Side.BUY, 15, 1505),
        ("turn", Side.SELL, 15, 1650),
    ]
    assert [values(p.order_id, p.side, p.quantity, p.value) for p in short.parts] == [
        ("turn", Side.SELL, 5, 550),
        ("back", Side.BUY, 5, 540),
    ]
    assert (long.opened_at, long.closed_at) == (later(1), later(3))
    assert (short.opened_at, short.closed_at) == (later(3), later(4))
    assert values(long.gain, long.commission, short.gain, short.commission) == (142, 3, 9, 1)


def test_a_contract_of_a_hundred_counts_a_hundred_times() -> None:
    option = msgspec.structs.replace(AAPL, multiplier=Decimal(100))
    fills = [
        msgspec.structs.replace(one, contract=option)
        for one in (buy(2, "5", 1), sell(2, "5.25", 2))
    ]
    assert gains(*fills) == [48]


def test_an_execution_that_was_taken_back_opens_nothing() -> None:
    nothing = buy(10, "100", 1), buy(0, "100", 0, cost="0"), sell(10, "101", 5)
    (trip,) = round_trips(nothing)
    assert trip.opened_at == later(1)
    assert [part.quantity for part in trip.parts] == [10, 10]


def test_a_commission_that_nobody_has_stated_is_left_out() -> None:
    assert gains(buy(10, "100", 1, cost=None), sell(10, "101", 2, cost=None)) == [10]


def test_what_was_held_before_is_left_out() -> None:
    other = fill(3, "50", key="m", contract=MSFT, at=later(5))
    out = fill(3, "60", key="n", contract=MSFT, side=Side.SELL, at=later(6))
    fills = (buy(10, "100", 1), sell(10, "101", 2), other, out)
    assert [trip.contract for trip in round_trips(fills, {AAPL.con_id})] == [MSFT]


def test_executions_count_in_their_latest_revision_with_what_they_cost() -> None:
    first, other = buy(10, "100", 1), sell(10, "110", 2, cost=None)
    again = msgspec.structs.replace(first, revision=2, price=Decimal(101))

    def told(one: Fill) -> ev.FillEvent:
        return ev.FillEvent(at=one.at, order_id=one.order_id, fill=one)

    cost = ev.CommissionEvent(
        at=later(3),
        order_id=other.order_id,
        fill_id=other.fill_id,
        commission=Decimal(2),
        currency="USD",
    )
    paid = msgspec.structs.replace(other, commission=Decimal(2))
    told_of = (told(first), told(again), told(first), told(other), cost, "else")
    assert charged(told_of) == (again, paid)


def test_a_record_adds_them_up_and_nothing_gained_is_lost() -> None:
    trips = round_trips(
        (
            *(buy(10, "100", 1, cost="0"), sell(10, "106", 2, cost="0")),
            *(buy(10, "100", 3, cost="0"), sell(10, "98", 4, cost="0")),
            *(buy(10, "100", 5, cost="0"), sell(10, "100", 6, cost="0")),
        )
    )
    record = Record.of(trips)
    assert (record.wins, record.losses, record.count) == (1, 2, 3)
    assert (record.average_win, record.average_loss) == (Decimal(60), Decimal(10))
    assert Record.of(()) == Record()
