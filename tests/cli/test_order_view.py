from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.cli.order_view import (
    fill_document,
    fills_table,
    order_document,
    orders_table,
    sentence,
    specs_table,
    terms,
)
from ibkr_trader.cli.output import aligned
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, SecType, Side
from ibkr_trader.core.models import Contract, Fill, FillId, GroupId, Order, OrderId, OrderSpec

AT = datetime(2026, 11, 20, 15, 0, 3, tzinfo=UTC)


def spec(order_type: OrderType = OrderType.LIMIT, **prices: Any) -> OrderSpec:
    return OrderSpec(
        order_id=OrderId("abcde-1-entry"),
        group_id=GroupId("abcde-1"),
        role=OrderRole.ENTRY,
        contract=Contract(symbol="AAPL", con_id=265598),
        account="SIM0000001",
        side=Side.BUY,
        quantity=Decimal(10),
        order_type=order_type,
        broker_order_id=7,
        **prices,
    )


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (spec(OrderType.MARKET), "–"),
        (spec(OrderType.LIMIT, limit_price=Decimal("149.5")), "149.50"),
        (spec(OrderType.STOP_LIMIT, stop_price=Decimal(151), limit_price=Decimal(152)),
         "151.00 / 152.00"),
        (spec(OrderType.TRAIL, trail_percent=Decimal(2)), "trail 2%"),
        (spec(OrderType.TRAIL, trail_amount=Decimal(3)), "trail 3.00"),
    ],
)  # fmt: skip
def test_prices_stand_in_one_cell(one: OrderSpec, text: str) -> None:
    assert terms(one) == text


def test_an_order_in_words() -> None:
    assert sentence(spec(OrderType.MARKET)) == "BUY 10 AAPL MARKET"
    assert sentence(spec(limit_price=Decimal("149.5"))) == "BUY 10 AAPL LIMIT 149.50"


@pytest.mark.parametrize(
    ("utc", "shown"), [(False, "2026-11-20 10:00:03 EST"), (True, "2026-11-20 15:00:03 UTC")]
)
def test_times_name_their_zone(utc: bool, shown: str) -> None:
    order = Order(spec=spec(), status=OrderStatus.SUBMITTED, updated_at=AT, is_foreign=True)
    text = aligned(orders_table([order], utc=utc))
    assert shown in text
    assert "SUBMITTED (foreign)" in text


def test_an_order_as_a_document() -> None:
    order = Order(
        spec=spec(limit_price=Decimal("149.5")),
        status=OrderStatus.PARTIALLY_FILLED,
        filled=Decimal(4),
        filled_value=Decimal(598),
    )
    document = order_document(order)
    assert document["id"] == "abcde-1-entry"
    assert (document["filled"], document["remaining"]) == (4, 6)
    assert document["average_price"] == Decimal("149.5")
    assert document["is_open"] is True


def test_fills_are_told_whole() -> None:
    fill = Fill(
        fill_id=FillId("0001.02"),
        revision=1,
        order_id=OrderId("abcde-1-entry"),
        contract=Contract(symbol="AAPL", con_id=265598),
        account="SIM0000001",
        side=Side.BUY,
        quantity=Decimal(10),
        price=Decimal("150.03"),
        at=AT,
        commission=Decimal(1),
    )
    assert "150.03" in aligned(fills_table([fill], utc=True))
    gain = msgspec.structs.replace(fill, realized_pnl=Decimal("2.833333333333333333333333"))
    assert aligned(fills_table([gain], utc=True)).endswith("  2.83\n"), "no endless decimals"
    assert fill_document(fill)["order"] == "abcde-1-entry"
    assert "LIMIT" in aligned(specs_table([spec()]))


@pytest.mark.parametrize(
    ("reason", "status", "shown"),
    [
        ("Order Canceled - reason:", OrderStatus.CANCELLED, ""),
        ("Order rejected - reason:No margin", OrderStatus.REJECTED, "No margin"),
        ("", OrderStatus.PRESUBMITTED, "trigger"),
        ("", OrderStatus.CANCELLED, ""),
    ],
)
def test_a_note_has_something_to_say(reason: str, status: OrderStatus, shown: str) -> None:
    order = Order(spec=spec(), status=status, reason=reason, held_for="trigger")
    assert orders_table([order], utc=True).rows[0][-1] == shown
    assert order_document(order)["reason"] == reason


def test_an_option_is_not_told_as_its_underlying() -> None:
    option = Contract(
        symbol="AAPL", sec_type=SecType.OPTION, expiry="20240119", strike=Decimal(150), right="C"
    )
    one = msgspec.structs.replace(spec(OrderType.MARKET), contract=option)
    assert sentence(one) == "BUY 10 AAPL 2024-01-19 150 C MARKET"
    order = Order(spec=one, status=OrderStatus.SUBMITTED)
    assert "AAPL 2024-01-19 150 C" in aligned(orders_table([order], utc=True))


def test_an_order_of_another_desk_says_under_which_leader_it_was_placed() -> None:
    terms = msgspec.structs.replace(spec(), reference="other-3000017-stop")
    order = Order(spec=terms, status=OrderStatus.SUBMITTED, is_foreign=True)
    assert "SUBMITTED (foreign, epoch 3)" in str(orders_table([order], utc=True).rows)
    document = order_document(order)
    assert (document["reference"], document["epoch"]) == ("other-3000017-stop", 3)
