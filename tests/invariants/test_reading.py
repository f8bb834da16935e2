"""What could be known at a moment, and which link a message crossed, as the judges read it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.sim.gateway.account_requests import StartApi
from ibkr_trader.sim.gateway.order_replies import ErrorMessage
from ibkr_trader.sim.gateway.wire import Way, WireEntry
from ibkr_trader.sim.orders import OrderKey
from tests.invariants.kill_judges import has_come_in_turn
from tests.invariants.reading import FIVE_ENDS, NOBODY, TAKEN, Reading, read, told_at
from tests.invariants.watched import US
from tests.invariants.world import START, World

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS, THEIRS = "k7qav-1-entry", "qwert-1-entry"
NUMBER = OrderKey(US, 7)


def after(*seconds: float) -> list[datetime]:
    return [START + timedelta(seconds=one) for one in seconds]


def test_what_happens_while_messages_are_kept_back_is_told_at_the_end_of_that() -> None:
    assert told_at(after(0.25, 0.5, 0.75, 1), START) == START + timedelta(seconds=1)


def test_what_was_told_before_is_not_unheard_by_later_weather() -> None:
    assert told_at(after(3, 3.25, 3.5), START) == START
    assert told_at(after(-3, -2.75, 0.25, 3), START) == START + timedelta(seconds=0.25)


# -- which link a message crossed -----------------------------------------------------------------


@pytest.fixture
def world() -> Iterator[World]:
    """Have a day on whose wire nothing is but what a test puts there."""
    made = World()
    yield made
    made.end()


def crossing(name: str, *, way: Way = Way.IN, client_id: int = US, **more: object) -> WireEntry:
    return WireEntry(at=START, client_id=client_id, way=way, name=name, **more)  # type: ignore[arg-type]  # as told


def dialled() -> WireEntry:
    return crossing("startApi", client_id=NOBODY, message=StartApi(client_id=US))


def turned_away() -> WireEntry:
    refusal = ErrorMessage(req_id=-1, code=TAKEN, text="in use", reject_json="", at_millis=0)
    return crossing("error", way=Way.OUT, client_id=NOBODY, message=refusal)


def ordered(ref: str = OURS) -> WireEntry:
    return crossing("placeOrder", key=NUMBER, order_ref=ref)


def told_everything() -> list[WireEntry]:
    return [crossing(name, way=Way.OUT) for name in sorted(FIVE_ENDS)]


def heard(world: World, *entries: WireEntry) -> Reading:
    for entry in entries:
        world.wire(entry)
    return read(world)


def test_what_is_under_way_as_its_process_dies_crosses_the_link_that_it_had(world: World) -> None:
    told = told_everything()
    reading = heard(world, dialled(), *told, dialled(), turned_away(), ordered())
    assert reading.sent[-1].is_synced
    assert [link.is_refused for link in reading.links] == [False, True]


def test_who_is_not_turned_away_has_a_link_that_knows_nothing_yet(world: World) -> None:
    reading = heard(world, dialled(), *told_everything(), dialled(), ordered())
    assert not reading.sent[-1].is_synced


def test_who_was_turned_away_knows_nothing_of_the_next_link_either(world: World) -> None:
    again = (dialled(), turned_away(), dialled())
    reading = heard(world, dialled(), *told_everything(), *again, ordered())
    assert not reading.sent[-1].is_synced


# -- whose number it is ---------------------------------------------------------------------------


def test_a_number_that_left_under_a_name_of_ours_is_ours(world: World) -> None:
    assert heard(world, dialled(), ordered()).named == {NUMBER}


def test_a_number_that_left_under_another_name_is_not(world: World) -> None:
    assert heard(world, dialled(), ordered(THEIRS)).named == set()


def test_a_cancel_makes_no_number_ours(world: World) -> None:
    cancel = crossing("cancelOrder", key=NUMBER, order_ref=OURS)
    assert heard(world, dialled(), cancel).named == set()


# -- who overtook whom ----------------------------------------------------------------------------


def numbered(*numbers: int) -> list[WireEntry]:
    return [crossing("placeOrder", key=OrderKey(US, one), order_ref=OURS) for one in numbers]


def test_what_came_before_every_later_number_was_overtaken_in_the_gateway(world: World) -> None:
    assert has_come_in_turn(heard(world, dialled(), *numbered(6, 7, 8, 9)), NUMBER)


def test_what_we_sent_after_a_later_number_is_our_own_doing(world: World) -> None:
    assert not has_come_in_turn(heard(world, dialled(), *numbered(6, 8, 7)), NUMBER)


def test_what_never_came_was_overtaken_by_nobody(world: World) -> None:
    assert not has_come_in_turn(heard(world, dialled(), *numbered(6)), NUMBER)
