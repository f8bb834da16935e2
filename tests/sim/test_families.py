"""Parents and children: transmit, activation while the entry fills, the implicit OCA."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.sim.families import BracketMode, plan
from ibkr_trader.sim.orders import OrderTerms
from tests.sim.pit_desk import ALL_MODES, CLOSING, MSFT, Pit, codes, d, said, terms

LIMIT_ENTRY = terms("BUY", 100, "LMT", limit_price="149")


def stand(pit: Pit) -> tuple[str, str, str]:
    return pit.stands(1), pit.stands(2), pit.stands(3)


def test_the_readme_bracket_fills_and_is_protected() -> None:
    pit = Pit(frozen=False)
    pit.bracket()
    assert stand(pit) == ("Filled 10/10", "Submitted 0/10", "PreSubmitted 0/10 trigger")
    assert pit.position() == 10
    assert [order.order_id for order in pit.exchange.orders.working()] == [2, 3]


def test_nothing_is_said_until_the_last_child_transmits() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT", transmit=False))
    assert not pit.events
    pit.place(terms("SELL", 10, "LMT", limit_price="155", parent_id=1, transmit=False))
    assert not pit.events
    assert not pit.exchange.orders.working()
    assert pit.exchange.changes() is not None, "the ids are used"
    pit.place(terms("SELL", 10, "STP", aux_price="145", parent_id=1))
    assert said(pit.events)[:6] == [
        "5:1", "3:1:PreSubmitted", "5:2", "3:2:PreSubmitted", "5:3", "3:3:PreSubmitted",
    ]  # fmt: skip


def test_an_untransmitted_order_can_be_changed_sent_or_cancelled() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149", transmit=False))
    pit.place(terms("BUY", 20, "LMT", limit_price="148", transmit=False), number=1)
    assert not pit.events
    pit.place(terms("BUY", 20, "LMT", limit_price="148"), number=1)
    assert pit.stands(1) == "Submitted 0/20"
    pit.place(terms("BUY", 10, "MKT", transmit=False))
    pit.place(terms("SELL", 10, "LMT", limit_price="155", parent_id=2, transmit=False))
    assert said(pit.cancel(2)) == ["3:3:Cancelled", "4:3:202", "3:2:Cancelled", "4:2:202"]
    assert pit.order(2) is None
    assert pit.order(3) is None


def test_untransmitted_orders_die_at_a_restart() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT", transmit=False))
    again = pit.restarted()
    assert again.order(1) is None
    assert again.exchange.orders.next_order_id(1) == 2


def test_children_wait_and_are_in_one_group() -> None:
    pit = Pit()
    pit.bracket(entry=terms("BUY", 10, "LMT", limit_price="149"))
    assert stand(pit) == ("Submitted 0/10", "PreSubmitted 0/10 child", "PreSubmitted 0/10 child")
    parent, target, stop = (pit.order(n) for n in (1, 2, 3))
    assert parent
    assert target
    assert stop
    assert parent.oca_group == ""
    assert target.oca_group == stop.oca_group == str(parent.perm_id)
    assert (target.oca_type, target.parent_perm_id) == (3, parent.perm_id)
    pit.quote("154.9", "155.1", last="155")
    assert pit.stands(2) == "PreSubmitted 0/10 child", "no child trades before its parent"


@pytest.mark.parametrize(
    ("bid", "ask", "last", "winner", "loser"),
    [("155.00", "155.02", "155.01", 2, 3), ("144.90", "145.00", "144.95", 3, 2)],
)
def test_one_exit_fills_and_the_other_is_cancelled(
    bid: str, ask: str, last: str, winner: int, loser: int
) -> None:
    pit = Pit()
    pit.bracket()
    pit.quote(bid, ask, last=last)
    assert pit.stands(winner) == "Filled 10/10"
    assert pit.stands(loser).startswith("Cancelled")
    assert codes(pit.events) == [202]
    assert pit.position() == 0


def test_a_partly_filled_exit_reduces_the_other() -> None:
    pit = Pit()
    pit.bracket()
    pit.quote("155.00", "155.02", last="155.01", sizes=(4, 100))
    assert stand(pit)[1:] == ("Submitted 4/10", "PreSubmitted 0/6 trigger")
    pit.quote("144.90", "145.00", last="144.95")
    assert pit.stands(3) == "Filled 6/6"
    assert pit.stands(2) == "Cancelled 4/10", "what was left of it went to the stop"
    assert pit.position() == 0


def test_two_targets_and_a_stop_share_one_position() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT", transmit=False))
    pit.place(terms("SELL", 5, "LMT", limit_price="155", parent_id=1, transmit=False))
    pit.place(terms("SELL", 5, "LMT", limit_price="160", parent_id=1, transmit=False))
    pit.place(terms("SELL", 10, "STP", aux_price="145", parent_id=1))
    pit.quote("155.00", "155.02", last="155.01")
    assert [pit.stands(n) for n in (2, 3, 4)] == [
        "Filled 5/5", "Submitted 0/5", "PreSubmitted 0/5 trigger",
    ]  # fmt: skip
    pit.quote("144.90", "145.00", last="144.95")
    assert pit.stands(4) == "Filled 5/5"
    assert pit.stands(3).startswith("Cancelled")
    assert pit.position() == 0


def test_a_cancelled_parent_takes_its_children_along() -> None:
    pit = Pit()
    pit.bracket(entry=terms("BUY", 10, "LMT", limit_price="149"))
    pit.cancel(1)
    assert codes(pit.events) == [202, 202, 202]
    assert not pit.exchange.orders.working()


def test_a_cancelled_child_leaves_its_sibling() -> None:
    pit = Pit()
    pit.bracket()
    pit.cancel(2)
    assert [order.order_id for order in pit.exchange.orders.working()] == [3]


def test_a_rejected_parent_leaves_no_children() -> None:
    pit = Pit()
    pit.bracket(entry=terms("BUY", 20_000, "MKT"), quantity=20_000)
    assert codes(pit.events) == [201, 10006, 10006]
    assert not pit.exchange.orders.working()
    pit = Pit()
    pit.bracket(entry=terms("BUY", 10, "LMT", limit_price="149.001"))
    assert codes(pit.events) == [110, 10006, 10006]


def test_a_refused_child_leaves_its_parent() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149", transmit=False))
    pit.place(terms("SELL", 10, "STP", aux_price="145.001", parent_id=1))
    assert codes(pit.events) == [110]
    assert pit.stands(1) == "Submitted 0/10"


def test_a_child_of_a_parent_that_is_done_is_refused() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT"))
    pit.place(terms("SELL", 10, "STP", aux_price="145", parent_id=1))
    assert codes(pit.events) == [10006]


def test_a_child_can_join_a_working_parent() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149"))
    pit.place(terms("SELL", 10, "STP", aux_price="145", parent_id=1))
    assert pit.stands(2) == "PreSubmitted 0/10 child"
    pit.quote("148.98", "149.00", last="148.99")
    assert pit.stands(2) == "PreSubmitted 0/10 trigger"


def test_exits_may_name_their_group() -> None:
    pit = Pit()
    pit.bracket(oca_group="mine", oca_type=2)
    target = pit.order(2)
    assert target is not None
    assert (target.oca_group, target.oca_type) == ("mine", 2)
    pit.quote("155.00", "155.02", last="155.01", sizes=(4, 4))
    assert stand(pit)[1:] == ("Submitted 4/10", "PreSubmitted 0/6 trigger")
    pit.quote("144.90", "145.00", last="144.95")
    assert stand(pit)[1:] == ("Cancelled 4/10", "Filled 6/6")
    assert pit.position() == 0


def test_an_exits_group_cannot_be_revised() -> None:
    pit = Pit()
    pit.bracket()
    shown = pit.order(3)
    assert shown is not None
    pit.place(terms("SELL", 10, "STP", aux_price="146", parent_id=1, tif="GTC",
                    oca_group="other"), number=3)  # fmt: skip
    assert codes(pit.events) == [10326]
    pit.place(terms("SELL", 10, "STP", aux_price="146", parent_id=1, tif="GTC",
                    oca_group=shown.oca_group), number=3)  # fmt: skip
    assert not codes(pit.events)
    changed = pit.order(3)
    assert changed is not None
    assert changed.stop_price == d("146")


def test_a_follower_on_the_parents_side_waits_for_all_of_it() -> None:
    pit = Pit()
    pit.place(terms("BUY", 100, "LMT", limit_price="149", transmit=False))
    pit.place(terms("BUY", 50, "LMT", limit_price="148", parent_id=1))
    pit.quote("148.98", "149.00", sizes=(10, 40))
    assert pit.stands(2) == "PreSubmitted 0/50 child"
    pit.quote("148.98", "149.00", sizes=(10, 60))
    assert pit.stands(2) == "Submitted 0/50"
    pit.place(terms("BUY", 100, "LMT", limit_price="140", transmit=False))
    pit.place(terms("BUY", 50, "LMT", limit_price="139", parent_id=3))
    pit.cancel(3)
    assert pit.stands(4) == "Cancelled 0/50"


def test_a_follower_answers_to_the_account_like_any_order() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149", transmit=False))
    pit.place(terms("BUY", 1, "MKT", con_id=CLOSING, parent_id=1))
    assert codes(pit.events) == [201]


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["entry", "target", "stop", "cancel entry", "cancel stop"]),
        st.integers(1, 60),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(st.sampled_from(ALL_MODES), MOVES)
def test_exits_never_close_more_than_was_opened(
    mode: BracketMode, moves: list[tuple[str, int]]
) -> None:
    """Whatever fills in whatever portions, the bracket ends between flat and its entry's side."""
    pit = Pit(bracket_mode=mode)
    pit.bracket(quantity=100, entry=LIMIT_ENTRY)
    markets = {
        "entry": ("148.98", "149.00", "148.99"),
        "target": ("155.00", "155.02", "155.01"),
        "stop": ("144.98", "151.00", "145.00"),
    }
    for move, size in moves:
        if move in markets:
            bid, ask, last = markets[move]
            pit.quote(bid, ask, last=last, sizes=(size, size if move == "entry" else 0))
        else:
            pit.cancel(1 if move == "cancel entry" else 3)
        entry, exits = pit.order(1), [pit.order(2), pit.order(3)]
        assert entry is not None
        closed = sum((order.filled for order in exits if order is not None), Decimal(0))
        assert pit.position() == entry.filled - closed
        most = entry.quantity if mode is BracketMode.FULL_SIZE else entry.filled
        assert closed <= most
        for order in exits:
            assert order is not None
            if not order.is_held and not order.status.is_closed:
                others = closed - order.filled
                assert order.quantity + others <= most


