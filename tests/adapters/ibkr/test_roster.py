from __future__ import annotations

import pytest

from ibkr_trader.adapters.ibkr.roster import Change, Entry, Roster
from ibkr_trader.core.ids import MAX_BROKER_ORDER_ID, twin_id
from ibkr_trader.core.models import OrderId
from tests.adapters.ibkr.orders import SINGLE, spec


@pytest.fixture
def roster() -> Roster:
    return Roster(install="k7qav", client_id=1)


def test_an_order_is_known_by_each_of_its_names(roster: Roster) -> None:
    entry = roster.add(spec(number=5), parent_number=0)
    met = roster.meet(ref=SINGLE, client_id=1, number=5, perm_id=900)
    assert met is entry
    assert roster.get(SINGLE) is entry
    assert roster.find(1, 5) is entry
    assert roster.find(9, 9, perm_id=900) is entry
    assert roster.highest == 5


def test_the_reference_is_believed_before_the_number(roster: Roster) -> None:
    ours = roster.add(spec(number=5), parent_number=0)
    other = roster.meet(ref="not ours", client_id=1, number=5, perm_id=31)
    assert other is not ours
    assert (other.order_id, other.is_foreign) == ("foreign-31", True)


@pytest.mark.parametrize(
    "ref", ["", "by hand", "k7qax-1-single", "k7qav-1", "k7qav-1-nothing", "zzzzz-1-stop"]
)
def test_what_is_not_of_this_installation_is_foreign(ref: str, roster: Roster) -> None:
    entry = roster.meet(ref=ref, client_id=3, number=8, perm_id=77)
    assert (entry.order_id, entry.is_foreign) == ("foreign-77", True)


def test_the_numbers_of_other_clients_count_as_long_as_they_leave_us_some(roster: Roster) -> None:
    """TWS refuses an order below those that it told us of (103), whoever placed them."""
    roster.add(spec(number=5), parent_number=0)
    roster.meet(ref="theirs", client_id=3, number=8, perm_id=77)
    roster.meet(ref="by hand", client_id=0, number=-4, perm_id=78)
    assert roster.highest == 8
    roster.meet(ref="theirs", client_id=3, number=MAX_BROKER_ORDER_ID - 1, perm_id=79)
    assert roster.highest == 8, "else nothing could get out any more"
    roster.meet(ref=SINGLE, client_id=1, number=MAX_BROKER_ORDER_ID - 1, perm_id=80)
    assert roster.highest == MAX_BROKER_ORDER_ID - 1


def test_a_foreign_order_keeps_its_id_when_its_permanent_one_comes(roster: Roster) -> None:
    first = roster.meet(ref="", client_id=3, number=8, perm_id=0)
    assert first.order_id == "foreign-3-8"
    assert roster.meet(ref="", client_id=3, number=8, perm_id=77) is first


def test_one_that_is_on_record_goes_by_its_reference_from_then_on(roster: Roster) -> None:
    name = OrderId("k7qax-3-stop")
    met = roster.meet(ref=name, client_id=1, number=8, perm_id=77)
    assert met.order_id == "foreign-77"
    assert roster.get(name) is None
    roster.on_record = {name}.__contains__
    assert roster.find(1, 8) is met
    assert (met.order_id, met.is_foreign) == (name, False)
    assert roster.get(OrderId("foreign-77")) is None
    assert roster.meet(ref=name, client_id=1, number=8, perm_id=77) is met


def test_one_that_is_on_record_and_new_is_met_by_its_reference(roster: Roster) -> None:
    name = OrderId("k7qax-3-stop")
    roster.on_record = {name}.__contains__
    met = roster.meet(ref=name, client_id=1, number=8, perm_id=77)
    assert (met.order_id, met.is_foreign, roster.get(name)) == (name, False, met)


def test_an_order_that_never_left_is_forgotten(roster: Roster) -> None:
    roster.add(spec(number=5), parent_number=0)
    roster.forget(SINGLE)
    assert roster.get(SINGLE) is None
    assert roster.find(1, 5) is None


def test_nothing_of_a_lost_link_is_still_awaited(roster: Roster) -> None:
    entry = roster.add(spec(), parent_number=0)
    entry.wanted = spec("close")
    entry.unsent = Change(spec("close"), frozenset({"quantity"}))
    entry.is_cancelling = True
    roster.forget_pending()
    assert not any((entry.wanted, entry.unsent, entry.last_change))
    assert not entry.is_cancelling


