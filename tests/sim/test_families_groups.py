"""Several target-and-stop pairs under one entry, and the odd turns of a partly filled parent."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.sim.families import ALL, BracketMode, Share, share_of
from ibkr_trader.sim.floor_rules import Rejection
from ibkr_trader.sim.orders import SimOrder
from tests.sim.pit_desk import ALL_MODES, Pit, codes, d, terms

ENTRY = terms("BUY", 100, "LMT", limit_price="149", transmit=False)
FULL, RESIZED, HELD = BracketMode.FULL_SIZE, BracketMode.RESIZED, BracketMode.HELD


def pairs(mode: BracketMode, *, trailing: bool = False) -> Pit:
    """An entry of 100 with a pair of 60 (2, 3) and one of 40 (4, 5), each a group of its own."""
    pit = Pit(bracket_mode=mode)
    pit.place(ENTRY)
    for number, (size, target) in enumerate(((60, "155"), (40, "160"))):
        group: dict[str, Any] = {
            "oca_group": f"pair-{number}", "oca_type": 2, "parent_id": 1, "tif": "GTC",
        }  # fmt: skip
        pit.place(terms("SELL", size, "LMT", limit_price=target, transmit=False, **group))
        kind = {"order_type": "TRAIL"} if trailing else {"order_type": "STP"}
        amount = "5" if trailing else "145"
        pit.place(terms("SELL", size, aux_price=amount, transmit=number == 1, **kind, **group))
    return pit


def entry_fills(pit: Pit, size: int) -> None:
    pit.quote("148.98", "149.00", last="148.99", sizes=(1000, size))
    pit.quote("149.98", "150.00", last="149.99")


def stand(pit: Pit) -> list[str]:
    return [pit.stands(number) for number in (2, 3, 4, 5)]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (FULL, ["Submitted 0/60", "PreSubmitted 0/60 trigger",
                "Submitted 0/40", "PreSubmitted 0/40 trigger"]),
        (RESIZED, ["Submitted 0/60", "PreSubmitted 0/60 trigger",
                   "Submitted 0/10", "PreSubmitted 0/10 trigger"]),
        (HELD, ["PreSubmitted 0/60 child", "PreSubmitted 0/60 child",
                "PreSubmitted 0/40 child", "PreSubmitted 0/40 child"]),
    ],
)  # fmt: skip
def test_pairs_of_a_partly_filled_entry(mode: BracketMode, expected: list[str]) -> None:
    pit = pairs(mode)
    entry_fills(pit, 70)
    assert stand(pit) == expected


@pytest.mark.parametrize("mode", ALL_MODES)
@pytest.mark.parametrize("trailing", [False, True])
def test_pairs_of_a_filled_entry_live_their_own_lives(mode: BracketMode, *, trailing: bool) -> None:
    pit = pairs(mode, trailing=trailing)
    entry_fills(pit, 30)
    entry_fills(pit, 70)
    assert stand(pit) == [
        "Submitted 0/60", "PreSubmitted 0/60 trigger",
        "Submitted 0/40", "PreSubmitted 0/40 trigger",
    ]  # fmt: skip
    pit.quote("155.00", "155.02", last="155.01", sizes=(60, 10))
    assert [text.split()[0] for text in stand(pit)] == [
        "Filled", "Cancelled", "Submitted", "PreSubmitted",
    ]  # fmt: skip
    pit.quote("144.90", "145.00", last="144.95")
    assert [text.split()[0] for text in stand(pit)[2:]] == ["Cancelled", "Filled"]
    assert pit.position() == 0


def test_an_exit_that_has_closed_its_part_waits_for_the_rest_of_its_entry() -> None:
    pit = pairs(RESIZED)
    entry_fills(pit, 30)
    pit.quote("155.00", "155.02", last="155.01")
    assert pit.position() == 0
    assert stand(pit)[:2] == ["PreSubmitted 30/60 child", "PreSubmitted 0/30 child"]
    entry_fills(pit, 70)
    assert stand(pit) == [
        "Submitted 30/60", "PreSubmitted 0/30 trigger",
        "Submitted 0/40", "PreSubmitted 0/40 trigger",
    ]  # fmt: skip


@pytest.mark.parametrize(("mode", "left"), [(FULL, (60, 40)), (RESIZED, (60, 10)), (HELD, (0, 0))])
def test_an_entry_cancelled_half_way_leaves_its_pairs_what_it_filled(
    mode: BracketMode, left: tuple[int, int]
) -> None:
    pit = pairs(mode)
    entry_fills(pit, 70)
    pit.cancel(1)
    sizes = [order.remaining for order in pit.exchange.orders.working()]
    assert sizes == [d(size) for size in left for _ in range(2) if size]


def test_exits_of_a_type_that_cancels_are_cancelled_by_a_part() -> None:
    pit = Pit()
    pit.bracket(oca_group="one", oca_type=1)
    pit.quote("155.00", "155.02", last="155.01", sizes=(1, 1))
    assert (pit.stands(2), pit.stands(3)) == ("Submitted 1/10", "Cancelled 0/10")


def test_exits_that_name_no_group_come_after_those_that_do() -> None:
    pit = Pit(bracket_mode=RESIZED)
    pit.place(ENTRY)
    rest: dict[str, Any] = {"parent_id": 1, "tif": "GTC"}
    pit.place(terms("SELL", 100, "STP", aux_price="145", transmit=False, **rest))
    pit.place(terms("SELL", 60, "LMT", limit_price="155", oca_group="g", oca_type=2, **rest))
    entry_fills(pit, 70)
    assert [pit.stands(n) for n in (2, 3)] == ["PreSubmitted 0/10 trigger", "Submitted 0/60"]


def test_more_exits_than_the_entry_has_are_not_all_let_go() -> None:
    pit = Pit()
    pit.place(ENTRY)
    for group, is_last in (("a", False), ("b", False), ("c", True)):
        wanted = terms("SELL", 60, "STP", aux_price="145", parent_id=1, oca_group=group)
        pit.place(wanted if is_last else terms("SELL", 60, "STP", aux_price="145", parent_id=1,
                                               oca_group=group, transmit=False))  # fmt: skip
    assert [pit.stands(n) for n in (2, 3, 4)] == [
        "PreSubmitted 0/60 child", "PreSubmitted 0/40 child", "PreSubmitted 0/60 child",
    ]  # fmt: skip
    entry_fills(pit, 100)
    assert [pit.stands(n) for n in (2, 3, 4)] == [
        "PreSubmitted 0/60 trigger", "PreSubmitted 0/40 trigger", "Cancelled 0/60",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "stop"),
    [(FULL, "0/100 trigger"), (RESIZED, "0/40 trigger"), (HELD, "0/100 child")],
)
def test_a_child_can_join_an_entry_that_has_partly_filled(mode: BracketMode, stop: str) -> None:
    pit = Pit(bracket_mode=mode)
    pit.place(terms("BUY", 100, "LMT", limit_price="149"))
    entry_fills(pit, 40)
    pit.place(terms("SELL", 100, "STP", aux_price="145", parent_id=1, tif="GTC"))
    assert pit.stands(2) == f"PreSubmitted {stop}"


@pytest.mark.parametrize("mode", ALL_MODES)
def test_a_rejected_child_leaves_its_entry_and_its_sibling(mode: BracketMode) -> None:
    pit = Pit(bracket_mode=mode)
    pit.exchange.broker_acts.reject(Rejection(ref="*-stop"), now=pit.now)
    pit.place(ENTRY)
    rest: dict[str, Any] = {"parent_id": 1, "tif": "GTC"}
    pit.place(terms("SELL", 100, "LMT", limit_price="155", transmit=False, **rest))
    pit.place(terms("SELL", 100, "STP", aux_price="145", order_ref="k7qav-1-stop", **rest))
    assert codes(pit.events) == [201]
    assert [pit.stands(n).split()[0] for n in (1, 2, 3)] == [
        "Submitted", "PreSubmitted", "Inactive",
    ]  # fmt: skip
    entry_fills(pit, 100)
    assert pit.stands(2) == "Submitted 0/100"


def test_a_rejected_entry_leaves_nothing_of_its_pairs() -> None:
    pit = Pit()
    pit.exchange.broker_acts.reject(Rejection(ref="*-entry"), now=pit.now)
    entry = terms("BUY", 100, "LMT", limit_price="149", order_ref="k7qav-1-entry")
    pit.bracket(entry=entry, quantity=100, oca_group="x", oca_type=2)
    assert codes(pit.events) == [201, 10006, 10006]
    assert not pit.exchange.orders.working()


def test_a_share_is_what_is_left_for_a_group() -> None:
    assert [ALL.of(d(n)) for n in (0, 7)] == [d(0), d(7)]
    second = Share(d(60), d(40))
    assert [second.of(d(n)) for n in (0, 60, 70, 100, 200)] == [d(0), d(0), d(10), d(40), d(40)]


def test_the_size_of_a_group_is_that_of_its_largest_member() -> None:
    pit = pairs(RESIZED)
    found: list[SimOrder] = [order for n in (2, 3, 4, 5) if (order := pit.order(n)) is not None]
    assert share_of(found[0], found) == Share(d(0), d(60))
    assert share_of(found[3], found) == Share(d(60), d(40))


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["entry", "target", "stop", "calm", "cancel entry", "cancel 3"]),
        st.integers(1, 60),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(mode=st.sampled_from(ALL_MODES), trailing=st.booleans(), moves=MOVES)
def test_pairs_never_close_more_than_the_entry_has_opened(
    *, mode: BracketMode, trailing: bool, moves: list[tuple[str, int]]
) -> None:
    pit = pairs(mode, trailing=trailing)
    markets = {
        "entry": ("148.98", "149.00", "148.99"),
        "target": ("160.00", "160.02", "160.01"),
        "stop": ("144.98", "151.00", "145.00"),
        "calm": ("149.98", "150.00", "149.99"),
    }
    for move, size in moves:
        if move in markets:
            bid, ask, last = markets[move]
            pit.quote(bid, ask, last=last, sizes=(size, size if move == "entry" else 0))
        else:
            pit.cancel(1 if move == "cancel entry" else 3)
        entry, found = pit.order(1), [pit.order(n) for n in (2, 3, 4, 5)]
        assert entry is not None
        members = [order for order in found if order is not None]
        closed = sum((order.filled for order in members), d(0))
        assert pit.position() == entry.filled - closed
        most = entry.quantity if mode is FULL else entry.filled
        live = [o for o in members if not o.is_held and not o.status.is_closed]
        worst: dict[str, Any] = {}
        for order in live:
            worst[order.oca_group] = max(worst.get(order.oca_group, d(0)), order.remaining)
        assert closed + sum(worst.values(), d(0)) <= most


@pytest.mark.parametrize("group", ["", "mine"])
def test_the_exits_of_a_filled_entry_can_be_enlarged_for_what_was_added(group: str) -> None:
    """A scale-in: the position grows, and the exits of the first entry are made to fit."""
    pit = Pit()
    named: dict[str, Any] = {"oca_group": group, "oca_type": 2} if group else {}
    pit.bracket(**named)
    pit.quote("155.00", "155.02", last="155.01", sizes=(4, 4))
    pit.quote("149.98", "150.00", last="149.99")
    pit.place(terms("BUY", 5, "MKT"))
    rest: dict[str, Any] = {"parent_id": 1, "tif": "GTC", **named}
    pit.place(terms("SELL", 11, "STP", aux_price="145", **rest), number=3)
    pit.place(terms("SELL", 15, "LMT", limit_price="155", **rest), number=2)
    assert [pit.stands(n) for n in (2, 3)] == ["Submitted 4/15", "PreSubmitted 0/11 trigger"]
    pit.place(terms("SELL", 11, "STP", aux_price="146", **rest), number=3)
    assert pit.stands(3) == "PreSubmitted 0/11 trigger"
    pit.quote("155.00", "155.02", last="155.01", sizes=(3, 3))
    assert [pit.stands(n) for n in (2, 3)] == ["Submitted 7/15", "PreSubmitted 0/8 trigger"]
    pit.quote("144.90", "145.00", last="144.95")
    assert pit.position() == 0
    assert not pit.exchange.orders.working()


@pytest.mark.parametrize("group", ["", "mine"])
def test_what_its_group_took_from_an_exit_can_be_given_back(group: str) -> None:
    """As many are bought as the target has sold: the size wanted is the one it once had."""
    pit = Pit()
    named: dict[str, Any] = {"oca_group": group, "oca_type": 2} if group else {}
    pit.bracket(**named)
    pit.quote("155.00", "155.02", last="155.01", sizes=(4, 4))
    pit.quote("149.98", "150.00", last="149.99")
    assert pit.stands(3) == "PreSubmitted 0/6 trigger"
    pit.place(terms("BUY", 4, "MKT"))
    pit.place(terms("SELL", 10, "STP", aux_price="145", parent_id=1, tif="GTC", **named), number=3)
    assert pit.stands(3) == "PreSubmitted 0/10 trigger"
    pit.quote("155.00", "155.02", last="155.01", sizes=(3, 3))
    assert [pit.stands(n) for n in (2, 3)] == [
        "Submitted 7/10", "PreSubmitted 0/7 trigger" if not group else "PreSubmitted 0/5 trigger",
    ]  # fmt: skip


@pytest.mark.parametrize("mode", [FULL, RESIZED])
@pytest.mark.parametrize("group", ["", "mine"])
def test_the_exits_of_a_cancelled_entry_can_be_enlarged_too(mode: BracketMode, group: str) -> None:
    pit = Pit(bracket_mode=mode)
    named: dict[str, Any] = {"oca_group": group, "oca_type": 2} if group else {}
    pit.bracket(entry=terms("BUY", 10, "LMT", limit_price="149"), **named)
    entry_fills(pit, 4)
    pit.cancel(1)
    pit.place(terms("BUY", 8, "MKT"))
    rest: dict[str, Any] = {"parent_id": 1, "tif": "GTC", **named}
    for number, exit_ in ((2, {"order_type": "LMT", "limit_price": "155"}),
                          (3, {"order_type": "STP", "aux_price": "145"})):  # fmt: skip
        pit.place(terms("SELL", 12, **exit_, **rest), number=number)
    assert [pit.stands(n) for n in (2, 3)] == ["Submitted 0/12", "PreSubmitted 0/12 trigger"]
    pit.quote("155.00", "155.02", last="155.01", sizes=(3, 3))
    assert [pit.stands(n) for n in (2, 3)] == ["Submitted 3/12", "PreSubmitted 0/9 trigger"]
    pit.quote("144.90", "145.00", last="144.95")
    assert pit.position() == 0
    assert not pit.exchange.orders.working()


def test_an_exit_is_no_larger_than_its_entry_while_that_still_fills() -> None:
    pit = Pit(bracket_mode=RESIZED)
    pit.bracket(entry=terms("BUY", 10, "LMT", limit_price="149"))
    entry_fills(pit, 4)
    pit.place(terms("SELL", 9, "STP", aux_price="145", parent_id=1, tif="GTC"), number=3)
    assert pit.stands(3) == "PreSubmitted 0/4 trigger"
    entry_fills(pit, 1)
    assert pit.stands(3) == "PreSubmitted 0/5 trigger"
    pit.cancel(1)
    assert pit.stands(3) == "PreSubmitted 0/5 trigger"


def test_an_exit_made_smaller_than_what_it_traded_since_ends() -> None:
    pit = Pit()
    pit.bracket()
    pit.place(terms("SELL", 3, "STP", aux_price="145", parent_id=1, tif="GTC"), number=3)
    pit.quote("155.00", "155.02", last="155.01", sizes=(4, 4))
    assert pit.stands(3) == "Cancelled 0/3"


def test_an_exit_that_has_closed_its_groups_part_is_filled_though_it_asked_for_more() -> None:
    pit = Pit(bracket_mode=FULL)
    pit.place(ENTRY)
    rest: dict[str, Any] = {"parent_id": 1, "tif": "GTC", "oca_type": 2}
    pit.place(terms("SELL", 60, "STP", aux_price="145", oca_group="a", transmit=False, **rest))
    pit.place(terms("SELL", 60, "LMT", limit_price="155", oca_group="b", **rest))
    entry_fills(pit, 70)
    pit.quote("155.00", "155.02", last="155.01")
    assert pit.stands(3) == "Filled 40/40"


def test_a_restart_does_not_change_which_pair_is_served_first() -> None:
    pit = pairs(RESIZED)
    first: dict[str, Any] = {
        "oca_group": "pair-0", "oca_type": 2, "parent_id": 1, "tif": "GTC",
    }  # fmt: skip
    pit.place(terms("SELL", 60, "LMT", limit_price="156", **first), number=2)
    pit.place(terms("SELL", 60, "STP", aux_price="146", **first), number=3)
    again = pit.restarted()
    entry_fills(again, 70)
    assert [again.stands(n) for n in (3, 5)] == [
        "PreSubmitted 0/60 trigger", "PreSubmitted 0/10 trigger",
    ]  # fmt: skip
