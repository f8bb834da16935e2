from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ibkr_trader.core.enums import OcaType, OrderType
from ibkr_trader.core.models import OrderSpec
from tests.risk.world import MSFT, held, judge, limit, modify, spec, stop, submit, view, working

PAIR: dict[str, Any] = {"oca_group": "t-1", "oca_type": OcaType.CANCEL}
FIRST, SECOND = "t-1-entry", "t-1-entry.2"


def paired(order: OrderSpec) -> OrderSpec:
    return msgspec.structs.replace(order, **PAIR)


@pytest.mark.parametrize(
    ("mine", "theirs", "denied"),
    [
        (limit("BUY", 10, "150", SECOND), limit("SELL", 10, "150", FIRST), True),
        (limit("BUY", 10, "149.99", SECOND), limit("SELL", 10, "150", FIRST), False),
        (limit("SELL", 10, "149", SECOND), limit("BUY", 10, "149", FIRST), True),
        (limit("SELL", 10, "149.01", SECOND), limit("BUY", 10, "149", FIRST), False),
        (limit("BUY", 10, "151", SECOND), limit("BUY", 10, "150", FIRST), False),
        (spec("BUY", 10, SECOND), limit("SELL", 10, "150.01", FIRST), True),
        (spec("BUY", 10, SECOND), limit("SELL", 10, "150.02", FIRST), False),
        (limit("BUY", 10, "150", SECOND), spec("SELL", 10, FIRST), True),
        (limit("BUY", 10, "149.98", SECOND), spec("SELL", 10, FIRST), False),
        (limit("BUY", 10, "150", SECOND), limit("SELL", 10, "150", FIRST, contract=MSFT), False),
        # What waits for a trigger trades later, at another price.
        (limit("BUY", 10, "151", SECOND), stop("SELL", 10, "145", FIRST), False),
        (stop("BUY", 10, "155", SECOND), limit("SELL", 10, "150", FIRST), False),
        (
            limit("BUY", 10, "151", SECOND),
            spec("SELL", 10, FIRST, order_type=OrderType.LIMIT_IF_TOUCHED,
                 limit_price="150", stop_price="152"),
            True,
        ),
    ],
)  # fmt: skip
def test_alternatives_that_could_meet(mine: OrderSpec, theirs: OrderSpec, *, denied: bool) -> None:
    mine, theirs = paired(mine), paired(theirs)
    later = judge("opposing", submit(mine), view(working(theirs)))
    assert [breach.actual for breach in later] == [FIRST] * denied
    assert len(judge("opposing", submit(theirs, mine), view())) == denied


def test_those_that_are_no_alternatives_are_for_another_check() -> None:
    theirs = working(limit("SELL", 10, "150", "o-1-single"))
    assert judge("opposing", submit(limit("BUY", 10, "150")), view(theirs)) == []
    assert judge("opposing", submit(paired(limit("BUY", 10, "150"))), view(theirs)) == []


def test_exits_do_not_count() -> None:
    exits = working(paired(limit("SELL", 10, "150", FIRST)))
    mine = submit(paired(limit("BUY", 10, "151", SECOND)))
    assert judge("opposing", mine, view(held(10), exits)) == []


def test_a_change_under_way_counts_by_its_new_price() -> None:
    other = working(
        paired(limit("SELL", 10, "152", FIRST)), desired=paired(limit("SELL", 10, "150", FIRST))
    )
    assert judge("opposing", submit(paired(limit("BUY", 10, "150", SECOND))), view(other))


def test_a_change_is_judged_too() -> None:
    mine = working(paired(limit("BUY", 10, "149", SECOND)))
    other = working(paired(limit("SELL", 10, "152", FIRST)))
    assert judge("opposing", modify(mine, limit_price="152"), view(mine, other))
    assert not judge("opposing", modify(mine, limit_price="151"), view(mine, other))


@pytest.mark.parametrize(
    ("mine", "theirs", "words"),
    [("BUY", "SELL", "could buy from your own"), ("SELL", "BUY", "could sell to your own")],
)
def test_the_message_says_who_would_trade_with_whom(mine: str, theirs: str, words: str) -> None:
    world = view(working(paired(limit(theirs, 10, "150", FIRST))))
    (breach,) = judge("opposing", submit(paired(limit(mine, 10, "150", SECOND))), world)
    assert breach.message == f"{mine} 10 AAPL {words} order {FIRST} ({theirs} 10 AAPL)."
