from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.models import AccountValues
from ibkr_trader.risk.largest_use import largest_use
from ibkr_trader.risk.limits import SymbolLimitRegistry, SymbolLimits
from ibkr_trader.risk.view import RiskView
from tests.risk.world import (
    ACCOUNT,
    D,
    bracket,
    held,
    limit,
    limits,
    portfolio,
    spec,
    stop,
    submit,
    view,
)

WIDE: dict[str, Any] = {
    "max_order_quantity": D(10_000),
    "max_order_exposure": D(10_000_000),
    "max_position_size": D(10_000),
    "max_risk_per_trade": D(1_000_000),
    "max_risk_share": D(1),
    "max_symbol_share": D(10),
}


def said(command: Any, world: RiskView) -> str:
    return str(largest_use(command, world))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"max_order_quantity": D(20)}, "uses 50 % of max_order_quantity (20)"),
        ({"max_order_exposure": D(2_000)}, "uses 76 % of max_order_exposure (2,000.00)"),
        ({"max_position_size": D(40)}, "uses 25 % of max_position_size (40)"),
        ({"max_risk_per_trade": D(60)}, "uses 84 % of max_risk_per_trade (60.00)"),
        ({"max_symbol_share": D("0.003")}, "uses 52 % of max_symbol_share (3,000.00)"),
    ],
)
def test_the_largest_is_named(changes: dict[str, Any], words: str) -> None:
    world = view(limits=limits(**(WIDE | changes)))
    assert said(bracket(10), world) == f"BUY 10 AAPL {words}"


def test_the_position_after_it_counts_and_the_tighter_limit_of_the_symbol() -> None:
    own = SymbolLimitRegistry(
        symbols={"AAPL": SymbolLimits(symbol="AAPL", max_position_size=D(50))}
    )
    world = view(held(30), limits=limits(**WIDE), symbol_limits=own)
    assert said(submit(spec("BUY", 10)), world) == (
        "BUY 10 AAPL uses 80 % of max_position_size (50)"
    )
    short = view(held(-30), limits=limits(**WIDE), symbol_limits=own)
    assert said(submit(spec("SELL", 15)), short) == (
        "SELL 15 AAPL uses 90 % of max_position_size (50)"
    )


def test_of_several_entries_the_larger_is_named() -> None:
    both = submit(limit("BUY", 5, "145"), limit("SELL", 9, "155", "t-1-single.2"))
    world = view(limits=limits(**(WIDE | {"max_order_quantity": D(10)})))
    assert said(both, world) == "SELL 9 AAPL uses 90 % of max_order_quantity (10)"


def test_what_opens_nothing_uses_nothing() -> None:
    assert largest_use(submit(spec("SELL", 10)), view(held(10))) is None
    too_much = submit(stop("SELL", 11, "145", role=OrderRole.STOP))
    assert largest_use(too_much, view(held(10))) is None


def test_what_is_not_known_is_left_out() -> None:
    command = submit(limit("BUY", 10, "150"))
    found = largest_use(command, view(quotes={}, portfolio=portfolio(values=None)))
    assert found is not None
    assert found.name == "max_order_exposure"
    broke = AccountValues(account=ACCOUNT, net_liquidation=D(0))
    found = largest_use(bracket(), view(portfolio=portfolio(values=broke)))
    assert found is not None
    assert found.name == "max_order_exposure"
