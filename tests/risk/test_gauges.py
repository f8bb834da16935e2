from __future__ import annotations

from collections.abc import Iterator

import pytest

from ibkr_trader.core.events import Breach
from ibkr_trader.risk import gauges
from ibkr_trader.risk.check import Binds, Check, Gauge
from ibkr_trader.risk.gauges import at_stake, limited, readings, rule
from ibkr_trader.risk.limits import SymbolLimitRegistry, SymbolLimits
from ibkr_trader.risk.proposal import Proposal
from ibkr_trader.risk.view import FactMissing, RiskView
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


def test_every_gauge_is_read_and_one_that_lacks_a_fact_says_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(_: Proposal, __: RiskView) -> Iterator[Breach]:
        return iter(())

    def half(_: RiskView) -> Iterator[Gauge]:
        yield Gauge(check="half", subject="AAPL")
        raise FactMissing("No price of MSFT.")

    def whole(view: RiskView) -> Iterator[Gauge]:
        yield Gauge(check="whole", note=view.account)

    checks = {
        "half": Check(run, Binds.OPENINGS, half),
        "silent": Check(run, Binds.OPENINGS),
        "whole": Check(run, Binds.OPENINGS, whole),
    }
    monkeypatch.setattr(gauges, "CHECKS", checks)
    assert [(one.check, one.subject, one.note) for one in readings(view())] == [
        ("half", "AAPL", ""),
        ("half", "", "No price of MSFT."),
        ("whole", "", "SIM0000001"),
    ]
