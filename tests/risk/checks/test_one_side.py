from __future__ import annotations

import msgspec
import pytest

from ibkr_trader.core.enums import OcaType, OrderRole
from ibkr_trader.core.models import OrderSpec
from tests.risk.world import (
    MSFT,
    bracket,
    held,
    judge,
    limit,
    modify,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)

PAIR = {"oca_group": "t-1", "oca_type": OcaType.CANCEL}
EXIT = working(stop("SELL", 10, "145", "o-1-stop", role=OrderRole.STOP))


@pytest.mark.parametrize(
    ("position", "order", "denied"),
    [
        (10, spec("SELL", 11), True),  # it would turn the position round
        (-10, spec("BUY", 25), True),
        (10, spec("SELL", 10), False),  # it only closes
        (10, spec("BUY", 10), False),  # it adds
        (-10, spec("SELL", 10), False),
        (0, spec("SELL", 10), False),
        (10, spec("SELL", 11, contract=MSFT), False),
    ],
)
def test_a_position_is_closed_before_the_other_side_is_opened(
    position: int, order: OrderSpec, *, denied: bool
) -> None:
    found = judge("one_side", submit(order), view(held(position)))
    assert [b.hint for b in found] == ["close it first: ibkr-trader close AAPL"] * denied


def test_an_entry_that_only_reduces_would_leave_its_exits_without_a_position() -> None:
    (breach,) = judge("one_side", bracket(10), view(held(-13)))
    assert breach.hint == "close it first: ibkr-trader close AAPL"


def test_beside_a_working_exit_even_a_close_may_be_too_much() -> None:
    (breach,) = judge("one_side", submit(spec("SELL", 10)), view(held(10), EXIT))
    assert "SELL 10 AAPL would go against the long position of 10" in breach.message


@pytest.mark.parametrize(
    ("mine", "theirs", "denied"),
    [
        (limit("SELL", 10, "160"), limit("BUY", 10, "140", "o-1-entry"), True),
        (stop("BUY", 10, "155"), stop("SELL", 10, "145", "o-1-single"), True),
        (limit("BUY", 10, "140"), limit("BUY", 10, "141", "o-1-entry"), False),
        (limit("SELL", 10, "160"), limit("BUY", 10, "140", "o-1-entry", contract=MSFT), False),
        (limit("BUY", 1, "140", **PAIR), limit("SELL", 1, "160", "o-1-single", **PAIR), False),
    ],
)
def test_an_entry_and_one_against_it_are_not_both_worked(
    mine: OrderSpec, theirs: OrderSpec, *, denied: bool
) -> None:
    found = judge("one_side", submit(mine), view(working(theirs)))
    assert [b.hint for b in found] == [f"ibkr-trader cancel {theirs.order_id}"] * denied


def test_an_entry_of_somebody_else_counts_and_is_his_to_cancel() -> None:
    theirs = working(limit("BUY", 10, "140", "foreign-9"), is_foreign=True)
    (breach,) = judge("one_side", submit(limit("SELL", 10, "160")), view(theirs))
    assert breach.hint.startswith("use TWS")


def test_an_exit_is_no_entry() -> None:
    """A target on the other side closes what the new order adds to."""
    world = view(held(10), working(limit("SELL", 10, "155", "o-1-target")))
    assert judge("one_side", submit(limit("BUY", 10, "149")), world) == []
    assert judge("one_side", bracket(), world) == []


def test_two_entries_of_one_command_are_alternatives_only_if_they_cancel_each_other() -> None:
    low, high = limit("BUY", 10, "145", "t-1-entry"), limit("SELL", 10, "155", "t-1-entry.2")
    (breach,) = judge("one_side", submit(low, high), view())
    assert breach.message.startswith("SELL 10 AAPL opens against your own entry t-1-entry (")
    assert "oco-order" in breach.hint
    pair = submit(*(msgspec.structs.replace(one, **PAIR) for one in (low, high)))
    assert judge("one_side", pair, view()) == []


def test_what_only_closes_is_for_another_check_to_judge() -> None:
    """Of an exit that is too large there is one thing to say, not two."""
    world = view(held(10))
    claim = submit(spec("SELL", 11), reduces=True)
    assert reasons(review(claim, world)) == {"reduce_only"}
    exit_order = spec("SELL", 11, "t-1-close", role=OrderRole.CLOSE)
    assert reasons(review(submit(exit_order), world)) == {"reduce_only"}
    entry, target, loss = bracket(10, exits=11).orders
    assert "one_side" not in reasons(review(submit(entry, target, loss), view()))


def test_a_change_is_judged_as_the_order_it_makes() -> None:
    mine = working(spec("SELL", 10, "o-2-single"))
    assert judge("one_side", modify(mine, quantity=11), view(held(10), mine))
    assert not judge("one_side", modify(mine, quantity=9), view(held(10), mine))
