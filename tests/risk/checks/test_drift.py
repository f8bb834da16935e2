from __future__ import annotations

import msgspec

from ibkr_trader.core.events import DriftEvent
from ibkr_trader.core.models import Contract, GroupId
from ibkr_trader.portfolio.growing import GrowingMap
from ibkr_trader.portfolio.ledger_fold import subject_of
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.view import RiskView
from tests.risk.world import (
    AAPL,
    MSFT,
    NOW,
    D,
    bracket,
    held,
    judge,
    portfolio,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)

OLD = GroupId("t-7")


def drifted(contract: Contract = AAPL) -> RiskView:
    subject = subject_of(contract)
    found = DriftEvent(at=NOW, subject=subject, ours="10", theirs="40")
    reported = {contract.con_id: D(40)}
    book = msgspec.structs.replace(portfolio(held(10)), drift={subject: found}, reported=reported)
    return view(portfolio=book)


def misled() -> RiskView:
    """A split, taken over: 40 are held, and the old stop of 10 still works."""
    old = working(stop("SELL", 10, "145", "t-7-stop"))
    book = msgspec.structs.replace(
        portfolio(held(40), old), groups=GrowingMap({OLD: (old.order_id,)})
    )
    return view(portfolio=book, misled=(OLD,))


def test_where_broker_and_books_differ_nothing_is_opened() -> None:
    (breach,) = judge("drift", bracket(), drifted())
    assert breach.message == (
        "The broker holds 40 AAPL, our books 10: nothing is opened there until that is explained."
    )
    assert (breach.limit, breach.actual) == ("10", "40")
    assert judge("drift", bracket(), drifted(MSFT)) == []
    assert judge("drift", bracket(), view()) == []


def test_nor_while_orders_of_the_old_position_stand() -> None:
    (breach,) = judge("drift", bracket(), misled())
    assert "t-7 are still those of the old one" in breach.message
    assert "ibkr-trader cancel t-7" in breach.hint
    assert "ibkr-trader close AAPL" in breach.hint
    elsewhere = submit(spec("BUY", 1, contract=MSFT))
    assert judge("drift", elsewhere, misled()) == []
    gone = msgspec.structs.replace(misled(), misled=())
    assert judge("drift", bracket(), gone) == []


def test_an_order_that_nobody_remembers_is_of_no_contract() -> None:
    world = msgspec.structs.replace(misled(), misled=(GroupId("t-9"), OLD))
    assert len(judge("drift", bracket(), world)) == 1
    book = msgspec.structs.replace(world.portfolio, orders={})
    assert judge("drift", bracket(), view(portfolio=book, misled=(OLD,))) == []


def test_an_exit_goes_out() -> None:
    exit_ = submit(spec("SELL", 10))
    assert reasons(review(exit_, drifted())) == set()
    assert "drift" in reasons(review(bracket(), drifted()))


def test_its_gauge_names_what_differs() -> None:
    gauge = CHECKS["drift"].gauge
    assert gauge is not None
    assert [one.note for one in gauge(view())] == ["our books and the broker's agree"]
    (found,) = gauge(drifted())
    assert (found.subject, found.note) == (subject_of(AAPL), "10 here, 40 there")
    (found,) = gauge(misled())
    assert found.subject == OLD
