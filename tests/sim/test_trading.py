"""Sessions, auctions, expiry and the day's end."""

from datetime import UTC, datetime, timedelta

import pytest

from ibkr_trader.sim import events as sim
from tests.sim.pit_desk import AAPL, EURUSD, OPENED, Pit, codes, d, said, terms


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A moment of November 2026 in New York (UTC-5); the 20th is a Friday."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC) + timedelta(hours=5)


def notice(pit: Pit, code: int) -> str:
    return next(e.text for e in pit.events if isinstance(e, sim.Noticed) and e.code == code)


def test_a_market_order_at_night_is_held_until_the_opening() -> None:
    pit = Pit(frozen=False)
    pit.until(at(20, 21))
    pit.place(terms("BUY", 10, "MKT"))
    assert pit.stands(1) == "PreSubmitted 0/10"
    assert notice(pit, 399) == (
        "Order Message:\nBUY 10 AAPL NMS\nWarning: your order will not be placed at the exchange "
        "until 2026-11-23 09:30:00 US/Eastern"
    )
    pit.until(at(23, 9, 29, 59))
    assert pit.stands(1) == "PreSubmitted 0/10"
    pit.until(at(23, 9, 30))
    assert pit.stands(1) == "Filled 10/10"
    order = pit.order(1)
    assert order is not None
    assert order.completed_at == at(23, 9, 30)


def test_an_order_for_the_day_placed_at_night_lives_through_the_next_day() -> None:
    pit = Pit(frozen=False)
    pit.until(at(20, 21))
    pit.place(terms("BUY", 10, "LMT", limit_price="20"))
    pit.until(at(23, 15, 59))
    assert pit.stands(1) == "Submitted 0/10"
    pit.until(at(23, 16))
    assert pit.stands(1) == "Cancelled 0/10"
    assert codes(pit.events) == [202]


@pytest.mark.parametrize(("outside", "expected"), [(True, "Filled 10/10"), (False, "Submitted")])
def test_resting_orders_trade_outside_hours_only_if_they_say_so(
    outside: bool, expected: str
) -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149", tif="GTC", outside_rth=outside))
    pit.until(at(20, 17))
    pit.quote("148.98", "149.00")
    assert pit.stands(1).startswith(expected)
    pit.until(at(23, 9, 30))
    assert pit.position() == 10


def test_a_day_order_for_all_hours_ends_in_the_evening() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="20", outside_rth=True))
    pit.until(at(20, 19, 59))
    assert pit.stands(1) == "Submitted 0/10"
    pit.until(at(20, 20))
    assert pit.stands(1) == "Cancelled 0/10"
    pit.place(terms("BUY", 10, "LMT", limit_price="20", outside_rth=True))
    assert pit.stands(2) == "PreSubmitted 0/10"
    pit.until(at(23, 4))
    assert pit.stands(2) == "Submitted 0/10"
    pit.until(at(23, 20))
    assert pit.stands(2) == "Cancelled 0/10"


def test_a_stop_triggers_outside_hours_only_if_it_says_so() -> None:
    pit = Pit()
    pit.place(terms("SELL", 10, "STP", aux_price="145", tif="GTC"))
    pit.place(terms("SELL", 10, "STP", aux_price="145", tif="GTC", outside_rth=True))
    pit.until(at(20, 17))
    pit.quote("144.90", "145.00", last="144.95")
    assert pit.stands(1) == "PreSubmitted 0/10 trigger"
    assert pit.stands(2) == "Filled 10/10"
    pit.until(at(23, 9, 30))
    assert pit.stands(1) == "Filled 10/10"


def test_good_till_cancelled_outlives_the_night() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="20", tif="GTC"))
    pit.until(at(24, 10))
    assert pit.stands(1) == "Submitted 0/10"


@pytest.mark.parametrize(
    ("until", "last_good", "gone"),
    [
        ("20261120 11:00:00", at(20, 10, 59, 59), at(20, 11)),
        ("20261120 16:00:00 UTC", at(20, 10, 59, 59), at(20, 11)),
        ("20261120-16:00:00", at(20, 10, 59, 59), at(20, 11)),
        ("20261123", at(23, 15, 59, 59), at(23, 16)),
        ("20261122", at(22, 23, 59), at(22, 23, 59, 59)),  # a Sunday
    ],
)
def test_good_till_date(until: str, last_good: datetime, gone: datetime) -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="20", tif="GTD", good_till_date=until))
    pit.until(last_good)
    assert pit.stands(1) == "Submitted 0/10"
    pit.until(gone)
    assert pit.stands(1) == "Cancelled 0/10"