def test_the_highest_epoch_that_anybody_names_is_known(roster: Roster) -> None:
    assert roster.epoch == 0
    roster.meet(ref="zzzzz-3000017-stop", client_id=3, number=8, perm_id=77)
    roster.meet(ref="k7qav-2000001-entry", client_id=1, number=9, perm_id=78)
    roster.meet(ref="by hand", client_id=0, number=0, perm_id=79)
    assert roster.epoch == 3


def test_what_comes_under_our_name_with_another_permanent_id_is_its_twin(roster: Roster) -> None:
    roster.add(spec(number=5), parent_number=0)
    ours = roster.meet(ref=SINGLE, client_id=1, number=5, perm_id=900)
    twin = roster.meet(ref=SINGLE, client_id=0, number=-7, perm_id=901)
    assert (twin.order_id, twin.is_foreign, twin.number) == (twin_id(901), False, -7)
    assert (ours.order_id, ours.number, ours.perm_id) == (SINGLE, 5, 900), "as it was"
    assert roster.meet(ref=SINGLE, client_id=0, number=-7, perm_id=901) is twin
    assert roster.meet(ref=SINGLE, client_id=1, number=5, perm_id=900) is ours
    assert roster.find(0, -7) is twin
    assert not ours.is_shared


def test_a_twin_that_was_met_first_gives_the_name_back(roster: Roster) -> None:
    first = roster.meet(ref=SINGLE, client_id=0, number=-7, perm_id=901)
    ours = roster.meet(ref=SINGLE, client_id=1, number=5, perm_id=900)
    assert (first.order_id, ours.order_id) == (twin_id(901), SINGLE)
    assert roster.get(SINGLE) is ours
    assert roster.meet(ref=SINGLE, client_id=0, number=-7, perm_id=901) is first


def test_of_two_with_one_number_the_permanent_id_says_which(roster: Roster) -> None:
    ours = roster.meet(ref=SINGLE, client_id=1, number=5, perm_id=900)
    twin = roster.meet(ref=SINGLE, client_id=1, number=5, perm_id=901)
    assert roster.find(1, 5, perm_id=901) is twin
    assert roster.find(1, 5, perm_id=900) is roster.find(1, 5) is ours
    assert roster.find(1, 5, perm_id=902) is None, "its terms will come, and name it"
    assert ours.is_shared
    assert twin.is_shared


def met(roster: Roster, number: int) -> Entry:
    ref = f"k7qav-{number}-single"
    return roster.meet(ref=ref, client_id=1, number=number, perm_id=10_000 + number)


def test_of_thousands_that_are_over_the_first_are_let_go_of(
    roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ibkr_trader.adapters.ibkr.roster._REMEMBERED", 40)
    old, parent, child = (met(roster, number) for number in (1, 2, 3))
    old.is_closed = parent.is_closed = True
    child.parent_number = parent.number
    for number in range(100, 6_000):
        met(roster, number).is_closed = True
    assert roster.get(old.order_id) is roster.find(1, old.number, perm_id=old.perm_id) is None
    assert roster.get(child.order_id) is child, "it is at work"
    assert roster.find(1, child.parent_number) is parent, "and hangs from one that is over"
    newest = roster.find(1, 5_999)
    assert newest is not None
    assert newest is roster.get(newest.order_id)
    assert len(roster._by_id) == len(roster._by_number) == len(roster._by_perm_id) <= 42 + 40
    assert roster.highest == 5_999


def test_the_namesake_of_a_twin_that_works_is_not_let_go_of(
    roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ibkr_trader.adapters.ibkr.roster._REMEMBERED", 10)
    monkeypatch.setattr(roster, "_full_at", 10)
    roster.add(spec(number=5), parent_number=0).is_closed = True
    roster.meet(ref=SINGLE, client_id=1, number=5, perm_id=900)
    twin = roster.meet(ref=SINGLE, client_id=0, number=-3, perm_id=901)
    assert twin.order_id == twin_id(901)
    for number in range(100, 140):
        met(roster, number).is_closed = True
    assert roster.meet(ref=SINGLE, client_id=0, number=-3, perm_id=901) is twin
