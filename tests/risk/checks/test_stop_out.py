from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side
from ibkr_trader.core.models import Contract, Fill, FillId, Order, OrderId, OrderSpec
from ibkr_trader.core.trading_day import NEW_YORK
from ibkr_trader.portfolio.positions import Book
from ibkr_trader.portfolio.state import PortfolioState
from ibkr_trader.risk.check import CHECKS, Gauge
from ibkr_trader.risk.view import RiskView
from tests.risk.world import (
    AAPL,
    ACCOUNT,
    MSFT,
    NOW,
    D,
    bracket,
    held,
    judge,
    limits,
    portfolio,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
)


class Day:
    """What was traded, in order; every order has closed."""

    def __init__(self) -> None:
        self.orders: dict[OrderId, Order] = {}
        self.books: dict[int, Book] = {}

    def trade(self, order: OrderSpec, price: str, *, ago: int = 5, size: int | None = None) -> Day:
        """Fill an order (or a part of it) so many minutes ago."""
        contract, quantity = order.contract, D(size or int(order.quantity))
        book = self.books.get(contract.con_id) or Book.open(ACCOUNT, contract)
        fill = Fill(
            fill_id=FillId(f"f{sum(len(one.fills) for one in self.books.values())}"),
            revision=1,
            order_id=order.order_id,
            contract=contract,
            account=ACCOUNT,
            side=order.side,
            quantity=quantity,
            price=D(price),
            at=NOW - timedelta(minutes=ago),
        )
        self.books[contract.con_id] = book.after(fill)
        self.orders[order.order_id] = Order(spec=order, status=OrderStatus.FILLED, filled=quantity)
        return self

    def view(self, **changes: Any) -> RiskView:
        """The desk as it stands after it."""
        book: PortfolioState = msgspec.structs.replace(
            portfolio(past=tuple(self.orders.values())), books=self.books
        )
        return view(portfolio=book, **changes)


def entry(n: int = 1, contract: Contract = AAPL, side: str = "BUY") -> OrderSpec:
    return spec(side, 10, f"t-{n}-entry", role=OrderRole.ENTRY, contract=contract)


def exit_(n: int = 1, **more: Any) -> OrderSpec:
    terms = {"role": OrderRole.STOP, "order_type": OrderType.STOP, "stop_price": "145"} | more
    return spec("SELL", 10, f"t-{n}-stop", **terms)


def stopped(*ago: int) -> Day:
    """So many trades that ended at their stops, as many minutes ago."""
    day = Day()
    for n, minutes in enumerate(ago, 1):
        day.trade(entry(n), "150", ago=minutes + 1).trade(exit_(n), "145", ago=minutes)
    return day


@pytest.mark.parametrize(("ago", "denied"), [(0, True), (14, True), (15, False), (60, False)])
def test_a_symbol_rests_after_its_stop_was_hit(ago: int, *, denied: bool) -> None:
    assert bool(judge("stop_out", bracket(), stopped(ago).view())) is denied


def test_it_says_until_when_by_the_exchanges_clock() -> None:
    (breach,) = judge("stop_out", bracket(), stopped(5).view(zone=ZoneInfo(NEW_YORK)))
    assert breach.message == (
        "A stop was hit in AAPL at 09:55:00 EST: nothing is opened in it until 10:10:00 EST."
    )
    assert (breach.limit, breach.actual) == ("900 s", "300 s")
    assert breach.hint == "wait 600 s, and look at it anew"


def test_after_three_it_rests_for_the_day() -> None:
    assert judge("stop_out", bracket(), stopped(90, 60).view()) == []
    (breach,) = judge("stop_out", bracket(), stopped(90, 60, 30).view())
    assert breach.message == "3 stops were hit in AAPL today; after 3 it rests."
    assert breach.hint == "leave it alone until tomorrow"
    assert (
        judge("stop_out", bracket(), stopped(90, 60, 30).view(limits=limits(max_stop_outs=4))) == []
    )


