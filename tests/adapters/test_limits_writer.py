from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.adapters.limits_reader import read_limits
from ibkr_trader.adapters.limits_writer import EMPTY, amended, text_of
from ibkr_trader.risk.limits import LIMIT_KEYS, RiskLimits, SymbolLimitRegistry
from tests.adapters.limits_parts import NAMES, registries

CAP = RiskLimits()
MINE = """{"$schema": "x.json",
 "default_limits": { "max_daily_loss": 1000.0 },
 "symbol_limits": {"TSLA": {"max_position_size":10,   "max_order_exposure": 2000.0}, "BRK.B": {}}}
"""


def read(text: str) -> SymbolLimitRegistry:
    reading = read_limits(text.encode(), CAP)
    assert reading.registry is not None, reading.faults
    return reading.registry


@given(registries())
def test_what_is_written_is_what_is_read(registry: SymbolLimitRegistry) -> None:
    assert read(text_of(registry)) == registry
    assert text_of(read(text_of(registry))) == text_of(registry)


def test_amounts_are_written_as_text_in_full() -> None:
    text = amended(EMPTY, "AAPL", {"max_daily_loss": Decimal("1E+3")})
    assert json.loads(text)["symbol_limits"] == {"AAPL": {"max_daily_loss": "1000"}}


def test_what_is_not_changed_keeps_its_place_and_its_spelling() -> None:
    text = amended(MINE, "AAPL", {"max_position_size": Decimal(50)})
    assert (
        text
        == """{
  "$schema": "x.json",
  "default_limits": {
    "max_daily_loss": 1000.0
  },
  "symbol_limits": {
    "TSLA": {
      "max_position_size": 10,
      "max_order_exposure": 2000.0
    },
    "BRK.B": {},
    "AAPL": {
      "max_position_size": "50"
    }
  }
}
"""
    )


def test_one_limit_is_set_beside_the_others() -> None:
    registry = read(amended(MINE, "TSLA", {"max_position_size": Decimal(5)}))
    assert registry.own("TSLA", "max_position_size") == 5
    assert registry.own("TSLA", "max_order_exposure") == 2_000


def test_a_class_is_found_under_either_spelling() -> None:
    for spelling in ("BRK.B", "BRK B"):
        text = MINE.replace("BRK.B", spelling)
        written = amended(text, "BRK B", {"max_daily_loss": Decimal(5)})
        assert written.count("BRK") == 1
        assert read(written).own("BRK B", "max_daily_loss") == 5


def test_limits_are_removed() -> None:
    registry = read(amended(amended(MINE, "TSLA", None), "*", None))
    assert registry.is_empty
    assert read(amended(MINE, "*", {"max_daily_loss": Decimal(9)})).default.max_daily_loss == 9


def test_a_file_without_sections_gets_them() -> None:
    assert read(amended("{}", "V", {"max_daily_loss": Decimal(9)})).own("V", "max_daily_loss") == 9


@given(registries(), st.sampled_from((*NAMES, "*", "NVDA")), st.sampled_from(LIMIT_KEYS))
def test_a_change_changes_nothing_else(
    registry: SymbolLimitRegistry, symbol: str, key: str
) -> None:
    after = read(amended(text_of(registry), symbol, {key: Decimal(7)}))
    for name in (*registry.symbols, "*"):
        old = registry.default if name == "*" else registry.symbols[name]
        new = after.default if name == "*" else after.symbols[name]
        for one in LIMIT_KEYS:
            wanted = 7 if (name, one) == (symbol, key) else getattr(old, one)
            assert getattr(new, one) == wanted
    assert after.own(symbol, key) == 7
