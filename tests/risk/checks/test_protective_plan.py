from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.core.enums import OcaType, OrderRole, OrderStatus, OrderType
from ibkr_trader.core.models import Order
from ibkr_trader.risk.arming import Arming
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.risk.view import RiskView
from tests.risk.world import (
    MSFT,
    bracket,
    held,
    judge,
    limit,
    limits,
    modify,
    portfolio,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)

LIVE = Arming(is_live=True)
ENTRY = spec("BUY", 10, "t-1-entry", role=OrderRole.ENTRY)
EXIT: dict[str, Any] = {"role": OrderRole.STOP, "parent_id": "t-1-entry"}


def notes(world: RiskView) -> list[str]:
    gauge = CHECKS["protective_plan"].gauge
    assert gauge is not None
    return [one.note for one in gauge(world)]


@pytest.mark.parametrize(
    "protection",
    [
        stop("SELL", 10, "145", "t-1-stop", **EXIT),
        spec("SELL", 10, "t-1-stop", order_type=OrderType.TRAIL, trail_percent="2", **EXIT),
        stop("SELL", 11, "145", "t-1-stop", **EXIT),
    ],
)
def test_an_entry_with_a_stop_for_all_of_it_passes(protection: Any) -> None:
    assert judge("protective_plan", submit(ENTRY, protection), view()) == []
    assert judge("protective_plan", submit(ENTRY, protection), view(arming=LIVE)) == []


@pytest.mark.parametrize(
    "orders",
    [
        (spec("BUY", 10),),
        (limit("BUY", 10, "140"),),
        (stop("BUY", 10, "160"),),
        (ENTRY,),
        (spec("SELL", 10),),
        (ENTRY, limit("SELL", 10, "155", "t-1-target", **(EXIT | {"role": OrderRole.TARGET}))),
        # a stop that hangs from nothing protects nobody in particular
        (ENTRY, stop("SELL", 10, "145", "t-1-stop", role=OrderRole.STOP)),
    ],
)
def test_without_one_it_does_not(orders: Any) -> None:
    found = judge("protective_plan", submit(*orders), view())
    assert [breach.is_warning for breach in found] == [False]
    assert "opens without a stop" in found[0].message
    assert "--no-stop" in found[0].hint
    assert "bracket-order" in found[0].hint


def test_the_way_out_is_named_with_the_orders_own_terms() -> None:
    (breach,) = judge("protective_plan", submit(limit("SELL", 10, "155")), view())
    assert breach.message == "SELL 10 AAPL opens without a stop: nothing would limit its loss."
    assert breach.hint == (
        "use --no-stop if that is meant, or ibkr-trader bracket-order --symbol AAPL --side sell "
        "--quantity 10 --limit 155 --stop-loss PRICE"
    )


def test_a_stop_for_a_part_is_none_for_the_rest() -> None:
    (breach,) = judge("protective_plan", bracket(10, exits=9), view())
    assert (breach.limit, breach.actual) == ("10", "9")
    assert breach.message == "The stops of BUY 10 AAPL would end only 9 of it."


@pytest.mark.parametrize(
    ("groups", "denied"), [(("a", "b"), False), (("a", "a"), True), (("", ""), True)]
)
def test_parts_add_up_unless_one_ends_the_other(groups: tuple[str, str], *, denied: bool) -> None:
    stops = [
        stop("SELL", 5, "145", f"t-1-stop.{n}", oca_group=group, oca_type=OcaType.REDUCE, **EXIT)
        for n, group in enumerate(groups, 2)
    ]
    assert bool(judge("protective_plan", submit(ENTRY, *stops), view())) is denied


def test_a_word_says_that_it_is_meant() -> None:
    command = submit(spec("BUY", 10), without_stop=True)
    assert judge("protective_plan", command, view()) == []
    assert isinstance(review(command, view()), Approved)


def test_real_money_is_never_opened_without_a_stop() -> None:
    for command in (
        submit(spec("BUY", 10), without_stop=True),
        submit(spec("BUY", 10)),
        submit(limit("BUY", 10, "145"), kind="oco"),
    ):
        (breach,) = judge("protective_plan", command, view(arming=LIVE))
        assert not breach.is_warning
        assert breach.message == ("BUY 10 AAPL has no stop: real money is not opened without one.")
        assert breach.hint.startswith("enter with one: ibkr-trader bracket-order")


