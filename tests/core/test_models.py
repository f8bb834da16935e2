"""The nouns of the domain, and what follows from their fields."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.core.enums import OrderRole, OrderStatus, SecType, Side
from ibkr_trader.core.models import Contract, Position, Quote
from tests.orders.samples import AAPL, ACCOUNT, AT, order, spec


def test_sides_undo_each_other() -> None:
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)


def test_roles_that_only_end_a_position() -> None:
    assert {role for role in OrderRole if role.is_protective} == {
        OrderRole.STOP, OrderRole.TARGET, OrderRole.CLOSE, OrderRole.TIMED,
    }  # fmt: skip


@pytest.mark.parametrize("status", OrderStatus)
def test_a_status_is_closed_open_or_in_flight(status: OrderStatus) -> None:
    assert [status.is_closed, status.is_open, status.is_in_flight].count(True) == 1


@pytest.mark.parametrize(
    ("changes", "remaining"),
    [
        ({}, 10),
        ({"filled": Decimal(4)}, 6),
        ({"filled": Decimal(4), "reported_filled": Decimal(7)}, 3),
        ({"filled": Decimal(15)}, 0),
        ({"desired": spec(quantity=Decimal(20))}, 20),
        ({"desired": spec(quantity=Decimal(5))}, 10),
        ({"status": OrderStatus.CANCELLED}, 0),
    ],
)
def test_what_may_still_trade(changes: dict[str, Any], remaining: int) -> None:
    status = changes.pop("status", OrderStatus.SUBMITTED)
    assert order(status, **changes).remaining == remaining


@pytest.mark.parametrize("why", ["child", "child,trigger", "trigger", "locate", ""])
def test_what_waits_for_its_entry_sleeps_whatever_else_it_waits_for(why: str) -> None:
    assert order(held_for=why).is_asleep is why.startswith("child")


def test_the_mean_price_of_fills() -> None:
    assert order().average_fill_price is None
    traded = order(filled=Decimal(4), filled_value=Decimal(602))
    assert traded.average_fill_price == Decimal("150.5")
    assert traded.order_id == "memo-1-single"


def held(quantity: int, price: str | None, contract: Contract = AAPL) -> Position:
    return Position(
        account=ACCOUNT,
        contract=contract,
        quantity=Decimal(quantity),
        average_cost=Decimal(150),
        market_price=Decimal(price) if price else None,
    )


def test_a_position_is_worth_its_price() -> None:
    assert (held(10, "152").market_value, held(10, "152").unrealized_pnl) == (
        Decimal(1520), Decimal(20),
    )  # fmt: skip
    assert held(-10, "152").unrealized_pnl == -20
    assert (held(10, None).market_value, held(10, None).unrealized_pnl) == (None, None)
    option = Contract(symbol="AAPL", sec_type=SecType.OPTION, multiplier=Decimal(100))
    assert held(2, "151", option).unrealized_pnl == 200


def quote(bid: str | None, ask: str | None, last: str | None, close: str | None = None) -> Quote:
    prices = {"bid": bid, "ask": ask, "last": last, "close": close}
    given: dict[str, Any] = {
        name: Decimal(text) for name, text in prices.items() if text is not None
    }
    return Quote(contract=AAPL, at=AT, **given)


@pytest.mark.parametrize(
    ("prices", "is_two_sided", "mid", "mark"),
    [
        (("149", "151", "150"), True, "150", "150"),
        (("149", "151", "152"), True, "150", "151"),
        (("149", "151", "148"), True, "150", "149"),
        (("149", "151", None), True, "150", "150"),
        (("151", "149", "150"), False, "150", "150"),
        ((None, "151", "150"), False, None, "150"),
        (("149", None, None, "147"), False, None, "147"),
        ((None, None, None), False, None, None),
        (("0", "151", None), False, "75.5", "75.5"),
    ],
)
def test_what_a_quote_says(
    prices: tuple[str | None, ...], is_two_sided: bool, mid: str | None, mark: str | None
) -> None:
    found = quote(*prices)
    assert found.is_two_sided is is_two_sided
    assert found.mid == (Decimal(mid) if mid else None)
    assert found.mark == (Decimal(mark) if mark else None)