def test_the_plan_of_a_child_that_lost_everything_is_to_end() -> None:
    pit = Pit()
    pit.bracket()
    parent, stop = pit.order(1), pit.order(3)
    assert parent
    assert stop
    for mode in ALL_MODES:
        assert plan(mode, parent, stop, others=d(10)).quantity is None


def test_a_deep_family_goes_out_in_order() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "MKT", transmit=False))
    pit.place(terms("SELL", 10, "LMT", limit_price="155", parent_id=1, transmit=False))
    pit.place(terms("BUY", 10, "LMT", limit_price="140", parent_id=2))
    assert [pit.stands(n) for n in (1, 2, 3)] == [
        "Filled 10/10", "Submitted 0/10", "PreSubmitted 0/10 child",
    ]  # fmt: skip
    pit.quote("155.00", "155.02", last="155.01")
    assert pit.stands(3) == "Submitted 0/10"


def test_a_child_on_another_instrument_waits_for_the_whole_parent() -> None:
    pit = Pit()
    pit.place(terms("BUY", 100, "LMT", limit_price="149", transmit=False))
    pit.place(terms("SELL", 10, "LMT", limit_price="900", con_id=MSFT, parent_id=1))
    pit.quote("148.98", "149.00", sizes=(10, 40))
    assert pit.stands(2) == "PreSubmitted 0/10 child"
    pit.quote("148.98", "149.00", sizes=(10, 60))
    assert pit.stands(2) == "Submitted 0/10"


