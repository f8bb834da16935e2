"""Which strategy an order is of."""

from __future__ import annotations

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.ids import make_group_id, make_order_id
from ibkr_trader.core.models import OrderId
from ibkr_trader.portfolio.makers import Makers, opens
from tests.orders.samples import AAPL, ACCOUNT, AT, GROUP, spec

MINE, THEIRS, PERSON = "strategy/alpha/R", "strategy/beta/R", "cli"
ENTRY, STOP = OrderRole.ENTRY, OrderRole.STOP


def new(role: OrderRole, origin: str, *, copy: int = 1, reduces: bool = False) -> ev.NewOrderEvent:
    order_id = make_order_id(GROUP, role, copy=copy)
    what = spec(role, order_id=order_id)
    return ev.NewOrderEvent(at=AT, order_id=order_id, spec=what, origin=origin, reduces=reduces)


def request(origin: str) -> ev.CloseRequestEvent:
    return ev.CloseRequestEvent(
        at=AT, group_id=GROUP, contract=AAPL, account=ACCOUNT, origin=origin
    )


def test_a_group_is_of_the_strategy_that_began_it() -> None:
    makers = Makers().named(new(ENTRY, MINE), is_first=True).named(new(STOP, ""), is_first=False)
    assert {makers.maker(make_order_id(GROUP, role)) for role in (ENTRY, STOP)} == {"alpha"}
    assert makers.maker(make_order_id(make_group_id("memo", 2), ENTRY)) == ""


@pytest.mark.parametrize(("origin", "is_first"), [(MINE, False), (PERSON, True)])
def test_a_group_that_a_person_began_is_nobodys(origin: str, *, is_first: bool) -> None:
    assert Makers().named(new(ENTRY, origin), is_first=is_first) == Makers()


@pytest.mark.parametrize("origin", [PERSON, THEIRS])
def test_who_adds_to_anothers_group_is_a_stranger_in_it(origin: str) -> None:
    makers = Makers().named(new(ENTRY, MINE), is_first=True)
    added = new(ENTRY, origin, copy=2)
    assert makers.named(added, is_first=False).maker(added.order_id) == ""
    mine = new(ENTRY, MINE, copy=2)
    assert makers.named(mine, is_first=False).maker(mine.order_id) == "alpha"
    exit_ = new(ENTRY, origin, copy=2, reduces=True)
    assert makers.named(exit_, is_first=False).maker(exit_.order_id) == "alpha"


def test_a_closing_is_of_whoever_asked_for_it() -> None:
    order_id = make_order_id(GROUP, OrderRole.CLOSE)
    assert Makers().asked(request(MINE)).maker(order_id) == "alpha"
    assert Makers().asked(request(PERSON)) == Makers()


def test_an_order_of_nobody_here_is_nobodys() -> None:
    assert Makers().maker(OrderId("foreign-7-1")) == ""


def test_an_exit_opens_nothing() -> None:
    assert opens(new(ENTRY, MINE))
    assert not opens(new(STOP, MINE))
    assert not opens(new(ENTRY, MINE, reduces=True))
