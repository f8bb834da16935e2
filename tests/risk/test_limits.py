from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ibkr_trader.core.enums import SecType
from ibkr_trader.risk.limits import (
    RiskLimits,
    SymbolLimitRegistry,
    SymbolLimits,
    percentages,
)
from tests.risk.world import D, figures

CAP = RiskLimits()
FILE = SymbolLimitRegistry(
    symbols={
        "AAPL": SymbolLimits(symbol="AAPL", max_position_size=D(50), max_daily_loss=D(200)),
        "TSLA": SymbolLimits(
            symbol="TSLA", max_order_exposure=D(20_000), max_correlation_exposure=D(9_000)
        ),
    },
    default=SymbolLimits(
        symbol="*",
        max_position_size=D(80),
        max_order_exposure=D(5_000),
        max_correlation_exposure=D(7_000),
    ),
)


def test_a_fraction_of_more_than_the_whole_is_a_percentage() -> None:
    assert not percentages(CAP)
    wide: dict[str, Any] = {
        "order_collar": D(1),
        "max_gross_exposure": D(10),
        "max_sector_share": D(10),
    }
    assert not percentages(RiskLimits(**wide))
    odd: dict[str, Any] = {"max_jump": D(10), "order_collar": D("1.01"), "max_symbol_share": D(2)}
    assert set(percentages(RiskLimits(**odd))) == set(odd)
    assert percentages(RiskLimits(max_net_exposure=D(100))) == ("max_net_exposure",)
    assert not percentages(RiskLimits(max_symbol_share=D(2), max_gross_exposure=D(2)))


def test_symbol_limits_override_global() -> None:
    limit = FILE.get_limit("AAPL", CAP)
    assert (limit.max_position_size, limit.max_daily_loss) == figures(50, 200)


def test_symbol_limits_fallback_to_default() -> None:
    assert FILE.get_limit("META", CAP).max_position_size == 80
    assert FILE.get_limit("AAPL", CAP).max_order_exposure == 5_000
    assert FILE.get_limit("META", CAP).max_daily_loss == CAP.max_daily_loss


def test_a_symbol_cannot_loosen_the_cap() -> None:
    assert FILE.get_limit("TSLA", CAP).max_order_exposure == CAP.max_order_exposure


def test_correlated_exposure_has_no_cap_of_its_own() -> None:
    assert FILE.get_limit("TSLA", CAP).max_correlation_exposure == 9_000
    assert FILE.get_limit("META", CAP).max_correlation_exposure == 7_000
    assert SymbolLimitRegistry().get_limit("META", CAP).max_correlation_exposure is None


def test_without_a_file_the_cap_holds() -> None:
    limit = SymbolLimitRegistry().get_limit("AAPL", CAP)
    assert (limit.max_position_size, limit.max_order_exposure) == figures(100, 10_000)


@pytest.mark.parametrize(
    "value", ["0", "-1", "NaN", "Infinity", "sNaN", "1000000000000001", "1E99"]
)
def test_symbol_limits_validation(value: str) -> None:
    with pytest.raises(ValueError, match="max_daily_loss must be a positive number"):
        SymbolLimits(symbol="AAPL", max_daily_loss=D(value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_order_quantity", D(0)),
        ("max_gross_exposure", D("NaN")),
        ("order_collar", D("-0.01")),
        ("max_openings_per_day", 0),
        ("max_openings_per_day", "6"),
        ("max_quote_age", timedelta(0)),
        ("duplicate_window", timedelta(minutes=11)),
        ("closing_reserve", 50),
    ],
)
def test_limits_that_mean_nothing_are_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        RiskLimits(**{name: value})  # type: ignore[arg-type] # the point of the test


def test_other_values_are_taken() -> None:
    limits = RiskLimits(
        allow_delayed_quotes=True,
        sec_types=frozenset({SecType.OPTION}),
        duplicate_window=timedelta(minutes=10),
        closing_reserve=49,
    )
    assert limits.allow_delayed_quotes


def test_shares_are_whole() -> None:
    with pytest.raises(ValueError, match=r"AAPL: max_position_size must be whole, not 50\.5"):
        SymbolLimits(symbol="AAPL", max_position_size=D("50.5"))
    assert SymbolLimits(symbol="AAPL", max_position_size=D("50.0")).max_position_size == 50


def test_a_registry_knows_whether_it_limits_anything() -> None:
    assert SymbolLimitRegistry(symbols={"AAPL": SymbolLimits(symbol="AAPL")}).is_empty
    assert not FILE.is_empty


def test_own_is_what_the_file_says_of_a_symbol_without_the_cap() -> None:
    assert FILE.own("TSLA", "max_order_exposure") == 20_000
    assert FILE.own("TSLA", "max_position_size") == 80
    assert FILE.own("META", "max_daily_loss") is None


@pytest.mark.parametrize("name", ["allowed_symbols", "restricted_symbols"])
@pytest.mark.parametrize("symbol", ["aapl", "BRK.B", " AAPL", "\u0410APL", "", "A/B"])
def test_a_symbol_that_no_contract_is_called_is_refused(name: str, symbol: str) -> None:
    """It would bind nothing: the first letter of one of these is Cyrillic."""
    fine: dict[str, Any] = {name: frozenset({"AAPL", "BRK B"})}
    assert getattr(RiskLimits(**fine), name) == fine[name]
    odd: dict[str, Any] = {name: frozenset({symbol})}
    with pytest.raises(ValueError, match=f"^{name}"):
        RiskLimits(**odd)
