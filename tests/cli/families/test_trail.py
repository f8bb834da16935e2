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
