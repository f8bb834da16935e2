from __future__ import annotations

from ibkr_trader.risk.limits import SymbolLimitRegistry
from ibkr_trader.risk.limits_reading import LimitsFault, LimitsReading


def test_a_fault_names_its_place() -> None:
    fault = LimitsFault(line=3, column=7, key="a.b", message="why")
    assert str(fault) == "line 3, column 7: a.b: why"
    assert str(LimitsFault(message="why")) == "why"


def test_a_file_is_missing_that_says_nothing_and_has_no_fault() -> None:
    assert LimitsReading().is_missing
    assert not LimitsReading(faults=(LimitsFault(message="why"),)).is_missing
    assert not LimitsReading(registry=SymbolLimitRegistry()).is_missing
