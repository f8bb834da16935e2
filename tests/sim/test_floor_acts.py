"""Halts, gaps, splits, price caps and bands."""

from typing import Any

import pytest

from ibkr_trader.sim import events as sim
from tests.sim.pit_desk import AAPL, MSFT, OPENED, PENNY, Pit, codes, d, ds, said, terms

AGAIN: dict[str, Any] = {"parent_id": 1, "tif": "GTC"}


def holding(quantity: int = 10) -> Pit:
    pit = Pit()
    pit.place(terms("BUY", quantity, "MKT"))
    return pit


# -- halts --------------------------------------------------------------------------------


def test_nothing_fills_or_triggers_while_halted_and_all_of_it_after() -> None:
    pit = holding()
    pit.place(terms("SELL", 10, "STP", aux_price="145"))
    pit.exchange.floor_acts.halt(AAPL, halted=True, now=pit.now)
    assert pit.exchange.market.tape(AAPL).halted
    pit.quote("139.99", "140.01", last="140.00")
    pit.place(terms("BUY", 5, "MKT"))
    assert [pit.stands(n) for n in (2, 3)] == ["PreSubmitted 0/10 trigger", "Submitted 0/5"]
    pit.exchange.floor_acts.halt(AAPL, halted=False, now=pit.now)
    assert [pit.stands(n) for n in (2, 3)] == ["Filled 10/10", "Filled 5/5"]


def test_a_halted_instrument_may_refuse_orders() -> None:
    pit = holding()
    pit.exchange.floor_acts.halt(AAPL, halted=True, refuses=True, now=pit.now)
    pit.place(terms("BUY", 5, "MKT"))
    assert said(pit.events) == ["4:2:154"]
    pit.place(terms("BUY", 5, "LMT", limit_price="300", con_id=MSFT))
    assert codes(pit.events) == [], "others trade on"
    again = pit.restarted()
    again.place(terms("BUY", 5, "MKT"))
    assert codes(again.events) == [154]


# -- gaps ---------------------------------------------------------------------------------


def test_stops_trade_where_a_gap_lands_and_stop_limits_are_left_behind() -> None:
    pit = holding(20)
    pit.place(terms("SELL", 10, "STP", aux_price="145"))
    pit.place(terms("SELL", 10, "STP LMT", aux_price="145", limit_price="144.50"))
    pit.exchange.floor_acts.gap(AAPL, price=d(120), now=pit.now)
    stop = pit.order(2)
    assert stop is not None
    assert (pit.stands(2), stop.average_price) == ("Filled 10/10", d("119.99"))
    assert pit.stands(3) == "Submitted 0/10"
    tape = pit.exchange.market.tape(AAPL)
    assert (tape.bid, tape.last, tape.ask) == ds("119.99", "120.00", "120.01")
    assert (tape.low, pit.position()) == (d(120), d(10))


@pytest.mark.parametrize(
    ("con_id", "price", "expected"), [(PENNY, "0.00005", "0.0001"), (AAPL, "0.004", "0.01")]
)
def test_a_gap_to_nothing_leaves_a_market(con_id: int, price: str, expected: str) -> None:
    pit = Pit()
    pit.exchange.floor_acts.gap(con_id, price=d(price), now=pit.now)
    tape = pit.exchange.market.tape(con_id)
    assert tape.bid == d(expected)
    assert tape.ask is not None
    assert tape.ask > tape.bid


def test_a_market_without_quotes_has_them_after_a_gap() -> None:
    pit = Pit()
    pit.quote(None, None)
    pit.exchange.floor_acts.gap(AAPL, price=d(140), now=pit.now)
    tape = pit.exchange.market.tape(AAPL)
    assert (tape.bid, tape.ask, tape.bid_size) == (d(140), d("140.01"), d(1000))


# -- splits -------------------------------------------------------------------------------


def test_a_split_multiplies_the_position_and_divides_the_price() -> None:
    pit = holding()
    pit.bracket(entry=terms("BUY", 10, "LMT", limit_price="149"))
    cost = pit.exchange.account.positions[AAPL].cost
    worth = pit.exchange.account.totals().net_liquidation
    found = pit.exchange.floor_acts.split(AAPL, new=4, now=pit.now)
    assert pit.position() == 40
    assert pit.exchange.account.positions[AAPL].cost == cost
    assert pit.exchange.market.tape(AAPL).last == d("37.50")
    assert abs(pit.exchange.account.totals().net_liquidation - worth) < 1
    assert codes(found) == [202, 202, 202]
    assert not pit.exchange.orders.working()
    assert [e.position.quantity for e in found if isinstance(e, sim.PositionChanged)] == [d(40)]
    assert not [e for e in found if isinstance(e, sim.Executed)]
    assert pit.restarted().position() == 40


def test_what_a_reverse_split_leaves_of_a_share_is_paid_in_cash() -> None:
    pit = holding(25)
    before, cash = pit.exchange.account.positions[AAPL], pit.exchange.account.totals().cash
    pit.exchange.floor_acts.split(AAPL, new=1, old=10, now=pit.now)
    after = pit.exchange.account.positions[AAPL]
    assert (after.quantity, pit.exchange.market.tape(AAPL).last) == (d(2), d(1500))
    paid = pit.exchange.account.totals().cash - cash
    assert paid == d(750)
    assert after.cost == before.cost * 20 / 25
    assert after.realized_pnl == paid - before.cost * 5 / 25


