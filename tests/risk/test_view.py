from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.risk.limits import SymbolLimitRegistry, SymbolLimits
from ibkr_trader.risk.view import FactMissing
from tests.risk.world import AAPL, D, aged, details, portfolio, quote, view


def test_what_is_known_is_told() -> None:
    world = view(quotes={1: aged(quote(), 3)})
    assert world.quote(AAPL) == quote()
    assert world.aged_quote(AAPL).age == timedelta(seconds=3)
    assert world.contract_details(AAPL) == details()
    assert world.account_value("net_liquidation") == 1_000_000


def test_what_is_unknown_is_not_zero() -> None:
    world = view(quotes={}, details={}, portfolio=portfolio(values=None))
    with pytest.raises(FactMissing, match="no quote for AAPL") as fact:
        world.quote(AAPL)
    assert (fact.value.about, fact.value.hint) == ("quote_fresh", "ibkr-trader quote AAPL")
    with pytest.raises(FactMissing, match="unknown") as fact:
        world.contract_details(AAPL)
    assert fact.value.about == "knowledge"
    with pytest.raises(FactMissing, match="net liquidation"):
        world.account_value("net_liquidation")


def test_a_value_that_the_broker_left_out_is_unknown_too() -> None:
    with pytest.raises(FactMissing, match="buying power"):
        view().account_value("buying_power")


def test_the_limits_of_a_symbol_are_within_the_cap() -> None:
    registry = SymbolLimitRegistry(
        symbols={"AAPL": SymbolLimits(symbol="AAPL", max_position_size=D(7))}
    )
    world = view(symbol_limits=registry)
    assert world.symbol_limit("AAPL").max_position_size == 7
    assert world.symbol_limit("MSFT").max_position_size == 100
