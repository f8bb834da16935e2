"""`heat` says what every stop hit would lose; `status` and `account` what the day has brought."""

from __future__ import annotations

from decimal import Decimal

from tests.cli.conftest import CommandLine
from tests.cli.families.test_orders import BRACKET

BUY = "order --symbol AAPL --side buy --no-stop --quantity 5 --type market --wait filled"
REST = "order --symbol MSFT --side buy --no-stop --quantity 1 --type limit --limit"


def test_nothing_is_held(cli: CommandLine) -> None:
    done = cli("heat")
    assert (done.code, "nothing is held, and nothing may open" in done.out) == (0, True), done
    assert cli("heat --json").document["every_stop"] == "0"


def test_a_position_loses_from_the_market_to_its_stop(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    found = cli("heat --json")
    assert found.code == 0, found
    (held,) = found.document["positions"]
    lost = 10 * (Decimal(held["mark"]) - Decimal(held["stop"]))
    assert Decimal(held["to_stop"]) == lost == Decimal(found.document["every_stop"])
    assert (held["quantity"], held["covered"], held["uncovered"]) == ("10", "10", "0")
    gap = 10 * Decimal(held["mark"]) * Decimal("0.05")
    assert Decimal(held["with_gap"]) == lost + gap == Decimal(found.document["correlation_one"])
    assert Decimal(found.document["diversified"]) == lost
    assert Decimal(found.document["max_heat"]) > 0
    shown = cli("heat")
    assert shown.code == 0, shown
    (line,) = [line for line in shown.out.splitlines() if line.startswith("AAPL")]
    assert "10/10" in line
    assert "AAPL: the daily range is unknown, 5 % is taken" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 100


def test_what_has_no_stop_and_what_may_open_is_said(cli: CommandLine) -> None:
    assert cli(BUY).code == 0
    assert cli(f"{REST} 290").code == 0
    shown = cli("heat")
    assert shown.code == 0, shown
    assert "no stop" in shown.out
    assert "AAPL: no working stop for 5 of it; counted as if stopped 20 % away" in shown.out
    assert "MSFT entries" in shown.out
    document = cli("heat --json").document
    aapl, msft = document["positions"]
    assert (aapl["stop"], aapl["uncovered"], msft["quantity"]) == (None, "5", "0")
    assert Decimal(msft["entries"]) == 58
    total = Decimal(aapl["to_stop"]) + 58
    assert Decimal(document["every_stop"]) == total


def test_a_gap_of_a_position_is_its_own(cli: CommandLine) -> None:
    """What its entries may lose besides is in their line, and in the sums."""
    assert cli(BUY).code == 0
    assert cli(f"{REST} 100".replace("MSFT", "AAPL")).code == 0
    document = cli("heat --json").document
    (held,) = document["positions"]
    gap = 5 * Decimal(held["mark"]) * Decimal("0.05")
    assert Decimal(held["with_gap"]) == Decimal(held["to_stop"]) + gap
    assert Decimal(held["entries"]) == 20
    assert Decimal(document["with_gaps"]) == Decimal(held["with_gap"]) + 20 + 5
    shown = cli("heat").out
    (line,) = [line for line in shown.splitlines() if line.startswith("AAPL  ")]
    assert f"-{Decimal(held['with_gap']):,.2f}" in line


def test_the_day_is_told(cli: CommandLine) -> None:
    fresh = cli("status --json").document["day"]
    assert (fresh["net"], fresh["symbols"], fresh["notes"]) == ("0", {}, [])
    assert cli(BUY).code == 0
    for name in ("status", "account"):
        document = cli(f"{name} --json").document["day"]
        assert list(document["symbols"]) == ["AAPL"], name
        net = Decimal(document["realized"]) + Decimal(document["unrealized"])
        assert Decimal(document["net"]) == net - Decimal(document["commission"])
        assert Decimal(document["commission"]) > 0
        assert document["max_daily_loss"] == "1000"
        assert "realised 0.00, open " in cli(name).out
    assert "of 1,000.00, " in cli("status").out
