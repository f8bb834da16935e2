from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.tallies import Traffic
from ibkr_trader.risk.check import CHECKS, Unit
from ibkr_trader.risk.headroom import Use, as_if, uses
from ibkr_trader.risk.proposal import propose
from tests.risk.world import AAPL, NOW, D, bracket, held, limit, submit, view


def by_name(found: tuple[Use, ...]) -> dict[tuple[str, str, str], tuple[Decimal | None, Decimal]]:
    return {(use.check, use.subject, use.note): (use.before, use.after) for use in found}


def test_the_orders_count_as_if_they_worked_already() -> None:
    world = view(held(5))
    command = bracket()
    after = as_if(command, world)
    assert [order.status for order in after.portfolio.orders.values()] == [OrderStatus.PENDING] * 3
    assert after.exposure.is_of(after.portfolio)
    assert after.exposure.contract(AAPL).longest == 15
    assert len(after.history.submissions) == len(world.history.submissions) + 1  # no exits
    assert after.traffic is not None
    assert after.traffic.orders == 3
    propose(submit(limit("BUY", 1, "150", "t-2-single")), after)  # it can be judged
    assert not world.portfolio.orders


def test_the_days_messages_go_on_from_what_is_known() -> None:
    world = view(traffic=Traffic(since=NOW, orders=7))
    after = as_if(submit(limit("BUY", 1, "150")), world)
    assert after.traffic is not None
    assert after.traffic.orders == 8


def test_each_limit_that_is_used_is_told_before_and_after() -> None:
    found = by_name(uses(submit(limit("BUY", 10, "150")), view(held(5))))
    sizes = [pair for (name, subject, _), pair in found.items() if (name, subject) == SIZE]
    assert sizes == [(Decimal(5), Decimal(15))]
    assert all(before != after for before, after in found.values())


def test_the_limits_on_single_orders_come_first() -> None:
    first = uses(bracket(), view())[:3]
    assert [(one.check, one.subject, one.before, one.limit) for one in first] == [
        ("order_quantity", "BUY 10 AAPL", D(0), D(100)),
        ("order_exposure", "BUY 10 AAPL", D(0), D(10_000)),
        ("risk_per_trade", "BUY 10 AAPL", D(0), D(250)),
    ]
    assert [one.after for one in first] == [D(10), D("1500.10"), D("50.10")]
    assert [one.unit for one in first] == [Unit.SHARES, Unit.MONEY, Unit.MONEY]


SIZE = ("position_size", "AAPL")


def test_what_a_check_says_twice_of_one_subject_is_told_apart() -> None:
    found = uses(submit(limit("BUY", 10, "150")), view())
    rates = [use for use in found if use.check == "order_rate"]
    assert len(rates) >= 2
    assert len({use.limit for use in rates}) == len(rates)
    assert {(use.before, use.after) for use in rates} == {(Decimal(0), Decimal(1))}


def test_what_was_not_there_before_was_none_of_it() -> None:
    found = uses(submit(limit("BUY", 10, "150")), view())
    assert (
        Use(
            check="position_size",
            subject="AAPL",
            unit=Unit.SHARES,
            limit=next(use.limit for use in found if use.check == "position_size"),
            before=Decimal(0),
            after=Decimal(10),
            note=next(use.note for use in found if use.check == "position_size"),
        )
        in found
    )


def test_a_gauge_that_lacks_a_fact_is_left_out() -> None:
    world = view()
    values = world.portfolio.values
    assert values is not None
    blind = msgspec.structs.replace(
        world,
        portfolio=msgspec.structs.replace(
            world.portfolio, values=msgspec.structs.replace(values, net_liquidation=None)
        ),
    )
    command = submit(limit("BUY", 10, "150"))
    missing = {use.check for use in uses(command, world)} - {u.check for u in uses(command, blind)}
    assert missing
    assert "position_size" not in missing


@pytest.mark.parametrize("name", sorted(name for name, one in CHECKS.items() if one.gauge))
def test_no_gauge_breaks_on_orders_on_their_way(name: str) -> None:
    gauge = CHECKS[name].gauge
    assert gauge is not None
    list(gauge(as_if(bracket(), view(held(5)))))
