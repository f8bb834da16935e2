from __future__ import annotations

from ibkr_trader.risk.gauges import at_stake, limited, rule
from ibkr_trader.risk.limits import SymbolLimitRegistry, SymbolLimits
from tests.risk.world import AAPL, MSFT, held, limit, view, working


def test_a_rule_says_how_it_stands() -> None:
    (fixed,) = rule("tick", "as it is")(view())
    (read,) = rule("tick", lambda world: world.account)(view())
    assert (fixed.check, fixed.note, fixed.limit) == ("tick", "as it is", None)
    assert read.note == "SIM0000001"


def test_at_stake_is_what_is_held_or_works_by_name() -> None:
    order = working(limit("BUY", 1, "140"))
    assert at_stake(view(held(5, MSFT), order)) == [AAPL, MSFT]
    assert at_stake(view()) == []


def test_limited_are_those_at_stake_and_those_with_limits_of_their_own() -> None:
    tsla = SymbolLimitRegistry(symbols={"TSLA": SymbolLimits(symbol="TSLA")})
    assert limited(view(held(5), symbol_limits=tsla)) == ["", "AAPL", "TSLA"]