def test_a_parked_child_can_be_given_another_parent() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149"))
    pit.place(terms("BUY", 10, "LMT", limit_price="148"))
    pit.place(terms("SELL", 10, "STP", aux_price="145", parent_id=1, transmit=False))
    pit.place(terms("SELL", 10, "STP", aux_price="145", parent_id=2), number=3)
    pit.cancel(1)
    assert pit.stands(3) == "PreSubmitted 0/10 child"
    pit.cancel(2)
    assert pit.stands(3) == "Cancelled 0/10"


def test_a_trailing_exit_starts_to_trail_when_its_entry_fills() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149", transmit=False))
    pit.place(terms("SELL", 10, "TRAIL", aux_price="3", parent_id=1))
    pit.quote("151.99", "152.01", last="152.00")
    pit.quote("148.98", "149.00", last="148.99")
    trail = pit.order(2)
    assert trail is not None
    assert (pit.stands(2), trail.stop_price) == ("PreSubmitted 0/10 trigger", d("145.99"))


def test_a_held_exit_changed_in_size_follows_the_room_there_is() -> None:
    pit = Pit()
    pit.bracket(quantity=10, entry=terms("BUY", 10, "LMT", limit_price="149"))
    wanted = terms("SELL", 20, "STP", aux_price="145", parent_id=1, tif="GTC")
    pit.place(wanted, number=3)
    assert pit.stands(3) == "PreSubmitted 0/10 child"


