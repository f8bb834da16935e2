"""A bracket as it is typed and as it is shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.cli.bracket_ticket import (
    Stake,
    exit_of,
    remedies,
    stake,
    stop_of,
    targets_of,
    worth,
)
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.core.enums import OrderType, Side, TimeInForce
from ibkr_trader.core.models import OrderRequest, OrderSpec
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.orders.group import Setting
from tests.orders.samples import AAPL, ACCOUNT, GROUP, bracket_specs

ENTRY = OrderRequest(
    symbol="AAPL", quantity=Decimal(10), side=Side.BUY, time_in_force=TimeInForce.IOC
)


def stop(**texts: str) -> OrderRequest:
    return stop_of(ENTRY, **({"stop_loss": "", "trail_amount": "", "trail_percent": ""} | texts))


def parts(*texts: str, entry: OrderRequest = ENTRY) -> list[tuple[str, int]]:
    return [(f"{one.limit_price}", int(one.quantity)) for one in targets_of(entry, texts)]


def specs(*targets: str, side: Side = Side.BUY, **stops: str) -> tuple[OrderSpec, ...]:
    """Return the orders of a bracket as they would go out."""
    entry = msgspec.structs.replace(ENTRY, side=side)
    texts: dict[str, Any] = {"stop_loss": "", "trail_amount": "", "trail_percent": ""} | stops
    request = BracketOrderRequest(
        parent=entry, stop_loss=stop_of(entry, **texts), take_profit=targets_of(entry, targets)
    )
    return request.group(Setting(GROUP, AAPL, ACCOUNT)).open().orders


def test_a_stop_is_a_price_or_a_trail() -> None:
    fixed = stop(stop_loss="145")
    assert (fixed.order_type, fixed.stop_price, fixed.side) == (
        OrderType.STOP, Decimal(145), Side.SELL,
    )  # fmt: skip
    by_amount, by_percent = stop(trail_amount="3"), stop(trail_percent="2.5")
    assert (by_amount.order_type, by_amount.trail_amount, by_amount.stop_price) == (
        OrderType.TRAIL, Decimal(3), None,
    )  # fmt: skip
    assert (by_percent.trail_percent, by_percent.trail_amount) == (Decimal("2.5"), None)
    assert {one.time_in_force for one in (fixed, by_amount)} == {TimeInForce.GTC}


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"stop_loss": "145", "trail_amount": "3"},
        {"trail_amount": "3", "trail_percent": "2"},
    ],
)
def test_exactly_one_of_the_three_is_given(texts: dict[str, str]) -> None:
    with pytest.raises(UsageFault, match="a bracket needs one of --stop-loss"):
        stop(**texts)


def test_targets_share_what_is_left() -> None:
    assert parts() == []
    assert parts("155") == [("155", 10)]
    assert parts("155", "160", "165") == [("155", 4), ("160", 3), ("165", 3)]
    assert parts("155:6", "160:4") == [("155", 6), ("160", 4)]
    assert parts("155:6") == [("155", 6)]
    assert parts("155:5", "160", "165") == [("155", 5), ("160", 3), ("165", 2)]
    assert parts(" 155:6 ") == [("155", 6)]


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("155:x", "155:1"),
        ("$155:6", "155:6"),
        ("155,5", "155.5"),
        ("155:0", "155:1"),
        (":6", "145.00:6"),
    ],
)
def test_a_target_that_is_none_is_corrected(text: str, better: str) -> None:
    with pytest.raises(UsageFault) as caught:
        parts(text)
    assert (caught.value.option, caught.value.typed, caught.value.better) == (
        "--take-profit", text, better,
    )  # fmt: skip


def test_nothing_left_to_share_is_said() -> None:
    with pytest.raises(UsageFault, match="0 of 10 are left for 1 take profit without"):
        parts("155:10", "160")
    few = msgspec.structs.replace(ENTRY, quantity=Decimal(2))
    with pytest.raises(UsageFault, match="2 of 2 are left for 3 take profits without"):
        parts("155", "160", "165", entry=few)
    with pytest.raises(UsageFault, match="0 of 10 are left"):
        parts("155:12", "160")


def test_what_it_is_worth() -> None:
    paid = Decimal(150)
    assert worth(specs("155", stop_loss="145"), paid) == [
        "From 150.00: target +50.00 · stop -50.00 before commissions"
    ]
    assert worth(specs("155:6", "160:4", stop_loss="145"), paid) == [
        "From 150.00: target 6 +30.00 · target 4 +40.00 · stop -50.00 before commissions"
    ]
    assert worth(specs("155:6", trail_amount="3"), paid) == [
        "From 150.00: target 6 +30.00 · trail -30.00 at first before commissions"
    ]
    short = specs("145", side=Side.SELL, trail_percent="2")
    assert worth(short, paid) == [
        "From 150.00: target +50.00 · trail -30.00 at first before commissions"
    ]
    assert worth(specs(stop_loss="145"), paid) == ["From 150.00: stop -50.00 before commissions"]


def test_what_has_no_price_or_no_exits_is_worth_nothing_yet() -> None:
    orders = specs("155", stop_loss="145")
    assert worth(orders, None) == []
    assert worth(orders[1:], Decimal(150)) == []
    assert worth(orders[:1], Decimal(150)) == []


def test_other_ways_to_read_it() -> None:
    """Stop and target the wrong way round: they were mixed up, or a short is meant."""

    def bracket(stop_at: str, *targets: str) -> BracketOrderRequest:
        entry = msgspec.structs.replace(ENTRY, time_in_force=TimeInForce.DAY)
        return BracketOrderRequest(
            parent=entry,
            stop_loss=exit_of(entry, order_type=OrderType.STOP, price=Decimal(stop_at)),
            take_profit=targets_of(entry, targets),
        )

    assert remedies(bracket("155", "145")) == [
        {"--stop-loss": "145", "--take-profit": "155"},
        {"--side": "sell"},
    ]
    assert remedies(bracket("155", "145", "140")) == []
    assert remedies(bracket("155")) == []
    equal = bracket("150", "150")
    assert remedies(equal) == []
    assert worth(bracket_specs(), Decimal(150)) == [
        "From 150.00: target +50.00 · stop -50.00 before commissions"
    ]


@pytest.mark.parametrize(
    ("orders", "loss", "gain", "ratio"),
    [
        (specs("155", stop_loss="145"), -50, 50, 1),
        (specs("160", stop_loss="145"), -50, 100, 2),
        (specs("155:6", "160:4", stop_loss="145"), -50, 70, Decimal("1.4")),
        (specs("155:6", "160", stop_loss="145"), -50, 70, Decimal("1.4")),
        (specs("155:6", stop_loss="145"), -50, 30, Decimal("0.6")),  # the rest has no target
        (specs(stop_loss="145"), -50, None, None),
        (specs("145", stop_loss="155", side=Side.SELL), -50, 50, 1),
        (specs("155", trail_percent="2"), -30, 50, Decimal(5) / 3),
        (specs("155", stop_loss="151"), 10, 50, None),  # it stops where there is a gain
    ],
)
def test_what_is_at_stake(
    orders: tuple[OrderSpec, ...], loss: int, gain: int | None, ratio: Decimal | None
) -> None:
    found = stake(orders, Decimal(150))
    assert found == Stake(Decimal(loss), None if gain is None else Decimal(gain))
    assert found is not None
    assert found.ratio == ratio


def test_without_a_stop_or_a_price_nobody_knows_what_is_at_stake() -> None:
    orders = specs("155", stop_loss="145")
    assert stake(orders, None) is None
    assert stake(orders[1:], Decimal(150)) is None
    assert stake(orders[:2], Decimal(150)) is None
