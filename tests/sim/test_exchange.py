"""Single orders: what is said, in which order, and where they end up."""

from datetime import timedelta

import pytest

from ibkr_trader.sim import events as sim
from tests.sim.pit_desk import (
    AAPL,
    ENB_CAD,
    MSFT,
    Pit,
    codes,
    d,
    ds,
    said,
    terms,
)


def test_a_market_order_fills_at_the_quote_and_says_so_in_twss_order() -> None:
    pit = Pit()
    order = pit.place(terms("BUY", 10, "MKT"))
    assert order is not None
    assert order.average_price == d("150.01")
    assert said(pit.events) == [
        "5:1", "3:1:PreSubmitted", "11:1", "5:1", "3:1:Filled", "5:1", "59",
    ]  # fmt: skip
    (execution,) = pit.exchange.orders.executions()
    assert execution.exec_id == "00000001.00000001.01.01"
    assert (execution.commission, execution.realized_pnl) == ds(1, None)
    shown = [event.order.commission for event in pit.events if isinstance(event, sim.OrderShown)]
    assert shown == [0, 0, 1], "the commission comes with the last openOrder"
    assert pit.position() == 10
    assert order.completed_status == "Filled Size: 10"


def test_a_resting_limit_order_is_shown_twice() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149"))
    assert said(pit.events) == ["5:1", "3:1:PreSubmitted", "5:1", "3:1:Submitted"]


def test_a_resting_limit_order_trades_at_its_own_price() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149"))
    pit.quote("148.89", "148.90")
    order = pit.order(1)
    assert order is not None
    assert (order.status, order.average_price) == ("Filled", d("149"))


def test_a_marketable_limit_order_is_improved() -> None:
    pit = Pit()
    order = pit.place(terms("BUY", 10, "LMT", limit_price="151"))
    assert order is not None
    assert order.average_price == d("150.01")


def test_partial_fills_follow_the_quoted_size_and_charge_the_order_once() -> None:
    pit = Pit()
    pit.quote("149.99", "150.01", sizes=(100, 300))
    pit.place(terms("BUY", 1000, "MKT"))
    assert pit.stands(1) == "Submitted 300/1000"
    assert said(pit.events)[2:] == ["11:1", "5:1", "3:1:Submitted", "59"]
    pit.wait(1)
    assert pit.stands(1) == "Submitted 300/1000", "the same quote has nothing left"
    pit.quote("150.00", "150.02", sizes=(100, 500))
    pit.quote("150.00", "150.02", sizes=(100, 500))
    assert pit.stands(1) == "Filled 1000/1000"
    order = pit.order(1)
    assert order is not None
    assert order.commission == 5
    assert [e.commission for e in pit.exchange.orders.executions()] == [d("1.5"), d("2.5"), 1]
    assert [e.cum_quantity for e in pit.exchange.orders.executions()] == [300, 800, 1000]


def test_two_orders_share_one_quoted_size_by_price_then_time() -> None:
    pit = Pit()
    for price in ("149.00", "149.50", "149.50"):
        pit.place(terms("BUY", 100, "LMT", limit_price=price))
    pit.quote("148.8", "148.9", sizes=(100, 150))
    assert [pit.stands(n).split()[1] for n in (1, 2, 3)] == ["0/100", "100/100", "50/100"]


def test_others_trades_fill_resting_orders_up_to_their_size() -> None:
    pit = Pit()
    pit.place(terms("BUY", 100, "LMT", limit_price="149.50"))
    pit.place(terms("BUY", 100, "LMT", limit_price="149.40"))
    pit.print_trade("149.40", 150)
    assert [pit.stands(n) for n in (1, 2)] == ["Filled 100/100", "Submitted 50/100"]


