from __future__ import annotations

import pytest

from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.models import Order, Position
from ibkr_trader.risk.verdict import Approved
from tests.risk.world import (
    bracket,
    drifted,
    held,
    judge,
    limit,
    modify,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)


def test_a_close_of_all_that_is_held_passes_and_is_found_to_reduce() -> None:
    verdict = review(submit(spec("SELL", 10), reduces=True), view(held(10)))
    assert isinstance(verdict, Approved)
    assert verdict.reduces


@pytest.mark.parametrize(
    ("side", "quantity", "parts", "hint"),
    [
        ("SELL", 15, [held(10)], "use --quantity 10 or less"),
        ("BUY", 15, [held(-10)], "use --quantity 10 or less"),
        ("SELL", 1, [], "there is nothing to close: ibkr-trader positions"),
        ("BUY", 1, [held(10)], "there is nothing to close: ibkr-trader positions"),
        (
            "SELL",
            10,
            [held(10), working(stop("SELL", 10, "145", "o-1-stop"))],
            "other orders close it already: ibkr-trader cancel o-1-stop",
        ),
        (
            "SELL",
            10,
            [held(10), working(stop("SELL", 4, "145", "o-1-stop"))],
            "use --quantity 6 or less",
        ),
    ],
)
def test_a_close_that_could_flip_is_denied(
    side: str, quantity: int, parts: list[Order | Position], hint: str
) -> None:
    (breach,) = judge("reduce_only", submit(spec(side, quantity), reduces=True), view(*parts))
    assert breach.hint == hint


def test_without_the_claim_it_is_an_opening_like_any_other() -> None:
    assert judge("reduce_only", submit(spec("SELL", 15)), view(held(10))) == []


def test_the_message() -> None:
    (breach,) = judge("reduce_only", submit(spec("BUY", 15), reduces=True), view(held(-10)))
    assert breach.message == (
        "BUY 15 AAPL is meant to close only, but with -10 held 5 of it could open a long one."
    )
    assert (breach.limit, breach.actual, breach.headroom) == ("10", "15", "10")


@pytest.mark.parametrize(("exits", "denied"), [(10, False), (11, True)])
def test_the_exits_of_a_bracket_are_no_larger_than_its_entry(exits: int, *, denied: bool) -> None:
    found = judge("reduce_only", bracket(10, exits=exits), view())
    assert bool(found) is denied


def test_an_exit_role_alone_is_a_claim() -> None:
    (breach,) = judge("reduce_only", submit(stop("SELL", 5, "145", role=OrderRole.STOP)), view())
    assert breach.headroom == "0"


def test_an_exit_may_grow_to_the_position_and_no_further() -> None:
    protection = working(stop("SELL", 10, "145", "o-1-stop", role=OrderRole.STOP))
    world = view(held(15), protection)
    assert judge("reduce_only", modify(protection, quantity=15), world) == []
    (breach,) = judge("reduce_only", modify(protection, quantity=16), world)
    assert breach.hint == "use --quantity 15 or less"


def test_the_orphan_of_a_lost_position_may_be_tightened() -> None:
    orphan = working(stop("SELL", 10, "145", "o-1-stop", role=OrderRole.STOP))
    assert judge("reduce_only", modify(orphan, stop_price="146"), view(orphan)) == []


def test_two_closes_in_one_command_share_the_position() -> None:
    both = submit(limit("SELL", 6, "155", "t-1-a"), limit("SELL", 6, "156", "t-1-b"), reduces=True)
    (breach,) = judge("reduce_only", both, view(held(10)))
    assert breach.headroom == "4"


def test_two_alternatives_do_not_hide_each_other() -> None:
    protection = working(stop("SELL", 10, "145", "o-1-stop", role=OrderRole.STOP))
    pair = submit(
        limit("SELL", 10, "155", "t-1-target", role=OrderRole.TARGET, oca_group="x"),
        stop("SELL", 10, "146", "t-1-stop", role=OrderRole.STOP, oca_group="x"),
    )
    first, *_ = judge("reduce_only", pair, view(held(10), protection))
    assert first.headroom == "0"
    assert first.hint == "other orders close it already: ibkr-trader cancel o-1-stop"


def test_a_larger_alternative_does_not_hide_it() -> None:
    surplus = working(stop("SELL", 30, "145", "o-1-stop", oca_group="x"))
    close = submit(spec("SELL", 12, oca_group="x"), reduces=True)
    (breach,) = judge("reduce_only", close, view(held(10), surplus))
    assert breach.headroom == "10"
    fits = submit(spec("SELL", 10, oca_group="x"), reduces=True)
    assert judge("reduce_only", fits, view(held(10), surplus)) == []


@pytest.mark.parametrize(
    ("stated", "side", "quantity", "room"),
    [
        (0, "SELL", 10, "0"),
        (4, "SELL", 10, "4"),
        (4, "SELL", 4, None),
        (10, "SELL", 10, None),
        (40, "SELL", 10, None),
        (40, "SELL", 11, "10"),  # our books leave less
        (-3, "SELL", 1, "0"),
    ],
)
def test_an_exit_is_no_larger_than_what_broker_and_books_both_have(
    stated: int, side: str, quantity: int, room: str | None
) -> None:
    exit_order = submit(stop(side, quantity, "145", role=OrderRole.STOP))
    found = judge("reduce_only", exit_order, drifted(held(10), stated=stated))
    assert [breach.headroom for breach in found] == ([] if room is None else [room])


def test_the_broker_counts_what_works_already_too() -> None:
    mine = working(stop("SELL", 4, "145", "o-1-stop"))
    another = submit(stop("SELL", 2, "145", role=OrderRole.STOP))
    (breach,) = judge("reduce_only", another, drifted(held(10), mine, stated=5))
    assert breach.headroom == "1"
    assert breach.hint == "use --quantity 1 or less"


def test_it_says_by_whose_word() -> None:
    exit_order = submit(stop("SELL", 10, "145", role=OrderRole.STOP))
    (breach,) = judge("reduce_only", exit_order, drifted(held(10), stated=4))
    assert "with 4 held by the broker's word (10 by our books) 6 of it could open" in breach.message


def test_a_close_has_waited_and_goes_by_our_books() -> None:
    close = submit(spec("SELL", 10, role=OrderRole.CLOSE), reduces=True)
    assert isinstance(review(close, drifted(held(10), stated=0)), Approved)


def test_an_exit_may_grow_to_what_the_broker_states_and_no_further() -> None:
    exit_order = working(stop("SELL", 3, "145", "o-1-stop", role=OrderRole.STOP))
    world = drifted(held(10), exit_order, stated=5)
    assert judge("reduce_only", modify(exit_order, quantity=5), world) == []
    (breach,) = judge("reduce_only", modify(exit_order, quantity=6), world)
    assert breach.headroom == "5"


def test_a_stop_follows_the_market_though_broker_and_books_differ() -> None:
    exit_order = working(stop("SELL", 10, "145", "o-1-stop", role=OrderRole.STOP))
    world = drifted(held(10), exit_order, stated=5)
    assert isinstance(review(modify(exit_order, stop_price="146"), world), Approved)


def test_a_closing_order_grows_by_our_books() -> None:
    close = working(spec("SELL", 3, "o-1-close", role=OrderRole.CLOSE))
    world = drifted(held(10), close, stated=5)
    assert judge("reduce_only", modify(close, quantity=10), world) == []