def stop_of(quantity: int, **more: Any) -> OrderTerms:
    return terms("SELL", quantity, "STP", aux_price="145", parent_id=1, tif="GTC", **more)


def target_of(quantity: int, **more: Any) -> OrderTerms:
    return terms("SELL", quantity, "LMT", limit_price="155", parent_id=1, tif="GTC", **more)


def test_the_exits_of_a_complete_entry_can_be_made_larger_than_it() -> None:
    """The position was added to: from then on they are exits like any other."""
    pit = Pit()
    pit.bracket()
    pit.place(terms("BUY", 10, "MKT"))
    pit.place(target_of(20), number=2)
    pit.place(stop_of(20), number=3)
    assert (pit.stands(2), pit.stands(3)) == ("Submitted 0/20", "PreSubmitted 0/20 trigger")
    pit.quote("155.00", "155.02", last="155.00", sizes=(6, 6))
    assert (pit.stands(2), pit.stands(3)) == ("Submitted 6/20", "PreSubmitted 0/14 trigger")
    pit.place(stop_of(18), number=3)  # four more were bought meanwhile
    assert pit.stands(3) == "PreSubmitted 0/18 trigger"
    pit.quote("155.00", "155.02", last="155.00", sizes=(14, 14))
    assert (pit.stands(2), pit.stands(3)) == ("Filled 20/20", "PreSubmitted 0/4 trigger")


def test_an_exit_that_was_made_larger_goes_with_the_group_it_is_in() -> None:
    pit = Pit()
    pit.bracket()
    pit.place(stop_of(4), number=3)
    pit.quote("155.00", "155.02", last="155.00")
    assert (pit.stands(2), pit.stands(3)) == ("Filled 10/10", "Cancelled 0/4")


def test_groups_that_were_named_grow_one_by_one() -> None:
    pit = Pit()
    one: dict[str, Any] = {"oca_group": "one", "oca_type": 2}
    two: dict[str, Any] = {"oca_group": "two", "oca_type": 2}
    pit.place(terms("BUY", 10, "MKT", transmit=False))
    pit.place(target_of(6, transmit=False, **one))
    pit.place(stop_of(6, transmit=False, **one))
    pit.place(stop_of(4, **two))
    pit.place(target_of(12, **one), number=2)
    assert [pit.stands(n) for n in (2, 3, 4)] == [
        "Submitted 0/12", "PreSubmitted 0/6 trigger", "PreSubmitted 0/4 trigger",
    ]  # fmt: skip
