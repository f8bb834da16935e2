"""`trail`: a bracket's stop follows the market, and what cannot is refused with the reason."""

from __future__ import annotations

import pytest

from tests.cli.conftest import CommandLine
from tests.cli.families.test_orders import BRACKET


def test_a_resting_stop_is_let_follow_and_left_again(cli: CommandLine) -> None:
    assert cli(f"{BRACKET} --wait filled").code == 0
    would = cli("trail 1-stop --trail-percent 2 --dry-run")
    assert would.code == 0
    assert "Nothing was changed." in would.out
    none = cli("trail 1-stop --off")
    assert "1-stop does not trail" in none.err
    done = cli("trail 1-stop --trail-percent 2 --json")
    assert done.code == 0, done
    assert (done.document["trail_percent"], done.document["sent"]) == ("2", True)
    said = cli("trail 1-stop --trail-amount 3")
    assert "1-stop follows the market by 3.00: SELL 10 AAPL STOP" in said.out
    assert "It is tightened by a running trader: ibkr-trader run" in said.out
    ended = cli("trail 1-stop --off --json")
    assert ended.code == 0
    assert ended.document["trail_percent"] is None


def test_what_trails_says_so_among_the_orders_and_the_positions(cli: CommandLine) -> None:
    assert cli(f"{BRACKET} --wait filled").code == 0
    assert cli("orders 1-stop --json").document["orders"][0]["managed_trail"] is None
    assert cli("positions --json").document["positions"][0]["remarks"] == []
    assert cli("trail 1-stop --trail-percent 2").code == 0
    (stop,) = cli("orders 1-stop --json").document["orders"]
    assert stop["managed_trail"] == {
        "trail_amount": None, "trail_percent": "2", "activation_price": None,
    }  # fmt: skip
    words = "trailed by the trader, 2% behind"
    (shown,) = (row for row in cli("orders").out.splitlines() if "-stop " in row)
    assert shown.endswith(f"trigger, {words}")
    assert f"AAPL: 1-stop {words}" in cli("positions").out
    (held,) = cli("positions --json").document["positions"]
    assert held["remarks"] == [{"order": stop["id"], "remark": words}]
    assert cli("trail 1-stop --off").code == 0
    assert words not in cli("orders").out + cli("positions").out


def test_a_stop_that_was_placed_to_be_trailed_says_so_as_well(cli: CommandLine) -> None:
    assert cli("order --symbol AAPL --side buy --quantity 10 --no-stop --wait filled").code == 0
    placed = cli(
        "trailing-stop --symbol AAPL --quantity 10 --trail-amount 3 --managed"
        " --activation-price 160 --stop 145"
    )
    assert placed.code == 0, placed
    words = "trailed by the trader, 3.00 behind from 160.00 on"
    assert words in cli("orders").out
    assert words in cli("positions").out


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("trail 1-target --trail-percent 2", 2, "is a LIMIT order, and no plain stop"),
        ("trail 1-stop --trail-percent 100", 2, "cannot stay 100% behind the market"),
        ("trail 1-stop --trail-amount 5000", 2, "cannot stay 5,000.00 behind the market"),
        ("trail 1-stop", 2, "give one of --trail-percent, --trail-amount and --off"),
        ("trail 1-stop --trail-percent 2 --off", 2, "give one of"),
        ("trail 1-stop --trail-percent 2x", 2, "--trail-percent"),
        ("trail 99-stop --trail-percent 2", 2, "unknown"),
    ],
)
def test_what_cannot_trail_is_said(cli: CommandLine, line: str, code: int, words: str) -> None:
    assert cli(f"{BRACKET} --wait filled").code == 0
    found = cli(line)
    assert words in " ".join(found.err.split()), found
    assert found.code == code