@pytest.mark.parametrize(
    ("side", "stop", "bid", "ask", "last", "price"),
    [
        ("SELL", "145", "144.90", "145.10", "145.00", "144.90"),
        ("BUY", "155", "154.90", "155.10", "155.00", "155.10"),
    ],
)
def test_a_stop_triggers_on_the_last_price(
    side: str, stop: str, bid: str, ask: str, last: str, price: str
) -> None:
    pit = Pit()
    pit.place(terms(side, 10, "STP", aux_price=stop))
    assert pit.stands(1) == "PreSubmitted 0/10 trigger"
    pit.quote(bid, ask)
    assert pit.stands(1) == "PreSubmitted 0/10 trigger", "quotes alone do not trigger it"
    pit.quote(bid, ask, last=last)
    order = pit.order(1)
    assert order is not None
    assert (order.status, order.average_price) == ("Filled", d(price))
    assert said(pit.events)[:3] == ["5:1", "3:1:Submitted", "11:1"]


def test_a_stop_that_is_through_already_triggers_at_once() -> None:
    pit = Pit()
    pit.place(terms("SELL", 10, "STP", aux_price="151"))
    assert pit.stands(1) == "Filled 10/10"


def test_a_gapped_stop_limit_is_triggered_and_waits() -> None:
    pit = Pit()
    pit.place(terms("SELL", 10, "STP LMT", aux_price="145", limit_price="144.5"))
    pit.quote("140.00", "140.10", last="140.05")
    assert pit.stands(1) == "Submitted 0/10"
    pit.quote("144.60", "144.70")
    order = pit.order(1)
    assert order is not None
    assert (order.status, order.average_price) == ("Filled", d("144.5"))


def test_a_bid_ask_trigger_and_a_double_one() -> None:
    pit = Pit()
    pit.place(terms("SELL", 10, "STP", aux_price="149", trigger_method=4))
    pit.place(terms("SELL", 10, "STP", aux_price="149", trigger_method=1))
    pit.quote("148.80", "148.90")
    assert pit.stands(1) == "Filled 10/10"
    assert pit.stands(2) == "PreSubmitted 0/10 trigger"
    pit.quote("148.80", "149.10")
    pit.quote("148.80", "148.90")
    assert pit.stands(2) == "PreSubmitted 0/10 trigger", "not twice in a row"
    pit.quote("148.80", "148.90")
    assert pit.stands(2) == "Filled 10/10"


def test_a_trail_ratchets_reports_its_stop_and_triggers() -> None:
    pit = Pit()
    order = pit.place(terms("SELL", 10, "TRAIL", aux_price="3"))
    assert order is not None
    assert (order.stop_price, pit.stands(1)) == (d("147"), "PreSubmitted 0/10 trigger")
    assert said(pit.quote("151.99", "152.01", last="152.00")) == ["5:1"]
    assert pit.order(1).stop_price == d("149.00")  # type: ignore[union-attr]  # it is there
    assert not said(pit.quote("149.99", "150.01", last="150.00"))
    pit.quote("148.98", "149.00", last="149.00")
    assert pit.stands(1) == "Filled 10/10"


def test_a_trail_by_percent_with_a_stop_of_its_own() -> None:
    pit = Pit()
    wanted = terms("SELL", 10, "TRAIL", trailing_percent="2", trail_stop_price="149")
    order = pit.place(wanted)
    assert order is not None
    assert order.stop_price == d("149")


@pytest.mark.parametrize(
    ("tif", "size", "ends", "messages"),
    [
        ("IOC", 4, "Cancelled 4/10", ["3:1:PendingCancel", "3:1:Cancelled"]),
        ("IOC", 10, "Filled 10/10", ["59"]),
        ("FOK", 4, "Inactive 0/10", ["3:1:Inactive"]),
        ("FOK", 10, "Filled 10/10", ["59"]),
    ],
)
def test_immediate_orders(tif: str, size: int, ends: str, messages: list[str]) -> None:
    pit = Pit()
    pit.quote("149.99", "150.01", sizes=(size, size))
    pit.place(terms("BUY", 10, "LMT", limit_price="151", tif=tif))
    assert pit.stands(1) == ends
    assert said(pit.events)[-len(messages) :] == messages


