from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.core.enums import OcaType, OrderRole, SecType
from ibkr_trader.core.models import Contract
from ibkr_trader.risk.arming import Arming
from ibkr_trader.risk.check import CHECKS, Gauge
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.risk.world import (
    D,
    aged,
    bracket,
    held,
    judge,
    limit,
    limits,
    modify,
    quote,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)

LIVE = Arming(is_live=True)
SHORT = submit(spec("SELL", 10), without_stop=True)


def borrowed(figure: str | None, *parts: Any, **changes: Any) -> RiskView:
    shortable = D(figure) if figure is not None else None
    return view(*parts, quotes={1: aged(quote(shortable=shortable))}, **changes)


def test_where_shares_can_be_borrowed_a_short_sale_passes() -> None:
    assert isinstance(review(SHORT, borrowed("3")), Approved)
    assert judge("short_sales", SHORT, borrowed("3", arming=LIVE)) == []


@pytest.mark.parametrize(("figure", "denied"), [("2.5", False), ("2.49", True), ("0.51", True)])
def test_what_is_hard_to_borrow_is_not_sold_short(figure: str, *, denied: bool) -> None:
    found = judge("short_sales", SHORT, borrowed(figure))
    assert [breach.is_warning for breach in found] == ([False] if denied else [])


def test_the_figures() -> None:
    (breach,) = judge("short_sales", SHORT, borrowed("2"))
    assert breach.message == (
        "AAPL is hard to borrow: TWS counts 2, and nothing is sold short below 2.5."
    )
    assert (breach.limit, breach.actual) == ("2.5", "2")
    located = limits(min_shortable=D(2))
    assert judge("short_sales", SHORT, borrowed("2", limits=located)) == []


@pytest.mark.parametrize("figure", [None, "0.5", "0", "-1"])
def test_what_nobody_knows_is_told_and_with_real_money_denied(figure: str | None) -> None:
    (breach,) = judge("short_sales", SHORT, borrowed(figure))
    assert breach.is_warning
    assert breach.message == "Nobody says whether shares of AAPL can be borrowed."
    with pytest.raises(FactMissing, match="can be borrowed") as missing:
        judge("short_sales", SHORT, borrowed(figure, arming=LIVE))
    assert missing.value.about == "short_sales"


def test_they_may_be_forbidden_altogether() -> None:
    (breach,) = judge("short_sales", SHORT, borrowed("3", limits=limits(allow_shorts=False)))
    assert breach.message == "SELL 10 AAPL would open short, and that is not allowed."
    assert (breach.limit, breach.actual) == ("0", "-10")
    assert not breach.is_warning


FORBIDDEN = limits(allow_shorts=False)


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        (submit(spec("SELL", 11)), (held(10),)),  # through flat
        (submit(spec("SELL", 10)), (held(-5),)),  # more of it
        (submit(limit("SELL", 10, "155"), limit("SELL", 1, "156", "t-1-single.2")), (held(10),)),
        (submit(limit("BUY", 10, "145", oca_group="x", oca_type=OcaType.CANCEL),
                limit("SELL", 10, "155", "t-1-single.2", oca_group="x", oca_type=OcaType.CANCEL),
                kind="oco"), ()),
    ],
)  # fmt: skip
def test_whatever_could_end_short_is_one(command: Any, parts: Any) -> None:
    assert len(judge("short_sales", command, view(*parts, limits=FORBIDDEN))) == 1


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        (submit(spec("SELL", 10)), (held(10),)),
        (submit(spec("BUY", 10)), (held(-10),)),
        (submit(spec("BUY", 10)), ()),
        (bracket(), ()),
        # an exit that is too large is for `reduce_only` to deny
        (submit(stop("SELL", 11, "145", role=OrderRole.STOP)), (held(10),)),
        # it opens because it brings exits, and still does not end short
        (submit(spec("SELL", 5, role=OrderRole.ENTRY)), (held(10),)),
    ],
)
def test_what_could_not_is_none(command: Any, parts: Any) -> None:
    assert judge("short_sales", command, view(*parts, limits=FORBIDDEN)) == []


def test_a_short_that_works_is_not_made_larger() -> None:
    there = working(limit("SELL", 10, "155"))
    world = view(there, limits=FORBIDDEN)
    assert len(judge("short_sales", modify(there, quantity=11), world)) == 1
    assert judge("short_sales", modify(there, quantity=9), world) == []
    assert reasons(review(modify(there, quantity=9), world)) == set()


def test_only_shares_are_borrowed() -> None:
    option = Contract(symbol="AAPL", con_id=1, sec_type=SecType.OPTION)
    assert judge("short_sales", submit(spec("SELL", 1, contract=option)), borrowed(None)) == []


def test_its_gauge() -> None:
    gauge = CHECKS["short_sales"].gauge
    assert gauge is not None
    note = "allowed where 2.5 or more can be borrowed, as TWS counts"
    assert list(gauge(view())) == [Gauge(check="short_sales", note=note)]
    forbidden = view(limits=FORBIDDEN)
    assert list(gauge(forbidden)) == [Gauge(check="short_sales", note="not allowed")]
