"""One cancels all, over any orders of the account: types 1, 2 and 3, late joiners, races."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.sim.floor_rules import FloorRules
from ibkr_trader.sim.orders import OrderTerms
from tests.sim.pit_desk import MSFT, Pit, at_ten, codes, d, said, terms

CANCEL, REDUCE, NO_BLOCK = 1, 2, 3


def holding(quantity: int = 100, **config: Any) -> Pit:
    """A long position, bought at once; the next order is number 2."""
    pit = Pit(**config)
    pit.place(terms("BUY", quantity, "MKT"))
    return pit


def exits(pit: Pit, oca_type: int, *, quantity: int = 100) -> None:
    """A target at 155 (the older of the two) and a stop at 145, in one group."""
    group: dict[str, Any] = {"oca_group": "exit", "oca_type": oca_type, "tif": "GTC"}
    pit.place(terms("SELL", quantity, "LMT", limit_price="155", **group))
    pit.place(terms("SELL", quantity, "STP", aux_price="145", **group))


def target_trades(pit: Pit, size: int) -> None:
    pit.quote("155.00", "155.02", last="155.01", sizes=(size, 100))


@pytest.mark.parametrize("oca_type", [CANCEL, REDUCE, NO_BLOCK])
def test_a_fill_of_one_cancels_the_other(oca_type: int) -> None:
    pit = holding()
    exits(pit, oca_type)
    target_trades(pit, 100)
    assert pit.stands(2) == "Filled 100/100"
    assert pit.stands(3).startswith("Cancelled 0/")
    assert said(pit.events)[-2:] == ["3:3:Cancelled", "4:3:202"]
    assert pit.position() == 0


@pytest.mark.parametrize(
    ("oca_type", "stop"),
    [
        (CANCEL, "Cancelled 0/100"),
        (REDUCE, "PreSubmitted 0/70 trigger"),
        (NO_BLOCK, "PreSubmitted 0/70 trigger"),
    ],
)
def test_a_partial_fill_cancels_or_reduces(oca_type: int, stop: str) -> None:
    pit = holding()
    exits(pit, oca_type)
    target_trades(pit, 30)
    assert pit.stands(2) == "Submitted 30/100"
    assert pit.stands(3) == stop
    if oca_type != CANCEL:
        assert said(pit.events)[-2:] == ["5:3", "3:3:PreSubmitted"], "its new size is told"
        pit.quote("144.90", "145.00", last="144.95")
        assert (pit.stands(3), pit.stands(2)) == ("Filled 70/70", "Cancelled 30/100")
        assert pit.position() == 0


def test_the_others_lose_the_part_that_was_filled_and_not_the_number() -> None:
    pit = Pit()
    group: dict[str, Any] = {"oca_group": "either", "oca_type": REDUCE}
    pit.place(terms("BUY", 100, "LMT", limit_price="149", **group))
    pit.place(terms("BUY", 40, "LMT", limit_price="300", con_id=MSFT, **group))
    pit.place(terms("BUY", 7, "LMT", limit_price="140", **group))
    pit.quote("148.98", "149.00", last="148.99", sizes=(10, 25))
    assert [pit.stands(n) for n in (1, 2, 3)] == [
        "Submitted 25/100", "Submitted 0/30", "Submitted 0/5",
    ]  # fmt: skip
    pit.quote("148.97", "148.99", last="148.98", sizes=(10, 75))
    assert [pit.stands(n).split()[0] for n in (1, 2, 3)] == ["Filled", "Cancelled", "Cancelled"]


def test_an_entry_on_either_side_takes_the_other_back() -> None:
    pit = Pit()
    group: dict[str, Any] = {"oca_group": "breakout", "oca_type": CANCEL}
    pit.place(terms("BUY", 10, "STP", aux_price="152", **group))
    pit.place(terms("SELL", 10, "STP", aux_price="148", **group))
    pit.quote("151.99", "152.01", last="152.00")
    assert (pit.stands(1), pit.stands(2)) == ("Filled 10/10", "Cancelled 0/10")
    assert pit.position() == 10


def test_a_member_that_is_cancelled_leaves_the_others_unless_that_is_the_rule() -> None:
    for whole, left in ((False, "PreSubmitted 0/100 trigger"), (True, "Cancelled 0/100")):
        pit = holding(rules=FloorRules(cancels_whole_oca=whole))
        exits(pit, REDUCE)
        pit.cancel(2)
        assert pit.stands(3) == left


def test_an_order_of_no_group_goes_alone() -> None:
    pit = holding(rules=FloorRules(cancels_whole_oca=True))
    exits(pit, REDUCE)
    pit.place(terms("SELL", 100, "LMT", limit_price="156"))
    pit.cancel(4)
    assert [order.order_id for order in pit.exchange.orders.working()] == [2, 3]


# -- joining ------------------------------------------------------------------------------


def test_a_late_joiner_is_in_the_group_with_its_type() -> None:
    pit = holding()
    exits(pit, CANCEL)
    pit.place(terms("SELL", 100, "LMT", limit_price="160", oca_group="exit"))
    joined = pit.order(4)
    assert joined is not None
    assert (joined.oca_group, joined.oca_type) == ("exit", CANCEL)
    target_trades(pit, 1)
    assert [pit.stands(n) for n in (3, 4)] == ["Cancelled 0/100", "Cancelled 0/100"]


def test_the_first_of_a_group_has_the_type_that_tws_assumes() -> None:
    pit = Pit()
    order = pit.place(terms("BUY", 10, "LMT", limit_price="140", oca_group="one"))
    assert order is not None
    assert order.oca_type == NO_BLOCK


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (terms("SELL", 100, "MOC", oca_group="exit"), 201),
        (terms("SELL", 100, "MKT", tif="OPG", oca_group="exit"), 201),
        (terms("SELL", 100, "LMT", limit_price="160", oca_group="exit", oca_type=4), 201),
        (terms("SELL", 100, "LMT", limit_price="160", oca_group="exit", oca_type=1), 10327),
    ],
)
def test_who_may_not_join(wanted: OrderTerms, code: int) -> None:
    pit = holding()
    exits(pit, REDUCE)
    pit.place(wanted)
    assert codes(pit.events) == [code]
    assert len(pit.exchange.orders.working()) == 2


@pytest.mark.parametrize(("oca_type", "size"), [(CANCEL, 1), (REDUCE, 100)])
def test_nobody_joins_a_group_that_has_traded_out(oca_type: int, size: int) -> None:
    pit = holding()
    exits(pit, oca_type)
    target_trades(pit, size)
    pit.cancel(2)
    pit.place(terms("SELL", 10, "STP", aux_price="140", oca_group="exit"))
    assert codes(pit.events) == [10325]
    assert pit.order(4) is None


def test_a_group_that_was_only_cancelled_may_be_used_again() -> None:
    pit = holding()
    exits(pit, CANCEL)
    pit.cancel(2)
    pit.cancel(3)
    pit.place(terms("SELL", 10, "STP", aux_price="140", oca_group="exit", oca_type=REDUCE))
    assert pit.stands(4) == "PreSubmitted 0/10 trigger"


# -- changing -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"oca_group": "other", "oca_type": REDUCE}, 10326),
        ({"oca_group": "", "oca_type": 0}, 10326),
        ({"oca_group": "exit", "oca_type": CANCEL}, 10327),
        ({"oca_group": "exit", "oca_type": 0}, None),
        ({"oca_group": "exit", "oca_type": REDUCE}, None),
    ],
)
def test_group_and_type_of_a_working_order_stay(change: dict[str, Any], code: int | None) -> None:
    pit = holding()
    exits(pit, REDUCE)
    pit.place(terms("SELL", 100, "STP", aux_price="146", tif="GTC", **change), number=3)
    assert codes(pit.events) == ([code] if code else [])
    assert pit.prices(3)[1] == ("145" if code else "146")


@pytest.mark.parametrize(("stated", "expected"), [(100, 100), (70, 70), (50, 50)])
def test_the_size_that_a_change_states_is_the_size_from_then_on(stated: int, expected: int) -> None:
    pit = holding()
    exits(pit, REDUCE)
    target_trades(pit, 30)
    group: dict[str, Any] = {"oca_group": "exit", "oca_type": REDUCE, "tif": "GTC"}
    pit.place(terms("SELL", stated, "STP", aux_price="146", **group), number=3)
    assert pit.stands(3) == f"PreSubmitted 0/{expected} trigger"
    assert pit.prices(3)[1] == "146"


# -- the timed exit -----------------------------------------------------------------------


def timed(oca_type: int, quantity: int = 100) -> Pit:
    """A target, a stop, and an exit at the market that the broker sends at 15:55."""
    pit = holding(quantity)
    exits(pit, oca_type, quantity=quantity)
    pit.place(terms("SELL", quantity, "MKT", oca_group="exit", good_after_time="20261120 15:55:00"))
    return pit


def test_a_timed_exit_sleeps_until_its_time_and_ends_the_rest() -> None:
    pit = timed(REDUCE)
    assert pit.stands(4) == "PreSubmitted 0/100"
    assert codes(pit.events) == [399]
    pit.until(at_ten(hours=5, minutes=54))
    assert pit.position() == 100
    pit.until(at_ten(hours=5, minutes=55))
    assert pit.stands(4) == "Filled 100/100"
    assert [pit.stands(n).split()[0] for n in (2, 3)] == ["Cancelled", "Cancelled"]
    assert pit.position() == 0


@pytest.mark.parametrize("oca_type", [CANCEL, REDUCE, NO_BLOCK])
def test_a_timed_exit_goes_with_its_group_before_its_time(oca_type: int) -> None:
    pit = timed(oca_type)
    target_trades(pit, 100)
    assert pit.stands(4).startswith("Cancelled 0/")
    pit.until(at_ten(hours=5, minutes=56))
    assert pit.position() == 0


def test_a_sleeping_exit_is_reduced_with_its_group() -> None:
    pit = timed(REDUCE)
    target_trades(pit, 60)
    assert pit.stands(4) == "PreSubmitted 0/40"
    pit.quote("150.00", "150.02", last="150.01")
    pit.until(at_ten(hours=5, minutes=55))
    assert pit.stands(4) == "Filled 40/40"
    assert pit.position() == 0


def test_a_timed_exit_can_be_a_brackets_child() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149", transmit=False))
    rest: dict[str, Any] = {"parent_id": 1, "tif": "GTC"}
    pit.place(terms("SELL", 10, "STP", aux_price="145", transmit=False, **rest))
    pit.place(terms("SELL", 10, "MKT", good_after_time="20261120 15:55:00", parent_id=1))
    assert pit.stands(3) == "PreSubmitted 0/10 child"
    pit.quote("148.98", "149.00", last="148.99")
    assert pit.stands(3) == "PreSubmitted 0/10", "it waits for its time now"
    pit.until(at_ten(hours=5, minutes=55))
    assert (pit.stands(3), pit.stands(2)) == ("Filled 10/10", "Cancelled 0/10")
    assert pit.position() == 0


def test_an_order_may_join_the_group_that_tws_made_of_a_bracket() -> None:
    pit = Pit()
    pit.bracket()
    stop = pit.order(3)
    assert stop is not None
    late = terms("SELL", 10, "MKT", oca_group=stop.oca_group, good_after_time="20261120 15:55:00")
    pit.place(late)
    pit.quote("155.00", "155.02", last="155.01", sizes=(4, 4))
    assert [pit.stands(n) for n in (2, 3, 4)] == [
        "Submitted 4/10", "PreSubmitted 0/6 trigger", "PreSubmitted 0/6",
    ]  # fmt: skip
    pit.quote("150.00", "150.02", last="150.01")
    pit.until(at_ten(hours=5, minutes=55))
    assert [pit.stands(n).split()[0] for n in (2, 3, 4)] == ["Cancelled", "Cancelled", "Filled"]
    assert pit.position() == 0


def test_a_group_remembers_those_who_left_it_yesterday() -> None:
    pit = Pit()
    pit.bracket()
    stop = pit.order(3)
    assert stop is not None
    pit.place(terms("SELL", 10, "LMT", limit_price="154", oca_group=stop.oca_group))
    pit.quote("154.00", "154.02", last="154.01", sizes=(4, 4))
    assert (pit.stands(3), pit.stands(4)) == ("PreSubmitted 0/6 trigger", "Submitted 4/10")
    pit.quote("150.00", "150.02", last="150.01")
    pit.until(at_ten(hours=72))  # a Monday
    assert pit.stands(4) == "Cancelled 4/10"
    pit.quote("155.00", "155.02", last="155.01", sizes=(1, 1))
    assert (pit.stands(2), pit.stands(3)) == ("Submitted 1/6", "PreSubmitted 0/5 trigger")
    pit.cancel(2)
    pit.cancel(3)
    pit.until(at_ten(hours=96))
    assert [pit.order(n) for n in (1, 2, 3, 4)] == [None] * 4


# -- races --------------------------------------------------------------------------------


@pytest.mark.parametrize("oca_type", [CANCEL, REDUCE, NO_BLOCK])
def test_both_sides_of_a_slow_group_can_trade_in_one_second(oca_type: int) -> None:
    pit = holding(rules=FloorRules(slow_oca=(oca_type,)))
    exits(pit, oca_type)
    target_trades(pit, 100)
    assert pit.stands(3) == "PreSubmitted 0/100 trigger", "it has not heard yet"
    pit.quote("144.90", "145.00", last="144.95")
    assert (pit.stands(2), pit.stands(3)) == ("Filled 100/100", "Filled 100/100")
    assert pit.position() == -100


def test_both_sides_can_trade_on_one_quote() -> None:
    pit = holding(rules=FloorRules(slow_oca=(NO_BLOCK,)))
    exits(pit, NO_BLOCK)
    pit.quote("155.00", "155.02", last="145.00")
    assert pit.position() == -100


def test_a_slow_group_hears_in_the_next_second() -> None:
    pit = holding(rules=FloorRules(slow_oca=(REDUCE,)))
    exits(pit, REDUCE)
    target_trades(pit, 30)
    assert pit.stands(3) == "PreSubmitted 0/100 trigger"
    pit.wait(1)
    assert pit.stands(3) == "PreSubmitted 0/70 trigger"


def test_two_late_fills_leave_what_neither_has_used() -> None:
    pit = holding(rules=FloorRules(slow_oca=(REDUCE,)))
    exits(pit, REDUCE)
    target_trades(pit, 60)
    pit.quote("144.90", "145.00", last="144.95", sizes=(50, 50))
    assert (pit.stands(2), pit.stands(3)) == ("Submitted 60/100", "Submitted 50/100")
    pit.wait(1)
    assert pit.position() == -10
    assert not pit.exchange.orders.working(), "the group is used up, and more than that"


def test_a_group_that_traded_out_late_does_not_grow_again() -> None:
    pit = holding(rules=FloorRules(slow_oca=(CANCEL,)))
    exits(pit, CANCEL)
    target_trades(pit, 100)
    pit.place(terms("SELL", 5, "STP", aux_price="140", oca_group="exit"))
    pit.wait(1)
    assert [pit.stands(n).split()[0] for n in (3, 4)] == ["Cancelled", "Cancelled"]


def test_a_bracket_of_tws_can_be_slow_too() -> None:
    pit = Pit(rules=FloorRules(slow_oca=(NO_BLOCK,)))
    pit.bracket()
    pit.quote("155.00", "155.02", last="155.01")
    pit.quote("144.90", "145.00", last="144.95")
    assert pit.position() == -10


def test_a_group_that_was_not_told_is_told_after_a_restart() -> None:
    pit = holding(rules=FloorRules(slow_oca=(REDUCE,)))
    exits(pit, REDUCE)
    target_trades(pit, 30)
    again = pit.restarted()
    assert again.stands(3) == "PreSubmitted 0/100 trigger"
    again.wait(1)
    assert again.stands(3) == "PreSubmitted 0/70 trigger"


def test_the_links_can_be_slowed_while_it_runs() -> None:
    pit = holding()
    exits(pit, CANCEL)
    pit.exchange.broker_acts.slow_oca(CANCEL, now=pit.now)
    target_trades(pit, 10)
    assert pit.stands(3) == "PreSubmitted 0/100 trigger"
    pit.exchange.broker_acts.slow_oca(now=pit.now)
    pit.wait(1)
    assert pit.stands(3) == "Cancelled 0/100"


# -- everything together ------------------------------------------------------------------

MOVES = st.lists(
    st.tuples(st.sampled_from(["target", "stop", "calm", "second"]), st.integers(1, 60)),
    max_size=12,
)


@settings(max_examples=60)
@given(oca_type=st.sampled_from([CANCEL, REDUCE, NO_BLOCK]), moves=MOVES)
def test_the_exits_of_a_group_never_close_more_than_was_held(
    oca_type: int, moves: list[tuple[str, int]]
) -> None:
    pit = holding()
    exits(pit, oca_type)
    markets = {
        "target": ("155.00", "155.02", "155.01"),
        "stop": ("144.90", "145.00", "144.95"),
        "calm": ("150.00", "150.02", "150.01"),
    }
    for move, size in moves:
        if move == "second":
            pit.wait(1)
        else:
            bid, ask, last = markets[move]
            pit.quote(bid, ask, last=last, sizes=(size, size))
        assert pit.position() >= 0
        open_exits = [order.remaining for order in pit.exchange.orders.working()]
        assert all(Decimal(0) < left <= pit.position() for left in open_exits)
    if pit.position() == d(0):
        assert not pit.exchange.orders.working()
