"""Adding to a position, from the command line to the gateway and back."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import CommandLine

BRACKET = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --wait filled"


def sizes(cli: CommandLine) -> dict[str, str]:
    orders = cli("orders --json").document["orders"]
    return {order["id"].split("-", 2)[2]: order["quantity"] for order in orders}


def test_the_exits_follow(cli: CommandLine) -> None:
    assert cli(f"{BRACKET} --take-profit 155:6 --take-profit 160").code == 0
    preview = cli("scale-in AAPL --quantity 5 --dry-run")
    assert preview.code == 0
    assert "After each fill these follow, up to 15: " in preview.out
    assert "Nothing was sent." in preview.out
    assert cli("scale-in AAPL --quantity 5 --dry-run --json").document["sent"] is False
    done = cli("scale-in aapl --quantity 5 --json")
    assert done.code == 0, done
    document = done.document
    assert document["schema"] == "ibkr-trader/scaled/1"
    assert (document["held"], document["is_covered"]) == ("15", True)
    entry, *exits = document["orders"]
    assert (entry["role"], entry["status"], entry["quantity"]) == ("entry", "FILLED", "5")
    assert [order["quantity"] for order in exits] == ["9", "9", "6", "6"]
    assert sizes(cli) == {"target": "9", "stop": "9", "target.2": "6", "stop.2": "6"}
    (position,) = cli("positions --json").document["positions"]
    assert (position["quantity"], position["is_covered"]) == ("15", True)


def test_no_figure_has_what_is_left_of_a_division(cli: CommandLine) -> None:
    """A third of a cent is in the average cost, and so in every gain that is reckoned from it."""
    assert cli(f"{BRACKET} --take-profit 160").code == 0
    assert cli("gateway inject price AAPL 151.07").code == 0
    assert cli("scale-in AAPL --quantity 5").code == 0
    looks = [f"{name} --json" for name in ("status", "account", "limits", "heat", "positions")]
    told = "".join(cli(look).out for look in looks)
    assert cli("close AAPL").code == 0
    told += "".join(cli(look).out for look in looks)
    assert re.findall(r"[0-9]\.[0-9]{9,}", told) == []


def test_what_does_not_fill_is_taken_back(cli: CommandLine) -> None:
    """Nobody would size the exits once the command is gone."""
    assert cli(f"{BRACKET} --take-profit 155").code == 0
    code, out, _ = cli("scale-in AAPL --quantity 5 --limit 145.50 --timeout 1")
    assert code == 7
    assert "Not filled within 1 s: the rest was taken back." in out
    assert "Held +10 AAPL from " in out
    assert "10 of 10 have a stop." in out
    assert sizes(cli) == {"target": "10", "stop": "10"}
    left = cli("scale-in AAPL --quantity 5 --limit 145.40 --wait accepted")
    assert left.code == 0
    assert "while a trader runs" in left.out
    assert sizes(cli)["entry.3"] == "5"


@pytest.mark.parametrize("is_held", [False, True])
def test_nothing_to_add_to_names_the_command_to_use(cli: CommandLine, is_held: bool) -> None:
    if is_held:
        assert cli("order --symbol AAPL --side buy --no-stop --quantity 5 --wait filled").code == 0
    code, _, err = cli("scale-in AAPL --quantity 5")
    assert code == 2
    if is_held:
        assert "5 AAPL are held without a stop of ours" in err
        assert "fix: ibkr-trader trailing-stop --symbol AAPL" in err
    else:
        assert "nothing is held in AAPL" in err
        assert "fix: ibkr-trader bracket-order --symbol AAPL --quantity 5 --stop-loss" in err


def test_a_denial_sends_nothing(cli: CommandLine) -> None:
    assert cli(f"{BRACKET} --take-profit 155").code == 0
    for line in ("", " --dry-run"):
        assert cli(f"scale-in AAPL --quantity 500{line}").code == 6
    assert sizes(cli) == {"target": "10", "stop": "10"}


def test_exits_of_another_kind_get_company(cli: CommandLine) -> None:
    assert cli("order --symbol AAPL --side buy --no-stop --quantity 10 --wait filled").code == 0
    assert cli("trailing-stop --symbol AAPL --quantity 10 --trail-amount 5").code == 0
    preview = cli("scale-in AAPL --quantity 5 --dry-run")
    assert preview.code == 0, preview
    assert "These stay as they are, with exits of its own beside them: " in preview.out
    waiting = cli("scale-in AAPL --quantity 3 --limit 145.50 --timeout 1")
    assert waiting.code == 7
    assert "Not filled within 1 s: it works on." in waiting.out  # under exits of its own
    done = cli("scale-in AAPL --quantity 5 --json")
    assert done.code == 0, done
    assert (done.document["held"], done.document["is_covered"]) == ("15", True)