def test_the_entries_of_an_oco_order_are_told_and_not_denied() -> None:
    pair: dict[str, Any] = {
        "oca_group": "t-1-x1", "oca_type": OcaType.CANCEL, "role": OrderRole.ENTRY
    }  # fmt: skip
    low = limit("BUY", 10, "145", "t-1-entry", **pair)
    high = limit("SELL", 10, "155", "t-1-entry.2", broker_order_id=102, **pair)
    verdict = review(submit(low, high, kind="oco"), view())
    assert isinstance(verdict, Approved)
    assert [breach.message for breach in verdict.warnings] == [
        "BUY 10 AAPL opens without a stop.",
        "SELL 10 AAPL opens without a stop.",
    ]
    meant = submit(low, high, kind="oco", without_stop=True)
    assert judge("protective_plan", meant, view()) == []


# -- a scale-in ------------------------------------------------------------------------------

SCALE = spec("BUY", 5, "t-1-entry.2", role=OrderRole.ENTRY)


def protected(**changes: Any) -> Order:
    """The working stop of the group that the scale-in joins."""
    status = changes.pop("status", OrderStatus.PRESUBMITTED)
    held_for = changes.pop("held_for", "")
    terms = EXIT | changes
    size = terms.pop("size", "10")
    side = terms.pop("side", "SELL")
    name = terms.pop("name", "t-1-stop")
    return working(stop(side, size, "145", name, **terms), status, held_for=held_for)


def test_a_scale_in_is_protected_by_the_stop_that_follows_it() -> None:
    world = view(held(10), protected())
    assert judge("protective_plan", submit(SCALE, kind="bracket"), world) == []
    live = view(held(10), protected(), arming=LIVE)
    assert judge("protective_plan", submit(SCALE, kind="bracket"), live) == []


@pytest.mark.parametrize(
    "parts",
    [
        (held(10),),
        (protected(),),  # nothing is held yet: its exits sleep
        (held(-10), protected()),
        (held(10), protected(status=OrderStatus.PENDING_CANCEL)),
        (held(10), protected(status=OrderStatus.PENDING)),
        (held(10), protected(held_for="child")),
        (held(10), protected(role=OrderRole.TARGET)),
        (held(10), protected(name="t-2-stop")),  # of another group: it does not follow
        (held(10), protected(contract=MSFT)),
        (held(10), protected(side="BUY")),
    ],
)
def test_no_other_stop_follows_it(parts: tuple[Any, ...]) -> None:
    (breach,) = judge("protective_plan", submit(SCALE, kind="bracket"), view(*parts))
    assert "opens without a stop" in breach.message


def test_a_stop_that_is_gone_follows_nothing() -> None:

    gone = protected(status=OrderStatus.CANCELLED)
    world = view(portfolio=portfolio(held(10), past=(gone,)))
    assert len(judge("protective_plan", submit(SCALE, kind="bracket"), world)) == 1


# -- who is not asked ------------------------------------------------------------------------


def test_what_ends_a_position_needs_no_stop() -> None:
    assert reasons(review(submit(spec("SELL", 10)), view(held(10)))) == set()
    exit_too_large = stop("SELL", 11, "145", "t-2-stop", role=OrderRole.STOP)
    assert judge("protective_plan", submit(exit_too_large), view(held(10))) == []
    claims = submit(spec("BUY", 10), reduces=True)
    assert judge("protective_plan", claims, view()) == []


def test_a_change_is_not_asked() -> None:
    entry = working(limit("BUY", 10, "140"))
    assert judge("protective_plan", modify(entry, quantity=20), view(entry)) == []


def test_it_may_be_switched_off() -> None:
    off = view(limits=limits(require_stop=False))
    assert judge("protective_plan", submit(spec("BUY", 10)), off) == []
    assert notes(off) == ["no stop is asked for"]
    assert notes(view()) == ["an entry needs a stop, or --no-stop"]
    assert notes(view(arming=LIVE)) == ["an entry needs a stop"]


def test_each_naked_entry_is_told() -> None:
    both = submit(spec("BUY", 10), spec("BUY", 5, "t-1-single.2", contract=MSFT))
    assert len(judge("protective_plan", both, view())) == 2