def test_good_after_time_holds_an_order() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT", good_after_time="20261120 10:05:00 US/Eastern"))
    assert pit.stands(1) == "PreSubmitted 0/10"
    pit.until(at(20, 10, 4, 59))
    assert pit.stands(1) == "PreSubmitted 0/10"
    pit.until(at(20, 10, 5))
    assert pit.stands(1) == "Filled 10/10"


def test_a_held_order_can_be_made_to_work_at_once() -> None:
    pit = Pit()
    later = "20261120 10:05:00 US/Eastern"
    pit.place(terms("BUY", 10, "LMT", limit_price="149", good_after_time=later))
    pit.place(terms("BUY", 10, "LMT", limit_price="149"), number=1)
    assert pit.stands(1) == "Submitted 0/10"
    pit.until(at(20, 10, 6))
    assert pit.stands(1) == "Submitted 0/10", "the old timer means nothing any more"


# -- auctions -----------------------------------------------------------------------------


def test_market_and_limit_on_close_trade_at_the_closing_price() -> None:
    pit = Pit()
    pit.place(terms("BUY", 5000, "MOC"))
    pit.place(terms("BUY", 10, "LOC", limit_price="150.50"))
    pit.place(terms("BUY", 10, "LOC", limit_price="149.50"))
    assert [pit.stands(n) for n in (1, 2, 3)] == ["Submitted 0/5000"] + ["Submitted 0/10"] * 2
    pit.quote("150.19", "150.21", last="150.20")
    pit.until(at(20, 15, 59, 59))
    assert pit.stands(1) == "Submitted 0/5000"
    pit.until(at(20, 16))
    assert [pit.stands(n) for n in (1, 2, 3)] == [
        "Filled 5000/5000", "Filled 10/10", "Cancelled 0/10",
    ]  # fmt: skip
    assert [e.price for e in pit.exchange.orders.executions()] == [d("150.20")] * 2


def test_close_orders_are_locked_ten_minutes_before() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MOC"))
    pit.until(at(20, 15, 50))
    assert codes(pit.cancel(1)) == [161]
    assert pit.stands(1) == "Submitted 0/10"


def test_a_close_order_in_the_evening_waits_for_the_next_close() -> None:
    pit = Pit()
    pit.until(at(20, 17))
    pit.place(terms("BUY", 10, "MOC"))
    assert pit.stands(1) == "PreSubmitted 0/10"
    pit.until(at(23, 15, 59))
    assert pit.order(1).filled == 0  # type: ignore[union-attr]  # it is there
    pit.until(at(23, 16))
    assert pit.stands(1) == "Filled 10/10"


def test_a_day_till_cancelled_is_put_to_sleep_and_not_taken_away() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149", tif="DTC"))
    assert pit.stands(1) == "Submitted 0/10"
    pit.until(at(20, 16))
    assert pit.stands(1) == "Inactive 0/10"
    assert not pit.exchange.orders.working()


@pytest.mark.parametrize("tif", ["OPG", "AUC"])
def test_opening_orders_trade_at_the_opening_or_end(tif: str) -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT", tif=tif))
    pit.place(terms("BUY", 10, "LMT", limit_price="140", tif=tif))
    assert pit.stands(1) == "PreSubmitted 0/10"
    pit.until(at(23, 9, 29))
    assert pit.stands(1) == "PreSubmitted 0/10"
    pit.until(at(23, 9, 30))
    assert [pit.stands(1), pit.stands(2)] == ["Filled 10/10", "Cancelled 0/10"]


def test_an_opening_order_placed_in_the_morning_is_for_the_same_day() -> None:
    pit = Pit(at=at(20, 8), frozen=False)
    pit.place(terms("BUY", 10, "MKT", tif="OPG"))
    pit.until(at(20, 9, 30))
    assert pit.stands(1) == "Filled 10/10"


def test_a_halted_stock_has_no_auction() -> None:
    pit = Pit(frozen=False)
    pit.place(terms("BUY", 10, "MOC"))
    pit.exchange.market.halt(AAPL, halted=True)
    pit.until(at(20, 16))
    assert pit.stands(1) == "Cancelled 0/10"


