from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.core.enums import OrderStatus, OrderType
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.orders import kind_of, orders_panel
from tests.dashboard.panels.drawing import frame, is_sized, roles_of, shown
from tests.dashboard.scenes import NOW, order

LONGEST = [
    order(
        number,
        number=2_000_000 + number,
        quantity=Decimal(12_500),
        filled=Decimal(12_400),
        kind=kind.value,
        terms="1,145.00 / 1,144.50",
        status="PARTIALLY_FILLED",
    )
    for number, kind in enumerate(OrderType, start=1)
]


@pytest.mark.parametrize("size", [(60, 5), (80, 9), (125, 40)])
@pytest.mark.parametrize("count", [0, 1, 500])
def test_it_has_the_size_it_is_given(size: tuple[int, int], count: int) -> None:
    rows = [order(number) for number in range(1, count + 1)]
    assert is_sized(orders_panel(rows, frame(*size, place=0), now=NOW), *size)


def test_eighty_columns_show_what_matters() -> None:
    rows = [order(number) for number in range(1, 6)]
    lines = shown(orders_panel(rows, frame(place=1, is_focused=True), now=NOW))
    assert lines[1].split() == [
        "ID", "No.", "Symbol", "Side", "Qty", "Filled", "Type", "Price", "Status",
    ]  # fmt: skip
    assert lines[3].split() == [
        "▶", "2-stop", "102", "NVDA", "SELL", "20", "5", "STP", "LMT", "140.14", "/", "139.14",
        "PART", "FILLED",
    ]  # fmt: skip
    assert "[C] Cancel | [M] Modify" in lines[0]


def test_eighty_columns_are_enough_for_ordinary_long_rows() -> None:
    rows = [order(number, quantity=Decimal(12_500)) for number in range(1, 6)]
    header = shown(orders_panel(rows, frame(), now=NOW))[1]
    for name in ("ID", "Symbol", "Side", "Qty", "Filled", "Type", "Price", "Status"):
        assert f" {name} " in header


def test_wide_screens_show_group_age_and_rule() -> None:
    lines = shown(orders_panel([order(4)], frame(140, 5), now=NOW))
    assert lines[2].split()[-5:] == ["GTC", "4", "stop", "2m", "person"]


@pytest.mark.parametrize(
    ("changes", "words", "role"),
    [
        ({"status": "PENDING_CANCEL", "is_pending": True}, "CANCEL ASKED", Role.PENDING),
        ({"status": "PENDING_MODIFY", "is_pending": True}, "CHANGE ASKED", Role.PENDING),
        ({"status": "SUBMITTED", "is_pending": True}, "UNCONFIRMED", Role.PENDING),
        ({"status": "UNKNOWN"}, "UNKNOWN", Role.UNKNOWN),
        ({"status": "SUBMITTED", "is_unknown": True}, "UNKNOWN", Role.UNKNOWN),
        ({"status": "SUBMITTED", "is_unknown": True, "is_pending": True}, "UNKNOWN", Role.UNKNOWN),
        ({"status": "PENDING"}, "PENDING", Role.PENDING),
        ({"status": "INACTIVE"}, "INACTIVE", Role.WARNING),
        ({"status": "SUBMITTED"}, "SUBMITTED", Role.PLAIN),
        ({"status": "PARTIALLY_FILLED"}, "PART FILLED", Role.PLAIN),
    ],
)
def test_what_is_not_certain_says_so(changes: dict[str, Any], words: str, role: Role) -> None:
    row = order(5, **({"is_pending": False} | changes))
    lines = orders_panel([row], frame(80, 5), now=NOW)
    assert f" {words} " in shown(lines)[2]
    if role:
        assert roles_of(lines, words) == {role}


@pytest.mark.parametrize("status", list(OrderStatus))
def test_no_status_is_cut(status: OrderStatus) -> None:
    line = shown(orders_panel([order(5, status=status.value)], frame(80, 5), now=NOW))[2]
    assert "…" not in line


@pytest.mark.parametrize("size", [(80, 14), (120, 14), (200, 14)])
def test_prices_and_types_are_whole_or_left_out(size: tuple[int, int]) -> None:
    lines = shown(orders_panel(LONGEST, frame(*size), now=NOW))
    rows = [line for line in lines[2:] if line.strip()]
    assert len(rows) == len(OrderType)
    for line in rows:
        assert "1,145.00 / 1,144.50" in line
        assert "12,500" in line
    assert ("Type" in lines[1]) == all(
        f" {kind_of(row)} " in line for row, line in zip(LONGEST, rows, strict=True)
    )


def test_a_price_without_any_room_is_marked_and_never_cut() -> None:
    line = shown(orders_panel(LONGEST, frame(60, 14), now=NOW))[2]
    assert " ################ " in line
    assert "1,145" not in line


def test_types_are_told_apart() -> None:
    assert len({kind_of(order(1, kind=kind.value)) for kind in OrderType}) == len(OrderType)


def test_strangers_and_the_last_stop_are_named() -> None:
    rows = [order(1, is_foreign=True, rule=""), order(2, is_last_stop=True)]
    lines = shown(orders_panel(rows, frame(140, 6), now=NOW))
    assert "foreign" in lines[2]
    assert "last stop" in lines[3]


def test_an_order_grows_older_with_the_clock() -> None:
    here, row = frame(140, 5), order(4)
    assert " 2m " in shown(orders_panel([row], here, now=NOW))[2]
    later = NOW + timedelta(hours=3)
    assert " 3h " in shown(orders_panel([row], here, now=later))[2]


def test_an_order_without_a_number_has_none() -> None:
    assert " 0 MSFT" not in shown(orders_panel([order(1, number=0)], frame(80, 5), now=NOW))[2]


def test_an_empty_panel_says_what_to_do() -> None:
    lines = shown(orders_panel([], frame(80, 6), now=NOW))
    assert "No active orders. In another terminal:" in lines[1]
    assert "[C] Cancel" not in lines[0]
