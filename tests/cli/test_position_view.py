"""Positions are told with what protects them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.cli.output import aligned
from ibkr_trader.cli.position_view import (
    cover_table,
    position_document,
    positions_table,
    troubles,
)
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, SecType, Side, TimeInForce
from ibkr_trader.core.models import Contract, GroupId, Order, OrderId, OrderSpec, Position
from ibkr_trader.portfolio.protection import Protection, protection

AAPL = Contract(symbol="AAPL", con_id=265598)


def position(quantity: int, *, mark: str | None = "152") -> Position:
    return Position(
        account="SIM0000001",
        contract=AAPL,
        quantity=Decimal(quantity),
        average_cost=Decimal(150),
        market_price=Decimal(mark) if mark else None,
    )


def order(
    side: Side, order_type: OrderType, price: str, *, quantity: int = 10,
    status: OrderStatus = OrderStatus.SUBMITTED, contract: Contract = AAPL,
) -> Order:  # fmt: skip
    is_stop = order_type is OrderType.STOP
    spec = OrderSpec(
        order_id=OrderId("abcde-1-x"),
        group_id=GroupId("abcde-1"),
        role=OrderRole.STOP if is_stop else OrderRole.TARGET,
        contract=contract,
        account="SIM0000001",
        side=side,
        quantity=Decimal(quantity),
        order_type=order_type,
        stop_price=Decimal(price) if is_stop else None,
        limit_price=None if is_stop else Decimal(price),
    )
    return Order(spec=spec, status=status)


STOP = order(Side.SELL, OrderType.STOP, "145")
TARGET = order(Side.SELL, OrderType.LIMIT, "155")


def test_a_bracketed_position_is_one_line_with_all_that_protects_it() -> None:
    text = aligned(positions_table([position(10)], [STOP, TARGET]))
    assert text.splitlines()[1].split() == [
        "AAPL", "10", "150.00", "152.00", "+20.00", "145.00", "155.00", "4.6", "%", "+0.40",
        "10/10",
    ]  # fmt: skip


def test_a_bracketed_position_as_a_document() -> None:
    document = position_document(position(10), [STOP, TARGET])
    assert (document["stop"], document["target"]) == (145, 155)
    assert (document["covered"], document["is_covered"]) == (10, True)
    assert str(document["distance_to_stop"]) == "0.046053"
    assert str(document["r"]) == "0.400000"


def test_a_position_without_a_working_stop_is_called_naked() -> None:
    assert position_document(position(10), [TARGET])["is_covered"] is False
    assert "0/10 NAKED" in aligned(positions_table([position(10)], [TARGET]))


def test_without_a_price_distance_and_r_are_unknown() -> None:
    row = aligned(positions_table([position(10, mark=None)], [STOP])).splitlines()[1]
    assert row.split()[-3:] == ["–", "–", "10/10"]


def test_nothing_gained_has_no_sign() -> None:
    nearly = position(10, mark="149.99")
    text = aligned(positions_table([nearly], [STOP]))
    assert "-0.00" not in text
    assert text.splitlines()[1].split()[-2:] == ["0.00", "10/10"]
    tiny = position(10, mark="149.9999999")
    assert str(position_document(tiny, [STOP])["r"]) == "0.000000"


def test_an_option_is_not_told_as_its_underlying() -> None:
    option = Contract(
        symbol="AAPL", sec_type=SecType.OPTION, expiry="20240119", strike=Decimal(150), right="C"
    )
    held = msgspec.structs.replace(position(1), contract=option)
    assert "AAPL 2024-01-19 150 C" in aligned(positions_table([held], []))


# -- cover ---------------------------------------------------------------------------------

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def guarded(quantity: int, *orders: Order, since: timedelta | None = None) -> Protection:
    held = position(quantity)
    if since is not None:
        held = msgspec.structs.replace(held, updated_at=NOW - since)
    return protection(held, orders)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (None, "unknown"),
        (timedelta(seconds=-5), "0s"),
        (timedelta(seconds=192), "3m 12s"),
        (timedelta(hours=2, minutes=5), "2h 05m"),
        (timedelta(days=3, hours=4), "3d 4h"),
    ],
)
def test_how_long_it_has_been_naked(since: timedelta | None, expected: str) -> None:
    row = aligned(cover_table([guarded(10, since=since)], NOW)).splitlines()[1]
    assert row.endswith(expected)


def test_the_least_protected_comes_first_and_a_line_fits_a_terminal() -> None:
    safe, bare = guarded(10, STOP, TARGET), guarded(20, STOP, since=timedelta(days=99, hours=23))
    text = aligned(cover_table([safe, bare], NOW))
    assert [row.split()[1] for row in text.splitlines()[1:]] == ["20", "10"]
    assert "████░░░░ 50 %" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "████████ 100 % +6" in aligned(cover_table([guarded(4, STOP)], NOW))


def test_what_is_not_as_it_should_be_is_told_line_by_line() -> None:
    resting = msgspec.structs.replace(
        STOP, spec=msgspec.structs.replace(STOP.spec, time_in_force=TimeInForce.GTC)
    )
    assert troubles([guarded(10, resting)], utc=True) == []
    told = troubles([guarded(12, STOP, since=timedelta(0))], utc=True)
    assert told == [
        "AAPL: no working stop for 2 of it since 2026-11-20 15:00:00 UTC",
        "AAPL: 1-x ends with the day",
    ]
    assert troubles([guarded(4, resting)], utc=True) == [
        "AAPL: its exits could trade 6 more than is held"
    ]
    assert troubles([guarded(4)], utc=True) == ["AAPL: no working stop for 4 of it"]


def test_too_many_exits_are_called_over() -> None:
    assert "4/4 OVER" in aligned(positions_table([position(4)], [STOP]))
    document = position_document(position(4), [STOP])
    assert (document["surplus"], str(document["coverage"])) == (6, "1.000000")
    assert document["remarks"] == [{"order": "abcde-1-x", "remark": "ends with the day"}]
    assert document["naked_since"] is None
