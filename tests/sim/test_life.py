"""A parent that fills in part: what its exits do then, in each of the bracket modes."""

import pytest

from ibkr_trader.sim.families import BracketMode
from tests.sim.pit_desk import ALL_MODES, Pit, d, terms

LIMIT_ENTRY = terms("BUY", 100, "LMT", limit_price="149")


def partly_filled(mode: BracketMode, quantity: int = 40) -> Pit:
    """A bracket of 100 whose entry has filled in part."""
    pit = Pit(bracket_mode=mode)
    pit.bracket(quantity=100, entry=LIMIT_ENTRY)
    pit.quote("148.98", "149.00", last="148.99", sizes=(1000, quantity))
    pit.quote("149.98", "150.00", last="149.99")
    return pit


def stand(pit: Pit) -> tuple[str, str, str]:
    return pit.stands(1), pit.stands(2), pit.stands(3)


@pytest.mark.parametrize(
    ("mode", "target", "stop"),
    [
        (BracketMode.FULL_SIZE, "Submitted 0/100", "PreSubmitted 0/100 trigger"),
        (BracketMode.RESIZED, "Submitted 0/40", "PreSubmitted 0/40 trigger"),
        (BracketMode.HELD, "PreSubmitted 0/100 child", "PreSubmitted 0/100 child"),
    ],
)
def test_exits_of_a_partly_filled_parent(mode: BracketMode, target: str, stop: str) -> None:
    assert stand(partly_filled(mode)) == ("Submitted 40/100", target, stop)


@pytest.mark.parametrize("mode", ALL_MODES)
def test_a_parent_that_completes_is_covered_in_full(mode: BracketMode) -> None:
    pit = partly_filled(mode)
    pit.quote("148.98", "149.00", last="148.99")
    assert stand(pit) == ("Filled 100/100", "Submitted 0/100", "PreSubmitted 0/100 trigger")


@pytest.mark.parametrize(
    ("mode", "target", "stop"),
    [
        (BracketMode.FULL_SIZE, "Submitted 0/100", "PreSubmitted 0/100 trigger"),
        (BracketMode.RESIZED, "Submitted 0/40", "PreSubmitted 0/40 trigger"),
        (BracketMode.HELD, "Cancelled 0/100", "Cancelled 0/100"),
    ],
)
def test_a_parent_cancelled_half_way(mode: BracketMode, target: str, stop: str) -> None:
    pit = partly_filled(mode)
    pit.cancel(1)
    assert stand(pit) == ("Cancelled 40/100", target, stop)


def test_an_exit_that_has_closed_what_there_was_waits_for_the_rest() -> None:
    pit = partly_filled(BracketMode.RESIZED)
    pit.quote("155.00", "155.02", last="155.01")
    assert pit.position() == 0
    assert stand(pit) == (
        "Submitted 40/100", "PreSubmitted 40/100 child", "PreSubmitted 0/60 child",
    )  # fmt: skip
    pit.quote("148.98", "149.00", last="148.99")
    assert stand(pit) == ("Filled 100/100", "Submitted 40/100", "PreSubmitted 0/60 trigger")
    pit.quote("144.90", "145.00", last="144.95")
    assert pit.stands(3) == "Filled 60/60"
    assert pit.position() == 0


def test_a_parent_cancelled_after_its_exits_closed_it_leaves_nothing() -> None:
    pit = partly_filled(BracketMode.RESIZED)
    pit.quote("155.00", "155.02", last="155.01")
    pit.cancel(1)
    assert not pit.exchange.orders.working()
    assert pit.position() == 0


def test_a_parent_made_smaller_takes_its_exits_along() -> None:
    pit = partly_filled(BracketMode.FULL_SIZE)
    pit.place(terms("BUY", 60, "LMT", limit_price="149"), number=1)
    assert stand(pit)[1:] == ("Submitted 0/60", "PreSubmitted 0/60 trigger")


def test_a_changed_exit_keeps_to_what_is_covered() -> None:
    pit = partly_filled(BracketMode.RESIZED)
    wanted = terms("SELL", 100, "STP", aux_price="146", parent_id=1, tif="GTC")
    pit.place(wanted, number=3)
    assert pit.stands(3) == "PreSubmitted 0/40 trigger"


def test_a_held_exit_can_be_changed() -> None:
    pit = Pit()
    pit.bracket(entry=terms("BUY", 10, "LMT", limit_price="149"))
    pit.place(terms("SELL", 10, "STP", aux_price="146", parent_id=1, tif="GTC"), number=3)
    assert pit.stands(3) == "PreSubmitted 0/10 child"
    order = pit.order(3)
    assert order is not None
    assert order.stop_price == d("146")
