from __future__ import annotations

from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.limits import SymbolLimitRegistry, SymbolLimits
from tests.risk.world import bracket, held, judge, reasons, review, spec, submit, view

FAULTS = "f.json line 2: one\nf.json line 3: two"
ONE = SymbolLimitRegistry(symbols={"AAPL": SymbolLimits(symbol="AAPL")})


def test_a_sound_file_lets_everything_pass() -> None:
    assert judge("limits_file", bracket(), view()) == []


def test_every_fault_of_the_file_is_a_reason() -> None:
    found = judge("limits_file", bracket(), view(limits_fault=FAULTS))
    assert [one.message for one in found] == ["f.json line 2: one.", "f.json line 3: two."]
    assert {one.hint for one in found} == {
        "mend it, or write it again as it was in force: ibkr-trader limits --restore"
    }


def test_a_fault_denies_openings_and_lets_closings_pass() -> None:
    world = view(held(10), limits_fault=FAULTS)
    assert reasons(review(bracket(), world)) >= {"limits_file"}
    assert reasons(review(submit(spec("SELL", 10)), world)) == set()


def test_the_gauge_says_how_the_file_stands() -> None:
    gauge = CHECKS["limits_file"].gauge
    assert gauge is not None
    said = [
        next(gauge(world)).note
        for world in (view(), view(symbol_limits=ONE), view(limits_fault=FAULTS))
    ]
    assert said == [
        "0 symbols with limits of their own",
        "1 symbol with limits of their own",
        "damaged or missing: nothing is opened",
    ]