def test_the_day_is_that_of_the_exchange() -> None:
    morning = datetime(2026, 11, 20, 5, 5, tzinfo=UTC)  # five past midnight in New York
    before, after = int((NOW - morning).total_seconds() // 60) + 6, 30
    day = stopped(before, before + 5, after)
    assert len(judge("stop_out", bracket(), day.view(zone=UTC))) == 1
    assert judge("stop_out", bracket(), day.view(zone=ZoneInfo(NEW_YORK))) == []


def test_other_symbols_go_on() -> None:
    other = spec("BUY", 10, contract=MSFT)
    assert judge("stop_out", submit(other), stopped(0, 1, 2).view()) == []
    assert judge("stop_out", submit(other), Day().view()) == []


@pytest.mark.parametrize(
    ("order", "price"),
    [
        (exit_(order_type=OrderType.TRAIL, stop_price=None, trail_percent="2"), "153"),  # a gain
        (exit_(), "150"),  # neither
        (spec("SELL", 10, "t-1-close", role=OrderRole.CLOSE), "145"),  # by hand
        (spec("SELL", 10, "t-1-target", role=OrderRole.TARGET), "145"),
    ],
)
def test_what_is_no_stop_out(order: OrderSpec, price: str) -> None:
    day = Day().trade(entry(), "150", ago=6).trade(order, price)
    assert judge("stop_out", bracket(), day.view()) == []


@pytest.mark.parametrize(
    "order",
    [
        exit_(order_type=OrderType.TRAIL, stop_price=None, trail_percent="2"),
        exit_(order_type=OrderType.STOP_LIMIT, limit_price="144"),
        exit_(role=OrderRole.SINGLE),  # placed alone
    ],
)
def test_any_kind_of_stop_counts(order: OrderSpec) -> None:
    day = Day().trade(entry(), "150", ago=6).trade(order, "145")
    assert len(judge("stop_out", bracket(), day.view())) == 1


def test_a_short_position_is_stopped_out_above() -> None:
    cover = stop("BUY", 10, "155", "t-1-stop", role=OrderRole.STOP)
    day = Day().trade(entry(side="SELL"), "150", ago=6)
    assert len(judge("stop_out", bracket(), day.trade(cover, "155").view())) == 1
    day = Day().trade(entry(side="SELL"), "150", ago=6)
    assert judge("stop_out", bracket(), day.trade(cover, "148").view()) == []


def test_an_entry_by_a_stop_order_is_none() -> None:
    breakout = stop("BUY", 10, "151", "t-1-entry", role=OrderRole.ENTRY)
    assert breakout.side is Side.BUY
    assert judge("stop_out", bracket(), Day().trade(breakout, "151").view()) == []


def test_the_parts_of_one_stop_are_one() -> None:
    day = Day().trade(entry(), "150", ago=9)
    for ago in (8, 7, 6):
        day.trade(exit_(), "145", ago=ago, size=3)
    assert (
        judge(
            "stop_out", bracket(), day.view(limits=limits(stop_out_cooldown=timedelta(minutes=1)))
        )
        == []
    )
    (breach,) = judge("stop_out", bracket(), day.view())
    assert breach.actual == "360 s"


def test_fills_of_orders_that_nobody_knows_say_nothing() -> None:
    day = stopped(1)
    del day.orders[OrderId("t-1-stop")]
    assert judge("stop_out", bracket(), day.view()) == []


def test_what_closes_goes_on() -> None:
    day = stopped(0)
    book = msgspec.structs.replace(portfolio(held(10)), books=day.books)
    assert reasons(review(submit(spec("SELL", 10)), view(portfolio=book))) == set()


def read(world: RiskView) -> list[Gauge]:
    gauge = CHECKS["stop_out"].gauge
    assert gauge is not None
    return list(gauge(world))


@pytest.mark.parametrize(
    ("ago", "used", "note"),
    [
        ((20,), 1, ""),
        ((5,), 1, "rests until 15:10:00 UTC"),
        ((40, 30, 20), 3, "rests until tomorrow"),
    ],
)
def test_its_gauge(ago: tuple[int, ...], used: int, note: str) -> None:
    (found,) = read(stopped(*ago).view())
    assert found == Gauge(check="stop_out", subject="AAPL", limit=D(3), used=D(used), note=note)


def test_its_gauge_on_a_quiet_day() -> None:
    (found,) = read(Day().trade(entry(), "150").view())
    assert found == Gauge(check="stop_out", limit=D(3), used=D(0), note="a symbol and day")