def test_half_days_close_at_one() -> None:
    pit = Pit(at=at(27, 10), frozen=False)  # the day after Thanksgiving
    pit.place(terms("BUY", 10, "LMT", limit_price="20"))
    pit.place(terms("BUY", 10, "MOC"))
    pit.until(at(27, 13))
    assert [pit.stands(1), pit.stands(2)] == ["Cancelled 0/10", "Filled 10/10"]


def test_currencies_trade_at_night() -> None:
    pit = Pit(frozen=False)
    pit.until(at(20, 3) + timedelta(days=3))
    pit.place(terms("BUY", 20_000, "MKT", con_id=EURUSD))
    assert pit.stands(1) == "Filled 20000/20000"
    assert pit.exchange.account.state.cash["EUR"] == 20_000


# -- the day ------------------------------------------------------------------------------


def test_at_midnight_yesterday_is_gone() -> None:
    pit = Pit()
    pit.bracket()
    pit.place(terms("BUY", 1, "MKT"))
    pit.until(at(20, 23, 59, 59))
    assert len(list(pit.exchange.orders.executions())) == 2
    pit.exchange.changes()
    pit.until(at(21, 0))
    assert any(isinstance(event, sim.DayRolled) for event in pit.events)
    assert not list(pit.exchange.orders.executions())
    assert not pit.exchange.orders.completed()
    assert pit.order(4) is None
    assert pit.order(1) is not None, "its children are still open and need it"
    dropped = pit.exchange.changes()
    assert dropped is not None
    assert len(dropped.dropped_executions) == 2
    assert len(dropped.dropped_orders) == 1
    assert pit.exchange.account.pnl().daily == 0
    pit.until(at(23, 10))
    pit.quote("155.00", "155.02", last="155.01")
    assert pit.stands(2) == "Filled 10/10"
    pit.until(at(24, 0))
    assert pit.order(1) is None


def test_a_bracket_for_the_day_expires_together() -> None:
    pit = Pit()
    pit.bracket(entry=terms("BUY", 10, "LMT", limit_price="149"))
    pit.until(at(20, 16))
    assert [pit.stands(n) for n in (1, 2, 3)] == ["Cancelled 0/10"] * 3


def test_protection_for_the_day_ends_with_it() -> None:
    """Exits without GTC leave the position bare overnight: TWS does the same."""
    pit = Pit()
    pit.bracket(tif="DAY")
    pit.until(at(20, 16))
    assert not pit.exchange.orders.working()
    assert pit.position() == 10


def test_a_long_jump_passes_every_price_on_the_way() -> None:
    """An hour skipped in one call still triggers what the minutes in it reached."""
    pit = Pit(frozen=False)
    pit.place(terms("SELL", 10, "TRAIL", aux_price="0.10"))
    pit.until(pit.now + timedelta(hours=1))
    order = pit.order(1)
    assert order is not None
    assert order.status == "Filled"
    assert order.completed_at is not None
    assert OPENED < order.completed_at < pit.now


def test_modified_end_replaces_the_old_one() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="20"))
    pit.place(terms("BUY", 10, "LMT", limit_price="20", tif="GTC"), number=1)
    pit.until(at(20, 17))
    assert pit.stands(1) == "Submitted 0/10"
    ends = terms("BUY", 10, "LMT", limit_price="20", tif="GTD", good_till_date="20261123")
    pit.place(ends, number=1)
    pit.until(at(23, 16))
    assert pit.stands(1) == "Cancelled 0/10"
    assert said(pit.events)


def test_a_stop_changed_at_night_does_not_trigger_before_the_morning() -> None:
    pit = Pit()
    pit.place(terms("SELL", 10, "STP", aux_price="145", tif="GTC"))
    pit.until(at(20, 18))
    pit.place(terms("SELL", 10, "STP", aux_price="151", tif="GTC"), number=1)
    assert pit.stands(1) == "PreSubmitted 0/10 trigger"
    pit.until(at(23, 9, 30))
    assert pit.stands(1) == "Filled 10/10"


def test_a_limit_changed_at_night_waits_for_the_morning() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="140", tif="GTC"))
    pit.until(at(20, 18))
    pit.place(terms("BUY", 10, "LMT", limit_price="151", tif="GTC"), number=1)
    assert pit.stands(1) == "Submitted 0/10"
    pit.until(at(23, 9, 30))
    assert pit.stands(1) == "Filled 10/10"