def test_an_order_takes_all_or_nothing_if_it_says_so() -> None:
    pit = Pit()
    pit.quote("149.99", "150.01", sizes=(4, 4))
    pit.place(terms("BUY", 10, "LMT", limit_price="151", all_or_none=True))
    assert pit.stands(1) == "Submitted 0/10"
    pit.quote("149.99", "150.01", sizes=(20, 20))
    assert pit.stands(1) == "Filled 10/10"


def test_a_halt_stops_everything_and_its_end_lets_it_go() -> None:
    pit = Pit()
    pit.exchange.market.halt(MSFT, halted=True)
    pit.wait(1)
    pit.place(terms("BUY", 10, "MKT", con_id=MSFT))
    pit.wait(30)
    assert pit.stands(1) == "Submitted 0/10"
    pit.exchange.market.halt(MSFT, halted=False)
    pit.wait(0)
    assert pit.stands(1) == "Filled 10/10"


def test_a_halt_of_a_market_that_was_set_by_hand() -> None:
    pit = Pit()
    pit.exchange.market.halt(AAPL, halted=True)
    pit.quote("149.99", "150.01")
    pit.place(terms("BUY", 10, "MKT"))
    assert pit.stands(1) == "Submitted 0/10"
    pit.exchange.market.halt(AAPL, halted=False)
    pit.wait(0)
    assert pit.stands(1) == "Filled 10/10"


def test_cancelling() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149"))
    pit.cancel(1)
    assert said(pit.events) == ["3:1:PendingCancel", "3:1:Cancelled", "4:1:202"]
    assert codes(pit.cancel(1)) == [10148]
    assert codes(pit.cancel(99)) == [10147]
    (done,) = pit.exchange.orders.completed()
    assert done.completed_status == "Cancelled by Trader"
    pit.quote("140", "140.01")
    assert pit.position() == 0


def test_who_may_cancel_whose_order() -> None:
    for strict, client, expected in [(False, 2, [202]), (True, 2, [10147]), (True, 0, [202])]:
        pit = Pit(strict_clients=strict)
        pit.place(terms("BUY", 10, "LMT", limit_price="149"))
        assert codes(pit.cancel(1, client=client)) == expected


def test_cancelling_everything() -> None:
    pit = Pit()
    for client in (1, 2):
        pit.place(terms("BUY", 10, "LMT", limit_price="149"), client=client)
    pit.place(terms("BUY", 10, "LMT", limit_price="149", transmit=False))
    pit.events = pit.exchange.cancel_all(now=pit.now)
    assert codes(pit.events) == [202, 202, 202]
    assert not pit.exchange.orders.working()


def test_an_empty_tif_is_day_and_said_first() -> None:
    pit = Pit()
    order = pit.place(terms("BUY", 10, "LMT", limit_price="149", tif=""))
    assert order is not None
    assert order.terms.tif == "DAY"
    assert said(pit.events)[0] == "4:1:10349"


def test_outside_rth_on_a_market_order_is_remarked_upon() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT", outside_rth=True))
    assert 2109 in codes(pit.events)
    assert pit.stands(1) == "Filled 10/10"


def test_a_foreign_listing_trades_in_its_currency() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT", con_id=ENB_CAD))
    assert pit.stands(1) == "Filled 10/10"
    (execution,) = pit.exchange.orders.executions()
    assert execution.currency == "CAD"
    assert pit.exchange.account.state.cash["CAD"] < 0


def test_watched_quotes_are_reported_when_they_change() -> None:
    pit = Pit(frozen=False)
    pit.exchange.market.watch(AAPL)
    seen = [e for e in pit.wait(0) if isinstance(e, sim.QuoteChanged)]
    assert [event.tape.last for event in seen] == [d("150.00")]
    assert not pit.wait(0), "nothing new, nothing said"
    moved = [e for _ in range(20) for e in pit.wait(1) if isinstance(e, sim.QuoteChanged)]
    assert len(moved) > 10
    pit.exchange.market.watch(AAPL, on=False)
    assert not pit.wait(5)


def test_time_never_runs_backwards() -> None:
    pit = Pit()
    pit.wait(10)
    pit.exchange.advance(pit.now - timedelta(seconds=5))
    assert pit.exchange.now == pit.now
