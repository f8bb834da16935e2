from __future__ import annotations

from ibkr_trader.core.models import Contract, Order, Position
from ibkr_trader.risk.check import CHECKS, Gauge
from ibkr_trader.risk.view import RiskView
from tests.risk.world import (
    MSFT,
    D,
    aged,
    bracket,
    details,
    held,
    judge,
    limit,
    limits,
    modify,
    quote,
    reasons,
    review,
    spec,
    submit,
    view,
    working,
)

OTHERS = [Contract(symbol=f"S{n}", con_id=n) for n in range(10, 15)]


def full(*more: Order | Position, count: int = 5, most: int = 5) -> RiskView:
    """A desk that holds `count` other contracts."""
    known = (*OTHERS, MSFT)
    return view(
        *(held(1, contract) for contract in OTHERS[:count]),
        *more,
        limits=limits(max_open_positions=most),
        quotes={1: aged()} | {one.con_id: aged(quote(contract=one)) for one in known},
        details={1: details()} | {one.con_id: details(one) for one in known},
    )


def test_one_more_than_the_limit_is_denied() -> None:
    assert judge("open_positions", bracket(), full(count=4)) == []
    (breach,) = judge("open_positions", bracket(), full())
    assert breach.message == (
        "AAPL would make 6 open positions, those on their way included; the limit is 5."
    )
    assert (breach.limit, breach.actual, breach.headroom) == ("5", "6", "0")


def test_what_is_on_its_way_counts() -> None:
    entry = working(limit("BUY", 1, "140", "t-0-single", contract=MSFT))
    assert len(judge("open_positions", bracket(), full(entry, count=4))) == 1
    short = working(limit("SELL", 1, "340", "t-0-single", contract=MSFT))
    assert len(judge("open_positions", bracket(), full(short, count=4))) == 1
    target = working(limit("SELL", 1, "340", "t-0-target", contract=OTHERS[0]))
    assert judge("open_positions", bracket(), full(target, count=4)) == []


def test_adding_is_no_new_position() -> None:
    for there in (held(10), held(-10), working(limit("BUY", 10, "140", "t-0-single"))):
        assert judge("open_positions", submit(spec("BUY", 10)), full(there, count=4)) == []
    many = full(held(10), count=5, most=3)
    assert judge("open_positions", submit(spec("BUY", 10)), many) == []


def test_two_at_once_are_two() -> None:
    both = submit(spec("BUY", 1), spec("BUY", 1, "t-1-single.2", contract=MSFT))
    assert judge("open_positions", both, full(count=3)) == []
    (breach,) = judge("open_positions", both, full(count=4))
    assert breach.message.startswith("AAPL, MSFT would make 6 open positions")
    assert breach.headroom == "1"


def test_what_closes_is_never_denied_and_a_change_counts_as_it_stands() -> None:
    assert reasons(review(submit(spec("SELL", 10)), full(held(10), count=5))) == set()
    entry = working(limit("BUY", 10, "140"))
    assert judge("open_positions", modify(entry, quantity=20), full(entry, count=5)) == []


def test_its_gauge_counts_them() -> None:
    gauge = CHECKS["open_positions"].gauge
    assert gauge is not None
    (found,) = gauge(full(working(limit("BUY", 1, "140", "t-0-single")), count=3))
    assert found == Gauge(check="open_positions", limit=D(5), used=D(4))