def test_a_split_of_what_is_not_held_moves_the_price_alone() -> None:
    pit = Pit()
    pit.quote(None, "150.01", last="150.00")
    found = pit.exchange.floor_acts.split(AAPL, new=2, now=pit.now)
    tape = pit.exchange.market.tape(AAPL)
    assert (tape.bid, tape.ask, tape.last) == ds(None, "75.01", "75.00")
    assert not [e for e in found if isinstance(e, sim.PositionChanged)]


@pytest.mark.parametrize(("new", "old"), [(0, 1), (1, 0), (-2, 1)])
def test_a_split_of_nothing_is_an_error(new: int, old: int) -> None:
    pit = Pit()
    with pytest.raises(ValueError, match="means nothing"):
        pit.exchange.floor_acts.split(AAPL, new=new, old=old, now=OPENED)


# -- caps and bands -----------------------------------------------------------------------


def test_a_capped_order_works_at_the_bound_and_may_not_fill() -> None:
    pit = holding()
    pit.exchange.floor_acts.cap(AAPL, buy=d(149), sell=d(151), now=pit.now)
    pit.place(terms("BUY", 10, "MKT"))
    order = pit.order(2)
    assert order is not None
    assert (pit.stands(2), order.cap_price) == ("Submitted 0/10", d(149))
    assert codes(pit.events) == [2161]
    pit.place(terms("SELL", 10, "LMT", limit_price="140"))
    assert pit.stands(3) == "Submitted 0/10"
    assert pit.restarted().stands(2) == "Submitted 0/10"
    pit.quote("148.98", "149.00", last="148.99")
    assert pit.stands(2) == "Filled 10/10"
    pit.exchange.floor_acts.cap(AAPL, now=pit.now)
    assert pit.stands(3) == "Filled 10/10", "the bound is lifted"


def test_an_order_that_asks_for_less_is_not_capped() -> None:
    pit = Pit()
    pit.exchange.floor_acts.cap(AAPL, buy=d(151), now=pit.now)
    for wanted, expected in (
        (terms("BUY", 10, "LMT", limit_price="149"), "Submitted 0/10"),
        (terms("BUY", 10, "LMT", limit_price="150.50"), "Filled 10/10"),
        (terms("SELL", 10, "LMT", limit_price="140"), "Filled 10/10"),
    ):
        pit.place(wanted)
        assert pit.stands(pit.last_id) == expected
        assert codes(pit.events) == []


def test_a_cap_reaches_orders_that_work_already_and_waits_for_the_others() -> None:
    pit = holding()
    pit.place(terms("BUY", 10, "LMT", limit_price="149"))
    pit.place(terms("SELL", 10, "STP", aux_price="145"))
    pit.place(terms("BUY", 10, "LMT", limit_price="148", good_after_time="20261120 15:00:00"))
    pit.exchange.floor_acts.cap(AAPL, buy=d(147), sell=d(144), now=pit.now)
    caps = [order.cap_price for order in pit.exchange.orders.working()]
    assert caps == [d(147), d(0), d(0)]
    pit.quote("139.99", "140.01", last="140.00")
    assert [pit.stands(n) for n in (2, 3)] == ["Filled 10/10", "Submitted 0/10"]


@pytest.mark.parametrize(
    ("wanted", "is_over"),
    [
        (terms("BUY", 10, "LMT", limit_price="160"), True),
        (terms("BUY", 10, "LMT", limit_price="155"), False),
        (terms("SELL", 10, "LMT", limit_price="140"), True),
        (terms("SELL", 10, "LMT", limit_price="145"), False),
        (terms("BUY", 10, "MKT"), False),
    ],
)
def test_a_limit_too_far_through_the_market_is_cancelled(wanted: Any, *, is_over: bool) -> None:
    pit = Pit()
    pit.exchange.floor_acts.band(d(5), now=pit.now)
    pit.place(wanted)
    assert codes(pit.events) == ([202] if is_over else [])
    assert pit.stands(1).split()[0] == ("Cancelled" if is_over else "Filled")
    if is_over:
        notice = next(e for e in pit.events if isinstance(e, sim.Noticed))
        assert "too far through the market" in notice.text


def test_a_band_needs_a_quote_and_can_be_lifted() -> None:
    pit = Pit()
    pit.exchange.floor_acts.band(d(5), now=pit.now)
    pit.quote("149.99", None)
    pit.place(terms("BUY", 10, "LMT", limit_price="200"))
    assert pit.stands(1) == "Submitted 0/10"
    pit.cancel(1)
    pit.quote("149.99", "150.01")
    pit.exchange.floor_acts.band(None, now=pit.now)
    pit.place(terms("BUY", 10, "LMT", limit_price="200"))
    assert pit.stands(2) == "Filled 10/10"
    for wrong in (d(-1), d("NaN")):
        with pytest.raises(ValueError, match="no percentage"):
            pit.exchange.floor_acts.band(wrong, now=pit.now)
